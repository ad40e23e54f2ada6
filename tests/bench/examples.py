"""Results of load processes as the tests need them."""

from collections.abc import Mapping

from multipaxos.bench.histogram import Histogram
from multipaxos.bench.measurement import Measurement, Observation, measurement_of
from multipaxos.bench.plan import Load
from multipaxos.bench.tally import LoadResult
from multipaxos.bench.usage import Usage

MILLISECOND = 1_000_000


def histogram_of(*milliseconds: float) -> Histogram:
    """Return a histogram of these times."""
    histogram = Histogram()
    for each in milliseconds:
        histogram.add(round(each * MILLISECOND))
    return histogram


def result_of(
    *slices: Histogram,
    writes: int = 0,
    reads: int = 0,
    unknown: int = 0,
    errors: Mapping[str, int] | None = None,
    gap_seconds: float = 0.0,
) -> LoadResult:
    """Return what a load process saw in slices of a tenth of a second."""
    return LoadResult(
        seconds=len(slices) / 10,
        answers=sum(one.total for one in slices),
        reads=reads,
        writes=writes,
        unknown=unknown,
        errors=dict(errors or {}),
        slices=list(slices),
        gap_seconds=gap_seconds,
        gap_began_seconds=0.05,
        cpu_seconds=0.001,
    )


def measurement(
    load: Load | None = None,
    *,
    servers: int = 3,
    milliseconds: tuple[float, ...] = (1.0, 2.0),
    observed: Observation | None = None,
) -> Measurement:
    """Return a measurement of two slices that answered in *milliseconds*, all of them writes."""
    slices = histogram_of(*milliseconds), histogram_of(*milliseconds)
    result = result_of(*slices, writes=2 * len(milliseconds), gap_seconds=0.07)
    seen = observed or observation(servers=servers)
    return measurement_of(load or Load(), [result], seen)


def observation(*, servers: int = 3, killed: tuple[str, float] | None = None) -> Observation:
    """Return what servers used in two tenths of a second: A, the master, most."""
    names = "ABCDEFG"[:servers]
    return Observation(
        servers=servers,
        before={name: Usage(1.0, 1_000_000) for name in names},
        after={name: Usage(1.1 if name == "A" else 1.05, 2_000_000) for name in names},
        seconds=0.2,
        master="A",
        killed=killed,
    )
