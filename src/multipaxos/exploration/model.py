"""What the explorer can explore: a model, given by its states and what may happen in each."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from multipaxos.invariants.violation import InvariantViolation

State = TypeVar("State", bound=Hashable)
Action = TypeVar("Action")


class Model(ABC, Generic[State, Action]):
    """
    A system of states and actions, explored by :func:`multipaxos.exploration.engine.explore`.

    A state is hashable, compact (best an int, bytes, or a tuple of small ints), and never changed.
    Equal states must have equal successors: what a model remembers beside its states may save work
    only.

    To be explored by several processes, a model must be picklable, and two copies of it must agree
    on what a state means. Where they do not (a model that numbers what it meets, in the order in
    which it meets it), it overrides :meth:`fingerprint`, :meth:`portable` and :meth:`resident`.
    """

    sometimes: Mapping[str, Callable[[State], bool]] = {}
    """What must be true of some state, by name: or the search proves less than it seems to."""

    @abstractmethod
    def initial(self) -> Iterable[State]:
        """Return the states in which a run may begin."""

    @abstractmethod
    def successors(self, state: State) -> Iterable[tuple[Action, State]]:
        """Return what may happen in *state*, and what it leads to; in the same order each time."""

    @abstractmethod
    def violation(self, state: State) -> InvariantViolation | None:
        """Return the invariant that *state* breaks, None if it breaks none."""

    def dead_end(self, state: State) -> InvariantViolation | None:
        """Return what is wrong with *state*, which nothing leads out of. Here: nothing."""
        del state
        return None

    def fingerprint(self, state: State) -> int:
        """
        Return a number that decides which process keeps *state*; the same in each process.

        The hash is, if *state* is made of ints alone; that of text differs between processes.
        """
        return hash(state)

    def portable(self, states: Sequence[State]) -> Any:
        """Return what stands for *states* in another process: something that can be pickled."""
        return states

    def resident(self, portable: Any) -> Sequence[State]:
        """Return the states of this copy of the model that *portable* stands for, in its order."""
        states: Sequence[State] = portable
        return states
