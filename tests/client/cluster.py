"""A cluster for the client library's tests: it speaks RESP, keeps one chain, and fails as told."""

import heapq
import itertools
import json
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

import hiredis
from typing_extensions import override

from multipaxos.chain.durable import Snapshot
from multipaxos.chain.ledger import apply_link, changes_of
from multipaxos.chain.links import Updates
from multipaxos.chain.register import Register
from multipaxos.chain.requests import Chosen, Outcome, RequestID, Update
from multipaxos.chain.state_machine import StateMachine
from multipaxos.client.errors import NoReplyError, NotReachableError, ProtocolError
from multipaxos.client.following import follow
from multipaxos.client.servers import Progress, Servers
from multipaxos.client.steps import (
    Close,
    Elsewhere,
    Endpoint,
    IsOpen,
    Open,
    Pause,
    Receive,
    Send,
    Step,
    Steps,
)
from multipaxos.client.talk import Talk
from multipaxos.runtime.client_port import resp
from multipaxos.runtime.client_port.command_docs import documentation
from multipaxos.runtime.client_port.own_commands import link_and_result
from multipaxos.runtime.client_port.request_reader import RequestReader

T = TypeVar("T")

A, B, C = (("a", 1), ("b", 2), ("c", 3))
THREE = (A, B, C)

LOSE = b"take it and lose the connection"
DROP = b"lose the connection and do not take it"
HANG = b"do not take it and say nothing"
"""What a server can do with a proposal, beside answering something."""

Position = tuple[int, int]


class FakeServer:
    """
    One server of the cluster; what it should do wrong is set from outside.

    State: whether it *is down*, *is hung* (takes connections, says nothing), or *is silent* (gives
    no beat and no change); the link from which on it sees nothing (*cut_off_at*); the link below
    which it lacks changes; what to do with the next proposals; what was asked of it.
    """

    def __init__(self, cluster: "FakeCluster", endpoint: Endpoint) -> None:
        self.cluster = cluster
        self.endpoint = endpoint
        self.is_down = False
        self.is_hung = False
        self.is_silent = False
        self.cut_off_at: int | None = None
        self.lacks_below = 0
        self.password: str | None = None
        self.greeting: bytes | None = None
        self.status: dict[str, Any] = {"uid": endpoint[0]}
        self.plans: deque[bytes] = deque()
        self.asked: list[list[str]] = []

    @property
    def link_in_progress(self) -> int:
        """The link that is in progress as far as this server knows."""
        newest = len(self.cluster.links)
        return newest if self.cut_off_at is None else min(newest, self.cut_off_at)

    def proposals(self) -> list[list[str]]:
        """Return the proposals that were asked of it: client, sequence, since, command."""
        return [words[2:] for words in self.asked if words[1:2] == ["PROPOSE"]]


class FakeConnection:
    """A server's end of one connection: bytes in, bytes out."""

    def __init__(self, server: FakeServer) -> None:
        self.server = server
        self.reader = RequestReader()
        self.output = bytearray()
        self.is_closed = False
        self.is_known = server.password is None
        self.watched: tuple[Position, str | None] | None = None

    def feed(self, received: bytes) -> None:
        """Take bytes of the client, and reply."""
        self.reader.feed(received)
        while not self.is_closed and (request := self.reader.next_request()) is not None:
            words = [argument.decode() for argument in request]
            self.server.asked.append(words)
            if not self.server.is_hung:
                self.output += self._reply(words)

    def push(self) -> None:
        """Write the changes that the watch has not been told of."""
        if self.watched is None or self.server.is_silent or self.server.is_down:
            return
        position, key = self.watched
        for place, change in self.server.cluster.changes():
            if place > position and place[0] < self.server.link_in_progress:
                self.watched = (place, key)
                if key in {None, change[0]}:
                    self.output += _change(place, change)

    def beat(self) -> None:
        """Write a sign of life to a client that watches."""
        if self.watched is not None and not (self.server.is_silent or self.server.is_down):
            self.output += resp.array(
                [resp.bulk("beat"), resp.integer(self.server.link_in_progress)]
            )

    def _reply(self, words: list[str]) -> bytes:  # noqa: PLR0911 - a case for each request
        match words:
            case ["AUTH", password]:
                self.is_known = password == self.server.password
                return resp.simple("OK") if self.is_known else resp.error("WRONGPASS no")
            case _ if not self.is_known:
                return resp.error("NOAUTH Authentication required.")
            case ["MULTIPAXOS", "HELLO", *_]:
                greeting = self.server.greeting
                return greeting or resp.integer(self.server.link_in_progress)
            case ["MULTIPAXOS", "PROPOSE", client, sequence, since, *command]:
                return self._propose(RequestID(client, int(sequence)), int(since), tuple(command))
            case ["MULTIPAXOS", "STALE", *command]:
                return self.server.cluster.read_stale(self.server, tuple(command))
            case ["MULTIPAXOS", "STATUS"]:
                link = {"link": self.server.link_in_progress - 1}
                return resp.bulk(json.dumps(link | self.server.status))
            case ["COMMAND", "DOCS"]:
                return _docs(self.server.cluster.machine)
            case ["MULTIPAXOS", "WATCH", link, index, *key]:
                return self._watch((int(link), int(index)), *key)
            case _:
                return resp.error(f"ERR unknown command '{words[0]}'")

    def _propose(self, request_id: RequestID, since: int, command: tuple[str, ...]) -> bytes:
        plan = self.server.plans.popleft() if self.server.plans else b""
        if plan == HANG:
            return b""
        if plan not in {b"", LOSE, DROP}:
            return plan
        fault = self.server.cluster.machine.refusal(command)
        if fault is not None:
            return resp.error(fault)
        outcome = None if plan == DROP else self.server.cluster.apply(request_id, since, command)
        if plan:
            self.is_closed = True
            return b""
        if isinstance(outcome, Chosen):
            return link_and_result(outcome.link, outcome.result)
        assert outcome is not None, "it was applied"
        return resp.error(f"UNKNOWN {outcome.reason}")

    def _watch(self, position: Position, key: str | None = None) -> bytes:
        if position[0] < self.server.lacks_below - 1:
            return resp.error("GAP this server skipped links")
        self.watched = (position, key)
        return resp.simple("OK")


