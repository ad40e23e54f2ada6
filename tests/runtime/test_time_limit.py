"""A time that is begun anew again and again: what should happen at its end happens then."""

from typing import Any

from twisted.internet.task import Clock
from typing_extensions import override

from multipaxos.runtime.client_port.time_limit import TimeLimit


class NotingClock(Clock):
    """A clock that keeps for how long each timer was set."""

    def __init__(self) -> None:
        """Begin at 0, without timers."""
        super().__init__()
        self.set_for: list[float] = []

    @override
    def callLater(self, delay: float, callable: Any, *args: object, **kw: object) -> Any:
        self.set_for.append(delay)
        return super().callLater(delay, callable, *args, **kw)


def limit() -> tuple[TimeLimit, NotingClock, list[float]]:
    """Return a limit, its clock, and when it acted."""
    clock, acted = NotingClock(), list[float]()
    return TimeLimit(clock, lambda: acted.append(clock.seconds())), clock, acted


def test_it_acts_once_when_the_time_is_over() -> None:
    """Neither before nor again."""
    time_limit, clock, acted = limit()

    time_limit.begin(10)
    clock.pump([9, 1, 100])

    assert acted == [10]


def test_beginning_anew_puts_the_end_off_and_moves_no_timer() -> None:
    """However often it is begun, one timer runs, and it was set twice."""
    time_limit, clock, acted = limit()

    for _ in range(9):
        time_limit.begin(10)
        clock.advance(1)
    assert len(clock.getDelayedCalls()) == 1
    clock.advance(1)
    assert (acted, clock.set_for) == ([], [10, 8])
    clock.advance(8)

    assert acted == [18]


def test_a_shorter_time_ends_sooner() -> None:
    """Also while the timer of a longer one runs."""
    time_limit, clock, acted = limit()

    time_limit.begin(600)
    clock.advance(1)
    time_limit.begin(300)
    clock.advance(300)

    assert acted == [301]
    assert not clock.getDelayedCalls()


def test_it_can_be_stopped_and_begun_again() -> None:
    """Nothing happens then, and no timer runs; stopping twice does no harm."""
    time_limit, clock, acted = limit()

    time_limit.stop()
    time_limit.begin(10)
    time_limit.stop()
    time_limit.stop()
    assert not clock.getDelayedCalls()
    clock.advance(20)
    assert acted == []
    time_limit.begin(5)
    clock.advance(5)

    assert acted == [25]
