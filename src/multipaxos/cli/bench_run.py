"""What ``multipaxos bench`` does: cluster after cluster, load after load."""

import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from multipaxos.bench.asking import Asker, AskingError, find_master
from multipaxos.bench.disk import is_in_memory
from multipaxos.bench.machine import this_machine
from multipaxos.bench.measurement import Measurement
from multipaxos.bench.measuring import Kill, Target, measure
from multipaxos.bench.plan import Content, Endpoint, Load, LoadPlan
from multipaxos.cli.bench_cluster import BenchCluster
from multipaxos.cli.bench_failures import BenchFailedError, failures_told
from multipaxos.cli.bench_output import Described, check_output, write_output
from multipaxos.cli.bench_report import tell
from multipaxos.cli.entry import EXIT_FAILED, EXIT_INTERRUPTED, BadInputError
from multipaxos.cli.output import open_console
from multipaxos.cli.parameters import bad_config_refused
from multipaxos.cli.processes import interrupt_once

FAILOVER = Load(clients=64)
"""What runs while the master is killed: its clients are spread over all servers, and count."""
FAILOVER_SECONDS = 10.0
KILL_AFTER_SECONDS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchOptions:
    """What the command line asks for: *loads* on clusters of these *sizes*, or on *via*."""

    loads: tuple[Load, ...]
    content: Content
    sizes: tuple[int, ...]
    seconds: float
    warm_up_seconds: float
    failover: bool
    via: tuple[Endpoint, ...]
    settings: Mapping[str, str]
    server_options: tuple[str, ...]
    directory: Path | None
    processes: int
    output: Path | None

    @property
    def runs(self) -> int:
        """How many loads there are, on all clusters together."""
        clusters = 1 if self.via else len(self.sizes)
        return clusters * (len(self.loads) + self.failover)


def run_bench(options: BenchOptions) -> int:
    """Measure everything, print and write the figures; return the exit code."""
    return _Bench(options).run()


class _Bench:
    """State: the *measurements* so far."""

    def __init__(self, options: BenchOptions) -> None:
        self.options = options
        self.console = open_console()
        self.measurements: list[Measurement] = []
        self._bar = _Bar(options.runs)

    def run(self) -> int:
        interrupt_once()
        if self.options.output is not None:
            check_output(self.options.output)
        interrupted = False
        try:
            with failures_told(), self._bar:
                if self.options.via:
                    self._measure_others(self.options.via)
                else:
                    self._measure_own()
        except KeyboardInterrupt:
            interrupted = True
        tell(self.console, self.measurements)
        if self.options.output is not None and self.measurements:
            write_output(self.options.output, self.measurements, self._described())
        if interrupted:
            return EXIT_INTERRUPTED
        return EXIT_FAILED if any(one.faults for one in self.measurements) else 0

    def _described(self) -> Described:
        """Return on what machine, and with which options, the figures came about."""
        options = self.options
        told = {
            "value_bytes": options.content.value_bytes,
            "keys": options.content.keys,
            "state": options.content.state,
            "seconds": options.seconds,
            "warm_up_seconds": options.warm_up_seconds,
            "settings": options.settings,
            "server_options": options.server_options,
            "processes": options.processes,
            "via": [f"{host}:{port}" for host, port in options.via],
        }
        directory = options.directory or Path(tempfile.gettempdir())
        return Described(machine=this_machine(directory), options=told)

    # -- servers of our own ------------------------------------------------------------------------

    def _measure_own(self) -> None:
        for servers in self.options.sizes:
            with self._directory() as directory, self._cluster(Path(directory), servers) as cluster:
                self._bar.tell(f"{servers} servers start")
                cluster.start()
                self._fill(cluster.endpoints[cluster.master])
                for load in self.options.loads:
                    master = cluster.endpoints[cluster.master]
                    self._measure(cluster.target, self._plan(load, (master,)))
                if self.options.failover:
                    self._fail_over(cluster)

    def _directory(self) -> tempfile.TemporaryDirectory[str]:
        parent = self.options.directory
        try:
            if parent is not None:
                parent.mkdir(parents=True, exist_ok=True)
            directory = tempfile.TemporaryDirectory(
                prefix="multipaxos-bench-", dir=parent, ignore_cleanup_errors=True
            )
        except OSError as error:
            raise BadInputError(f"Cannot keep files in {parent}: {error.strerror}.") from error
        if is_in_memory(Path(directory.name)):
            click.echo(
                f"{directory.name} is kept in memory, where saves cost nothing and survive "
                "nothing: name a directory on a disk with --data.",
                err=True,
            )
        return directory

    def _cluster(self, directory: Path, servers: int) -> BenchCluster:
        with bad_config_refused():
            return BenchCluster(
                directory,
                servers,
                state=self.options.content.state,
                options=self.options.server_options,
                settings=self.options.settings,
            )

    def _fail_over(self, cluster: BenchCluster) -> None:
        content = replace(self.options.content, counting=True)
        cluster.find_master()
        plan = replace(
            self._plan(FAILOVER, tuple(cluster.endpoints.values())),
            content=content,
            seconds=FAILOVER_SECONDS,
        )
        kill = Kill(
            after_seconds=KILL_AFTER_SECONDS,
            kill=cluster.kill_master,
            faults=lambda results: cluster.miscounted(content, results),
        )
        self._measure(cluster.target, plan, kill)

    # -- servers of others -------------------------------------------------------------------------

    def _measure_others(self, via: tuple[Endpoint, ...]) -> None:
        master = find_master(via)
        if master is None:
            for endpoint in via:
                with Asker(endpoint) as asker:
                    asker.ask(b"ROLE")  # Whoever cannot be asked says why.
            raise BenchFailedError("None of the servers that --via names says that it is master.")
        with Asker(master) as asker:
            asker.fill(self.options.content)
        try:
            for load in self.options.loads:
                self._measure(Target(), self._plan(load, (master,)))
        finally:
            if self.options.content.state == "dictionary":
                with suppress(AskingError), Asker(master) as asker:
                    asker.clear(self.options.content)

    # -- either ------------------------------------------------------------------------------------

    def _plan(self, load: Load, addresses: tuple[Endpoint, ...]) -> LoadPlan:
        return LoadPlan(
            addresses=addresses,
            load=load,
            content=self.options.content,
            warm_up_seconds=self.options.warm_up_seconds,
            seconds=self.options.seconds,
        )

    def _fill(self, endpoint: Endpoint) -> None:
        with Asker(endpoint) as asker:
            asker.fill(self.options.content)

    def _measure(self, target: Target, plan: LoadPlan, kill: Kill | None = None) -> None:
        title = plan.load.title if kill is None else "the master is killed"
        if target.servers is not None:
            title = f"{target.servers} servers, {title}"
        self._bar.tell(title)
        self.measurements.append(
            measure(
                target,
                plan,
                processes=1 if kill else self.options.processes,
                kill=kill,
                on_progress=lambda speed, errors: self._bar.tell(title, speed, errors),
            )
        )
        self._bar.advance()


class _Bar:
    """The progress bar, on standard error; none where that is no terminal."""

    def __init__(self, runs: int) -> None:
        console = Console(stderr=True, highlight=False)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("", total=runs, speed="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def tell(self, what: str, speed: float | None = None, errors: int = 0) -> None:
        """Show *what* is done now, and how fast."""
        told = "" if speed is None else f"{speed:,.0f}/s"
        told += f", {errors:,} errors" * (errors > 0)
        self._progress.update(self._task, description=what, speed=told)

    def advance(self) -> None:
        """Show that one more load is done."""
        self._progress.advance(self._task)
