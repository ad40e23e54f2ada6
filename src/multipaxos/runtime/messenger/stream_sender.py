"""
Sends the messages that are too long for a datagram, over TCP.

A message may be lost here as well as on the way: the protocol repeats what matters. So nothing is
ever tried twice, and where a peer does not keep up, messages are dropped rather than kept: older
ones first, for what is newer says more about how things are now.
"""

import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from twisted.internet.protocol import ClientFactory, Protocol, connectionDone
from twisted.python.failure import Failure
from typing_extensions import override

from multipaxos.runtime.messenger.arrivals import Arrivals, Refusal
from multipaxos.runtime.messenger.frames import MESSAGE_BYTES_MAX, header
from multipaxos.runtime.messenger.peers import SocketAddress
from multipaxos.runtime.reactor import DelayedCall, Reactor, TcpTransport

WAITING_BYTES_MAX = MESSAGE_BYTES_MAX
"""What may wait for one peer, behind the message that is under way: any single message fits."""
CONNECT_SECONDS_MAX = 5.0
IDLE_SECONDS_MAX = 60.0
"""A connection over which nothing was to be sent for so long is closed."""
STALL_SECONDS_MAX = 10.0
"""A connection over which nothing more could be sent for so long is given up."""
CHUNK_BYTES = 128 * 1024

_USER_TIMEOUT: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)
"""Linux's. Elsewhere it takes the system minutes to give up a connection that is cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Bytes to be sent; a waiting message that *supersedes* goes when another such one comes."""

    text: bytes
    supersedes: bool


class StreamSender:
    """
    Sends to each peer over one connection, which is opened when there is something to send.

    State: a line to each peer that was ever sent anything.
    """

    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals
        self._lines: dict[str, Line] = {}
        self._reactor: Reactor | None = None
        self._own_host = ""

    def start(self, reactor: Reactor, own_host: str) -> None:
        """Send from now on; from *own_host*, for it is by this that the peers know us."""
        self._reactor = reactor
        self._own_host = own_host

    def close(self) -> None:
        """Close all connections; what has not been sent is lost."""
        self._reactor = None
        for line in self._lines.values():
            line.close()
        self._lines.clear()

    def send(self, message: Message, receiver: str, address: SocketAddress) -> None:
        """Send *message* to *receiver*, which is at *address*, if possible; else count it."""
        if self._reactor is None:
            reason = f"cannot reach {receiver}: the socket is closed"
            self._arrivals.refuse(Refusal.UNREACHABLE, reason, address)
            return
        if receiver not in self._lines:
            self._lines[receiver] = Line(receiver, self._arrivals, self._reactor, self._own_host)
        self._lines[receiver].send(message, address)


