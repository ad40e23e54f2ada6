"""
How fast the servers are beside others: ``python benchmarks/compare.py``.

The same loads, one system after the other and around again, in one run: what else the machine does
meanwhile meets all of them. benchmarks/README.md says what is compared, and how to install it.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import click
import msgspec
from rich.console import Console

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.rivals.cases import CASES, COST, ETCD, FAILOVER, MEMORY, OURS, Case
from benchmarks.rivals.etcd import Etcd, SharedEtcd, build_load
from benchmarks.rivals.findings import Cost, Findings
from benchmarks.rivals.one_redis import OneRedis
from benchmarks.rivals.options import Options, read_arguments
from benchmarks.rivals.ours import Ours
from benchmarks.rivals.pysyncobj_nodes import PySyncObjNodes, UnbatchedPySyncObjNodes
from benchmarks.rivals.report import document_of, markdown, tell
from benchmarks.rivals.system import RivalError, System

from multipaxos.bench.asking import AskingError
from multipaxos.bench.counts import CountsError
from multipaxos.bench.disk import is_in_memory
from multipaxos.bench.driving import LoadFailedError
from multipaxos.bench.machine import this_machine
from multipaxos.bench.measurement import Measurement
from multipaxos.bench.measuring import Kill, measure
from multipaxos.bench.plan import Content, Load, LoadPlan
from multipaxos.cli.processes import interrupt_once

SYSTEMS: tuple[type[System], ...] = (
    Ours,
    Etcd,
    SharedEtcd,
    OneRedis,
    PySyncObjNodes,
    UnbatchedPySyncObjNodes,
)
FAILURES = (RivalError, AskingError, CountsError, LoadFailedError, click.ClickException)
SIZES = (3, 5, 7)
KILL_AFTER_SECONDS = 2.0
FAILOVER_SECONDS = 10.0
MEMORY_SECONDS_MAX = 900.0


class Comparison:
    """State: what was *found* so far."""

    def __init__(self, options: Options, console: Console) -> None:
        """Compare as *options* say, and tell of the progress on *console*."""
        self.options = options
        self.found = Findings()
        self._console = console
        self._load_program = Path()
        self._clusters = 0

    def run(self) -> None:
        """Measure everything."""
        if Etcd in self.options.systems:
            self._console.print("the load on etcd is built")
            self._load_program = build_load(self.options.directory)
        phases: dict[str, Callable[[], None]] = {
            "loads": self._compare_loads,
            "failover": self._compare_failovers,
            "memory": self._compare_memory,
            "costs": self._measure_costs,
        }
        for name in self.options.phases:
            phases[name]()

    # -- phases ------------------------------------------------------------------------------------

    def _compare_loads(self) -> None:
        with ExitStack() as stack:
            started: dict[str, System] = {}
            for kind in self.options.systems:
                with self._noted(kind.name):
                    started[kind.name] = stack.enter_context(self._started(kind))
            for case in CASES:
                for _ in range(self.options.repeat):
                    for name in case.systems:
                        if name in started:
                            self._measure_case(started[name], case)

    def _measure_case(self, system: System, case: Case) -> None:
        key = system.name, case.name
        # It is taken back below: most do not fail.
        self.found.failed.add(key)
        with self._noted(f"{system.name}, {case.title}"):
            if case.content.value_bytes > Content().value_bytes or case.load.reads:
                system.fill(case.content)
            measured = self._measure(system, self._plan(case.load, case.content))
            self._tell(system, case.title, measured)
            if measured.requests_per_second:
                self.found.failed.discard(key)
            self.found.add(system.name, case, measured)

    def _compare_failovers(self) -> None:
        for _ in range(self.options.repeat):
            for kind in self._those_of(OURS, ETCD):
                with self._noted(f"{kind.name}, failover"), self._started(kind) as system:
                    self._fail_over(system)

    def _fail_over(self, system: System) -> None:
        content = Content(counting=system.name == OURS)
        plan = replace(self._plan(FAILOVER, content), seconds=FAILOVER_SECONDS)
        kill = Kill(
            after_seconds=KILL_AFTER_SECONDS,
            kill=system.kill_leader,
            faults=lambda results: system.miscounted(content, results),
        )
        measured = self._measure(system, plan, kill=kill)
        assert measured.failover is not None
        self.found.gaps.setdefault(system.name, []).append(measured.failover.gap_seconds)
        self.found.notes += [f"{system.name}, failover: {fault}" for fault in measured.faults]
        gap = measured.failover.gap_seconds
        self._console.print(f"{system.name}: {gap:.2f} s without an acknowledged write")

    def _compare_memory(self) -> None:
        for kind in self._those_of(OURS, ETCD):
            with self._noted(f"{kind.name}, memory"), self._started(kind) as system:
                plan = replace(
                    self._plan(MEMORY[kind.name], Content()),
                    seconds=MEMORY_SECONDS_MAX,
                    warm_up_seconds=0.0,
                    requests_max=self.options.memory_writes,
                )
                measured = self._measure(system, plan)
                self._tell(system, f"{measured.seen:,} writes", measured)
                if measured.seen < self.options.memory_writes:
                    self.found.notes.append(
                        f"{kind.name} did only {measured.seen:,} writes for the memory."
                    )
                largest = max(usage.memory_bytes for usage in system.target.usage().values())
                self.found.memory[kind.name] = largest

    def _measure_costs(self) -> None:
        with ExitStack() as stack:
            started: dict[int, System] = {}
            for servers in SIZES:
                with self._noted(f"{servers} servers"):
                    started[servers] = stack.enter_context(self._started(Ours, servers))
            for _ in range(self.options.repeat):
                for servers, system in started.items():
                    with self._noted(f"{servers} servers"):
                        self._measure_cost(system, servers)

    def _measure_cost(self, system: System, servers: int) -> None:
        measured = self._measure(system, self._plan(COST, Content()))
        self._tell(system, f"{servers} servers, {COST.title}", measured)
        cpu, messages = measured.cpu_seconds_per_request, measured.messages_per_write
        if cpu is not None and messages is not None:
            self.found.costs.setdefault(servers, []).append(Cost(cpu, messages))

    # -- what the phases have in common ------------------------------------------------------------

    def _those_of(self, *names: str) -> list[type[System]]:
        return [kind for kind in self.options.systems if kind.name in names]

    @contextmanager
    def _started(self, kind: type[System], servers: int = 3) -> Iterator[System]:
        """Start servers of a *kind*, in a directory of their own; end them in any case."""
        self._clusters += 1
        directory = self.options.directory / f"{self._clusters}"
        directory.mkdir()
        with self._make(kind, directory, servers) as system:
            self._console.print(f"{kind.name} starts")
            system.start()
            yield system

    def _make(self, kind: type[System], directory: Path, servers: int) -> System:
        if kind is Ours:
            return Ours(directory, servers, options=self.options.server_options)
        if issubclass(kind, Etcd):
            return kind(directory, load_program=self._load_program)
        return kind(directory)

    @contextmanager
    def _noted(self, what: str) -> Iterator[None]:
        """Note that *what* failed, and go on: the others are measured all the same."""
        try:
            yield
        except FAILURES as error:
            text = error.message if isinstance(error, click.ClickException) else str(error)
            note = f"{what} failed: {text.rstrip('.')}."
            self._console.print(note)
            if note not in self.found.notes:
                self.found.notes.append(note)

    def _plan(self, load: Load, content: Content) -> LoadPlan:
        return LoadPlan(
            addresses=(),
            load=load,
            content=content,
            warm_up_seconds=self.options.warm_up_seconds,
            seconds=self.options.seconds,
        )

    def _measure(self, system: System, plan: LoadPlan, kill: Kill | None = None) -> Measurement:
        plan = system.plan(plan, everywhere=kill is not None)
        return measure(system.target, plan, kill=kill, start=system.load_process)

    def _tell(self, system: System, title: str, measured: Measurement) -> None:
        failed = sum(measured.errors.values())
        self._console.print(
            f"{system.name}, {title}: {measured.requests_per_second:,.0f}/s"
            + f", {failed:,} errors" * (failed > 0)
        )


def main() -> int:
    """Compare, print what was found, and write what is asked for; return the exit code."""
    arguments = read_arguments(__doc__)
    progress = Console(stderr=True, highlight=False)
    systems = []
    for kind in SYSTEMS:
        missing = kind.missing()
        if missing is None:
            systems.append(kind)
        else:
            progress.print(f"{kind.name} is left out: {missing}")
    interrupt_once()
    with tempfile.TemporaryDirectory(
        prefix="multipaxos-compare-", dir=arguments.data, ignore_cleanup_errors=True
    ) as name:
        if is_in_memory(Path(name)):
            progress.print(
                f"{name} is kept in memory, where fsync costs nothing: name a disk with --data."
            )
        options = Options(
            directory=Path(name),
            phases=arguments.phases.split(","),
            systems=systems,
            seconds=arguments.seconds,
            warm_up_seconds=arguments.warm_up,
            repeat=arguments.repeat,
            memory_writes=arguments.memory_writes,
            server_options=arguments.server_options.split(),
        )
        machine = this_machine(Path(name))
        comparison = Comparison(options, progress)
        interrupted = False
        try:
            comparison.run()
        except KeyboardInterrupt:
            interrupted = True
    found = comparison.found
    tell(Console(width=200), found, [kind.name for kind in systems], options.memory_writes)
    how = f"each load {options.repeat} times for {options.seconds:g} seconds, medians"
    if arguments.markdown is not None:
        text = markdown(found, systems, machine, options.memory_writes, how)
        arguments.markdown.write_text(text, encoding="utf-8")
    if arguments.json is not None:
        encoded = msgspec.json.encode(document_of(found, machine))
        arguments.json.write_bytes(msgspec.json.format(encoded))
    return 130 if interrupted else 0


if __name__ == "__main__":
    sys.exit(main())
