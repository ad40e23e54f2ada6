"""One server: the protocol object with its ports, from its start to its stop."""

import os
from collections.abc import Callable
from typing import Any

from twisted.internet.error import CannotListenError

from multipaxos.chain.durable import DecidedLink
from multipaxos.chain.effects import Answer, Timer
from multipaxos.chain.messages import Envelope
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.chain.requests import Chosen, Outcome, RequestID
from multipaxos.chain.state_machine import Command, StateMachine, apply_safely
from multipaxos.runtime import report
from multipaxos.runtime.change_log import ChangeLog
from multipaxos.runtime.client_port import redis_report
from multipaxos.runtime.client_port.port import CONNECTIONS_MAX, ClientPort
from multipaxos.runtime.client_port.service import Info, Role
from multipaxos.runtime.clock import BootTimeClock, clock_name
from multipaxos.runtime.config import Address
from multipaxos.runtime.driver import Driver
from multipaxos.runtime.file_limit import make_room_for
from multipaxos.runtime.messenger.faults import FaultyMessenger, parse_faults
from multipaxos.runtime.messenger.peer_messenger import (
    ListenError,
    PeerMessenger,
    why_not_listening,
)
from multipaxos.runtime.messenger.peers import look_up_own
from multipaxos.runtime.monitoring.choice import monitor_at
from multipaxos.runtime.options import NotStartedError, ServerOptions
from multipaxos.runtime.ports import Storage
from multipaxos.trace import Silence, TraceObserver

GATHERED_MAX = 64
"""
More requests of one turn than these do not wait for its end.

The others then work on the first of them while this server reads the rest; with one link for all,
everybody would wait for everybody else in turn.
"""
BACKLOG = 1024
"""So many connections may wait to be taken up: a thousand clients may all come at once."""


FAULT = "it met a fault in its own program, which the log shows; please report it"
"""Why a server stops that cannot go on after an exception."""


