"""A server as a process: its reactor, its output, its signals, its end."""

import gc
import os
import signal
import sys
import traceback
from contextlib import suppress
from typing import Any, cast

from rich.text import Text
from twisted.internet import reactor as installed_reactor
from twisted.internet.stdio import StandardIO
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogBeginner

from multipaxos.composition import describe
from multipaxos.runtime import report
from multipaxos.runtime.building import build_server
from multipaxos.runtime.client_port.port import CONNECTIONS_MAX
from multipaxos.runtime.clock import make_count
from multipaxos.runtime.config import ConfigError
from multipaxos.runtime.fault_lines import FaultLines
from multipaxos.runtime.options import NotStartedError, ServerOptions
from multipaxos.runtime.ports import StorageError
from multipaxos.runtime.server import Server
from multipaxos.trace import ConsoleSink, FileSink, Sink
from multipaxos.trace.console import stack_lines

EXIT_STOPPED = 0
EXIT_HALTED = 1
EXIT_NOT_STARTED = 2
EXIT_BROKEN_PIPE = 128 + signal.SIGPIPE


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


def _tune_collector() -> None:
    """
    Let Python look for garbage more rarely.

    Next to nothing in a server is part of a cycle, and what it holds is looked through in vain: the
    state, the sessions, the program itself. With the default, after each 700 objects, a server that
    is busy spends an eighth of its time on that, in pauses of up to 100 ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


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
        make_count(self.reactor)
        server = self._server = build_server(
            self.options, reactor=self.reactor, sinks=self._open_sinks(), on_halt=self.halt
        )
        try:
            self._introduce(server)
            server.listen()
            self.console.print(Text(f"  listens: {_listens(self.options)}"))
            if server.port.connections_max < CONNECTIONS_MAX:
                limit = f"{server.port.connections_max} clients at a time, not {CONNECTIONS_MAX}"
                self.console.print(Text(f"  its limit of open files lets it serve {limit}"))
            server.start()
            if self.options.takes_faults:
                self.console.print(
                    Text("  started for the lab: its messages may be lost on purpose")
                )
                self._take_faults(server)
        except BaseException:
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
            _tune_collector()
            self.reactor.run(installSignalHandlers=False)

    def stop(self) -> None:
        if not self._is_ended and self.reactor.running:
            # Not at once: the driver may be in the midst of the event that ends the server.
            self.reactor.callLater(0, self.reactor.stop)
        self._is_ended = True

    def halt(self, reason: str) -> None:
        path = self.options.state_path
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

    def _open_sinks(self) -> list[Sink]:
        sinks: list[Sink] = [] if self.options.is_quiet else [self.console]
        if self.options.trace is not None:
            try:
                sinks.append(FileSink(self.options.trace))
            except OSError as error:
                raise NotStartedError(
                    f"cannot write the trace to {self.options.trace}: {error.strerror}"
                ) from error
        return sinks

    def _take_faults(self, server: Server) -> None:
        """Listen to whoever started this server, and end with him: it was started for the lab."""
        lines = FaultLines(
            server.take_faults, self._complain, lambda: self._end_with_parent(server)
        )
        StandardIO(lines, reactor=self.reactor)  # type: ignore[no-untyped-call]

    def _complain(self, sentence: str) -> None:
        with suppress(OSError):
            sys.stderr.write(f"Server {self.options.uid}: {sentence}\n")

    def _end_with_parent(self, server: Server) -> None:
        if not (self._is_ended or server.driver.halted):
            self.fail("whoever started it for the lab has ended.", EXIT_STOPPED)
            self.stop()

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
        if event.get("log_level") is not LogLevel.critical:
            return
        # Under the second name where the reactor itself caught it, as in what a socket received.
        failure = event.get("log_failure") or event.get("failure")
        if failure is not None:
            traceback.print_exception(failure.value)
        if self._is_ended:
            return
        reason = "it met a fault in its own program, shown above; please report it"
        if self._server is not None:
            self._server.halt(reason)
        self.halt(reason)


def _listens(options: ServerOptions) -> str:
    own = options.config.server(options.uid)
    where = f"UDP+TCP {own.peer} for servers, TCP {own.client} for clients"
    if options.metrics_address is None:
        return where
    return f"{where}, HTTP {options.metrics_address} for metrics"
