"""The order of the links: of a correct cluster's history it explains everything, at once."""

import math
from collections.abc import Callable, Sequence

from multipaxos.chain.state_machine import State, StateMachine
from multipaxos.invariants.linearizability.operation import Operation, Status
from multipaxos.invariants.linearizability.stepping import fits, step


def links_explain(operations: Sequence[Operation], machine: StateMachine, initial: State) -> bool:
    """
    Tell whether the links' order explains *operations*, beginning with *initial*.

    It is one order of many: where it does not, another one may. A read follows the writes of its
    link; what nobody was told and no link holds is taken for what never happened.
    """
    if any(o.link is None for o in operations if o.status is Status.OK):
        return False
    state = initial
    newest_call = -math.inf
    for operation in sorted((o for o in operations if o.link is not None), key=_place(machine)):
        # What stands before it must not have been called after it had taken effect.
        if operation.known_at < newest_call:
            return False
        newest_call = max(newest_call, operation.called_at)
        state, result = step(machine, state, operation)
        if operation.status is Status.OK and not fits(operation, result):
            return False
    return True


def _place(machine: StateMachine) -> Callable[[Operation], tuple[int, bool, float]]:
    def place(operation: Operation) -> tuple[int, bool, float]:
        assert operation.link is not None, "only what is in a link has a place"
        return operation.link, machine.is_read(operation.command), operation.called_at

    return place
