"""The TCP port for clients: it serves the requests of a connection one after the other."""

import secrets
from typing import Protocol as Interface
from typing import cast

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from typing_extensions import override

from multipaxos.chain.effects import Answer
from multipaxos.chain.requests import Chosen, Outcome, RequestID, Unknown
from multipaxos.chain.state_machine import Command, StateMachine
from multipaxos.runtime import resp
from multipaxos.runtime.commands import (
    OK,
    Greet,
    Propose,
    Quit,
    ReadStale,
    Say,
    TellHistory,
    TellStatus,
    interpret,
    link_and_result,
    reply_to,
)
from multipaxos.runtime.ports import StorageError
from multipaxos.runtime.reactor import DelayedCall, Scheduler

CONNECTIONS_MAX = 1000
IDLE_SECONDS_MAX = 300
"""A connection that asks nothing for so long is closed."""
ANSWER_SECONDS_MAX = 600
"""A connection whose request finds no quorum for so long is closed: the outcome is unknown."""
WAITING_BYTES_MAX = 2 * resp.ARGUMENT_BYTES_MAX
"""More unserved bytes than these stay with the operating system, and so with the client."""


class Transport(Interface):
    """What a connection asks of Twisted's TCP transport, under Twisted's names."""

    # ruff: disable[N802]
    def write(self, data: bytes, /) -> object:
        """Send *data*, when the network takes it."""

    def loseConnection(self) -> object:
        """Close once all is sent."""

    def abortConnection(self) -> object:
        """Close now."""

    def pauseProducing(self) -> object:
        """Leave what arrives with the operating system."""

    def resumeProducing(self) -> object:
        """Read again."""

    def registerProducer(self, producer: object, streaming: bool, /) -> object:  # noqa: FBT001
        """Tell *producer* when too much waits to be sent, and when it does no more."""

    def unregisterProducer(self) -> object:
        """Tell it no more."""

    def setTcpNoDelay(self, enabled: bool, /) -> object:  # noqa: FBT001
        """Send small replies at once."""

    def setTcpKeepAlive(self, enabled: bool, /) -> object:  # noqa: FBT001
        """Let the operating system find out that a silent client's machine is gone."""

    # ruff: enable[N802]


class Service(Interface):
    """What the port needs of its server."""

    @property
    def value_bytes_max(self) -> int:
        """How large a value may be, as JSON."""

    @property
    def cluster(self) -> str:
        """Which cluster it belongs to."""

    @property
    def uid(self) -> str:
        """Which of the cluster's servers it is."""

    @property
    def machine(self) -> StateMachine:
        """Which commands there are."""

    @property
    def instance(self) -> int:
        """The link in progress."""

    def submit(self, request_id: RequestID, command: Command, *, since: int | None) -> None:
        """Hand *command* to the protocol; its outcome comes to :meth:`ClientPort.answer`."""

    def read_stale(self, command: Command) -> Chosen | None:
        """Read in the server's own state, as of the link that it names; None without memory."""

    def status(self) -> str:
        """Return as JSON how the server is."""

    def history(self, count: int) -> str:
        """Return as JSON the newest *count* links; StorageError if they cannot be read."""


class CallObserver(Interface):
    """Sees what clients ask and are told; a trace writer. Changes nothing."""

    def called(self, request_id: RequestID, command: Command) -> None:
        """Tell that a client asks for *command*."""

    def returned(self, request_id: RequestID, command: Command, outcome: Outcome) -> None:
        """Tell that a client is told the *outcome*, or that it will never be told."""


