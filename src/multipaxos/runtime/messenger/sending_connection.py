"""An open connection to another server, over which messages are sent piece by piece."""

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast
from typing import Protocol as Interface

from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from typing_extensions import override

from multipaxos.runtime.messenger.frames import header
from multipaxos.runtime.reactor import DelayedCall, Reactor, TcpTransport

IDLE_SECONDS_MAX = 60.0
"""A connection over which nothing was to be sent for so long is closed."""
STALL_SECONDS_MAX = 10.0
"""A connection over which nothing more could be sent for so long is given up."""
CHUNK_BYTES = 128 * 1024

_USER_TIMEOUT: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)
"""Linux's. Elsewhere it takes the system minutes to give up a connection that is cut."""


class Source(Interface):
    """Has the messages for a connection."""

    reactor: Reactor

    def take(self) -> list[bytes]:
        """Return the messages to be sent next, which wait no more."""

    def lose(self, connection: Any, reason: str) -> None:
        """Go on without *connection*; what is under way is lost with it."""


class SendingConnection(Protocol):
    """
    An open connection, over which nothing is ever received.

    State: the messages *under way*, and what is *left* to send of the last. The transport asks for
    the next piece when it has none (a pull producer, in Twisted's words). So it never holds more
    than two chunks, and a message is under way until the system has all.
    """

    def __init__(self, source: Source) -> None:
        """Begin for *source*, not connected yet."""
        self._source = source
        self.under_way: list[bytes] = []
        self._left = memoryview(b"")
        self._is_stalled = False
        self._time_out: DelayedCall | None = None

    @property
    def tcp(self) -> TcpTransport:
        """The transport, as the TCP connection that it is."""
        return cast("TcpTransport", self.transport)

    @override
    def connectionMade(self) -> None:
        """Begin to send."""
        # Nothing ever comes back: a short message would wait for the acknowledgement of the last.
        self._set_option(socket.TCP_NODELAY, 1)
        if _USER_TIMEOUT is not None:
            self._set_option(_USER_TIMEOUT, int(1000 * STALL_SECONDS_MAX))
        self.tcp.registerProducer(self, False)  # noqa: FBT003 - it waits until it is asked

    @override
    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell the source."""
        self._stop_time_out()
        stalled = f"for {STALL_SECONDS_MAX:g} seconds nothing more could be sent"
        self._source.lose(self, stalled if self._is_stalled else reason.getErrorMessage())

    def wake(self) -> None:
        """Send what waits now, if nothing is under way."""
        if not self.under_way:
            self.resumeProducing()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Write the next piece: all before it is with the system."""
        if not self._left:
            self._begin_next_messages()
        if not self.under_way:
            self._restart_time_out(IDLE_SECONDS_MAX, self.abort)
            return
        self.tcp.write(bytes(self._left[:CHUNK_BYTES]))
        self._left = self._left[CHUNK_BYTES:]
        self._restart_time_out(STALL_SECONDS_MAX, self._stall)

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Do nothing: what follows is :meth:`connectionLost`."""

    def abort(self) -> None:
        """Close now."""
        self._stop_time_out()
        self.tcp.abortConnection()

    def _begin_next_messages(self) -> None:
        self.under_way = self._source.take()
        for message in self.under_way[:-1]:
            self.tcp.write(header(message) + message)
        if self.under_way:
            last = self.under_way[-1]
            self.tcp.write(header(last))
            self._left = memoryview(last)

    def _set_option(self, option: int, value: int) -> None:
        with suppress(OSError):
            self.tcp.getHandle().setsockopt(socket.IPPROTO_TCP, option, value)

    def _stall(self) -> None:
        self._is_stalled = True
        self.abort()

    def _restart_time_out(self, seconds: float, action: Callable[[], None]) -> None:
        self._stop_time_out()
        self._time_out = self._source.reactor.callLater(seconds, action)

    def _stop_time_out(self) -> None:
        if self._time_out is not None and self._time_out.active():
            self._time_out.cancel()
