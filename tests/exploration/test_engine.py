"""The explorer itself, on models small enough to count by hand."""

import multiprocessing
import os
from collections.abc import Iterable, Iterator

import pytest
from typing_extensions import override

from multipaxos.exploration.engine import explore
from multipaxos.exploration.model import Model
from multipaxos.exploration.result import Progress
from multipaxos.exploration.workers import WorkerLostError
from multipaxos.invariants.violation import InvariantViolation


class Grid(Model[int, str]):
    """
    A walk right or up over *side* by *side* fields, from one corner; *forbidden* breaks the rules.

    There are side squared states and 2 side (side - 1) transitions, and the longest of the shortest
    paths has 2 side - 1 states.
    """

    def __init__(self, side: int = 5, forbidden: int | None = None, *, trap: bool = False) -> None:
        self.side = side
        self.forbidden = forbidden
        self.trap = trap
        self.sometimes = {"far": self.is_far, "beyond": self.is_beyond}

    def is_far(self, state: int) -> bool:
        """Tell whether it is the last field."""
        return state == self.side**2 - 1

    def is_beyond(self, state: int) -> bool:
        """Tell whether it is a field that there is not."""
        return state >= self.side**2

    @override
    def initial(self) -> Iterable[int]:
        return [0]

    @override
    def successors(self, state: int) -> Iterator[tuple[str, int]]:
        row, column = divmod(state, self.side)
        if column + 1 < self.side:
            yield "right", state + 1
        if row + 1 < self.side:
            yield "up", state + self.side

    @override
    def violation(self, state: int) -> InvariantViolation | None:
        if state == self.forbidden:
            return InvariantViolation("I1 Agreement", None, f"field {state} is taken")
        return None

    @override
    def dead_end(self, state: int) -> InvariantViolation | None:
        return InvariantViolation("I12 Progress", None, f"stuck at {state}") if self.trap else None


class Interrupted(Grid):
    """A grid whose walker is interrupted at field 7."""

    @override
    def violation(self, state: int) -> InvariantViolation | None:
        if state == 7:
            raise KeyboardInterrupt
        return None


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_all_states_and_transitions_are_counted_once(jobs: int) -> None:
    """The counts are exact, and the same however many processes share the work."""
    found = explore(Grid(), jobs=jobs)

    assert (found.states, found.transitions, found.depth) == (25, 40, 9)
    assert found.complete
    assert not found.interrupted
    assert found.violation is None
    assert found.path == ()


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_path_to_a_violation_is_a_shortest_one(jobs: int) -> None:
    """Field 13 is two rows up and three columns right: five steps, and no run needs fewer."""
    model = Grid(forbidden=13)

    found = explore(model, jobs=jobs)

    assert found.violation is not None
    assert found.violation.explanation == "field 13 is taken"
    assert not found.complete
    assert sorted(found.path) == ["right"] * 3 + ["up"] * 2
    assert (found.states_on_path[0], found.states_on_path[-1]) == (0, 13)
    state = 0
    for action, after in zip(found.path, found.states_on_path[1:], strict=True):
        state = dict(model.successors(state))[action]
        assert state == after


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_state_from_which_nothing_leads_on_is_judged(jobs: int) -> None:
    """The last field of the grid is the only one where a walk must end."""
    found = explore(Grid(side=3, trap=True), jobs=jobs)

    assert found.violation is not None
    assert found.violation.name == "I12 Progress"
    assert len(found.path) == 4


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_first_state_may_be_wrong(jobs: int) -> None:
    """Then the path has no step."""
    found = explore(Grid(forbidden=0), jobs=jobs)

    assert found.violation is not None
    assert found.path == ()
    assert found.depth == 1


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_never_happened_is_named(jobs: int) -> None:
    """A search that finds nothing wrong proves little if nothing interesting happened in it."""
    assert explore(Grid(), jobs=jobs).missing == ("beyond",)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_search_stops_at_the_number_of_states_given(jobs: int) -> None:
    """It is not complete then, and says so."""
    found = explore(Grid(side=100), jobs=jobs, states_max=300)

    assert not found.complete
    assert found.violation is None
    assert 300 <= found.states < 10_000


def test_an_interruption_returns_what_was_covered() -> None:
    """Ctrl+C loses nothing: the counts so far come back."""
    found = explore(Interrupted(side=3))

    assert found.interrupted
    assert not found.complete
    assert found.states == 8


def test_progress_is_told() -> None:
    """A long search tells how far it is, with numbers that only grow."""
    told: list[Progress] = []

    explore(Grid(side=700), on_progress=told.append)

    assert told
    assert [p.states for p in told] == sorted(p.states for p in told)
    assert all(p.memory_bytes > 8 * p.states and p.states_per_second > 0 for p in told)


def test_a_state_takes_few_bytes() -> None:
    """The set, the way back, and the state itself stay far below 300 bytes, and are counted."""
    found = explore(Grid(side=150))

    assert 28 < found.bytes_per_state < 150


class Deadly(Grid):
    """A grid with a field on which the process that looks at it dies."""

    @override
    def violation(self, state: int) -> InvariantViolation | None:
        if state == 12 and multiprocessing.parent_process() is not None:
            os._exit(3)
        return None


def test_a_process_that_dies_is_told_of_in_a_sentence() -> None:
    """The operating system may kill one for want of memory: the others do not wait for ever."""
    with pytest.raises(WorkerLostError, match=r"a process of the search ended after [0-9]+ states"):
        explore(Deadly(), jobs=2)
