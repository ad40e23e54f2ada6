"""One load, from beginning to end: load processes are started, watched and asked for results."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from multipaxos.bench.counts import Counts, counts_at
from multipaxos.bench.driving import LoadFailedError, LoadProcess
from multipaxos.bench.loader import CONNECT_SECONDS_MAX, DRAIN_SECONDS_MAX
from multipaxos.bench.measurement import Measurement, Observation, measurement_of
from multipaxos.bench.plan import Endpoint, LoadPlan
from multipaxos.bench.tally import LoadResult
from multipaxos.bench.usage import Usage, usage_of

POLL_SECONDS = 0.1
RESULT_SECONDS_MAX = DRAIN_SECONDS_MAX + 60.0
START_SECONDS_MAX = CONNECT_SECONDS_MAX + 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """
    Whom to kill *after_seconds* of measuring: *kill* does it, and returns the name.

    *faults* says in the end what the servers that are left have wrong.
    """

    after_seconds: float
    kill: Callable[[], str]
    faults: Callable[[Sequence[LoadResult]], list[str]] = lambda _: []


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """
    The servers that a load is put on: their processes and metrics by name, where they are known.

    *servers* is how many there are, if that is known.
    """

    servers: int | None = None
    pids: Mapping[str, int] = field(default_factory=dict)
    metrics: Mapping[str, Endpoint] = field(default_factory=dict)
    master: str | None = None

    def counts(self) -> Counts | None:
        """Return what all servers together counted; None if nobody says."""
        if not self.metrics:
            return None
        return sum((counts_at(endpoint) for endpoint in self.metrics.values()), Counts())

    def usage(self) -> dict[str, Usage]:
        """Return what each process uses that is still there."""
        found = {name: usage_of(pid) for name, pid in self.pids.items()}
        return {name: usage for name, usage in found.items() if usage is not None}


def measure(
    target: Target,
    plan: LoadPlan,
    *,
    processes: int = 1,
    kill: Kill | None = None,
    on_progress: Callable[[float, int], None] = lambda _, __: None,
    start: Callable[[LoadPlan], LoadProcess] = LoadProcess,
) -> Measurement:
    """
    Put *plan* on *target* from so many *processes*, and return the figures.

    *on_progress* is told the answers a second, and the errors so far. LoadFailedError,
    CountsError: there are none.
    """
    # What a dead server counted is lost with it.
    counts = None if kill is not None else target.counts()
    with ExitStack() as stack:
        loads = [stack.enter_context(start(part)) for part in parts_of(plan, processes)]
        for load in loads:
            load.wait_until_ready(START_SECONDS_MAX)
        run = _Run(target, plan, loads, on_progress)
        observed, results = run.play(kill)
    if counts is not None:
        after = target.counts()
        assert after is not None
        observed = replace(observed, counts=after - counts)
    faults = [] if kill is None else kill.faults(results)
    return measurement_of(plan.load, results, observed, faults)


def parts_of(plan: LoadPlan, processes: int) -> list[LoadPlan]:
    """Return *plan* in parts for so many *processes*, or as many as it has clients."""
    clients = plan.load.clients
    processes = min(processes, clients)
    requests = plan.requests_max
    parts, first = [], 0
    for place in range(processes):
        own = clients // processes + (place < clients % processes)
        parts.append(
            replace(
                plan,
                load=replace(plan.load, clients=own),
                seed=plan.seed + place,
                first_client=first,
                requests_max=None if requests is None else requests * own // clients,
            )
        )
        first += own
    return parts


class _Run:
    """The time during which a load runs."""

    def __init__(
        self,
        target: Target,
        plan: LoadPlan,
        loads: list[LoadProcess],
        on_progress: Callable[[float, int], None],
    ) -> None:
        self.target = target
        self.plan = plan
        self.loads = loads
        self._on_progress = on_progress
        self._told: tuple[float, int] | None = None

    def play(self, kill: Kill | None) -> tuple[Observation, list[LoadResult]]:
        """Let it begin; return what was observed, and what the load processes saw."""
        for load in self.loads:
            load.begin()
        began = time.monotonic() + self.plan.warm_up_seconds
        self._wait_until(began)
        before, first = self.target.usage(), time.monotonic()
        killed = None
        if kill is not None:
            self._wait_until(began + kill.after_seconds)
            killed = kill.kill(), time.monotonic() - began
        self._wait_until(began + self.plan.seconds)
        after, last = self.target.usage(), time.monotonic()
        observed = Observation(
            servers=self.target.servers,
            before=before,
            after=after,
            seconds=last - first,
            master=self.target.master,
            killed=killed,
        )
        return observed, self._results()

    def _wait_until(self, moment: float) -> None:
        """Wait for *moment*, or for the end of the load if that comes before."""
        while (left := moment - time.monotonic()) > 0:
            if all(load.wait(min(left, POLL_SECONDS)) for load in self.loads):
                return
            self._tell()

    def _tell(self) -> None:
        now, answers = time.monotonic(), sum(load.answers for load in self.loads)
        if self._told is not None and answers > self._told[1]:
            speed = (answers - self._told[1]) / (now - self._told[0])
            self._on_progress(speed, sum(load.errors for load in self.loads))
        if self._told is None or answers != self._told[1]:
            self._told = now, answers

    def _results(self) -> list[LoadResult]:
        deadline = time.monotonic() + RESULT_SECONDS_MAX
        for load in self.loads:
            while not load.wait(POLL_SECONDS) and time.monotonic() < deadline:
                pass
        results = [load.result for load in self.loads if load.result is not None]
        if len(results) < len(self.loads):
            raise LoadFailedError("a load process does not come to its end")
        return results
