"""What the comparison found, and how that stands against what is wanted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from benchmarks.rivals.cases import (
    BIG,
    ETCD,
    MANY,
    MOST,
    ONE,
    OURS,
    PIPED,
    PYSYNCOBJ,
    READS,
    SHARED,
    SOME,
    UNBATCHED,
    Case,
)

from multipaxos.bench.measurement import Measurement

MISSING = "-"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a write costs a cluster of some size: processor time of all servers, and messages."""

    cpu_seconds: float
    messages: float


@dataclass(slots=True)
class Findings:
    """
    All that was measured.

    *measurements* by system and case, one for each repetition; *gaps* without an acknowledged
    write, in seconds, and *memory* in bytes, by system; *costs* by the number of servers. What
    *failed*, by system and case; *notes* on what could not be measured, each a sentence.
    """

    measurements: dict[tuple[str, str], list[Measurement]] = field(default_factory=dict)
    gaps: dict[str, list[float]] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)
    costs: dict[int, list[Cost]] = field(default_factory=dict)
    failed: set[tuple[str, str]] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def add(self, system: str, case: Case, measurement: Measurement) -> None:
        """Keep what came of one repetition."""
        self.measurements.setdefault((system, case.name), []).append(measurement)

    def speed(self, system: str, case: Case) -> float | None:
        """Return the median of the requests a second; None if there are none, or all failed."""
        found = self.measurements.get((system, case.name))
        return median(one.requests_per_second for one in found) or None if found else None

    def best_speed(self, *systems: str, cases: Sequence[Case]) -> float | None:
        """Return the best median of *systems* in *cases*."""
        speeds = [self.speed(system, case) for system in systems for case in cases]
        return max((speed for speed in speeds if speed is not None), default=None)

    def latency(self, system: str, case: Case, name: str = "p50") -> float | None:
        """Return the median of the latency *name*, in seconds."""
        found = self.measurements.get((system, case.name), [])
        latencies = [getattr(one.latency, name) for one in found]
        known = [latency for latency in latencies if latency is not None]
        return median(known) if known else None

    def gap(self, system: str) -> float | None:
        """Return the median of the times without an acknowledged write."""
        return median(self.gaps[system]) if self.gaps.get(system) else None

    def cost(self, servers: int) -> Cost | None:
        """Return the median cost of a write in a cluster of so many *servers*."""
        found = self.costs.get(servers)
        if not found:
            return None
        return Cost(median(one.cpu_seconds for one in found), median(one.messages for one in found))


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    A line of the table of what is wanted: *found* stands against *wanted*.

    *holds* is None where it was not measured, or where nothing is *wanted* (an empty text).
    """

    load: str
    against: str
    wanted: str
    found: str
    holds: bool | None

    @property
    def word(self) -> str:
        """How it stands."""
        if self.found == MISSING:
            return "not measured"
        return {True: "holds", False: "falls short", None: "for comparison"}[self.holds]


def verdicts(findings: Findings) -> list[Verdict]:
    """Return how all that is wanted stands."""
    speed, best = findings.speed, findings.best_speed
    ours, theirs = findings.latency(OURS, ONE), findings.latency(ETCD, ONE)
    return [
        _at_most("1 client, write p50", "etcd's", 0.6, ours, theirs, " of its latency"),
        _times("64 clients, writes/s", "etcd's", 2.5, speed(OURS, SOME), speed(ETCD, SOME)),
        _times("256 clients, writes/s", "etcd's", 3.0, speed(OURS, MANY), speed(ETCD, MANY)),
        _times(
            "256 clients, linearizable reads/s", "etcd's", 5.0,
            speed(OURS, READS), speed(ETCD, READS),
        ),
        _times(
            "64 clients, pipeline of 16, writes/s", "etcd's best at any client count", 12.0,
            speed(OURS, PIPED), best(ETCD, cases=(ONE, SOME, MANY, MOST)),
        ),
        *_beside_shared(findings),
        _times(
            "256 clients, writes/s", "PySyncObj's best, as it is by default", 10.0,
            speed(OURS, MANY), best(PYSYNCOBJ, cases=(ONE, SOME, MANY)),
        ),
        _times(
            "256 clients, writes/s", "PySyncObj's best, with any options and callers", None,
            speed(OURS, MANY), best(PYSYNCOBJ, UNBATCHED, cases=(ONE, SOME, MANY, MOST)),
        ),
        _at_most(
            "time without acknowledged writes after kill -9 of the master", "etcd's", 1.0,
            findings.gap(OURS), findings.gap(ETCD), " of its time",
        ),
        _big(findings),
        _at_most(
            "memory of a server after many writes to 1,000 keys", "etcd's", 1.0,
            findings.memory.get(OURS), findings.memory.get(ETCD), " of its memory",
        ),
        *(_growth(findings, servers) for servers in (5, 7)),
    ]  # fmt: skip


def _beside_shared(findings: Findings) -> list[Verdict]:
    """Hold our clients, with a connection each, against many callers in one program of etcd's."""
    speed, best = findings.speed, findings.best_speed
    against = "etcd's, callers sharing connections"
    return [
        _times("64 clients, writes/s", against, None, speed(OURS, SOME), speed(SHARED, SOME)),
        _times("256 clients, writes/s", against, None, speed(OURS, MANY), speed(SHARED, MANY)),
        _times(
            "256 clients, linearizable reads/s", against, None,
            speed(OURS, READS), speed(SHARED, READS),
        ),
        _times(
            "64 clients, pipeline of 16, writes/s", f"{against}, its best", None,
            speed(OURS, PIPED), best(SHARED, cases=(SOME, MANY, MOST)),
        ),
    ]  # fmt: skip


