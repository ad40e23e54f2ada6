"""Replies are sent at once where the network takes them, and never in another order."""

from collections import deque
from typing import Any

import pytest
from twisted.internet.abstract import FileDescriptor
from twisted.internet.main import CONNECTION_LOST
from typing_extensions import override

from multipaxos.runtime.client_port.transport import send


class Reactor:
    """Keeps who waits until it may write."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self.writers: set[object] = set()

    # ruff: disable[N802]
    def addWriter(self, writer: object) -> None:
        """Let *writer* wait."""
        self.writers.add(writer)

    def removeWriter(self, writer: object) -> None:
        """Let it wait no more."""
        self.writers.discard(writer)

    def removeReader(self, reader: object) -> None:
        """Read no more."""

    # ruff: enable[N802]


class Wire(FileDescriptor):
    """Twisted's own transport, on a network that takes as many bytes at a time as it is told."""

    def __init__(self, *takes: Any) -> None:
        """Take so many bytes, or fail so, one time after the other; then all."""
        self.loop = Reactor()
        super().__init__(self.loop)  # type: ignore[arg-type]
        self.connected = True
        self.takes = deque(takes)
        self.sent = b""

    @override
    def writeSomeData(self, data: bytes) -> Any:
        taken = self.takes.popleft() if self.takes else len(data)
        if isinstance(taken, int):
            taken = min(taken, len(data))
            self.sent += bytes(data[:taken])
        return taken

    def go_on(self) -> Any:
        """Let the reactor find that it may write; return what that gives."""
        return self.doWrite()  # type: ignore[no-untyped-call]


def test_what_the_network_takes_is_sent_at_once() -> None:
    """The reactor has nothing to wait for."""
    wire = Wire()

    send(wire, b"one")  # type: ignore[arg-type]
    send(wire, b"two")  # type: ignore[arg-type]

    assert wire.sent == b"onetwo"
    assert not wire.loop.writers


@pytest.mark.parametrize("taken", [0, 1, 5])
def test_what_the_network_does_not_take_waits_for_it(taken: int) -> None:
    """The rest, and nothing but the rest, is left to the reactor."""
    wire = Wire(taken)

    send(wire, b"123456")  # type: ignore[arg-type]
    assert wire.sent == b"123456"[:taken]
    assert wire.loop.writers == {wire}
    wire.go_on()

    assert wire.sent == b"123456"
    assert not wire.loop.writers


@pytest.mark.parametrize("before", ["not sent yet", "sent in part"])
def test_nothing_overtakes_what_waits(before: str) -> None:
    """While anything waits, all that comes stands behind it; then it goes directly again."""
    wire = Wire(2, 2, 1)

    send(wire, b"first ")  # type: ignore[arg-type]
    if before == "sent in part":
        wire.go_on()
    send(wire, b"second ")  # type: ignore[arg-type]
    wire.write(b"third ")
    send(wire, b"fourth ")  # type: ignore[arg-type]
    while wire.loop.writers:
        wire.go_on()
    send(wire, b"fifth")  # type: ignore[arg-type]

    assert wire.sent == b"first second third fourth fifth"
    assert not wire.loop.writers


def test_an_error_is_left_to_the_reactor() -> None:
    """It meets the error itself, and closes the connection as it does with every other."""
    wire = Wire(CONNECTION_LOST, CONNECTION_LOST)

    send(wire, b"one")  # type: ignore[arg-type]

    assert wire.sent == b""
    assert wire.loop.writers == {wire}
    assert wire.go_on() is CONNECTION_LOST


def test_nothing_is_sent_on_a_connection_that_is_lost() -> None:
    """Twisted drops it without a word; its socket is gone."""
    wire = Wire()
    wire.connected = False

    send(wire, b"one")  # type: ignore[arg-type]

    assert wire.sent == b""
    assert not wire.loop.writers


def test_a_connection_is_closed_behind_its_last_reply() -> None:
    """Also where the network has not taken all of it yet."""
    wire = Wire(1)

    send(wire, b"bye")  # type: ignore[arg-type]
    wire.loseConnection()  # type: ignore[no-untyped-call]
    ended = wire.go_on()

    assert wire.sent == b"bye"
    assert ended is not None


def test_a_producer_is_told_when_much_waits() -> None:
    """What is sent at once makes nobody wait; what is left does."""

    class Producer:
        paused = 0

        def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
            """Count."""
            self.paused += 1

    wire, producer = Wire(1 << 20, 10), Producer()
    wire.registerProducer(producer, True)  # type: ignore[arg-type]

    send(wire, b"x" * (1 << 20))  # type: ignore[arg-type]
    assert producer.paused == 0
    send(wire, b"x" * (1 << 20))  # type: ignore[arg-type]

    assert producer.paused == 1
