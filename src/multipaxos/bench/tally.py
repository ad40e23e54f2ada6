"""What a load process saw, and what it makes of that at the end."""

from array import array
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

from multipaxos.bench.histogram import Histogram

SLICE_SECONDS = 0.1
ERRORS_MAX = 20
"""So many kinds of errors are told apart; the others count together."""


@dataclass(slots=True, kw_only=True)
class LoadResult:
    """
    What came of a run of a load process.

    *slices* are the latencies of each tenth of a second that was measured. The *answers* are those;
    *reads* and *writes* count all replies that were as they must be, also those of the warm-up and
    of the end. *errors* are replies that were not; *unknown* are requests whose connection broke.
    *counted* are the increments of each counting client that were answered.
    *gap_seconds* is the longest time without an answer, which began *gap_began_seconds* after the
    measuring did.
    """

    seconds: float
    answers: int
    reads: int
    writes: int
    unknown: int
    errors: dict[str, int]
    slices: list[Histogram]
    gap_seconds: float
    gap_began_seconds: float
    cpu_seconds: float
    counted: dict[int, int] = field(default_factory=dict)


class Tally:
    """
    The answers as they come, as cheaply as possible.

    State: *times* of answers in nanoseconds, how long each took, and how many came together.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.times = array("q")
        self.latencies = array("q")
        self.sizes = array("q")
        self.reads = 0
        self.writes = 0
        self.unknown = 0
        self.errors: Counter[str] = Counter()
        self.counted: Counter[int] = Counter()

    @property
    def answered(self) -> int:
        """How many replies came, errors included."""
        return self.reads + self.writes + self.errors.total()

    def fail(self, text: str) -> None:
        """Count an error."""
        kind = text if text in self.errors or len(self.errors) < ERRORS_MAX else "other errors"
        self.errors[kind] += 1

    def result(self, *, began: int, ended: int, cpu_seconds: float) -> LoadResult:
        """Return what happened from *began* to *ended*, in nanoseconds."""
        slice_ns = round(SLICE_SECONDS * 1e9)
        slices = [Histogram() for _ in range(max(1, -(-(ended - began) // slice_ns)))]
        measured = [began]
        for time, latency, size in zip(self.times, self.latencies, self.sizes, strict=True):
            if began <= time < ended:
                slices[(time - began) // slice_ns].add(latency, size)
                measured.append(time)
        measured.append(ended)
        gap, gap_began = max((after - before, before) for before, after in pairwise(measured))
        return LoadResult(
            seconds=(ended - began) / 1e9,
            answers=sum(one.total for one in slices),
            reads=self.reads,
            writes=self.writes,
            unknown=self.unknown,
            errors=dict(self.errors),
            slices=slices,
            gap_seconds=gap / 1e9,
            gap_began_seconds=(gap_began - began) / 1e9,
            cpu_seconds=cpu_seconds,
            counted=dict(self.counted),
        )
