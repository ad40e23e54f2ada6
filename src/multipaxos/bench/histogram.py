"""How long things took: a histogram whose buckets are narrow everywhere."""

from collections import Counter
from dataclasses import dataclass, field

MANTISSA_BITS = 8
"""A bucket is at most 1/128 of its values wide, below 1 percent."""


def bucket_of(nanoseconds: int) -> int:
    """Return the bucket of a time; later buckets hold longer times."""
    shift = max(0, nanoseconds.bit_length() - MANTISSA_BITS)
    return shift << MANTISSA_BITS | nanoseconds >> shift


def longest_in(bucket: int) -> int:
    """Return the longest time of *bucket*, in nanoseconds."""
    shift, mantissa = divmod(bucket, 1 << MANTISSA_BITS)
    return (mantissa + 1 << shift) - 1


@dataclass(slots=True)
class Histogram:
    """
    How often each time was measured, in nanoseconds.

    State: the *counts* by bucket, and the exact *longest*.
    """

    counts: dict[int, int] = field(default_factory=dict)
    longest: int = 0

    def add(self, nanoseconds: int, count: int = 1) -> None:
        """Count a time, *count* times."""
        bucket = bucket_of(nanoseconds)
        self.counts[bucket] = self.counts.get(bucket, 0) + count
        self.longest = max(self.longest, nanoseconds)

    def merge(self, other: "Histogram") -> None:
        """Add all that *other* counted."""
        self.counts = dict(Counter(self.counts) + Counter(other.counts))
        self.longest = max(self.longest, other.longest)

    @property
    def total(self) -> int:
        """How many times were counted."""
        return sum(self.counts.values())

    def percentile(self, percent: float) -> float | None:
        """
        Return, in seconds, what *percent* of the times do not exceed; None if there are none.

        It is the nearest rank, and at most a bucket's width above it.
        """
        if not self.counts:
            return None
        rank = max(1.0, self.total * percent / 100)
        seen = 0
        for bucket in sorted(self.counts):
            seen += self.counts[bucket]
            # What is left of a sum of fractions must not push the rank into the next bucket.
            if seen >= rank - 1e-6:
                return min(longest_in(bucket), self.longest) / 1e9
        raise AssertionError("the last bucket holds the last rank")
