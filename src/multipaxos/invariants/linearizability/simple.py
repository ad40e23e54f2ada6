"""Reads and writes of which it is clear who wrote what: they are explained in simpler words."""

from collections.abc import Sequence
from enum import Enum
from typing import Final, Literal, TypeAlias

from multipaxos.chain.dictionary import Dictionary
from multipaxos.chain.pipelines import READS, inner
from multipaxos.chain.register import Register
from multipaxos.chain.state_machine import Failure, StateMachine
from multipaxos.invariants.linearizability.operation import UNTOLD, Operation, Status


class Put(Enum):
    """Stands for what an operation puts in a place, where that is no text."""

    UNTOUCHED = "untouched"
    UNCLEAR = "unclear"


UNTOUCHED: Final = Put.UNTOUCHED
UNCLEAR: Final = Put.UNCLEAR

Written: TypeAlias = str | Literal[Put.UNTOUCHED, Put.UNCLEAR]


def readable(
    operations: Sequence[Operation], read: Operation, machine: StateMachine
) -> list[Operation] | None:
    """
    Return what was done where *read* looks.

    None if it is no read of one text, or not clear from the commands alone what it should be told.
    """
    if not _is_get(read, machine):
        return None
    key = set(machine.keys(read.command))
    there = [o for o in operations if not key or key & set(machine.keys(o.command))]
    is_clear = all(machine.is_read(o.command) or put(o, read) is not UNCLEAR for o in there)
    return there if is_clear else None


def put(operation: Operation, read: Operation) -> Written:
    """Return the text that *operation*, if it was done, puts where *read* looks."""
    name, *arguments = operation.command
    key = list(read.command[1:])
    told = operation.result
    if told is False or isinstance(told, Failure):
        return UNTOUCHED
    if name in ("GET", "MGET", "EXISTS", READS):
        return UNTOUCHED
    if name == "MSET" and key:
        return dict(zip(arguments[::2], arguments[1::2], strict=True)).get(key[0], UNTOUCHED)
    if arguments[: len(key)] != key:
        return UNTOUCHED if name in ("SET", "CAS") else UNCLEAR
    return _put_if_done(operation, arguments[len(key) :])


def _put_if_done(operation: Operation, arguments: list[str]) -> Written:
    is_told = operation.status is not Status.OK or operation.result is not UNTOLD
    match operation.command[0], arguments:
        case "SET", [value]:
            return value
        case "SET", [value, option] if option.upper() in ("NX", "XX") and is_told:
            return value
        case "CAS", [*_, new] if is_told:
            return new
        case _:
            return UNCLEAR


def _is_get(operation: Operation, machine: StateMachine) -> bool:
    """Tell whether *operation* reads one text, and was told it."""
    return (
        isinstance(inner(machine), Register | Dictionary)
        and operation.command[0] == "GET"
        and operation.status is Status.OK
        and (operation.result is None or isinstance(operation.result, str))
    )
