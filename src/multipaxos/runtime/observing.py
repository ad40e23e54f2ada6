"""Several observers of one driver: each sees everything, what nobody listens to costs nothing."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

Call = Callable[..., None]


class Observers:
    """
    Tells *observers*, in this order, what a driver and a client port do.

    Each may have any of the methods of :class:`~multipaxos.runtime.driver.Observer` and of
    :class:`~multipaxos.runtime.client_port.service.CallObserver`; what it lacks is not missed.
    """

    def __init__(self, *observers: object) -> None:
        """Find out, once for all, who listens to what."""
        self.delivered: Call = together(calls_of("delivered", observers))
        self.sent: Call = together(calls_of("sent", observers))
        self.saved: Call = together(calls_of("saved", observers))
        self.happened: Call = together(calls_of("happened", observers))
        self.timer_set: Call = together(calls_of("timer_set", observers))
        self.timer_cancelled: Call = together(calls_of("timer_cancelled", observers))
        self.timer_fired: Call = together(calls_of("timer_fired", observers))
        self.answered: Call = together(calls_of("answered", observers))
        self.halted: Call = together(calls_of("halted", observers))
        self.called: Call = together(calls_of("called", observers))
        self.returned: Call = together(calls_of("returned", observers))


def calls_of(
    name: str, observers: Iterable[object], *, idle: Collection[object] = ()
) -> tuple[Call, ...]:
    """
    Return the methods called *name* of those *observers* that have one.

    A method that is one of *idle*, functions known to do nothing, is left out.
    """
    found: list[Call] = []
    for observer in observers:
        method: Any = getattr(observer, name, None)
        if method is not None and getattr(type(observer), name, None) not in idle:
            found.append(method)
    return tuple(found)


def together(calls: Sequence[Call]) -> Call:
    """Return one call that makes all of *calls*, in order."""
    if len(calls) == 1:
        return calls[0]

    def call_each(*arguments: object) -> None:
        for call in calls:
            call(*arguments)

    return call_each if calls else _do_nothing


def _do_nothing(*_: object) -> None:
    pass
