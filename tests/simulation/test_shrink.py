"""Shrinking: a smaller run that violates the same invariant, found with bounded effort."""

from collections.abc import Callable

import pytest

from multipaxos.invariants.names import AGREEMENT, PROGRESS
from multipaxos.invariants.violation import InvariantViolation
from multipaxos.simulation.plan import RunPlan
from multipaxos.simulation.shrink import Play, play_plan, shrink

VIOLATION = InvariantViolation(AGREEMENT, 1, "A and B")


def fails_if(condition: Callable[[RunPlan], bool], name: str = AGREEMENT) -> Play:
    """Return what plays a plan by looking at it."""
    return lambda plan: InvariantViolation(name, 1, "") if condition(plan) else None


def numbers(plan: RunPlan) -> tuple[set[int], set[int]]:
    """Return the faults and the requests of *plan*, by number."""
    return (
        {fault.number for fault in plan.fault_schedule()},
        {request.number for request in plan.request_schedule()},
    )


def test_only_what_is_needed_is_left() -> None:
    """Two faults of many, one request, few seconds, two servers, nothing beside."""
    plan = RunPlan(seed=1, faults="cruel", servers=5, clients=6)
    smallest = shrink(
        plan,
        VIOLATION,
        play=fails_if(
            lambda plan: (
                {2, 9} <= numbers(plan)[0] and {3} <= numbers(plan)[1] and plan.servers >= 2
            )
        ),
    )

    assert smallest.kept_faults == (2, 9)
    assert smallest.kept_requests == (3,)
    assert (smallest.servers, smallest.clients, smallest.founded) == (2, 1, True)
    assert smallest.seconds < 15
    assert {"loss", "duplication"} & set(smallest.switched_off)


def test_another_violation_does_not_count() -> None:
    """A smaller run that breaks something else tells nothing of this one."""
    plan = RunPlan(seed=1)

    smallest = shrink(
        plan,
        VIOLATION,
        play=lambda candidate: (
            VIOLATION if candidate.seconds == 60 else InvariantViolation(PROGRESS, None, "")
        ),
    )

    assert smallest.seconds == 60


@pytest.mark.parametrize("attempts_max", [0, 1, 17])
def test_the_effort_is_bounded(attempts_max: int) -> None:
    """However much could still be left out; who waits is told of each attempt."""
    played: list[RunPlan] = []
    told: list[int] = []

    def play(plan: RunPlan) -> InvariantViolation | None:
        played.append(plan)
        return VIOLATION if len(played) % 2 else None

    shrink(
        RunPlan(seed=1),
        VIOLATION,
        play=play,
        attempts_max=attempts_max,
        on_attempt=lambda attempts, _: told.append(attempts),
    )

    assert len(played) <= attempts_max
    assert told == list(range(len(played)))


def test_a_real_disaster_shrinks_to_one_that_can_be_read() -> None:
    """The shrunk run violates the same invariant, each time that it is played."""
    plan = RunPlan(seed=4, bug="forgotten-promise", faults="rough")
    seeds = (RunPlan(seed=seed, bug="forgotten-promise") for seed in range(30))
    plan, violation = next((p, v) for p in seeds if (v := play_plan(p)) is not None)

    smallest = shrink(plan, violation)

    again = play_plan(smallest)
    assert again is not None
    assert again.name == violation.name
    assert str(again) == str(play_plan(smallest))
    assert len(smallest.fault_schedule()) < len(plan.fault_schedule()) / 3
    assert len(smallest.request_schedule()) < len(plan.request_schedule()) / 3