class ClientPort(Factory):
    """
    Makes the connections, and tells each the outcome of its request.

    State: the open *connections*, and which of them wait for which request.
    """

    noisy = False

    def __init__(
        self,
        service: Service,
        *,
        clock: Scheduler,
        observer: CallObserver,
        connections_max: int = CONNECTIONS_MAX,
    ) -> None:
        """Serve clients of *service*, at most *connections_max* at a time."""
        self.service = service
        self.clock = clock
        self.observer = observer
        self.connections_max = connections_max
        self.connections: set[ClientConnection] = set()
        self._waiting: dict[RequestID, list[ClientConnection]] = {}

    @override
    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        """Return a connection, or one that only says that there are too many."""
        if len(self.connections) >= self.connections_max:
            return _OneTooMany()
        return ClientConnection(self)

    def submit(
        self, request_id: RequestID, propose: Propose, connection: "ClientConnection"
    ) -> None:
        """Hand what is proposed to the protocol; *connection* waits for its outcome."""
        self._waiting.setdefault(request_id, []).append(connection)
        self.service.submit(request_id, propose.command, since=propose.since)

    def answer(self, answer: Answer) -> None:
        """Tell the outcome to all that wait for it; nobody does if the client went away."""
        for connection in self._waiting.pop(answer.request_id, ()):
            connection.answer(answer.outcome)

    def forget(self, request_id: RequestID, connection: "ClientConnection") -> None:
        """Let *connection* wait no more for *request_id*, which goes on all the same."""
        waiting = self._waiting.get(request_id, [])
        if connection in waiting:
            waiting.remove(connection)
        if not waiting:
            self._waiting.pop(request_id, None)

    def close(self) -> None:
        """Close all connections; who waits for an outcome does not know it."""
        for connection in tuple(self.connections):
            connection.abort()


