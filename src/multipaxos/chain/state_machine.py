"""
State machines: what the chain's links are applied to.

``apply(state, command) -> (state, result)`` is a pure function, so that equal chains give equal
states on every server. (Schneider, Implementing Fault-Tolerant Services Using the State Machine
Approach, 1990)
"""

from dataclasses import dataclass
from typing import Protocol, TypeAlias, assert_never


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """Make *value* the replicated value."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Get:
    """Read the replicated value."""


Command: TypeAlias = Set | Get
Result: TypeAlias = str | None
State: TypeAlias = str | None
"""The replicated value; None until the first one is set."""


class StateMachine(Protocol):
    """What a kind of replicated state must offer. Implementations hold no state of their own."""

    kind: str
    """Named in the chain's first link: a chain keeps the kind that it began with."""

    def initial(self) -> State:
        """Return the state before the first link."""

    def apply(self, state: State, command: Command) -> tuple[State, Result]:
        """Return the state after *command*, and the command's result. *state* is not changed."""

    def is_read(self, command: Command) -> bool:
        """Tell whether *command* leaves every state as it is."""


class Register:
    """A single value, set and got as a whole."""

    kind = "register"

    def initial(self) -> State:
        """Return None: nothing was set."""
        return None

    def apply(self, state: State, command: Command) -> tuple[State, Result]:
        """Set or get the value. A Set's result is None, a Get's the value."""
        match command:
            case Set(value=value):
                return value, None
            case Get():
                return state, state
            case _:
                assert_never(command)

    def is_read(self, command: Command) -> bool:
        """Tell whether *command* is a Get."""
        return isinstance(command, Get)