class Server:
    """
    Holds one server's parts together, and speaks for it to the client port.

    State: when each peer was *last heard* of; the *calls* of the program that the server is
    embedded in, by request; the requests *gathered* in this turn of the reactor. That the server is
    *stopped* is for good.
    """

    def __init__(
        self,
        options: ServerOptions,
        *,
        replica: BaseReplicatedValue,
        storage: Storage,
        observer: TraceObserver,
        clock: BootTimeClock,
        reactor: Any,
        on_halt: Callable[[str], None],
    ) -> None:
        """Put the parts together; nothing happens before :meth:`listen`."""
        self.options = options
        self.config = options.config
        self.storage = storage
        self.observer = observer
        self.clock = clock
        self.reactor = reactor
        self.last_heard: dict[str, float] = {}
        self.calls: dict[RequestID, Callable[[Outcome], None]] = {}
        self._gathered: list[tuple[RequestID, Command, int | None]] = []
        self.replica = replica
        self.messenger = PeerMessenger(
            self.config,
            options.uid,
            self._receive,
            self.observer.datagram_refused,
            tcp_only=options.transport == "tcp",
            rng=replica.rng,
        )
        self.faulty = self._make_faulty() if options.takes_faults else None
        self.monitor = monitor_at(
            options.metrics_address, seconds=clock.seconds, machine=self.replica.machine
        )
        watching = self.monitor.watching(observer)
        # What the protocol says of itself costs time, and most servers have nobody to listen.
        replica.is_watched = self.monitor.is_watching or not isinstance(observer, Silence)
        self.change_log = ChangeLog(self.replica.instance)
        self.port = ClientPort(
            self, clock=reactor, observer=watching, connections_max=make_room_for(CONNECTIONS_MAX)
        )
        self.driver = Driver(
            self.replica,
            storage=self.monitor.timed(storage),
            messenger=self.faulty or self.messenger,
            clock=clock,
            observer=watching,
            on_answer=self._answer,
            on_halt=on_halt,
            on_changes=self.change_log.take,
            on_fault=self._stop_for_fault,
        )
        self._tcp: Any = None
        self._started_at: float | None = None

    def listen(self) -> None:
        """Open the sockets; NotStartedError if an address cannot be listened on."""
        try:
            self.messenger.listen(self.reactor)
        except ListenError as error:
            raise NotStartedError(str(error)) from error
        self._tcp = self.listen_tcp(self.config.server(self.options.uid).client, self.port)
        self.monitor.listen(self)

    def listen_tcp(self, address: Address, factory: Any) -> Any:
        """Listen for *factory* at *address*; return what listens. NotStartedError if it cannot."""
        try:
            _, (host, port) = look_up_own(address)
            return self.reactor.listenTCP(port, factory, backlog=BACKLOG, interface=host)
        except (OSError, CannotListenError) as error:
            raise NotStartedError(
                f"cannot listen on TCP {address}: {why_not_listening(error)}"
            ) from error

    def start(self) -> None:
        """Serve."""
        self._started_at = self.clock.seconds()
        self.observer.header(
            "server",
            cluster=self.cluster,
            servers=self.replica.membership.servers,
            clock=clock_name(),
            about={
                "process": os.getpid(),
                "strategies": self.options.strategies,
                "storage": self.options.storage,
                "state": self.machine.kind,
                "sessions_max": self.config.settings.sessions_max,
            },
        )
        self.observer.started(memory=not self.replica.memoryless)
        self.driver.start()

    def stop(self) -> None:
        """Take and send nothing more, and release the state; the reactor closes the sockets."""
        is_running = self._started_at is not None and not self.driver.halted
        self.driver.stop()
        if self._tcp is not None:
            self._tcp.stopListening()
        self.port.close()
        self.monitor.close()
        self.messenger.close()
        self.storage.close()
        if is_running:
            self.observer.stopped()
        self.observer.close()

    def halt(self, reason: str) -> None:
        """Take and send nothing more, for a *reason* that the protocol does not know of."""
        self.driver.stop()
        self.driver.observer.halted(reason)

    def call(
        self, request_id: RequestID, command: Command, on_outcome: Callable[[Outcome], None]
    ) -> None:
        """Hand *command* of this very program to the protocol; *on_outcome* is told of the end."""
        self.calls[request_id] = on_outcome
        self.submit(request_id, command, since=None)

    def forget(self, request_id: RequestID) -> None:
        """Let this program wait no more for a call, which goes on all the same."""
        self.calls.pop(request_id, None)

    # -- what the client port and the monitor ask --------------------------------------------------

    @property
    def value_bytes_max(self) -> int:
        """How large a value may be, as JSON."""
        return self.config.value_bytes_max

    @property
    def cluster(self) -> str:
        """The cluster's name."""
        return self.config.cluster

    @property
    def uid(self) -> str:
        """Which of the cluster's servers it is."""
        return self.options.uid

    @property
    def machine(self) -> StateMachine:
        """Which commands there are."""
        return self.replica.machine

    @property
    def instance(self) -> int:
        """The link in progress."""
        return self.replica.instance

    @property
    def password(self) -> str | None:
        """What clients must know; None: nothing."""
        return self.config.client_password

    def submit(self, request_id: RequestID, command: Command, *, since: int | None) -> None:
        """Hand *command* to the protocol, together with all that comes in this turn."""
        if not self._gathered:
            # The next turn begins at once: a lone request does not wait for company.
            self.reactor.callLater(0, self._submit_gathered)
        self._gathered.append((request_id, command, since))
        # Who was just answered may ask again within the event that answered, before its save.
        if len(self._gathered) >= GATHERED_MAX and not self.driver.is_saving:
            self._submit_gathered()

    def read_stale(self, command: Command) -> Chosen | None:
        """Read in this server's own state; None while it has no memory."""
        replica = self.replica
        if replica.memoryless:
            return None
        _, result = apply_safely(replica.machine, replica.snapshot.value, command)
        return Chosen(link=replica.instance - 1, result=result)

    def status(self) -> str:
        """Return as JSON how the server is."""
        return report.status(
            self.replica,
            seconds_left=self.driver.seconds_left,
            silence_seconds=self.silence_seconds(),
            refused=self.messenger.refused,
            faults=None if self.faulty is None else self.faulty.faults,
        )

    def history(self, count: int) -> str:
        """Return as JSON the newest *count* links that are kept, or as many as fit an answer."""
        return report.history(self._newest_links, count)

    def role(self) -> Role:
        """Return the part that this server plays just now, as Redis' clients see it."""
        return redis_report.role_of(
            self.replica,
            {uid: server.client for uid, server in self.config.servers.items()},
            is_followed=self.driver.seconds_left(Timer.FOREIGN_LEASE) > 0,
        )

    def info(self) -> Info:
        """Return what Redis' INFO tells of this server."""
        now = self.clock.seconds()
        return redis_report.info_of(
            self.replica,
            self.role(),
            port=self.config.server(self.uid).client.port,
            uptime_seconds=now - (now if self._started_at is None else self._started_at),
        )

    def silence_seconds(self) -> dict[str, float | None]:
        """Return for each other server how long ago it was heard of, None if never."""
        now = self.clock.seconds()
        return {
            uid: round(now - self.last_heard[uid], 3) if uid in self.last_heard else None
            for uid in self.replica.membership.peers
        }

    def take_faults(self, line: bytes) -> None:
        """Let the network be as *line* says: FaultLineError. Only of one that takes faults."""
        assert self.faulty is not None, "a server that takes no faults is told of none"
        self.faulty.faults = parse_faults(line, self.replica.membership.servers)

    # -- own affairs -------------------------------------------------------------------------------

    def _make_faulty(self) -> FaultyMessenger:
        return FaultyMessenger(
            self.messenger,
            call_later=self.reactor.callLater,
            rng=self.replica.rng,
            on_lost=self.observer.dropped,
        )

    def _stop_for_fault(self) -> None:
        self.driver.observer.halted(FAULT)
        self.driver.on_halt(FAULT)

    def _receive(self, envelope: Envelope) -> None:
        self.last_heard[envelope.sender] = self.clock.seconds()
        self.driver.receive(envelope)

    def _newest_links(self, count: int) -> list[DecidedLink]:
        # Whoever was just told of a link finds it, though it may be saved with the next vote only.
        links = [*self.storage.history(count), *self.replica.unsaved_links]
        return links[max(0, len(links) - min(count, self.config.history_max)) :]

    def _submit_gathered(self) -> None:
        gathered, self._gathered = self._gathered, []
        if gathered:
            self.driver.submit_all(gathered)

    def _answer(self, answer: Answer) -> None:
        on_outcome = self.calls.pop(answer.request_id, None)
        if on_outcome is None:
            self.port.answer(answer)
        else:
            on_outcome(answer.outcome)
