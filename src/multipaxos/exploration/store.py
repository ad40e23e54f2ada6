"""The states that were seen, and the way back from each to the first."""

import sys
from array import array
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from itertools import islice, pairwise
from typing import Generic

from multipaxos.exploration.model import Action, Model, State

SAMPLE, SAMPLE_QUICK = 5_000, 100
"""How many states are measured to know the size of all: in the end, and on the way."""

NO_PARENT = 2**64 - 1


class Store(Generic[State]):
    """
    An exact set of states in the order of their discovery, and where each was discovered from.

    A dictionary without values is both the hashed set and the order: the parent of the state at
    index *i* is ``parents[i]``, eight bytes, and no index is stored anywhere. No fingerprint stands
    for a state: a collision would be a state that is counted as seen and was not, and an exact set
    of states of some 40 bytes takes little more than one of fingerprints in Python, where each
    object costs that much.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self.index: dict[State, None] = {}
        self.parents = array("Q")

    def add(self, state: State, parent: int) -> None:
        """Take the new *state*, discovered from the state at the index *parent*."""
        self.index[state] = None
        self.parents.append(parent)

    def states_to(self, position: int) -> tuple[State, ...]:
        """Return the states on the way from the first one to the one at *position*."""
        positions = [position]
        while self.parents[positions[-1]] != NO_PARENT:
            positions.append(self.parents[positions[-1]])
        found = self.states_at(positions)
        return tuple(found[at] for at in reversed(positions))

    def states_at(self, positions: Collection[int]) -> dict[int, State]:
        """Return the states at *positions*: a walk through all, for once in a search."""
        wanted = set(positions)
        return {at: state for at, state in enumerate(self.index) if at in wanted}

    def memory_bytes(self, newest: Sequence[State] = ()) -> int:
        """
        Return what the states and the way back take: measured on a sample, rounded upwards.

        The sample is taken from the *newest* states, where they are given: no walk through all.
        """
        containers = sys.getsizeof(self.index) + sys.getsizeof(self.parents)
        count = len(self.index)
        if newest:
            sample = list(newest[:: -(-len(newest) // SAMPLE_QUICK)])
        else:
            sample = list(islice(self.index, 0, None, -(-count // SAMPLE) or 1))
        return containers + sum(_sizes(sample)) * count // max(1, len(sample))


def path_through(model: Model[State, Action], states: Sequence[State]) -> tuple[Action, ...]:
    """Return the actions that lead from each of *states* to the next."""
    return tuple(
        next(action for action, successor in model.successors(before) if successor == after)
        for before, after in pairwise(states)
    )


def _sizes(states: Iterable[Hashable]) -> Iterator[int]:
    # What is part of several states of the sample is counted once. Sharing with states outside of
    # the sample is not seen, so that the sum is rather too high.
    known: set[int] = set()
    stack: list[object] = list(states)
    while stack:
        part = stack.pop()
        if id(part) in known:
            continue
        known.add(id(part))
        yield sys.getsizeof(part)
        if isinstance(part, tuple | frozenset):
            stack.extend(part)
