"""One server as a process: the protocol object with its ports, from its start to its stop."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from typing import Any, cast

from rich.text import Text
from twisted.internet import reactor as installed_reactor
from twisted.internet.error import CannotListenError
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogBeginner

from multipaxos.chain.durable import DurableState
from multipaxos.chain.effects import Answer
from multipaxos.chain.messages import Envelope
from multipaxos.chain.register import Register
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.chain.requests import Chosen, RequestID
from multipaxos.chain.state_machine import Command, StateMachine
from multipaxos.composition import compose, describe, strategy_names
from multipaxos.machines import UnknownMachineError, find_machine
from multipaxos.runtime import report
from multipaxos.runtime.client_port import ClientPort
from multipaxos.runtime.clock import BootTimeClock, clock_name
from multipaxos.runtime.config import Address, Config, ConfigError
from multipaxos.runtime.driver import Driver
from multipaxos.runtime.monitoring import monitor_at
from multipaxos.runtime.peer_messenger import ListenError, PeerMessenger
from multipaxos.runtime.peers import look_up_own
from multipaxos.runtime.ports import Storage, StorageError
from multipaxos.runtime.storage import JsonStorage, SqliteStorage
from multipaxos.runtime.storage.base import SUFFIXES
from multipaxos.trace import ConsoleSink, FileSink, Silence, Sink, TraceObserver
from multipaxos.trace.console import stack_lines

STORAGES = {"sqlite": SqliteStorage, "json": JsonStorage}

EXIT_STOPPED = 0
EXIT_HALTED = 1
EXIT_NOT_STARTED = 2
EXIT_BROKEN_PIPE = 128 + signal.SIGPIPE


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """
    What the command line says of the server to run.

    *directory* is where its state lies, *state* names its state machine.
    """

    config: Config
    uid: str
    directory: Path
    storage: str = "sqlite"
    state: str = Register.kind
    is_master: bool = False
    without: tuple[str, ...] = ()
    trace: Path | None = None
    metrics: Address | None = None
    is_quiet: bool = False
    is_brief: bool = False

    @property
    def metrics_address(self) -> Address | None:
        """Where the server tells how it is: as the command line says, or the configuration."""
        return self.metrics or self.config.server(self.uid).metrics


class NotStartedError(Exception):
    """The server cannot start; the message is a sentence for the person who started it."""


class Server:
    """
    Holds one server's parts together, and speaks for it to the client port.

    State: when each peer was *last heard* of; that the server is *stopped* is for good.
    """

    def __init__(
        self,
        options: ServerOptions,
        *,
        machine: StateMachine,
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
        self.replica = _make_replica(options, machine, storage.load())
        self.messenger = PeerMessenger(
            self.config, options.uid, self._receive, self.observer.datagram_refused
        )
        self.monitor = monitor_at(
            options.metrics_address, seconds=clock.seconds, machine=self.replica.machine
        )
        watching = self.monitor.watching(observer)
        self.port = ClientPort(self, clock=reactor, observer=watching)
        self.driver = Driver(
            self.replica,
            storage=self.monitor.timed(storage),
            messenger=self.messenger,
            clock=clock,
            observer=watching,
            on_answer=self._answer,
            on_halt=on_halt,
        )
        self._tcp: Any = None
        self._is_started = False

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
            return self.reactor.listenTCP(port, factory, interface=host)
        except (OSError, CannotListenError) as error:
            cause = error.socketError if isinstance(error, CannotListenError) else error
            raise NotStartedError(
                f"cannot listen on TCP {address}: {getattr(cause, 'strerror', None) or cause}"
            ) from error

    def start(self) -> None:
        """Serve."""
        self._is_started = True
        self.observer.header(
            "server",
            cluster=self.cluster,
            servers=self.replica.membership.servers,
            clock=clock_name(),
            about={
                "process": os.getpid(),
                "strategies": _strategies(self.options),
                "storage": self.options.storage,
                "state": self.machine.kind,
                "sessions_max": self.config.settings.sessions_max,
            },
        )
        self.observer.started(memory=not self.replica.memoryless)
        self.driver.start()

    def stop(self) -> None:
        """Take and send nothing more, and release the sockets and the state."""
        is_running = self._is_started and not self.driver.halted
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

    def submit(self, request_id: RequestID, command: Command, *, since: int | None) -> None:
        """Hand *command* to the protocol."""
        self.driver.submit(request_id, command, since)

    def read_stale(self, command: Command) -> Chosen | None:
        """Read in this server's own state; None while it has no memory."""
        replica = self.replica
        if replica.memoryless:
            return None
        _, result = replica.machine.apply(replica.snapshot.value, command)
        return Chosen(link=replica.instance - 1, result=result)

    def status(self) -> str:
        """Return as JSON how the server is."""
        return report.status(
            self.replica,
            seconds_left=self.driver.seconds_left,
            silence_seconds=self.silence_seconds(),
            refused=self.messenger.refused,
        )

    def history(self, count: int) -> str:
        """Return as JSON the newest *count* links that are kept."""
        return report.history(self.storage.history(count))

    def silence_seconds(self) -> dict[str, float | None]:
        """Return for each other server how long ago it was heard of, None if never."""
        now = self.clock.seconds()
        return {
            uid: round(now - self.last_heard[uid], 3) if uid in self.last_heard else None
            for uid in self.replica.membership.peers
        }

    # -- own affairs -------------------------------------------------------------------------------

    def _receive(self, envelope: Envelope) -> None:
        self.last_heard[envelope.sender] = self.clock.seconds()
        self.driver.receive(envelope)

    def _answer(self, answer: Answer) -> None:
        self.port.answer(answer)


