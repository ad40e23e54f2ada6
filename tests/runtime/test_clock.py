"""The real clock: never early by its own time, whatever the reactor believes."""

import subprocess
import sys
import time

import pytest
from twisted.internet.selectreactor import SelectReactor
from twisted.internet.task import Clock

from multipaxos.runtime.clock import BootTimeClock, boot_seconds, make_count


class TwoClocks:
    """A reactor whose time and the machine's time are set apart by hand."""

    def __init__(self) -> None:
        self.reactor = Clock()
        self.boot_seconds = 1000.0
        self.clock = BootTimeClock(self.reactor, seconds=lambda: self.boot_seconds)
        self.fired: list[float] = []

    def fire(self) -> None:
        """Note when an action runs."""
        self.fired.append(self.clock.seconds())

    def advance(self, *, reactor: float, boot: float) -> None:
        """Let both times pass."""
        self.boot_seconds += boot
        self.reactor.advance(reactor)


def test_boot_time_passes_and_is_not_the_wall_clock() -> None:
    """It never goes back, and has nothing to do with the date."""
    first, second = boot_seconds(), boot_seconds()

    assert first <= second
    assert abs(second - time.time()) > 1e6


def test_boot_time_counts_suspension_where_the_system_can() -> None:
    """On Linux the source is CLOCK_BOOTTIME, which is never behind the monotonic clock."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        pytest.skip("this system has no clock that counts suspension")

    assert abs(boot_seconds() - time.clock_gettime(time.CLOCK_BOOTTIME)) < 1


def test_an_action_runs_when_its_time_has_come() -> None:
    """Neither before nor twice."""
    two = TwoClocks()
    two.clock.call_later(2.0, two.fire)

    two.advance(reactor=1.9, boot=1.9)
    assert two.fired == []
    two.advance(reactor=0.2, boot=0.2)
    assert two.fired == [pytest.approx(1002.1)]
    two.advance(reactor=10, boot=10)
    assert len(two.fired) == 1
    assert two.reactor.getDelayedCalls() == []


def test_a_reactor_that_wakes_too_early_does_not_shorten_a_lease() -> None:
    """The wall clock may jump ahead by an hour: the action waits for the machine's own time."""
    two = TwoClocks()
    two.clock.call_later(2.0, two.fire)

    two.advance(reactor=3600, boot=0.5)
    two.advance(reactor=1.4, boot=1.4)
    assert two.fired == []
    two.advance(reactor=0.2, boot=0.2)
    assert two.fired == [pytest.approx(1002.1)]


def test_after_a_suspension_the_action_runs_at_once() -> None:
    """A machine that slept through the deadline is late, and not later still."""
    two = TwoClocks()
    two.clock.call_later(2.0, two.fire)

    two.advance(reactor=2.0, boot=500.0)

    assert two.fired == [1500.0]


@pytest.mark.parametrize("delay_seconds", [0.0, -1.0])
def test_an_action_that_is_due_runs_in_the_next_turn(delay_seconds: float) -> None:
    """Never inside the call itself, and never refused."""
    two = TwoClocks()
    two.clock.call_later(delay_seconds, two.fire)
    assert two.fired == []

    two.advance(reactor=0, boot=0)

    assert two.fired == [1000.0]


def test_a_cancelled_action_never_runs() -> None:
    """Also not after the reactor woke us too early; and cancelling again does nothing."""
    two = TwoClocks()
    cancel = two.clock.call_later(2.0, two.fire)
    two.advance(reactor=2.0, boot=1.0)

    cancel()
    cancel()
    two.advance(reactor=100, boot=100)

    assert two.fired == []
    assert two.reactor.getDelayedCalls() == []


def test_cancelling_what_has_run_does_nothing() -> None:
    """The driver need not know whether a timer was first."""
    two = TwoClocks()
    cancel = two.clock.call_later(1.0, two.fire)
    two.advance(reactor=1, boot=1)

    cancel()

    assert len(two.fired) == 1


def test_an_action_may_cancel_itself_and_set_another() -> None:
    """As a timer does that starts anew when it fires."""
    two = TwoClocks()

    def again() -> None:
        cancel()
        two.clock.call_later(1.0, two.fire)

    cancel = two.clock.call_later(1.0, again)

    two.advance(reactor=1, boot=1)
    two.advance(reactor=1, boot=1)

    assert two.fired == [1002.0]


def test_a_real_reactor_is_made_to_count_boot_time() -> None:
    """Otherwise a wall clock that is set back stops all timers until it has caught up."""
    reactor = SelectReactor()
    now = [5.0]

    def seconds() -> float:
        return now[0]

    make_count(reactor, seconds)
    clock = BootTimeClock(reactor, seconds=seconds)
    fired: list[str] = []
    clock.call_later(10.0, lambda: fired.append("fired"))

    reactor.runUntilCurrent()
    assert fired == []
    now[0] = 15.0
    reactor.runUntilCurrent()
    assert fired == ["fired"]


def test_the_clock_must_come_before_what_it_would_upset() -> None:
    """A call scheduled by the wall clock would wait for fifty years of boot time."""
    reactor = SelectReactor()
    call = reactor.callLater(1, print)

    with pytest.raises(RuntimeError, match="before anything is scheduled"):
        make_count(reactor)

    call.cancel()


def test_the_reactor_of_another_program_is_left_as_it_is() -> None:
    """A server that is embedded goes by its own clock, and changes nobody else's."""
    reactor = SelectReactor()
    own, call = reactor.seconds, reactor.callLater(1, print)

    BootTimeClock(reactor)

    assert reactor.seconds == own
    call.cancel()


def test_a_system_without_boot_time_takes_the_monotonic_clock() -> None:
    """As macOS and the BSDs do."""
    code = (
        "import time\n"
        "if hasattr(time, 'CLOCK_BOOTTIME'): del time.CLOCK_BOOTTIME\n"
        "from multipaxos.runtime.clock import boot_seconds\n"
        "assert abs(boot_seconds() - time.monotonic()) < 1\n"
    )

    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
