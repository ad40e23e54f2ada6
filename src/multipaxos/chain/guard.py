"""
A state machine of somebody's own, kept from stopping the servers.

Every server applies every link. A machine that raised there, or returned what can be neither saved
nor sent, would stop all of them at the same link, for ever. A pure function fails on every server
alike; so its failure is a result, and all agree on it.
"""

from collections.abc import Callable, Collection
from math import isfinite
from typing import Any, TypeVar

from immutables import Map
from typing_extensions import override

from multipaxos.chain.state_machine import (
    RESULT_DEPTH_MAX,
    Change,
    Command,
    Failure,
    Result,
    State,
    StateMachine,
    is_same,
)

INTEGER_LIMIT = 2**63
"""Integers have 64 bits."""
STATE_DEPTH_MAX = 64
"""So deep may tuples and Maps of a state stand in each other."""

T = TypeVar("T")

_ABSENT = object()


class GuardedMachine(StateMachine):
    """
    Does what *machine* does, as long as that keeps to what is asked of a state machine.

    What depends on the server, such as its memory, is no result: it stops that one. Which commands
    read, and which keys they name, the forms alone say: it must not depend on more. A machine that
    says that it *is keyed* is held to it, for a storage saves only the keys that were named.
    """

    def __init__(self, machine: StateMachine) -> None:
        """Guard *machine*."""
        self.machine = machine
        self.kind = machine.kind  # type: ignore[misc]
        self.forms = machine.forms  # type: ignore[misc]
        self.is_keyed = machine.is_keyed  # type: ignore[misc]

    @override
    def initial(self) -> State:
        """Return the state before the first link; ValueError if it cannot be kept."""
        state = self.machine.initial()
        if not is_state(state):
            raise ValueError(f"the first state of a {self.kind} cannot be kept")
        if self.is_keyed and not isinstance(state, Map):
            raise ValueError(f"the first state of a {self.kind}, which is keyed, is no Map")
        return state

    @override
    def apply(self, state: State, command: Command) -> tuple[State, Result]:
        """
        Apply *command*; what goes wrong changes nothing, and is the result.

        A state is looked through though it may be the same as before: who changes it in place has
        made it of what can be changed.
        """
        try:
            returned: object = self.machine.apply(state, command)
        except (MemoryError, RecursionError):
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it may raise
            return state, Failure(f"ERR the state machine fails: {type(error).__name__}")
        if type(returned) is not tuple or len(returned) != 2:  # noqa: PLR2004 - a pair
            return state, Failure("ERR the state machine returns no pair of state and result")
        after, result = returned[0], _as_tuples(returned[1])
        if not is_state(after):
            return state, _not_kept("state", after)
        if self.is_keyed and not changes_only(self.keys(command), state, after):
            return state, Failure("ERR the state machine changes what the command does not name")
        if not is_result(result):
            return state, _not_kept("result", result)
        return after, result

    @override
    def refusal(self, command: Command) -> str | None:
        """Ask for what is wrong with *command*."""
        fault = super().refusal(command)
        if fault is not None:
            return fault
        silence: str | None = "ERR the state machine fails to say what is wrong with the command"
        return _guarded(
            lambda: self.machine.refusal(command), is_good=_is_text_or_none, otherwise=silence
        )

    @override
    def changes(self, before: State, after: State, command: Command) -> tuple[Change, ...]:
        """Ask what changed; where there is no good answer, the state as a whole did."""
        return _guarded(
            lambda: tuple(self.machine.changes(before, after, command)),
            is_good=_are_changes,
            otherwise=super().changes(before, after, command),
        )

    @override
    def summary(self, state: State) -> str | None:
        """Ask for a summary."""
        kind: str | None = self.kind
        return _guarded(
            lambda: self.machine.summary(state), is_good=_is_text_or_none, otherwise=kind
        )


def _guarded(ask: Callable[[], T], *, is_good: Callable[[object], bool], otherwise: T) -> T:
    try:
        found = ask()
        return found if is_good(found) else otherwise
    except (MemoryError, RecursionError):
        raise
    except Exception:  # noqa: BLE001 - whatever a machine of somebody's own may raise
        return otherwise


def _not_kept(what: str, value: object) -> Failure:
    kind = type(value).__name__
    return Failure(f"ERR the state machine returns a {what} that cannot be kept: a {kind}")


def _as_tuples(result: Any, *, depth: int = RESULT_DEPTH_MAX) -> Any:
    """Return *result* with tuples for lists, which are as good."""
    if type(result) is list or type(result) is tuple:
        return tuple(_as_tuples(item, depth=depth - 1) for item in result) if depth else result
    return result


def _is_text_or_none(found: object) -> bool:
    return found is None or (type(found) is str and is_text(found))


def _are_changes(found: object) -> bool:
    return isinstance(found, tuple) and all(
        type(change) is tuple
        and len(change) == 2  # noqa: PLR2004 - a key and a value
        and _is_text_or_none(change[0])
        and is_state(change[1])
        for change in found
    )


def changes_only(keys: Collection[str], before: State, after: State) -> bool:
    """Tell whether *after* is a Map that has what *before* has, but for *keys*."""
    if after is before:
        return True
    if not isinstance(after, Map) or not isinstance(before, Map):
        return False
    named = frozenset(keys)
    return all(
        key in named or is_same(before.get(key, _ABSENT), item) for key, item in after.items()
    ) and all(key in named or key in after for key in before)


# Only the types themselves: a subclass, such as a named tuple or an enumeration, would come back
# from a disk or another server as the plain type, and servers would differ.


def is_result(value: object, *, depth: int = RESULT_DEPTH_MAX) -> bool:
    """Tell whether *value* is a Result that comes back as it is when it is saved or sent."""
    if isinstance(value, Failure):
        return type(value.text) is str and is_text(value.text)
    if type(value) is tuple:
        return depth > 0 and all(is_result(item, depth=depth - 1) for item in value)
    return _is_scalar(value)


def is_state(value: object, *, depth: int = STATE_DEPTH_MAX) -> bool:
    """Tell whether *value* is a State that comes back as it is when it is saved or sent."""
    if type(value) is float:
        return isfinite(value)
    if type(value) is tuple:
        return depth > 0 and all(is_state(item, depth=depth - 1) for item in value)
    if isinstance(value, Map):
        return depth > 0 and all(
            type(key) is str and is_text(key) and is_state(item, depth=depth - 1)
            for key, item in value.items()
        )
    return _is_scalar(value)


def _is_scalar(value: object) -> bool:
    if value is None or type(value) is bool:
        return True
    if type(value) is int:
        return -INTEGER_LIMIT <= value < INTEGER_LIMIT
    return type(value) is str and is_text(value)


def is_text(text: str) -> bool:
    """Tell whether UTF-8 can write *text*: it has no lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
