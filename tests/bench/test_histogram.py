"""Histograms of times: what they say is what the times say."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multipaxos.bench.histogram import Histogram, bucket_of, longest_in

TIMES = st.lists(st.integers(0, 10**12), min_size=1, max_size=200)
WIDTH = 1 / 128


def histogram_of(times: list[int]) -> Histogram:
    """Return a histogram of *times* in nanoseconds."""
    histogram = Histogram()
    for time in times:
        histogram.add(time)
    return histogram


@given(TIMES, st.sampled_from([1.0, 50.0, 90.0, 99.0, 99.9, 100.0]))
def test_a_percentile_is_the_nearest_rank(times: list[int], percent: float) -> None:
    """It is the time at that rank, or above it by less than a bucket's width; never the longest."""
    expected = sorted(times)[math.ceil(len(times) * percent / 100 - 1e-6) - 1]

    found = histogram_of(times).percentile(percent)

    assert found is not None
    assert expected <= round(found * 1e9) <= max(expected + 1, expected * (1 + WIDTH))
    assert round(found * 1e9) <= max(times)


@given(TIMES, TIMES)
def test_merged_histograms_are_one_of_all_times(first: list[int], second: list[int]) -> None:
    """It does not matter which load process measured a time."""
    merged = histogram_of(first)

    merged.merge(histogram_of(second))

    assert merged == histogram_of(first + second)


@given(st.integers(0, 10**15))
def test_a_bucket_holds_what_is_put_into_it(time: int) -> None:
    """And nothing of another bucket: the next longer time lies in the next."""
    longest = longest_in(bucket_of(time))

    assert time <= longest
    assert bucket_of(longest) == bucket_of(time)
    assert bucket_of(longest + 1) == bucket_of(time) + 1 or bucket_of(longest + 1) & 255 == 128


def test_answers_that_came_together_count_each() -> None:
    """A pipeline of 16 that is answered at once is 16 answers."""
    histogram = Histogram()

    histogram.add(1_000, 16)
    histogram.add(5_000)

    assert histogram.total == 17
    assert histogram.percentile(50) == pytest.approx(1e-6, rel=0.01)
    assert histogram.longest == 5_000


def test_nothing_has_no_percentile() -> None:
    """Where nothing was answered, no latency is made up."""
    assert Histogram().percentile(50) is None