def _big(findings: Findings) -> Verdict:
    """Hold large values against etcd's; they must work in the first place."""
    verdict = _times(
        "1 client, values of 1 MiB, writes/s", "etcd's", 1.0,
        findings.speed(OURS, BIG), findings.speed(ETCD, BIG),
    )  # fmt: skip
    if (OURS, BIG.name) in findings.failed:
        return replace(verdict, found="they do not work", holds=False)
    return verdict


def _times(
    load: str, against: str, wanted: float | None, ours: float | None, theirs: float | None
) -> Verdict:
    found = ours / theirs if ours is not None and theirs else None
    holds = None if found is None or wanted is None else found >= wanted
    said = "" if wanted is None else f"at least {wanted:g} times"
    return Verdict(load, against, said, _shown(found, " times"), holds)


def _at_most(
    load: str,
    against: str,
    wanted: float,
    ours: float | None,
    theirs: float | None,
    unit: str,
) -> Verdict:
    found = ours / theirs if ours is not None and theirs else None
    holds = None if found is None else found <= wanted
    return Verdict(load, against, f"at most {wanted:g}{unit}", _shown(found, unit), holds)


def _growth(findings: Findings, servers: int) -> Verdict:
    """Hold the growth of the cost of a write against that of the messages."""
    load = f"cost of a write at {servers} servers against 3"
    base, cost = findings.cost(3), findings.cost(servers)
    if base is None or cost is None or not base.messages or not base.cpu_seconds:
        return Verdict(load, "", "no faster than the messages", MISSING, None)
    cpu, messages = cost.cpu_seconds / base.cpu_seconds, cost.messages / base.messages
    return Verdict(
        load, "", f"at most {messages:.2f} times, as the messages", f"{cpu:.2f} times",
        cpu <= messages,
    )  # fmt: skip


def _shown(value: float | None, unit: str) -> str:
    return MISSING if value is None else f"{value:.2f}{unit}"


def shortfalls(found: Sequence[Verdict]) -> list[str]:
    """Return what falls short of what is wanted, or was not measured, each as a sentence."""
    sentences = []
    for verdict in found:
        against = f" against {verdict.against}" if verdict.against else ""
        if verdict.found == MISSING:
            sentences.append(f"{verdict.load}{against} was not measured.")
        elif verdict.holds is False:
            sentences.append(
                f"{verdict.load}{against} falls short: {verdict.found}, where {verdict.wanted} is "
                "wanted."
            )
    return sentences


def errors_of(findings: Findings, titles: Mapping[str, str]) -> list[str]:
    """Return what went wrong under load, each as a sentence; *titles* are those of the cases."""
    sentences = []
    for (system, case), measurements in findings.measurements.items():
        for one in measurements:
            sentences += [f"{system}, {titles[case]}: {fault}" for fault in one.faults]
            sentences += [
                f"{system}, {titles[case]}: {count:,} times {error}."
                for error, count in one.errors.items()
            ]
    return sentences
