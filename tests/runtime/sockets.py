"""A reactor without sockets, and a server's messenger on it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, cast

from twisted.internet import error
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from typing_extensions import override

from multipaxos.chain.messages import Envelope, Sync
from multipaxos.runtime.codec import encode_envelope
from multipaxos.runtime.config import Config, built_in_config
from multipaxos.runtime.messenger.peer_messenger import PeerMessenger
from multipaxos.runtime.messenger.peers import PeerAddresses

B_ADDRESS = ("127.0.0.1", 7102)


class FakeHandle:
    """A socket that takes options, or refuses to."""

    def __init__(self) -> None:
        self.options: list[tuple[int, ...]] = []
        self.error: OSError | None = None

    def setsockopt(self, *option: int) -> None:
        """Take an option."""
        if self.error is not None:
            raise self.error
        self.options.append(option)


class Connection(StringTransport):
    """A TCP connection; the test says when what was written has left."""

    def __init__(self, protocol: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.protocol = protocol
        self.handle = FakeHandle()
        protocol.makeConnection(self)

    @override
    def registerProducer(self, producer: Any, streaming: bool) -> None:
        super().registerProducer(producer, streaming)  # type: ignore[no-untyped-call]
        assert not streaming, "a push producer would have to be told when to stop"
        producer.resumeProducing()

    @override
    def abortConnection(self) -> None:
        """Close; the protocol is told later, as by the reactor, when the test lets it happen."""
        self.disconnected = True

    def getHandle(self) -> FakeHandle:  # noqa: N802 - Twisted's name
        """Return the socket."""
        return self.handle

    def drain(self) -> bytes:
        """Let what was written leave, and all that comes after it; return it."""
        sent = bytearray()
        while piece := self.drain_once():
            sent += piece
        return bytes(sent)

    def drain_once(self) -> bytes:
        """Let what was written leave, and return it; the producer is asked for more."""
        piece: bytes = self.value()  # type: ignore[no-untyped-call]
        self.clear()  # type: ignore[no-untyped-call]
        if piece:
            cast("Any", self.producer).resumeProducing()
        return piece

    def arrive(self, data: bytes) -> None:
        """Let bytes arrive, in pieces."""
        for start in range(0, len(data), 50_000):
            self.protocol.dataReceived(data[start : start + 50_000])

    def end(self) -> None:
        """End the connection from outside."""
        self.protocol.connectionLost(Failure(error.ConnectionLost()))  # type: ignore[no-untyped-call]


@dataclass
class Attempt:
    """An outgoing connection that is being made."""

    where: tuple[str, int]
    own: tuple[str, int] | None
    factory: Any
    is_stopped: bool = False

    def stopConnecting(self) -> None:  # noqa: N802 - Twisted's name
        """Stop."""
        self.is_stopped = True
        self.fail()

    def succeed(self) -> Connection:
        """Let the other side take it."""
        return Connection(self.factory.buildProtocol(None))

    def fail(self) -> None:
        """Let the other side refuse it."""
        reason = Failure(error.ConnectionRefusedError())  # type: ignore[no-untyped-call]
        self.factory.clientConnectionFailed(self, reason)


@dataclass
class FakePort:
    """A TCP port."""

    factory: Any
    where: tuple[str, int]
    is_open: bool = True

    def stopListening(self) -> None:  # noqa: N802 - Twisted's name
        """Close."""
        self.is_open = False

    def connect(self, host: str = "127.0.0.1", port: int = 40_000) -> Connection | None:
        """Connect from *host*; None if it is closed at once."""
        assert self.is_open
        protocol = self.factory.buildProtocol(IPv4Address("TCP", host, port))
        return None if protocol is None else Connection(protocol)


class FakeReactor(Clock):
    """A reactor with one UDP and one TCP port, whose other threads run when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.interface: tuple[str, int] | None = None
        self.packet_bytes_max = 0
        self.written: list[tuple[bytes, tuple[str, int]]] = []
        self.error: Exception | None = None
        self.tcp_error: Exception | None = None
        self.handle = FakeHandle()
        self.is_open = False
        self.ports: list[FakePort] = []
        self.attempts: list[Attempt] = []
        self.threads: list[Callable[[], None]] = []

    # ruff: disable[N802, N803]
    def listenUDP(
        self, port: int, protocol: Any, interface: str = "", maxPacketSize: int = 8192
    ) -> Any:
        """Open the UDP port."""
        if self.error is not None:
            raise self.error
        self.interface = (interface, port)
        self.packet_bytes_max = maxPacketSize
        self.is_open = True
        protocol.makeConnection(self)
        return self

    def getHandle(self) -> FakeHandle:
        """Return the UDP port's socket."""
        return self.handle

    def write(self, datagram: bytes, address: tuple[str, int]) -> None:
        """Send a datagram."""
        if self.error is not None:
            raise self.error
        self.written.append((datagram, address))

    def stopListening(self) -> None:
        """Close the UDP port."""
        self.is_open = False

    def listenTCP(
        self, port: int, factory: Any, backlog: int = 50, interface: str = ""
    ) -> FakePort:
        """Open the TCP port."""
        assert backlog
        if self.tcp_error is not None:
            raise self.tcp_error
        self.ports.append(FakePort(factory, (interface, port)))
        return self.ports[-1]

    def connectTCP(
        self,
        host: str,
        port: int,
        factory: Any,
        timeout: float = 30,
        bindAddress: tuple[str, int] | None = None,
    ) -> Attempt:
        """Begin to connect."""
        assert timeout < 30
        self.attempts.append(Attempt((host, port), bindAddress, factory))
        factory.startedConnecting(self.attempts[-1])
        return self.attempts[-1]

    def callFromThread(self, action: Callable[[], object]) -> None:
        """Call in the reactor's own thread."""
        action()

    # ruff: enable[N802, N803]

    def run_threads(self) -> None:
        """Let the other threads do their work."""
        threads = self.threads.copy()
        self.threads.clear()
        for action in threads:
            action()


