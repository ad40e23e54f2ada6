"""The TCP port for other servers: it takes the messages that do not come as datagrams."""

from typing import Any, cast

from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from typing_extensions import override

from multipaxos.runtime.messenger.arrivals import Arrivals, Refusal
from multipaxos.runtime.messenger.frames import FrameReader, FrameTooLongError
from multipaxos.runtime.messenger.peers import SocketAddress
from multipaxos.runtime.reactor import DelayedCall, Reactor, TcpTransport

CONNECTIONS_MAX = 64
"""Two of each of at most eight peers; the others may be left over from lives that ended unsaid."""
SILENCE_SECONDS_MAX = 300.0
"""A connection from which nothing comes for so long is closed."""


class StreamPort(Factory):
    """
    Makes the connections, over which messages come only; nothing is ever answered over them.

    State: the open *connections*. The first bytes of a message that is under way are kept in each:
    so there is a limit to how many there are, and they come from hosts of the cluster only.
    """

    noisy = False

    def __init__(self, arrivals: Arrivals, *, connections_max: int = CONNECTIONS_MAX) -> None:
        """Hand what arrives to *arrivals*, over at most *connections_max* connections."""
        self.arrivals = arrivals
        self.connections: set[StreamConnection] = set()
        self.connections_max = connections_max
        self._port: Any = None
        self._reactor: Reactor | None = None

    def listen(self, reactor: Reactor, own: SocketAddress) -> None:
        """Receive from now on, at *own* only; OSError or CannotListenError if it cannot be."""
        host, port = own
        self._reactor = reactor
        self._port = reactor.listenTCP(port, self, interface=host)

    def close(self) -> None:
        """Receive no more, and close all connections."""
        port, self._port = self._port, None
        if port is not None:
            port.stopListening()
        for connection in tuple(self.connections):
            connection.abort()

    @override
    def buildProtocol(self, addr: Any) -> Protocol | None:
        """Return a connection for *addr*; None, so that it is closed, for one that is not taken."""
        source = (addr.host, addr.port)
        if not self.arrivals.is_known_host(addr.host):
            reason = "a connection, but no other server of this cluster has this address"
            self.arrivals.refuse(Refusal.WRONG_ADDRESS, reason, source)
            return None
        if len(self.connections) >= self.connections_max:
            reason = f"one connection more than the {self.connections_max} that are taken"
            self.arrivals.refuse(Refusal.CROWDED, reason, source)
            return None
        assert self._reactor is not None, "who does not listen gets no connections"
        return StreamConnection(self, source, self._reactor)


class StreamConnection(Protocol):
    """One connection from another server; its state is the message that is under way."""

    def __init__(self, port: StreamPort, source: SocketAddress, reactor: Reactor) -> None:
        """Begin for *port*, not connected yet, for what comes from *source*."""
        self._stream_port = port
        self._source = source
        self._reactor = reactor
        self._reader = FrameReader()
        self._time_out: DelayedCall | None = None
        self._is_closing = False

    @override
    def connectionMade(self) -> None:
        """Take up the connection."""
        self._stream_port.connections.add(self)
        self._restart_time_out()

    @override
    def dataReceived(self, data: bytes) -> None:
        """Take bytes of a message, or of several."""
        self._restart_time_out()
        self._reader.feed(data)
        arrivals = self._stream_port.arrivals
        try:
            while not self._is_closing and (message := self._reader.next_message()) is not None:
                arrivals.receive(message, self._source, any_port=True)
        except FrameTooLongError as error:
            arrivals.refuse(Refusal.MALFORMED, f"malformed datagram: {error}", self._source)
            self.abort()

    @override
    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Forget what has come of a message."""
        self._is_closing = True
        self._stop_time_out()
        self._stream_port.connections.discard(self)

    def abort(self) -> None:
        """Close now."""
        self._is_closing = True
        self._stop_time_out()
        cast("TcpTransport", self.transport).abortConnection()

    def _restart_time_out(self) -> None:
        self._stop_time_out()
        self._time_out = self._reactor.callLater(SILENCE_SECONDS_MAX, self.abort)

    def _stop_time_out(self) -> None:
        if self._time_out is not None and self._time_out.active():
            self._time_out.cancel()
