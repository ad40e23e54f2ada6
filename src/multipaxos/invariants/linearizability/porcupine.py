"""
Histories in the form of Porcupine's logs of a key-value store: the order of the lines is time.

    {:process 4, :type :invoke, :f :put, :key "0", :value "x 0 0 y"}
    {:process 4, :type :ok, :f :put, :key "0", :value "x 0 0 y"}

The form knows ``get``, ``put`` and ``append``; an absent value is the empty one, so a deletion is
written as a ``put`` of that. A ``put`` or ``append`` of unknown outcome begins and has no end; a
``get`` without a result, and what was refused, are left out.
"""

import json
from collections.abc import Iterator

from multipaxos.invariants.linearizability.operation import (
    UNTOLD,
    Function,
    History,
    Operation,
    Status,
)
from multipaxos.invariants.linearizability.processes import Phase, moments

NAMES = {
    Function.GET: "get",
    Function.SET: "put",
    Function.DELETE: "put",
    Function.APPEND: "append",
}


class NotExpressibleError(ValueError):
    """A function has no place in the form; the message says which."""


def porcupine_lines(history: History) -> Iterator[str]:
    """
    Yield *history* in Porcupine's form, a line at a time without its end.

    Raises NotExpressibleError at a function that the form does not know.
    """
    for moment in moments([o for o in history if _is_told(o)]):
        operation = moment.operation
        if moment.phase is Phase.RETURN and operation.status is not Status.OK:
            continue
        is_end = moment.phase is Phase.RETURN
        yield (
            f"{{:process {moment.process}, :type :{'ok' if is_end else 'invoke'}, "
            f":f :{NAMES[operation.function]}, :key {_text(operation.key)}, "
            f":value {_value(operation, is_end=is_end)}}}"
        )


def _is_told(operation: Operation) -> bool:
    if operation.function not in NAMES:
        raise NotExpressibleError(
            f"Porcupine's key-value logs know get, put and append only, and {operation.name} is a "
            f"{operation.function}"
        )
    if operation.function is Function.GET:
        return operation.status is Status.OK and operation.result is not UNTOLD
    return operation.status is not Status.REFUSED


def _value(operation: Operation, *, is_end: bool) -> str:
    if operation.function is Function.GET:
        return _text(operation.result) if is_end else "nil"
    if operation.function is Function.DELETE:
        return _text(None)
    return _text(operation.arguments[0])


def _text(value: object) -> str:
    return json.dumps("" if value is None else str(value))
