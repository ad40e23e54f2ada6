"""
Making a run that violates an invariant smaller, as long as it still violates the same one.

Whatever is left out leaves the rest as it was: faults and requests are drawn before the run. Each
attempt is a whole run, so the effort is bounded by their number.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from multipaxos.invariants.violation import InvariantViolation
from multipaxos.simulation.fault_plan import PARTS
from multipaxos.simulation.plan import RunPlan
from multipaxos.simulation.random_run import RandomRun

ATTEMPTS_MAX = 400
HALVINGS_MAX = 6

Play: TypeAlias = Callable[[RunPlan], InvariantViolation | None]
"""Plays a plan; returns what it violated."""


def play_plan(plan: RunPlan) -> InvariantViolation | None:
    """Return what a run of *plan* violates, if it does."""
    try:
        RandomRun(replace(plan, traced=False)).play()
    except InvariantViolation as violation:
        return violation
    return None


def shrink(
    plan: RunPlan,
    violation: InvariantViolation,
    *,
    play: Play = play_plan,
    attempts_max: int = ATTEMPTS_MAX,
    on_attempt: Callable[[int, RunPlan], None] = lambda _attempts, _plan: None,
) -> RunPlan:
    """
    Return a plan as small as *attempts_max* runs can find, that violates what *violation* names.

    *on_attempt* is told before each run how many there were, and the smallest plan so far.
    """
    return _Shrinking(plan, violation.name, play, attempts_max, on_attempt).run()


class _Shrinking:
    """State: the smallest *plan* so far that violates the invariant *name*; *attempts* made."""

    def __init__(
        self,
        plan: RunPlan,
        name: str,
        play: Play,
        attempts_max: int,
        on_attempt: Callable[[int, RunPlan], None],
    ) -> None:
        self.plan = plan
        self.name = name
        self.attempts = 0
        self._play = play
        self._attempts_max = attempts_max
        self._on_attempt = on_attempt

    def run(self) -> RunPlan:
        """Try all ways to make the plan smaller, again and again, until none helps."""
        before = None
        while self.plan != before and self.attempts < self._attempts_max:
            before = self.plan
            self._take_shorter_runs()
            self._take_fewer_servers()
            self._leave_out_parts()
            self._leave_out_faults()
            self._leave_out_requests()
        return self.plan

    def _accepts(self, candidate: RunPlan) -> bool:
        """Take *candidate* if it violates the same invariant."""
        if self.attempts >= self._attempts_max or candidate == self.plan:
            return False
        self._on_attempt(self.attempts, self.plan)
        self.attempts += 1
        violation = self._play(candidate)
        if violation is None or violation.name != self.name:
            return False
        self.plan = candidate
        return True

    def _take_shorter_runs(self) -> None:
        """Halve, between what was too short and what is long enough."""
        too_short = 0.0
        for _ in range(HALVINGS_MAX):
            seconds = round((too_short + self.plan.seconds) / 2, 1)
            if not self._accepts(replace(self.plan, seconds=seconds)):
                too_short = seconds

    def _take_fewer_servers(self) -> None:
        while self.plan.servers > 1 and self._accepts(
            replace(self.plan, servers=self.plan.servers - 1)
        ):
            pass

    def _leave_out_parts(self) -> None:
        """Switch off what the fault plan draws beside the single faults; found the chain before."""
        for part in PARTS:
            if part not in self.plan.switched_off:
                off = (*self.plan.switched_off, part)
                if self.plan.fault_plan() != self.plan.fault_plan().without(part):
                    self._accepts(replace(self.plan, switched_off=off))
        self._accepts(replace(self.plan, founded=True))
        self._accepts(replace(self.plan, clients=1))

    def _leave_out_faults(self) -> None:
        numbers = tuple(fault.number for fault in self.plan.fault_schedule())
        self._leave_out(numbers, lambda kept: replace(self.plan, kept_faults=kept))

    def _leave_out_requests(self) -> None:
        numbers = tuple(request.number for request in self.plan.request_schedule())
        self._leave_out(numbers, lambda kept: replace(self.plan, kept_requests=kept))

    def _leave_out(
        self, numbers: tuple[int, ...], keeping: Callable[[tuple[int, ...]], RunPlan]
    ) -> None:
        """Leave out all of *numbers*, or parts of them, the parts getting smaller down to one."""
        size = len(numbers)
        while size > 0:
            end = len(numbers)
            while end > 0:
                fewer = numbers[: max(0, end - size)] + numbers[end:]
                if self._accepts(keeping(fewer)):
                    numbers = fewer
                end -= size
            size //= 2
