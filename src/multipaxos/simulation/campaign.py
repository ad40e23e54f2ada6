"""
A campaign: many runs, each from a seed of its own, over all levels of faults and many strategies.

The same campaign plays the same runs and adds up to the same sums, however many processes play
them: what is drawn for a run depends on the campaign's seed and the run's number only.
"""

import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import TypeAlias

from typing_extensions import override

from composable_paxos import PeerID
from multipaxos.composition import MASTER_ONLY
from multipaxos.invariants.violation import InvariantViolation
from multipaxos.machines import MACHINES
from multipaxos.simulation.disk import Disk
from multipaxos.simulation.fault_plan import LEVELS
from multipaxos.simulation.plan import RunPlan
from multipaxos.simulation.random_run import RandomRun
from multipaxos.simulation.statistics import Counting, Sometimes, Statistics

DisksOf: TypeAlias = Callable[[RunPlan], Callable[[PeerID], Disk]]

SEEDS = 1_000_000_000
"""The seeds that are drawn lie below it."""

RATES = (0.1, 0.2, 1.0, 4.0)
"""
Requests a second: idle clusters, where only a takeover ends what a dead proposer began; the usual
rate; and one at which servers meet.
"""

HARD_LEVELS = ("rough", "cruel")
"""Levels at which there are faults."""

DEMANDING_RUNS_MIN = 500
"""In fewer runs, what must happen sometimes may be missing by mere chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    """How many servers, woven from which strategies."""

    servers: int = 3
    master: bool = False
    without: tuple[str, ...] = ()

    def has(self, *strategies: str) -> bool:
        """Tell whether its servers seek mastership and have these *strategies*."""
        return self.master and not {*strategies} & {*self.without}

    @property
    def name(self) -> str:
        """A few words for a table."""
        words = ["master" if self.master else "plain", str(self.servers)]
        words += [f"no {name}" for name in self.without]
        return ", ".join(words)


COMBINATIONS = (
    Combination(),
    Combination(master=True),
    Combination(servers=5),
    Combination(servers=5, master=True),
    Combination(master=True, without=("reads",)),
    Combination(master=True, without=("forwarding",)),
    Combination(master=True, without=("master",)),
)
"""
The stacks that are tried: plain and with masters, and without each strategy that can be missed.

Resolution and synchronization are in all of them: without these no answer can be demanded.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignPlan:
    """
    All that a campaign depends on: *runs* in number, drawn from *seed*.

    *pattern* is what all runs have in common; each varies its level of faults, its combination of
    strategies and, where *rates* are several, its rate of requests.
    """

    seed: int
    runs: int
    levels: Sequence[str] = LEVELS
    combinations: Sequence[Combination] = COMBINATIONS
    rates: Sequence[float] = RATES
    pattern: RunPlan = field(default_factory=lambda: RunPlan(seed=0))

    def run(self, number: int) -> "CampaignRun":
        """Return the run of that *number*, which counts from zero."""
        rng = Random(f"{self.seed}/campaign/{number}")
        rest, place = divmod(number, len(self.levels))
        rest, which = divmod(rest, len(self.combinations))
        combination = self.combinations[which]
        return CampaignRun(
            number=number,
            combination=combination.name,
            plan=replace(
                self.pattern,
                seed=rng.randrange(SEEDS),
                faults=self.levels[place],
                servers=combination.servers,
                master=combination.master,
                without=combination.without,
                founded=self.pattern.founded or rest % 2 == 1,
                rate=rng.choice(self.rates),
            ),
        )

    def all_runs(self) -> Iterator["CampaignRun"]:
        """Yield the runs, in order."""
        return map(self.run, range(self.runs))

    @property
    def demanded(self) -> tuple[Sometimes, ...]:
        """What must happen at least once in so many runs of these kinds."""
        is_hard = any(level in HARD_LEVELS for level in self.levels)
        if self.pattern.bug is not None or self.runs < DEMANDING_RUNS_MIN or not is_hard:
            return ()
        stacks = [c for c in self.combinations if c.servers >= RIVALS_MIN]
        possible = {
            Sometimes.LEASE_LOSS: any(c.has(*MASTER_ONLY) for c in stacks),
            Sometimes.LOCAL_READ: any(c.has(*MASTER_ONLY) for c in stacks),
            Sometimes.FORWARDED: any(c.has("forwarding", "master") for c in stacks),
            # What commands a machine of somebody's own has, nobody knows.
            Sometimes.FAILED_CONDITION: self.pattern.state in MACHINES,
        }
        return tuple(each for each in Sometimes if stacks and possible.get(each, True))


RIVALS_MIN = 3
"""With fewer servers nobody can be down, and hardly anything be refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignRun:
    """One run of a campaign: its *number*, the name of its *combination*, its *plan*."""

    number: int
    combination: str
    plan: RunPlan

    @override
    def __str__(self) -> str:
        """Tell which run it is, and how it is repeated."""
        return f"run {self.number + 1}: {self.plan.command_line()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """
    What became of *run*.

    *violation* is the invariant that it broke. *fault* is the traceback of an exception that no
    run may end with; both are None for a run that went well.
    """

    run: CampaignRun
    statistics: Statistics
    violation: InvariantViolation | None = None
    fault: str | None = None

    @property
    def failed(self) -> bool:
        """Whether anything was wrong."""
        return self.violation is not None or self.fault is not None


def play(run: CampaignRun, *, disks_of: DisksOf) -> RunReport:
    """
    Play *run* and report: this is what the processes of a campaign do.

    *disks_of* makes the servers' disks for the storage that a plan names.
    """
    counting = Counting()
    random_run = RandomRun(run.plan, observers=(counting,), disks=disks_of(run.plan))
    violation: InvariantViolation | None = None
    fault: str | None = None
    try:
        random_run.play()
    except InvariantViolation as error:
        violation = error
    except Exception:  # noqa: BLE001 - whatever it is, it is this run's, and is reported with it
        fault = traceback.format_exc()
    statistics = counting.result(random_run.cluster.invariants.chosen, random_run.result())
    return RunReport(run=run, statistics=statistics, violation=violation, fault=fault)


def in_order(reports: Iterable[RunReport]) -> Iterator[RunReport]:
    """Yield *reports*, which come in the order in which they are done, in that of their numbers."""
    early: dict[int, RunReport] = {}
    expected = 0
    for report in reports:
        early[report.run.number] = report
        while expected in early:
            yield early.pop(expected)
            expected += 1


@dataclass(slots=True)
class Tally:
    """The sums so far: over all runs, over those at each level, and of each combination."""

    total: Statistics = field(default_factory=Statistics)
    by_level: dict[str, Statistics] = field(default_factory=dict)
    by_combination: dict[str, Statistics] = field(default_factory=dict)

    def add(self, report: RunReport) -> None:
        """Add one run."""
        statistics = report.statistics
        self.total += statistics
        for sums, key in (
            (self.by_level, report.run.plan.faults),
            (self.by_combination, report.run.combination),
        ):
            sums[key] = sums.get(key, Statistics()) + statistics
