"""An exploration as a command asks for it: which model, what of it, and how its end is told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from multipaxos.exploration.model import Model
from multipaxos.exploration.result import Exploration
from multipaxos.invariants.violation import InvariantViolation
from multipaxos.trace import TraceEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """An invariant that breaks on the way: at the *step*, counted from 1, as *violation* says."""

    step: int
    violation: InvariantViolation


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """
    A *model* to explore within *bounds*, which stand under their names, in words of what is in it.

    *warning* says why it will take long, if it will. *tell* makes a trace of a path to a violation,
    and *on_the_way* lists the invariants that broke on it before, each once. *jobs_max* processes
    can share its states, None: any number.
    """

    model: Model[Any, Any]
    title: str
    bounds: Mapping[str, int]
    warning: str
    tell: Callable[[Exploration[Any, Any]], Sequence[TraceEvent]]
    on_the_way: Callable[[Exploration[Any, Any]], Sequence[Broken]]
    jobs_max: int | None = None
