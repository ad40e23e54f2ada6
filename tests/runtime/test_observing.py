"""Several observers of one driver."""

from typing import Any

from multipaxos.runtime.observing import Observers


class Writer:
    """Writes down what it is told, together with its own name."""

    def __init__(self, name: str, log: list[str]) -> None:
        """Write to *log*."""
        self.name = name
        self.log = log

    def timer_fired(self, timer: object) -> None:
        """Write it down."""
        self.log.append(f"{self.name} fired {timer}")


class Listener(Writer):
    """Listens to clients, too."""

    def called(self, request_id: object, command: object) -> None:
        """Write it down."""
        self.log.append(f"{self.name} called {request_id} {command}")


def test_every_observer_sees_everything_in_their_order() -> None:
    """The trace comes before what may fail on it."""
    log: list[str] = []
    told: Any = Observers(Writer("first", log), Listener("second", log))

    told.timer_fired("sync")
    told.called("ann/1", "GET")

    assert log == ["first fired sync", "second fired sync", "second called ann/1 GET"]


def test_what_nobody_listens_to_is_not_missed() -> None:
    """An observer has the methods that it needs."""
    log: list[str] = []
    told: Any = Observers(Writer("only", log))

    told.sent("an envelope")
    told.returned("ann/1", "GET", "chosen")
    told.halted("a reason")

    assert log == []


def test_one_listener_is_called_directly() -> None:
    """What only one listens to costs no more than without the others."""
    listener = Listener("one", [])
    told: Any = Observers(Writer("other", []), listener)

    assert told.called == listener.called
