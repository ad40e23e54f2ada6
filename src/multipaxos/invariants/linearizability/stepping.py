"""The sequential specification: the state machine's own pure function, as a step."""

from multipaxos.chain.state_machine import Failure, Result, State, StateMachine, apply_safely
from multipaxos.invariants.linearizability.operation import UNTOLD, Operation
from multipaxos.invariants.results import same


def step(machine: StateMachine, state: State, operation: Operation) -> tuple[State, Result]:
    """Return the state after *operation*, and what its caller is told."""
    return apply_safely(machine, state, operation.command)


def fits(operation: Operation, result: Result) -> bool:
    """Tell whether the client of *operation* may have been told *result*."""
    return operation.result is UNTOLD or same(operation.result, result)


def changes_nothing(machine: StateMachine, operation: Operation) -> bool:
    """
    Tell whether *operation*, told what it was, leaves every state as it is.

    Those are reads; what was not done, as its condition did not hold; and what could not be done.
    """
    told = operation.result
    return told is False or isinstance(told, Failure) or machine.is_read(operation.command)