class FakeCluster:
    """
    Servers at *endpoints* that share one chain: whatever one takes is chosen at once.

    It has link 0, as every chain. State: the links, each as the changes that it made.
    """

    def __init__(
        self, *endpoints: Endpoint, machine: StateMachine | None = None, sessions_max: int = 256
    ) -> None:
        self.machine = machine or Register()
        self.sessions_max = sessions_max
        self.links: list[tuple[Any, ...]] = [()]
        self.snapshots = [Snapshot(value=self.machine.initial())]
        self.servers = {endpoint: FakeServer(self, endpoint) for endpoint in endpoints or THREE}
        self._others = itertools.count(1)

    def apply(self, request_id: RequestID, since: int, command: tuple[str, ...]) -> Outcome:
        """Let *command* be the next link, and return what becomes of it."""
        update = Update(request_id=request_id, command=command, since=since)
        before = self.snapshots[-1]
        effect = apply_link(
            before,
            len(self.links),
            Updates(updates=(update,)),
            machine=self.machine,
            sessions_max=self.sessions_max,
        )
        self.snapshots.append(effect.snapshot)
        self.links.append(changes_of(effect.applied, before.value, self.machine))
        ((_, outcome),) = effect.outcomes
        return outcome

    def someone_does(self, *command: str) -> None:
        """Let another client's *command* be chosen."""
        name = f"other-{next(self._others)}"
        self.apply(RequestID(name, 1), len(self.links), command)

    def changes(self) -> Iterator[tuple[Position, tuple[str | None, Any]]]:
        """Yield where each change stands, and what it is."""
        for number, link in enumerate(self.links):
            for index, change in enumerate(link):
                yield (number, index), change

    def read_stale(self, server: FakeServer, command: tuple[str, ...]) -> bytes:
        """Return the reply to a read of what *server* has."""
        fault = self.machine.refusal(command)
        if fault is not None:
            return resp.error(fault)
        link = server.link_in_progress - 1
        _, result = self.machine.apply(self.snapshots[link].value, command)
        return link_and_result(link, result)


def _docs(machine: StateMachine) -> bytes:
    encoding = resp.Encoding()
    return encoding.mapping(
        {
            name.lower(): documentation(form, encoding, is_of_state=True)
            for name, form in machine.forms.items()
        }
    )


def _change(place: Position, change: tuple[str | None, Any]) -> bytes:
    key, value = change
    encoding = resp.Encoding()
    words = [resp.bulk("change"), resp.integer(place[0]), resp.integer(place[1])]
    return resp.array([*words, encoding.bulk(key), resp.bulk(json.dumps(value))])


# -- in virtual time, without sockets ------------------------------------------------------------


@dataclass
class FakeClock:
    """Virtual *time*, and what is planned for it."""

    time: float = 100.0
    planned: list[tuple[float, int, Callable[[], object]]] = field(default_factory=list)

    def seconds(self) -> float:
        """Return the time."""
        return self.time

    def plan(self, delay_seconds: float, action: Callable[[], object]) -> None:
        """Let *action* happen when *delay_seconds* have passed."""
        heapq.heappush(self.planned, (self.time + delay_seconds, len(self.planned), action))

    def advance_to(self, time: float) -> None:
        """Let all happen that is planned until *time*."""
        while self.planned and self.planned[0][0] <= time:
            self.time, _, action = heapq.heappop(self.planned)
            action()
        self.time = max(self.time, time)


