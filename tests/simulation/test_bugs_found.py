"""Random runs find the bugs, and never the correct servers: a test of the simulator's checkers."""

from dataclasses import replace

import pytest

from multipaxos.invariants.violation import InvariantViolation
from multipaxos.simulation.plan import RunPlan
from multipaxos.simulation.random_run import RandomRun
from multipaxos.strategies.broken import BUGS, Bug

SEEDS = 80
RARE = {"lease-from-learning", "no-second-look"}
"""Hundreds of runs may pass before one shows these: tests/simulation/test_planted_bugs.py does."""

FOUND = [
    pytest.param(bug, id=bug.name)
    for bug in BUGS.values()
    if not bug.not_simulated and bug.name not in RARE
]


def plan_of(bug: Bug) -> RunPlan:
    """Return the runs that show *bug* soon."""
    return RunPlan(seed=0, master=bug.master, bug=bug.name, **bug.plan)  # type: ignore[arg-type]


def violation_of(plan: RunPlan) -> InvariantViolation | None:
    """Return what a run of *plan* violates."""
    try:
        RandomRun(plan).play()
    except InvariantViolation as violation:
        return violation
    return None


OF_ANY_STATE = (
    "retry-without-id",
    "age-of-newest-try",
    "read-from-anybody",
    "read-past-a-link",
    "lease-not-caught-up",
    "own-value",
)
"""Bugs that spoil what clients are told; and one of the protocol itself."""


@pytest.mark.parametrize("state", ["dictionary", "tests.simulation.machines:Bids"])
@pytest.mark.parametrize("name", OF_ANY_STATE)
def test_seeds_find_a_bug_whatever_is_replicated(name: str, state: str) -> None:
    """The judges know no commands: they ask the state machine."""
    plan = replace(plan_of(BUGS[name]), state=state)

    found = (violation_of(replace(plan, seed=seed)) for seed in range(SEEDS))

    violation = next(filter(None, found), None)
    assert violation is not None
    assert violation.name in BUGS[name].breaks


@pytest.mark.parametrize("bug", FOUND)
def test_seeds_find_a_bug_soon(bug: Bug) -> None:
    """It breaks one of the invariants that it is said to break; the same run without it, none."""
    plan = plan_of(bug)
    for seed in range(SEEDS):
        violation = violation_of(replace(plan, seed=seed))
        if violation is not None:
            break
    else:
        pytest.fail(f"{SEEDS} runs did not find it")

    assert violation.name in bug.breaks
    assert violation_of(replace(plan, seed=seed, bug=None)) is None
