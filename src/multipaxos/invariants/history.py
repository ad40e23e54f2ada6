"""What the clients saw, as operations: made of requests, commands and outcomes."""

import math

from multipaxos.chain.requests import Chosen, Outcome, Refused, RequestID
from multipaxos.chain.state_machine import Command
from multipaxos.invariants.linearizability import UNTOLD, Function, Operation, Status


def operation_of(
    request_id: RequestID,
    command: Command,
    outcome: Outcome | None,
    *,
    called_at: float,
    returned_at: float | None,
    tries: int = 1,
) -> Operation:
    """
    Return what the client of *request_id* asked and was told, *outcome* None: nothing yet.

    Who was refused after several *tries* knows nothing: an earlier one may have been taken.
    """
    function, arguments = asked(command)
    chosen = outcome if isinstance(outcome, Chosen) else None
    return Operation(
        name=str(request_id),
        function=function,
        arguments=arguments,
        status=_status(outcome, tries),
        result=UNTOLD if chosen is None else chosen.result,
        called_at=called_at,
        returned_at=math.inf if returned_at is None else returned_at,
        link=None if chosen is None else chosen.link,
    )


def asked(command: Command) -> tuple[Function, tuple[str | None, ...]]:
    """Return which function *command* asks for, and with which arguments."""
    match command:
        case ("SET", value):
            return Function.SET, (value,)
        case ("CAS", *expected, new):
            return Function.COMPARE_AND_SET, (expected[0] if expected else None, new)
        case _:
            return Function.GET, ()


def _status(outcome: Outcome | None, tries: int) -> Status:
    if isinstance(outcome, Chosen):
        return Status.OK
    return Status.REFUSED if isinstance(outcome, Refused) and tries == 1 else Status.UNKNOWN