@dataclass
class Server:
    """Server A's messenger on a fake reactor, and what it told."""

    config: Config = field(default_factory=built_in_config)
    look_up: Any = None
    tcp_only: bool = False

    def __post_init__(self) -> None:
        """Listen."""
        self.reactor = FakeReactor()
        self.received: list[Envelope] = []
        self.refused: list[tuple[str, str]] = []
        peers = {uid: where.peer for uid, where in self.config.servers.items() if uid != "A"}
        run_in_thread = self.reactor.threads.append
        self.messenger = PeerMessenger(
            self.config,
            "A",
            self.received.append,
            lambda reason, address: self.refused.append((reason, address)),
            addresses=self.look_up
            and PeerAddresses(peers, run_in_thread=run_in_thread, look_up=self.look_up),
            tcp_only=self.tcp_only,
            rng=Random(1),
        )
        self.messenger.listen(self.reactor)

    def arrive(self, envelope: Envelope, address: tuple[str, int] = B_ADDRESS) -> None:
        """Let a datagram arrive."""
        self.messenger.udp.datagramReceived(encode_envelope(envelope), address)

    @property
    def port(self) -> FakePort:
        """The TCP port."""
        (port,) = self.reactor.ports
        return port

    @property
    def attempt(self) -> Attempt:
        """The newest attempt to connect."""
        return self.reactor.attempts[-1]


def to_a(message: Any = None, **fields: Any) -> Envelope:
    """Return an envelope from B to A."""
    envelope = Envelope(
        cluster="main",
        chain_id="",
        instance=0,
        sender="B",
        receiver="A",
        message=message or Sync(votes_from=0),
    )
    return replace(envelope, **fields)


def from_a(message: Any = None, **fields: Any) -> Envelope:
    """Return an envelope from A to B."""
    return replace(to_a(message), sender="A", receiver="B", **fields)
