"""What an exploration has covered: while it runs, and in the end."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeAlias

from multipaxos.exploration.model import Action, State
from multipaxos.invariants.violation import InvariantViolation


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """
    How far an exploration has come.

    *depth* counts the states on a path, the first one included, as TLC does; *memory_bytes* is what
    the visited states, the way back to the first one, and the frontier take.
    """

    states: int
    transitions: int
    depth: int
    frontier: int
    seconds: float
    memory_bytes: int

    @property
    def states_per_second(self) -> float:
        """Return the mean speed so far."""
        return self.states / self.seconds if self.seconds > 0 else 0.0


OnProgress: TypeAlias = Callable[[Progress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exploration(Generic[State, Action]):
    """
    What was found, and how much was looked at.

    *states* are distinct; *transitions* counts each successor of each expanded state, new or not;
    *depth* counts the states on the longest of the shortest paths, the first one included, as TLC
    does. It is *complete* if every reachable state was seen and expanded. A *violation* comes with
    the *path* of actions that leads to it: no shorter one does. *missing* names the "sometimes"
    properties that no state had: the search went past what it should have shown.
    """

    states: int
    transitions: int
    depth: int
    complete: bool
    interrupted: bool
    violation: InvariantViolation | None
    path: tuple[Action, ...]
    states_on_path: tuple[State, ...]
    missing: tuple[str, ...]
    seconds: float
    bytes_per_state: float

    @property
    def states_per_second(self) -> float:
        """Return the mean speed."""
        return self.states / self.seconds if self.seconds > 0 else 0.0