def run_server(options: ServerOptions) -> int:
    """
    Run one server until a signal, or a fault, ends it; return the process's exit code.

    SIGINT and SIGTERM end it cleanly. So does output that goes nowhere, with a sentence and an exit
    code of its own.
    """
    process = _Process(options)
    process.end_at_signals()
    try:
        server = process.start()
    except (NotStartedError, ConfigError, StorageError) as error:
        return process.fail(str(error), EXIT_NOT_STARTED)
    try:
        process.run()
    finally:
        server.stop()
        process.end_undisturbed()
    return process.exit_code


class _Process:
    """The running program around a server: its reactor, its output, its end."""

    def __init__(self, options: ServerOptions) -> None:
        self.options = options
        self.reactor: Any = installed_reactor
        self.console = ConsoleSink(sys.stdout, on_closed=self._end_without_output)
        self.exit_code = EXIT_STOPPED
        self._is_ended = False
        self._server: Server | None = None

    def start(self) -> Server:
        clock = BootTimeClock(self.reactor)
        machine = _find_machine(self.options.state)
        storage = _open_storage(self.options, machine)
        server: Server | None = None
        try:
            server = self._server = Server(
                self.options,
                machine=machine,
                storage=storage,
                observer=self._make_observer(clock.seconds),
                clock=clock,
                reactor=self.reactor,
                on_halt=self.halt,
            )
            self._introduce(server)
            server.listen()
            own = self.options.config.server(self.options.uid)
            self.console.print(
                Text(f"  listens: UDP+TCP {own.peer} for servers, TCP {own.client} for clients")
            )
            self.console.print(Text(f"  listens: {_listens(self.options)}"))
            server.start()
        except BaseException:
            if server is None:
                storage.close()
            else:
                server.stop()
            raise
        return server

    def end_at_signals(self) -> None:
        # Twisted's own handlers are gone before the process is: a second signal, such as Ctrl+C to
        # the terminal's whole group and then the parent's SIGTERM, would cut the end short.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.reactor.callFromThread(self.stop))

    def end_undisturbed(self) -> None:
        # All is saved and closed. The interpreter takes our handlers away before it has ended, and
        # a late signal would then count as the cause of the end.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)

    def run(self) -> None:
        globalLogBeginner.beginLoggingTo(
            [cast("ILogObserver", self._watch_log)], redirectStandardIO=False, discardBuffer=True
        )
        if not self._is_ended:
            self.reactor.callWhenRunning(self.console.print, Text("ready", style="bold"))
            self.reactor.run(installSignalHandlers=False)

    def stop(self) -> None:
        if not self._is_ended and self.reactor.running:
            # Not at once: the driver may be in the midst of the event that ends the server.
            self.reactor.callLater(0, self.reactor.stop)
        self._is_ended = True

    def halt(self, reason: str) -> None:
        path = _state_path(self.options)
        where = "" if str(path) in reason else f" (Its state: {path}, as {self.options.storage}.)"
        self.fail(f"{reason}{where}", EXIT_HALTED)
        self.stop()

    def fail(self, reason: str, exit_code: int) -> int:
        self.exit_code = exit_code
        uid = self.options.uid
        # Who writes to nowhere may have closed this way, too.
        with suppress(OSError):
            sys.stderr.write(f"Server {uid} stops: {reason.removeprefix(f'server {uid} ')}\n")
        return exit_code

    def _end_without_output(self, error: OSError) -> None:
        if isinstance(error, BrokenPipeError):
            self.fail("nobody reads its output any more.", EXIT_BROKEN_PIPE)
        else:
            self.fail(f"its output cannot be written: {error.strerror}.", EXIT_HALTED)
        # What is still buffered would fail once more when the interpreter ends.
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        self.stop()

    def _make_observer(self, seconds: Callable[[], float]) -> TraceObserver:
        sinks: list[Sink] = [] if self.options.is_quiet else [self.console]
        if self.options.trace is not None:
            try:
                sinks.append(FileSink(self.options.trace))
            except OSError as error:
                raise NotStartedError(
                    f"cannot write the trace to {self.options.trace}: {error.strerror}"
                ) from error
        return TraceObserver(self.options.uid, seconds, sinks) if sinks else Silence()

    def _introduce(self, server: Server) -> None:
        own = self.options.config.server(self.options.uid)
        says = self.console.print
        cluster = self.options.config.cluster
        says(Text(f"server {own.uid} of cluster {cluster}, process {os.getpid()}", style="bold"))
        if not self.options.is_brief:
            for line in stack_lines(describe(type(server.replica)), self.console.console):
                says(line)
        where = f"{self.options.directory} ({self.options.storage})"
        says(Text(f"  state: {where}, {report.position(server.replica)}"))

    def _watch_log(self, event: LogEvent) -> None:
        # An exception that nobody expected may have left an event half done. What this server would
        # say from now on could not be relied upon, so it says nothing more.
        if event.get("log_level") is not LogLevel.critical or self._is_ended:
            return
        # Under the second name where the reactor itself caught it, as in what a socket received.
        failure = event.get("log_failure") or event.get("failure")
        if failure is not None:
            traceback.print_exception(failure.value)
        reason = "it met a fault in its own program, shown above; please report it"
        if self._server is not None:
            self._server.halt(reason)
        self.halt(reason)