class ClientConnection(Protocol):
    """
    One client's connection.

    State: the bytes not yet served; the request that is *in_protocol*; whether the client leaves
    its replies unread. Requests are served one after the other, so replies come in their order.
    """

    def __init__(self, port: ClientPort) -> None:
        """Begin for *port*, not connected yet."""
        self.port = port
        self.reader = resp.RequestReader()
        self.in_protocol: tuple[RequestID, Propose] | None = None
        # For requests without an id the connection is the client: they come one after the other.
        self._client = f"tcp-{secrets.token_hex(8)}"
        self._sequence = 0
        self._output_is_full = False
        self._is_serving = False
        self._is_closing = False
        self._time_out: DelayedCall | None = None

    @property
    def tcp(self) -> Transport:
        """The transport, as the TCP connection that it is."""
        return cast("Transport", self.transport)

    # -- Twisted's events --------------------------------------------------------------------------

    @override
    def connectionMade(self) -> None:
        """Take up the connection."""
        self.tcp.setTcpNoDelay(True)
        self.tcp.setTcpKeepAlive(True)
        # As the producer of its replies it is told when the client does not read them.
        self.tcp.registerProducer(self, True)  # noqa: FBT003 - it pushes, unasked
        self.port.connections.add(self)
        self._restart_time_out()

    @override
    def dataReceived(self, data: bytes) -> None:
        """Take bytes of the client."""
        self.reader.feed(data)
        self._serve()

    @override
    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Forget the client. Its request in the protocol goes on: it may be chosen already."""
        self._is_closing = True
        self._stop_time_out()
        self.port.connections.discard(self)
        self._give_up()

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Serve nothing while the client leaves its replies unread."""
        self._output_is_full = True
        self._regulate_input()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Go on: the client has read."""
        self._output_is_full = False
        self._serve()

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Close: there is nobody to read."""
        self.close()

    # -- serving -----------------------------------------------------------------------------------

    def answer(self, outcome: Outcome) -> None:
        """Write the *outcome* of the request in the protocol, and go on to the next."""
        assert self.in_protocol is not None, "only what was asked is answered"
        request_id, propose = self.in_protocol
        self.in_protocol = None
        self.port.observer.returned(request_id, propose.command, outcome)
        self.tcp.write(reply_to(propose, outcome))
        self._restart_time_out()
        if len(self.reader) and not self._is_serving:
            # Not at once: the driver is in the midst of the event that gave this answer.
            self.port.clock.callLater(0, self._serve)

    def close(self) -> None:
        """Close once all that was written is with the client."""
        self._is_closing = True
        self.tcp.unregisterProducer()
        self.tcp.loseConnection()

    def abort(self) -> None:
        """Close now."""
        self._is_closing = True
        self._give_up()
        self.tcp.abortConnection()

    def _serve(self) -> None:
        self._is_serving = True
        try:
            while self.in_protocol is None and not (self._output_is_full or self._is_closing):
                request = self.reader.next_request()
                if request is None:
                    break
                self._restart_time_out()
                self._execute(request)
        except resp.RequestError as error:
            self.tcp.write(resp.error(f"ERR {error}"))
            self.close()
        finally:
            self._is_serving = False
        self._regulate_input()

    def _execute(self, request: list[bytes]) -> None:
        service = self.port.service
        match interpret(request, machine=service.machine, value_bytes_max=service.value_bytes_max):
            case Say(reply=reply):
                self.tcp.write(reply)
            case Greet() as greeting:
                self._greet(greeting)
            case ReadStale(command=command):
                self.tcp.write(self._read_stale(command))
            case TellStatus():
                self.tcp.write(resp.bulk(service.status()))
            case TellHistory(count=count):
                self._write_history(count)
            case Quit():
                self.tcp.write(OK)
                self.close()
            case Propose() as propose:
                self._propose(propose)

    def _read_stale(self, command: Command) -> resp.Reply:
        read = self.port.service.read_stale(command)
        if read is None:
            return resp.error("REFUSED this server has no memory yet")
        return link_and_result(read)

    def _greet(self, greeting: Greet) -> None:
        service = self.port.service
        if greeting.uid is None or greeting == Greet(cluster=service.cluster, uid=service.uid):
            self.tcp.write(resp.integer(service.instance))
            return
        # What stands behind the greeting, in the same packet even, was meant for somebody else.
        self.tcp.write(resp.error(f"OTHER server {service.uid} of cluster {service.cluster}"))
        self.close()

    def _write_history(self, count: int) -> None:
        try:
            self.tcp.write(resp.bulk(self.port.service.history(count)))
        except StorageError as error:
            self.tcp.write(resp.error(f"ERR {error}"))

    def _propose(self, propose: Propose) -> None:
        request_id = propose.request_id or self._next_id()
        self.in_protocol = (request_id, propose)
        self._restart_time_out()
        self.port.observer.called(request_id, propose.command)
        self.port.submit(request_id, propose, self)

    def _give_up(self) -> None:
        if self.in_protocol is None:
            return
        request_id, propose = self.in_protocol
        self.in_protocol = None
        self.port.forget(request_id, self)
        unknown = Unknown(reason="the connection closed before the answer came")
        self.port.observer.returned(request_id, propose.command, unknown)

    def _next_id(self) -> RequestID:
        self._sequence += 1
        return RequestID(self._client, self._sequence)

    def _regulate_input(self) -> None:
        if self._is_closing:
            return
        # While a request is in the protocol, reading goes on: a client's end must be noticed.
        if self._output_is_full or len(self.reader) > WAITING_BYTES_MAX:
            self.tcp.pauseProducing()
        else:
            self.tcp.resumeProducing()

    def _restart_time_out(self) -> None:
        self._stop_time_out()
        seconds = IDLE_SECONDS_MAX if self.in_protocol is None else ANSWER_SECONDS_MAX
        if not self._is_closing:
            self._time_out = self.port.clock.callLater(seconds, self.abort)

    def _stop_time_out(self) -> None:
        if self._time_out is not None and self._time_out.active():
            self._time_out.cancel()


class _OneTooMany(Protocol):
    """A connection beyond the limit: told so, and closed."""

    @override
    def connectionMade(self) -> None:
        transport = cast("Transport", self.transport)
        transport.write(resp.error("ERR max number of clients reached"))
        transport.loseConnection()
