"""A client port without sockets: its transport and its server are played by the test."""

from collections.abc import Callable

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock

from multipaxos.chain import pipelines
from multipaxos.chain.effects import Answer
from multipaxos.chain.register import Register
from multipaxos.chain.requests import Chosen, Outcome, RequestID
from multipaxos.chain.state_machine import Command
from multipaxos.runtime.address import Address
from multipaxos.runtime.change_log import ChangeLog
from multipaxos.runtime.client_port.connection import ClientConnection
from multipaxos.runtime.client_port.port import ClientPort
from multipaxos.runtime.client_port.service import Info, Role
from multipaxos.runtime.ports import StorageError


class Transport:
    """A TCP transport that keeps what is written."""

    def __init__(self) -> None:
        """Begin open, reading and empty."""
        self.written = b""
        self.closed: str | None = None
        self._reads = True

    def is_open(self) -> bool:
        """Tell whether the server has not closed the connection."""
        return self.closed is None

    def is_read(self) -> bool:
        """Tell whether the server reads what arrives."""
        return self._reads

    # ruff: disable[N802]
    def getPeer(self) -> IPv4Address:
        """Return the client's address."""
        return IPv4Address("TCP", "127.0.0.1", 50_000)

    def getHost(self) -> IPv4Address:
        """Return the server's address."""
        return IPv4Address("TCP", "127.0.0.1", 7001)

    def write(self, data: bytes) -> None:
        """Keep *data*."""
        self.written += data

    def loseConnection(self) -> None:
        """Close."""
        self.closed = "after writing"

    def abortConnection(self) -> None:
        """Close at once."""
        self.closed = "at once"

    def pauseProducing(self) -> None:
        """Stop reading."""
        self._reads = False

    def resumeProducing(self) -> None:
        """Read."""
        self._reads = True

    def registerProducer(self, producer: object, streaming: bool) -> None:
        """Take note of nothing: the test plays this part."""
        assert streaming, producer

    def unregisterProducer(self) -> None:
        """Take note of nothing."""

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Take note of nothing."""
        assert enabled

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """Take note of nothing."""
        assert enabled

    # ruff: enable[N802]

    def take(self) -> bytes:
        """Return what was written since the last time."""
        written, self.written = self.written, b""
        return written


class Service:
    """A server that keeps requests until the test answers them."""

    cluster = "main"
    uid = "A"
    machine = Register()
    instance = 7
    change_log = ChangeLog(7)

    def __init__(
        self,
        *,
        password: str | None = None,
        connections_max: int = 1000,
        value_bytes_max: int = 100,
    ) -> None:
        """Begin without requests."""
        self.password = password
        self.value_bytes_max = value_bytes_max
        self.clock = Clock()
        self.port = ClientPort(
            self, clock=self.clock, observer=self, connections_max=connections_max
        )
        self.master: Address | None = None
        self.asked: list[tuple[RequestID, Command]] = []
        self.at_once: Callable[[RequestID], Outcome] | None = None
        self.observed: list[tuple[str, Command | Outcome]] = []

    def called(self, request_id: RequestID, command: Command) -> None:
        """Keep what a trace would tell of a call."""
        self.observed.append((f"called {request_id}", command))

    def returned(self, request_id: RequestID, command: Command, outcome: Outcome) -> None:
        """Keep what a trace would tell of a return."""
        assert all(each[0] in ("SET", "GET", "CAS") for each in pipelines.commands_of(command))
        self.observed.append((f"returned {request_id}", outcome))

    def read_stale(self, command: Command) -> Chosen:
        """Answer with the command's name."""
        return Chosen(link=6, result=command[0])

    def submit(self, request_id: RequestID, command: Command, *, since: int | None) -> None:
        """Keep the request, or answer it at once."""
        self.since = since
        self.asked.append((request_id, command))
        if self.at_once is not None:
            self.port.answer(Answer(request_id=request_id, outcome=self.at_once(request_id)))

    def commands(self) -> list[Command]:
        """Return the commands that wait for an answer."""
        return [command for _, command in self.asked]

    def answer(self, outcome: Outcome) -> None:
        """Answer the oldest request."""
        request_id, _ = self.asked.pop(0)
        self.port.answer(Answer(request_id=request_id, outcome=outcome))
        self.clock.advance(0)

    def status(self) -> str:
        """Return a status."""
        return '{"uid": "A"}'

    def history(self, count: int) -> str:
        """Return a history, or fail."""
        if count == 13:
            raise StorageError("the history is damaged")
        return f"[{count}]"

    def role(self) -> Role:
        """Return the part that it plays, after its master."""
        return Role(link=6, master=self.master, is_followed=True)

    def info(self) -> Info:
        """Return two sections."""
        return {"Server": {"redis_version": "7"}, "Keyspace": {}}

    def connect(self) -> tuple[ClientConnection, Transport]:
        """Open a connection."""
        connection = self.port.buildProtocol(None)
        transport = Transport()
        connection.makeConnection(transport)  # type: ignore[no-untyped-call]
        assert isinstance(connection, ClientConnection)
        return connection, transport


def request(*arguments: str | bytes) -> bytes:
    """Encode a request."""
    texts = [each.encode() if isinstance(each, str) else each for each in arguments]
    return b"*%d\r\n" % len(texts) + b"".join(b"$%d\r\n%b\r\n" % (len(t), t) for t in texts)