def _find_machine(name: str) -> StateMachine:
    try:
        return find_machine(name)
    except UnknownMachineError as error:
        raise NotStartedError(str(error)) from error


def _open_storage(options: ServerOptions, machine: StateMachine) -> Storage:
    return STORAGES[options.storage](
        options.directory,
        cluster=options.config.cluster,
        uid=options.uid,
        machine_kind=machine.kind,
        history_max=options.config.history_max,
    )


def _listens(options: ServerOptions) -> str:
    own = options.config.server(options.uid)
    where = f"UDP {own.peer} for servers, TCP {own.client} for clients"
    if options.metrics_address is None:
        return where
    return f"{where}, HTTP {options.metrics_address} for metrics"


def _state_path(options: ServerOptions) -> Path:
    return options.directory / f"{options.uid}{SUFFIXES[options.storage]}"


def _strategies(options: ServerOptions) -> tuple[str, ...]:
    return strategy_names(master=options.is_master, without=options.without)


def _make_replica(
    options: ServerOptions, machine: StateMachine, state: DurableState | None
) -> BaseReplicatedValue:
    replica_class = compose(_strategies(options))
    return replica_class(
        membership=options.config.membership(options.uid),
        settings=options.config.settings,
        machine=machine,
        state=state,
        rng=SystemRandom(),
    )
