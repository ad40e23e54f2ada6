"""
Histories in the form of Jepsen, which writes EDN: one operation's beginning or end a line.

    {:process 0, :type :invoke, :f :write, :value "x", :time 0, :index 0}
    {:process 0, :type :ok, :f :write, :value "x", :time 1500000, :index 1}

The times are nanoseconds since the history's first moment. A process whose call ended with
``:info`` (nobody knows whether it happened) makes no further call. A compare-and-set that met
another value ends with ``:fail``, as every call that changed nothing. With keys, as in Jepsen's
``independent``, a value is a pair of the key and what belongs there.
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
from multipaxos.invariants.linearizability.processes import Moment, Phase, moments

NAMES = {
    Function.GET: "read",
    Function.SET: "write",
    Function.COMPARE_AND_SET: "cas",
    Function.DELETE: "delete",
    Function.INCREMENT: "increment",
    Function.APPEND: "append",
}

OTHER_VALUE = ":met-another-value"
"""The ``:error`` of a compare-and-set that was done, and changed nothing."""


def edn_lines(history: History) -> Iterator[str]:
    """Yield *history* in Jepsen's form, a line at a time without its end."""
    keyed = any(operation.key for operation in history)
    start: float | None = None
    for index, moment in enumerate(moments(history)):
        start = moment.at if start is None else start
        time = round((moment.at - start) * 1e9)
        ending, error = _ending(moment)
        value = _value(moment)
        if keyed:
            value = f"[{_edn(moment.operation.key)} {value}]"
        yield (
            f"{{:process {moment.process}, :type :{ending}, "
            f":f :{NAMES[moment.operation.function]}, :value {value}, "
            f":time {time}, :index {index}{error}}}"
        )


def _ending(moment: Moment) -> tuple[str, str]:
    operation = moment.operation
    if moment.phase is Phase.INVOKE:
        return "invoke", ""
    if operation.status is Status.OK:
        if operation.function is Function.COMPARE_AND_SET and operation.result is False:
            return "fail", f", :error {OTHER_VALUE}"
        return "ok", ""
    return ("fail" if operation.status is Status.REFUSED else "info"), ""


def _value(moment: Moment) -> str:
    operation = moment.operation
    told = moment.phase is Phase.RETURN and operation.status is Status.OK
    if told and operation.result is not UNTOLD and _tells(operation):
        return _edn(operation.result)
    if not operation.arguments:
        return "nil"
    if len(operation.arguments) == 1:
        return _edn(operation.arguments[0])
    return f"[{' '.join(_edn(argument) for argument in operation.arguments)}]"


def _tells(operation: Operation) -> bool:
    """Tell whether the end of a call holds its result; otherwise it repeats what was asked."""
    return operation.function not in (Function.SET, Function.COMPARE_AND_SET)


def _edn(value: object) -> str:
    # Texts, numbers and truth values look in EDN as they do in JSON.
    return "nil" if value is None else json.dumps(value)
