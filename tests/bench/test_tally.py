"""What a load process makes of the answers that it saw."""

import pytest

from multipaxos.bench.tally import ERRORS_MAX, LoadResult, Tally

SECOND = 1_000_000_000


def tally_of(*answers: tuple[float, float]) -> Tally:
    """Return a tally of answers: when each came, and how long it took, in seconds."""
    tally = Tally()
    for time, latency in answers:
        tally.times.append(round(time * SECOND))
        tally.latencies.append(round(latency * SECOND))
        tally.sizes.append(1)
    return tally


def result_of(tally: Tally, began: float, ended: float) -> LoadResult:
    """Return what happened from *began* to *ended*."""
    return tally.result(began=round(began * SECOND), ended=round(ended * SECOND), cpu_seconds=0.0)


def test_the_warm_up_is_not_measured() -> None:
    """Nor what comes after the end, while the last answers are waited for."""
    tally = tally_of((0.5, 9.0), (1.05, 0.1), (1.15, 0.2), (2.0, 9.0))

    result = result_of(tally, 1.0, 2.0)

    assert result.answers == 2
    assert [one.total for one in result.slices[:3]] == [1, 1, 0]
    assert len(result.slices) == 10
    assert max(one.longest for one in result.slices) == 0.2 * SECOND


def test_the_longest_time_without_an_answer_is_found() -> None:
    """Wherever it lies: between two answers, before the first or after the last."""
    for times, gap, began in (
        ((1.2, 1.3, 1.8, 1.9), 0.5, 0.3),
        ((1.6, 1.7, 1.9), 0.6, 0.0),
        ((1.1, 1.2), 0.8, 0.2),
        ((), 1.0, 0.0),
    ):
        result = result_of(tally_of(*((time, 0.01) for time in times)), 1.0, 2.0)

        assert result.gap_seconds == pytest.approx(gap)
        assert result.gap_began_seconds == pytest.approx(began)


def test_so_many_kinds_of_errors_are_told_apart() -> None:
    """A server that makes up a new sentence each time does not fill the memory."""
    tally = Tally()

    for number in range(ERRORS_MAX + 5):
        tally.fail(f"error {number}")
    tally.fail("error 0")

    assert tally.errors["error 0"] == 2
    assert tally.errors["other errors"] == 5
    assert tally.answered == ERRORS_MAX + 6
