"""What came of one load, as figures: for the table, for files and for plots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from multipaxos.bench.counts import Counts
from multipaxos.bench.histogram import Histogram
from multipaxos.bench.plan import Load
from multipaxos.bench.tally import SLICE_SECONDS, LoadResult
from multipaxos.bench.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """How long answers took, in seconds; None where nothing was answered."""

    p50: float | None
    p99: float | None
    p999: float | None
    longest: float | None

    @classmethod
    def of(cls, histogram: Histogram) -> "Latency":
        """Return the figures of *histogram*."""
        return cls(
            p50=histogram.percentile(50),
            p99=histogram.percentile(99),
            p999=histogram.percentile(99.9),
            longest=histogram.longest / 1e9 if histogram.counts else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A tenth of a second of a run that began at *second*."""

    second: float
    requests_per_second: float
    latency: Latency


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerUse:
    """What a server took of the machine: *cpu* in processors, where 1.0 is one of them."""

    name: str
    is_master: bool
    cpu: float
    memory_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failover:
    """
    What the death of a server did: *killed* died *killed_seconds* after the measuring began.

    *gap_seconds* is the longest time without an acknowledged request, which began at
    *gap_began_seconds*.
    """

    killed: str
    killed_seconds: float
    gap_seconds: float
    gap_began_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """
    What came of a *load* on so many *servers*; None stands for what is not known.

    *seen* are all replies that the clients had, *counted* those that the servers gave, from the
    first to the last: also those outside of the *seconds* that were measured. *unknown* are
    requests whose connection broke. *faults* say what must not be, each in a sentence.
    """

    load: Load
    servers: int | None
    seconds: float
    requests_per_second: float
    latency: Latency
    seen: int
    counted: int | None
    errors: Mapping[str, int]
    unknown: int
    uses: Sequence[ServerUse]
    saves_per_write: float | None
    messages_per_write: float | None
    writes_per_link: float | None
    cpu_seconds_per_request: float | None
    load_cpu_seconds_per_request: float
    slices: Sequence[Slice]
    failover: Failover | None = None
    faults: Sequence[str] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What was seen of the servers while a load ran; *counts* are of the whole run."""

    servers: int | None = None
    before: Mapping[str, Usage] = field(default_factory=dict)
    after: Mapping[str, Usage] = field(default_factory=dict)
    seconds: float = 0.0
    master: str | None = None
    counts: Counts | None = None
    killed: tuple[str, float] | None = None


def measurement_of(
    load: Load,
    results: Sequence[LoadResult],
    observed: Observation,
    faults: Sequence[str] = (),
) -> Measurement:
    """
    Return the figures of what the load processes saw, and of what was *observed* meanwhile.

    *faults* that are known already come first.
    """
    slices = _merged([result.slices for result in results])
    whole = Histogram()
    for one in slices:
        whole.merge(one)
    seconds = max(result.seconds for result in results)
    writes = sum(result.writes for result in results)
    unknown = sum(result.unknown for result in results)
    seen = writes + sum(result.reads for result in results)
    counts = observed.counts
    uses = _uses(observed)
    saves, messages, per_link = _work(writes, observed.servers or 0, counts)
    rate = whole.total / seconds
    return Measurement(
        load=load,
        servers=observed.servers,
        seconds=seconds,
        requests_per_second=rate,
        latency=Latency.of(whole),
        seen=seen,
        counted=None if counts is None else counts.answers,
        errors=_summed([result.errors for result in results]),
        unknown=unknown,
        uses=uses,
        saves_per_write=saves,
        messages_per_write=messages,
        writes_per_link=per_link,
        cpu_seconds_per_request=sum(use.cpu for use in uses) / rate if uses and rate else None,
        load_cpu_seconds_per_request=sum(result.cpu_seconds for result in results) / max(1, seen),
        slices=[_slice(place, one) for place, one in enumerate(slices)],
        failover=_failover(results, observed),
        faults=[*faults, *_faults(seen, unknown, counts)],
    )


def _merged(slices_of: Sequence[Sequence[Histogram]]) -> list[Histogram]:
    merged = [Histogram() for _ in range(max(len(slices) for slices in slices_of))]
    for slices in slices_of:
        for place, one in enumerate(slices):
            merged[place].merge(one)
    return merged


def _summed(counts_of: Sequence[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for counts in counts_of:
        for name, count in counts.items():
            total[name] = total.get(name, 0) + count
    return total


def _work(
    writes: int, servers: int, counts: Counts | None
) -> tuple[float | None, float | None, float | None]:
    """Return how many saves and messages a write took, and how many writes a link held."""
    if counts is None or not writes:
        return None, None, None
    # Every server counts every link.
    per_link = writes * servers / counts.links if counts.links else None
    return counts.saves / writes, counts.messages / writes, per_link


def _slice(place: int, histogram: Histogram) -> Slice:
    return Slice(
        second=round(place * SLICE_SECONDS, 6),
        requests_per_second=histogram.total / SLICE_SECONDS,
        latency=Latency.of(histogram),
    )


def _uses(observed: Observation) -> list[ServerUse]:
    return [
        ServerUse(
            name=name,
            is_master=name == observed.master,
            cpu=(usage.cpu_seconds - observed.before[name].cpu_seconds) / observed.seconds,
            memory_bytes=usage.memory_bytes,
        )
        for name, usage in observed.after.items()
        if name in observed.before and observed.seconds
    ]


def _failover(results: Sequence[LoadResult], observed: Observation) -> Failover | None:
    if observed.killed is None:
        return None
    killed, killed_seconds = observed.killed
    # While one process has answers, requests are acknowledged: a failover has one process.
    result = min(results, key=lambda result: result.gap_seconds)
    return Failover(
        killed=killed,
        killed_seconds=killed_seconds,
        gap_seconds=result.gap_seconds,
        gap_began_seconds=result.gap_began_seconds,
    )


def _faults(seen: int, unknown: int, counts: Counts | None) -> list[str]:
    """Hold what clients saw against what servers counted, which may be more by the *unknown*."""
    if counts is None or seen <= counts.answers <= seen + unknown:
        return []
    return [f"The clients saw {seen:,} answers, but the servers counted {counts.answers:,}."]
