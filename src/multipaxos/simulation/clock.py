"""Virtual time, and clocks that show it wrongly: the twin of a server's boot-time clock."""

import heapq
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

Action: TypeAlias = Callable[[], None]


@dataclass(slots=True, eq=False)
class Planned:
    """An *action* to be run at its time, unless it is *cancelled* before."""

    action: Action
    cancelled: bool = False


class TooManyStepsError(Exception):
    """Whoever plays the run did not want to go so far."""


class VirtualTime:
    """
    True time, in seconds since the run began; it moves from one planned action to the next.

    State: the time *now*, and what is planned. Invariant: no action runs before its time, and none
    is passed over.
    """

    def __init__(self) -> None:
        """Begin at zero, with nothing planned."""
        self.now = 0.0
        self.steps = 0
        self.steps_max: int | None = None
        """After so many steps it goes no further: TooManyStepsError. None: no end."""
        # By time; of equal times, the first planned goes first.
        self._planned: list[tuple[float, int, Planned]] = []
        self._next_number = 0

    def call_at(self, at: float, action: Action) -> Planned:
        """Plan *action* for the true time *at*; setting *cancelled* on the result cancels it."""
        planned = Planned(action)
        heapq.heappush(self._planned, (max(at, self.now), self._next_number, planned))
        self._next_number += 1
        return planned

    def step(self, limit: float = math.inf) -> bool:
        """Go to the next planned action and run it; False if there is none up to *limit*."""
        planned = self._planned
        while planned and planned[0][2].cancelled:
            heapq.heappop(planned)
        if not planned or planned[0][0] > limit:
            return False
        if self.steps_max is not None and self.steps >= self.steps_max:
            raise TooManyStepsError
        at, _, first = heapq.heappop(planned)
        assert at >= self.now, "TimeGoesForward: planned in the past"
        self.now = at
        self.steps += 1
        first.action()
        return True

    def pending(self) -> list[Planned]:
        """Return what is planned, in the order in which it will run."""
        return [planned for _, _, planned in sorted(self._planned) if not planned.cancelled]

    def run_until(self, end: float) -> None:
        """Run all that is planned up to the true time *end*, and stop there."""
        while self.step(end):
            pass
        self.now = max(self.now, end)


class Gate:
    """
    Lets a server's events through, or, while the server is paused, keeps them.

    A process that goes on finds its sockets readable before it looks at its timers: what came from
    outside goes first, each kind in order. State: whether it is *closed*, and what waits.
    """

    def __init__(self, perform: Callable[[Action], None] = lambda action: action()) -> None:
        """Begin open; *perform* runs what comes through."""
        self.closed = False
        self._perform = perform
        self._from_outside: deque[Action] = deque()
        self._timers: deque[Action] = deque()

    def run(self, action: Action) -> None:
        """Run *action*, which came from outside, now or when the gate opens."""
        if self.closed:
            self._from_outside.append(action)
        else:
            self._perform(action)

    def run_timer(self, action: Action) -> None:
        """Run *action*, which is due, now or when the gate opens."""
        if self.closed:
            self._timers.append(action)
        else:
            self._perform(action)

    def open(self) -> None:
        """Let all through that waited; any of them may close the gate again."""
        self.closed = False
        for waiting in (self._from_outside, self._timers):
            while waiting and not self.closed:
                self._perform(waiting.popleft())

    def forget(self) -> None:
        """Drop what waits, and open: the server died."""
        self._from_outside.clear()
        self._timers.clear()
        self.closed = False


class SimulatedClock:
    """
    One server's clock: it runs at its own *rate*, from its own origin, and never jumps.

    With a rate of 1.01 it shows 101 seconds after 100 true ones. What it calls goes through *gate*.
    """

    def __init__(
        self, time: VirtualTime, *, rate: float = 1.0, origin_seconds: float = 0.0, gate: Gate
    ) -> None:
        """Begin at *origin_seconds* now."""
        self._time = time
        self._rate = rate
        self._gate = gate
        self._true_origin = time.now
        self._own_origin = origin_seconds
        self._calls: dict[int, tuple[float, Planned, Action]] = {}
        self._next_call = 0
        self._stalls: list[tuple[int, Action]] = []
        self.in_event = False
        """Whether the server reads this clock now; an observer's readings do not count."""

    @property
    def rate(self) -> float:
        """Own seconds per true second."""
        return self._rate

    def set_rate(self, rate: float) -> None:
        """Run at *rate* from now on; what was to be called is called by the new rate."""
        self._own_origin = self.peek()
        self._true_origin = self._time.now
        self._rate = rate
        for call, (deadline, planned, action) in list(self._calls.items()):
            planned.cancelled = True
            self._plan(call, deadline, action)

    def peek(self) -> float:
        """Return what the clock shows, without being noticed: for observers, not for servers."""
        return self._own_origin + (self._time.now - self._true_origin) * self._rate

    def true_time(self, reading: float) -> float:
        """Return the true time at which the clock shows *reading*, by its present rate."""
        return self._time.now + (reading - self.peek()) / self._rate

    def seconds(self) -> float:
        """Return what the clock shows, to the server."""
        if self._stalls and self.in_event:
            self._count_reading()
        return self.peek()

    def stall_at_reading(self, count: int, stall: Action) -> None:
        """Run *stall* when the server reads this clock for the *count*-th time from now."""
        self._stalls.append((count, stall))

    def call_later(self, delay_seconds: float, action: Action) -> Action:
        """Call *action* in *delay_seconds* of this clock; return what cancels it."""
        call = self._next_call
        self._next_call += 1
        self._plan(call, self.peek() + delay_seconds, action)
        return lambda: self._cancel(call)

    @property
    def last_call(self) -> int:
        """The number of the newest call that was planned."""
        return self._next_call - 1

    def hurry(self, call: int) -> None:
        """Call what *call* plans now instead of at its time, by a person's wish."""
        _, planned, action = self._calls.pop(call)
        planned.cancelled = True
        self._gate.run_timer(action)

    def cancel_all(self) -> None:
        """Call nothing any more: the process that asked for it died."""
        for call in list(self._calls):
            self._cancel(call)

    def _plan(self, call: int, deadline: float, action: Action) -> None:
        at = self._time.now + max(0.0, deadline - self.peek()) / self._rate
        planned = self._time.call_at(at, lambda: self._gate.run_timer(lambda: self._due(call)))
        self._calls[call] = (deadline, planned, action)

    def _due(self, call: int) -> None:
        # Cancelled while it waited at the gate.
        if call not in self._calls:
            return
        deadline, _, action = self._calls[call]
        if self.peek() < deadline:
            # Rounding brought us here a hair too early: never fire early by the own clock.
            soon = math.nextafter(self._time.now, math.inf)
            planned = self._time.call_at(
                soon, lambda: self._gate.run_timer(lambda: self._due(call))
            )
            self._calls[call] = (deadline, planned, action)
            return
        del self._calls[call]
        action()

    def _cancel(self, call: int) -> None:
        if call in self._calls:
            self._calls.pop(call)[1].cancelled = True

    def _count_reading(self) -> None:
        due = [stall for count, stall in self._stalls if count == 1]
        self._stalls = [(count - 1, stall) for count, stall in self._stalls if count > 1]
        for stall in due:
            stall()
