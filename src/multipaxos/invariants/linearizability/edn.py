"""
Histories in the form of Jepsen, which writes EDN: one operation's beginning or end a line.

    {:process 0, :type :invoke, :f :write, :value "x", :time 0, :index 0}
    {:process 0, :type :ok, :f :write, :value "x", :time 1500000, :index 1}

The times are nanoseconds since the history's first moment. A process whose call ended with
``:info`` (nobody knows whether it happened) makes no further call. A compare-and-set that met
another value ends with ``:fail``, as every call that changed nothing. What is asked of one key is,
as in Jepsen's ``independent``, a pair of the key and what belongs there.

Jepsen's models know reads, writes and compare-and-sets of one key. Every other command goes under
its own name, with its arguments as a vector and its result at the end; so all can be written, and a
checker needs a model of its own for them.
"""

import json
from collections.abc import Iterator

from multipaxos.chain.state_machine import Failure, StateMachine
from multipaxos.invariants.linearizability.asked import Asked, asked
from multipaxos.invariants.linearizability.operation import UNTOLD, History, Status
from multipaxos.invariants.linearizability.processes import Moment, Phase, moments

OTHER_VALUE = ":met-another-value"
"""The ``:error`` of a compare-and-set that was done, and changed nothing."""


def edn_lines(history: History, machine: StateMachine) -> Iterator[str]:
    """Yield *history*, of a *machine*, in Jepsen's form, a line at a time without its end."""
    start: float | None = None
    for index, moment in enumerate(moments(history)):
        start = moment.at if start is None else start
        time = round((moment.at - start) * 1e9)
        what = asked(moment.operation.command, machine)
        ending, error = _ending(moment, what)
        value = _value(moment, what)
        if what.key is not None:
            value = f"[{_edn(what.key)} {value}]"
        yield (
            f"{{:process {moment.process}, :type :{ending}, :f :{what.function}, :value {value}, "
            f":time {time}, :index {index}{error}}}"
        )


def _ending(moment: Moment, what: Asked) -> tuple[str, str]:
    operation = moment.operation
    if moment.phase is Phase.INVOKE:
        return "invoke", ""
    if operation.status is Status.OK:
        if what.function == "cas" and operation.result is False:
            return "fail", f", :error {OTHER_VALUE}"
        return "ok", ""
    return ("fail" if operation.status is Status.REFUSED else "info"), ""


def _value(moment: Moment, what: Asked) -> str:
    operation = moment.operation
    told = moment.phase is Phase.RETURN and operation.status is Status.OK
    # The end of a call holds its result; of a write, which is only done, what was asked.
    if told and operation.result is not UNTOLD and what.function not in ("write", "cas"):
        return _edn(operation.result)
    return _edn(what.value)


def _edn(value: object) -> str:
    match value:
        case None:
            return "nil"
        case Failure(text=text):
            return f"{{:error {json.dumps(text)}}}"
        case list() | tuple():
            return f"[{' '.join(map(_edn, value))}]"
        case _:
            # Texts, numbers and truth values look in EDN as they do in JSON.
            return json.dumps(value)
