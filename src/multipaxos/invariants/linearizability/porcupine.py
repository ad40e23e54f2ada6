"""
Histories in the form of Porcupine's logs of a key-value store: the order of the lines is time.

    {:process 4, :type :invoke, :f :put, :key "0", :value "x 0 0 y"}
    {:process 4, :type :ok, :f :put, :key "0", :value "x 0 0 y"}

The form knows ``get``, ``put`` and ``append`` of one key, and no result of the last two; an absent
value is the empty one, so a deletion is written as a ``put`` of that. A ``put`` or ``append`` of
unknown outcome begins and has no end; a ``get`` without a result, and what was refused, are left
out. Nothing else can be written: no condition, no number to add to, no command on several keys.
"""

import json
from collections.abc import Iterator

from multipaxos.chain.state_machine import StateMachine
from multipaxos.invariants.linearizability.asked import asked
from multipaxos.invariants.linearizability.operation import UNTOLD, History, Operation, Status
from multipaxos.invariants.linearizability.processes import Phase, moments

NAMES = {"read": "get", "write": "put", "delete": "put", "append": "append"}


class NotExpressibleError(ValueError):
    """A command has no place in the form; the message says which."""


def porcupine_lines(history: History, machine: StateMachine) -> Iterator[str]:
    """
    Yield *history*, of a *machine*, in Porcupine's form, a line at a time without its end.

    Raises NotExpressibleError at a command that the form does not know.
    """
    for moment in moments([o for o in history if _is_told(o, machine)]):
        operation = moment.operation
        what = asked(operation.command, machine)
        if moment.phase is Phase.RETURN and operation.status is not Status.OK:
            continue
        value: object = what.value
        if what.function == "read":
            value = operation.result if moment.phase is Phase.RETURN else None
        is_begin = moment.phase is Phase.INVOKE
        yield (
            f"{{:process {moment.process}, :type :{'invoke' if is_begin else 'ok'}, "
            f":f :{NAMES[what.function]}, :key {_text(what.key)}, "
            f":value {'nil' if is_begin and what.function == 'read' else _text(value)}}}"
        )


def _is_told(operation: Operation, machine: StateMachine) -> bool:
    function = asked(operation.command, machine).function
    if function not in NAMES:
        raise NotExpressibleError(
            f"Porcupine's key-value logs know get, put and append of one key only, and "
            f"{operation.name} is {operation.command[0]}"
        )
    if function == "read":
        return operation.status is Status.OK and operation.result is not UNTOLD
    return operation.status is not Status.REFUSED


def _text(value: object) -> str:
    return json.dumps("" if value is None else str(value))
