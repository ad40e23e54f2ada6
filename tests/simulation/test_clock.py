"""Virtual time, and the clocks that show it."""

import math
from functools import partial

import pytest

from multipaxos.simulation.clock import Gate, SimulatedClock, VirtualTime


def test_actions_run_in_the_order_of_their_times_and_of_planning() -> None:
    """Earlier goes first; of equal times, what was planned first."""
    time = VirtualTime()
    order: list[str] = []
    for name, at in (("c", 2.0), ("a", 1.0), ("b", 1.0)):
        time.call_at(at, partial(order.append, name))

    time.run_until(5)

    assert order == ["a", "b", "c"]
    assert time.now == 5


def test_time_stands_at_each_action_and_never_passes_one() -> None:
    """An action sees its own time, also one that was planned by another on the way."""
    time = VirtualTime()
    seen: list[float] = []

    def first() -> None:
        seen.append(time.now)
        time.call_at(time.now + 0.5, lambda: seen.append(time.now))

    time.call_at(1.0, first)
    time.call_at(2.0, lambda: seen.append(time.now))
    time.run_until(3)

    assert seen == [1.0, 1.5, 2.0]


def test_a_cancelled_action_does_not_run() -> None:
    """Cancelled is cancelled, and no step."""
    time = VirtualTime()
    planned = time.call_at(1.0, lambda: pytest.fail("cancelled"))

    planned.cancelled = True

    assert not time.step()
    assert time.now == 0.0


def clock_on(time: VirtualTime, *, rate: float = 1.0, gate: Gate | None = None) -> SimulatedClock:
    """Return a clock that shows 100 now."""
    return SimulatedClock(time, rate=rate, origin_seconds=100.0, gate=gate or Gate())


def test_a_fast_clock_shows_more_seconds_and_calls_earlier() -> None:
    """A rate of 1.25 makes ten seconds last eight."""
    time = VirtualTime()
    clock = clock_on(time, rate=1.25)
    called_at: list[tuple[float, float]] = []

    clock.call_later(10, lambda: called_at.append((time.now, clock.seconds())))
    time.run_until(20)

    assert called_at == [(8.0, 110.0)]
    assert clock.seconds() == 125.0


@pytest.mark.parametrize("rate", [0.99, 0.9973, 1.0, 1.0031, 1.01, 3.0])
def test_nothing_is_called_early_by_the_own_clock(rate: float) -> None:
    """Whatever the rounding, the deadline has come when the action runs."""
    time = VirtualTime()
    clock = SimulatedClock(time, rate=rate, origin_seconds=123_456.789, gate=Gate())
    late_by: list[float] = []

    def call(delay_seconds: float) -> None:
        deadline = clock.seconds() + delay_seconds
        clock.call_later(delay_seconds, lambda: late_by.append(clock.seconds() - deadline))

    for number in range(1, 500):
        call(number / 37)
    time.run_until(1000)

    assert len(late_by) == 499
    assert all(0 <= late < 1e-6 for late in late_by)


def test_a_new_rate_moves_what_was_planned_and_does_not_make_the_clock_jump() -> None:
    """Half of the wait at rate 1, the other half at rate 2."""
    time = VirtualTime()
    clock = clock_on(time)
    called_at: list[float] = []
    clock.call_later(10, lambda: called_at.append(time.now))
    time.run_until(5)

    clock.set_rate(2.0)

    assert clock.seconds() == 105.0
    time.run_until(20)
    assert called_at == [7.5]
    assert clock.rate == 2.0


def test_cancelling_a_call_takes_it_back() -> None:
    """One call is cancelled by what call_later returned; all of them by cancel_all."""
    time = VirtualTime()
    clock = clock_on(time)
    cancel = clock.call_later(1, lambda: pytest.fail("cancelled"))
    clock.call_later(2, lambda: pytest.fail("cancelled with all"))

    cancel()
    cancel()
    clock.cancel_all()

    time.run_until(10)
    assert not time.step(math.inf)


def test_a_paused_process_finds_what_waited_when_it_goes_on() -> None:
    """Its clock went on meanwhile; what came from outside goes before its timers."""
    time = VirtualTime()
    gate = Gate()
    clock = clock_on(time, gate=gate)
    seen: list[tuple[str, float]] = []
    clock.call_later(1, lambda: seen.append(("timer", clock.seconds())))
    gate.closed = True
    time.run_until(3)
    gate.run(lambda: seen.append(("message", clock.seconds())))

    assert seen == []
    gate.open()

    assert seen == [("message", 103.0), ("timer", 103.0)]


def test_a_timer_cancelled_while_it_waited_does_not_fire() -> None:
    """What a message cancels when the process goes on is cancelled, although it was due before."""
    time = VirtualTime()
    gate = Gate()
    clock = clock_on(time, gate=gate)
    cancel = clock.call_later(1, lambda: pytest.fail("cancelled while it waited"))
    gate.closed = True
    time.run_until(3)
    gate.run(cancel)

    gate.open()


def test_a_dead_process_finds_nothing() -> None:
    """What waited for a paused process dies with it."""
    gate = Gate()
    gate.closed = True
    gate.run(lambda: pytest.fail("of the dead process"))
    gate.run_timer(lambda: pytest.fail("of the dead process"))

    gate.forget()
    gate.open()


def test_a_stall_comes_at_the_reading_that_was_asked_for() -> None:
    """Only the server's own readings count, and the reading shows the time after the stall."""
    time = VirtualTime()
    clock = clock_on(time)
    clock.stall_at_reading(2, lambda: time.run_until(7))
    clock.seconds()
    clock.in_event = True

    readings = [clock.seconds(), clock.seconds(), clock.seconds()]

    assert readings == [100.0, 107.0, 107.0]


def test_a_hurried_call_comes_now_and_once() -> None:
    """A person may end a timer; it does not end a second time."""
    time = VirtualTime()
    clock = clock_on(time)
    called_at: list[float] = []
    clock.call_later(5, lambda: called_at.append(time.now))

    clock.hurry(clock.last_call)

    time.run_until(10)
    assert called_at == [0.0]