class Line(ClientFactory):
    """
    The way to one *peer*.

    State: the messages that wait, the oldest first; the open connection, if any; the attempt to
    make one, if any. While something waits, there is one or the other.
    """

    noisy = False

    def __init__(self, peer: str, arrivals: Arrivals, reactor: Reactor, own_host: str) -> None:
        """Begin without a connection."""
        self.reactor = reactor
        self._peer = peer
        self._arrivals = arrivals
        self._own_host = own_host
        self._address: SocketAddress = ("", 0)
        self._waiting: deque[Message] = deque()
        self._connection: SendingConnection | None = None
        self._attempt: Any = None

    def send(self, message: Message, address: SocketAddress) -> None:
        """Send *message* after those that wait; a connection to be made goes to *address*."""
        self._address = address
        if self._is_on_its_way(message.text):
            # It is repeated because it takes so long: to send it twice would take longer still.
            return
        if message.supersedes:
            self._waiting = deque(each for each in self._waiting if not each.supersedes)
        self._waiting.append(message)
        self._make_room()
        if self._connection is not None:
            self._connection.wake()
        elif self._attempt is None:
            self._connect()

    def take(self) -> bytes | None:
        """Return the message to be sent next, which waits no more; None if there is none."""
        return self._waiting.popleft().text if self._waiting else None

    def close(self) -> None:
        """Send nothing more."""
        self._waiting.clear()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()
        if self._attempt is not None:
            self._attempt.stopConnecting()

    def _is_on_its_way(self, text: bytes) -> bool:
        under_way = self._connection.message if self._connection is not None else b""
        return text == under_way or any(text == each.text for each in self._waiting)

    def _make_room(self) -> None:
        while sum(len(each.text) for each in self._waiting) > WAITING_BYTES_MAX:
            size = len(self._waiting.popleft().text)
            reason = f"{self._peer} does not keep up: a message of {size} bytes goes for newer ones"
            self._refuse(Refusal.DISPLACED, reason)

    def _refuse(self, refusal: Refusal, reason: str) -> None:
        self._arrivals.refuse(refusal, reason, self._address)

    # ---------------------------------------------------------------------------------- connections

    def _connect(self) -> None:
        host, port = self._address
        self.reactor.connectTCP(
            host, port, self, timeout=CONNECT_SECONDS_MAX, bindAddress=(self._own_host, 0)
        )

    @override
    def startedConnecting(self, connector: Any) -> None:
        """Note the attempt."""
        self._attempt = connector

    @override
    def buildProtocol(self, addr: Any) -> Protocol:
        """Return the connection, which the attempt has led to."""
        self._attempt = None
        self._connection = SendingConnection(self)
        return self._connection

    @override
    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        """Lose what waits: a peer that is down must not find old messages when it is up again."""
        self._attempt = None
        lost, self._waiting = self._waiting, deque()
        for _ in lost:
            sentence = f"cannot reach {self._peer}: {reason.getErrorMessage()}"
            self._refuse(Refusal.UNREACHABLE, sentence)

    def lose(self, connection: "SendingConnection", reason: str, *, is_idle: bool) -> None:
        """Go on without *connection*; unless it *is_idle*, a message is lost with it."""
        if connection is not self._connection:
            return  # We closed it ourselves.
        self._connection = None
        if not is_idle:
            self._refuse(Refusal.UNREACHABLE, f"a message to {self._peer} is lost: {reason}")
        if self._waiting:
            self._connect()


class SendingConnection(Protocol):
    """
    An open connection, over which nothing is ever received.

    State: the *message* under way, and what is *left* to send of it; whether the connection is
    *idle*. The transport asks for the next piece when it has none (a pull producer, in Twisted's
    words). So it never holds more than one, and a message is under way until the system has all.
    """

    def __init__(self, line: Line) -> None:
        """Begin for *line*, not connected yet."""
        self._line = line
        self.message = b""
        self._left = memoryview(b"")
        self._is_idle = True
        self._is_stalled = False
        self._time_out: DelayedCall | None = None

    @property
    def tcp(self) -> TcpTransport:
        """The transport, as the TCP connection that it is."""
        return cast("TcpTransport", self.transport)

    @override
    def connectionMade(self) -> None:
        """Begin to send."""
        if _USER_TIMEOUT is not None:
            with suppress(OSError):
                self.tcp.getHandle().setsockopt(
                    socket.IPPROTO_TCP, _USER_TIMEOUT, int(1000 * STALL_SECONDS_MAX)
                )
        self.tcp.registerProducer(self, False)  # noqa: FBT003 - it waits until it is asked

    @override
    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell the line."""
        self._stop_time_out()
        stalled = f"for {STALL_SECONDS_MAX:g} seconds nothing more could be sent"
        why = stalled if self._is_stalled else reason.getErrorMessage()
        self._line.lose(self, why, is_idle=self._is_idle)

    def wake(self) -> None:
        """Send what waits now, if nothing is under way."""
        if self._is_idle:
            self.resumeProducing()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Write the next piece: all before it is with the system."""
        if not self._left:
            self._begin_next_message()
        if self._is_idle:
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

    def _begin_next_message(self) -> None:
        message = self._line.take()
        self._is_idle = message is None
        self.message = message or b""
        if message is not None:
            self.tcp.write(header(message))
            self._left = memoryview(message)

    def _stall(self) -> None:
        self._is_stalled = True
        self.abort()

    def _restart_time_out(self, seconds: float, action: Callable[[], None]) -> None:
        self._stop_time_out()
        self._time_out = self._line.reactor.callLater(seconds, action)

    def _stop_time_out(self) -> None:
        if self._time_out is not None and self._time_out.active():
            self._time_out.cancel()