class VirtualShell:
    """Performs steps with a :class:`FakeCluster`, in virtual time."""

    def __init__(self, cluster: FakeCluster, clock: FakeClock) -> None:
        self.cluster = cluster
        self.clock = clock
        self.connection: FakeConnection | None = None
        self.parser = hiredis.Reader()
        self.steps: list[Step] = []

    def run(self, steps: Steps[T]) -> T:
        """Perform *steps* and return what they lead to."""
        return follow(steps, self._perform)

    def pauses(self) -> list[float]:
        """Return how long each pause was."""
        return [step.seconds for step in self.steps if isinstance(step, Pause)]

    def opened(self) -> list[Endpoint]:
        """Return the servers that were connected, in order."""
        return [step.server for step in self.steps if isinstance(step, Open)]

    def _perform(self, step: Step) -> Any:
        self.steps.append(step)
        match step:
            case Open(server=server):
                self.connection = None
                if self.cluster.servers[server].is_down:
                    raise NotReachableError("Connection refused")
                self.connection = FakeConnection(self.cluster.servers[server])
                self.parser = hiredis.Reader()
            case IsOpen():
                return self._is_open()
            case Send(request=request, deadline=deadline):
                self._send(request, deadline)
            case Receive(deadline=deadline):
                return self._receive(deadline)
            case Close():
                self.connection = None
            case Pause(seconds=seconds):
                self.clock.advance_to(self.clock.time + seconds)
            case Elsewhere(steps=steps):
                other = VirtualShell(self.cluster, self.clock)
                found = other.run(steps)
                self.steps += other.steps
                return found
        return None

    def _is_open(self) -> bool:
        connection = self.connection
        return connection is not None and not (connection.is_closed or connection.server.is_down)

    def _send(self, request: bytes, deadline: float) -> None:
        if self.connection is None or self.clock.time >= deadline:
            raise NotReachableError("no answer in time")
        if not self._is_open():
            raise NoReplyError("the server closed the connection")
        self.connection.feed(request)

    def _receive(self, deadline: float) -> Any:
        connection = self.connection
        while self._is_open() and connection is not None:
            connection.push()
            self.parser.feed(bytes(connection.output))
            connection.output.clear()
            try:
                reply = self.parser.gets()
            except hiredis.ProtocolError as error:
                self.connection = None
                raise ProtocolError(str(error)) from error
            if reply is not False:
                return reply
            if self.clock.time >= deadline:
                self.connection = None
                raise NoReplyError("no answer in time")
            self._let_time_pass(connection, deadline)
        self.connection = None
        raise NoReplyError("the server closed the connection")

    def _let_time_pass(self, connection: FakeConnection, deadline: float) -> None:
        if connection.watched is None or connection.server.is_silent:
            self.clock.advance_to(deadline)
            return
        self.clock.advance_to(min(deadline, self.clock.time + 1))
        connection.push()
        connection.beat()


def make_talk(
    clock: FakeClock,
    *endpoints: Endpoint,
    servers: Servers | None = None,
    progress: Progress | None = None,
    password: str | None = None,
) -> Talk:
    """Return a talk named c, in virtual time."""
    return Talk(
        "c",
        servers or Servers(endpoints or THREE),
        progress or Progress(),
        seconds=clock.seconds,
        rng=Random(1),
        password=password,
    )


# -- with the real shells ------------------------------------------------------------------------


class SocketCluster(FakeCluster):
    """The same over pairs of connected sockets: what the real shells need."""

    def __init__(self, *endpoints: Endpoint, machine: StateMachine | None = None) -> None:
        super().__init__(*endpoints, machine=machine)
        self._lock = threading.RLock()
        self._connections: list[tuple[FakeConnection, socket.socket]] = []
        self._threads: list[threading.Thread] = []

    def connect(self, endpoint: Endpoint, _: float = 0.0) -> socket.socket:
        """Open a connection, as :func:`socket.create_connection` does."""
        server = self.servers[endpoint]
        if server.is_down:
            raise ConnectionRefusedError(111, "Connection refused")
        near, far = socket.socketpair()
        connection = FakeConnection(server)
        thread = threading.Thread(target=self._serve, args=(connection, far), daemon=True)
        with self._lock:
            self._connections.append((connection, far))
            self._threads.append(thread)
        thread.start()
        return near

    @override
    def apply(self, request_id: RequestID, since: int, command: tuple[str, ...]) -> Outcome:
        with self._lock:
            outcome = super().apply(request_id, since, command)
            for connection, far in self._connections:
                connection.push()
                self._flush(connection, far)
        return outcome

    def kill(self, endpoint: Endpoint) -> None:
        """Let a server be gone, and its connections with it."""
        with self._lock:
            self.servers[endpoint].is_down = True
            for connection, far in self._connections:
                if connection.server.endpoint == endpoint:
                    with suppress(OSError):
                        far.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """End all connections, and wait for their threads."""
        for endpoint in self.servers:
            self.kill(endpoint)
        for thread in self._threads:
            thread.join()

    def _serve(self, connection: FakeConnection, far: socket.socket) -> None:
        with far:
            while not connection.is_closed:
                try:
                    received = far.recv(65_536)
                except OSError:
                    return
                if not received:
                    return
                with self._lock:
                    connection.feed(received)
                    connection.push()
                    self._flush(connection, far)

    def _flush(self, connection: FakeConnection, far: socket.socket) -> None:
        with suppress(OSError):
            far.sendall(bytes(connection.output))
        connection.output.clear()
