"""The TCP port for clients: it makes the connections, and tells each the outcome of its request."""

from typing import cast

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, Protocol
from typing_extensions import override

from multipaxos.chain.effects import Answer
from multipaxos.chain.pipelines import Pipelining
from multipaxos.chain.requests import RequestID
from multipaxos.chain.state_machine import StateMachine
from multipaxos.runtime.client_port import resp
from multipaxos.runtime.client_port.connection import Asked, ClientConnection
from multipaxos.runtime.client_port.service import CallObserver, Info, Service
from multipaxos.runtime.client_port.session import Rules
from multipaxos.runtime.client_port.transport import Transport
from multipaxos.runtime.reactor import Scheduler

CONNECTIONS_MAX = 1000


class ClientPort(Factory):
    """
    Makes the connections, and tells each the outcome of its request.

    State: the open *connections*, which of them wait for which request, and some counts for people.
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
        self.rules = Rules(
            machine=_alone(service.machine),
            value_bytes_max=service.value_bytes_max,
            password=service.password,
            connections_max=connections_max,
        )
        self.connections: set[ClientConnection] = set()
        self._waiting: dict[RequestID, list[ClientConnection]] = {}
        self._opened = 0
        self._turned_away = 0
        self._requests = 0

    @property
    def connections_max(self) -> int:
        """How many connections there may be at a time."""
        return self.rules.connections_max

    @override
    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        """Return a connection, or one that only says that there are too many."""
        if len(self.connections) >= self.connections_max:
            self._turned_away += 1
            return _OneTooMany()
        return ClientConnection(self)

    def opened(self, connection: ClientConnection) -> int:
        """Take note of a *connection*; return its number."""
        self.connections.add(connection)
        self._opened += 1
        return self._opened

    def closed(self, connection: ClientConnection) -> None:
        """Take note of the end of *connection*."""
        self.connections.discard(connection)

    def served(self, count: int = 1) -> None:
        """Take note of *count* requests."""
        self._requests += count

    def submit(self, asked: Asked, connection: ClientConnection) -> None:
        """Hand what is *asked* to the protocol; *connection* waits for its outcome."""
        self._waiting.setdefault(asked.request_id, []).append(connection)
        self.service.submit(asked.request_id, asked.command, since=asked.since)

    def answer(self, answer: Answer) -> None:
        """Tell the outcome to all that wait for it; nobody does if the client went away."""
        for connection in self._waiting.pop(answer.request_id, ()):
            connection.answer(answer.outcome)

    def forget(self, request_id: RequestID, connection: ClientConnection) -> None:
        """Let *connection* wait no more for *request_id*, which goes on all the same."""
        waiting = self._waiting.get(request_id, [])
        if connection in waiting:
            waiting.remove(connection)
        if not waiting:
            self._waiting.pop(request_id, None)

    def info(self) -> Info:
        """Return what INFO tells: of the server, of its clients, and of what they asked."""
        return {
            **self.service.info(),
            "Clients": {
                "connected_clients": len(self.connections),
                "maxclients": self.connections_max,
                "blocked_clients": len(self._waiting),
            },
            "Stats": {
                "total_connections_received": self._opened,
                "rejected_connections": self._turned_away,
                "total_commands_processed": self._requests,
            },
        }

    def close(self) -> None:
        """Close all connections; who waits for an outcome does not know it."""
        for connection in tuple(self.connections):
            connection.abort()


def _alone(machine: StateMachine) -> StateMachine:
    """Return the machine whose commands clients know, without pipelines as such."""
    return machine.machine if isinstance(machine, Pipelining) else machine


class _OneTooMany(Protocol):
    """A connection beyond the limit: told so, and closed."""

    @override
    def connectionMade(self) -> None:
        transport = cast("Transport", self.transport)
        transport.write(resp.error("ERR max number of clients reached"))
        transport.loseConnection()
