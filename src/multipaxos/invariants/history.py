"""What the clients saw, as operations: made of requests, commands and outcomes."""

import math

from multipaxos.chain.requests import Chosen, Outcome, Refused, RequestID
from multipaxos.chain.state_machine import Command
from multipaxos.invariants.linearizability import UNTOLD, Operation, Status


def operation_of(
    request_id: RequestID,
    command: Command,
    outcome: Outcome | None,
    *,
    called_at: float,
    returned_at: float | None,
    tries: int = 1,
    link: int | None = None,
) -> Operation:
    """
    Return what the client of *request_id* asked and was told, *outcome* None: nothing yet.

    Who was refused after several *tries* knows nothing: an earlier one may have been taken. *link*
    is the one that holds the request, where somebody else than the client knows it.
    """
    chosen = outcome if isinstance(outcome, Chosen) else None
    return Operation(
        name=str(request_id),
        command=command,
        status=_status(outcome, tries),
        result=UNTOLD if chosen is None else chosen.result,
        called_at=called_at,
        returned_at=math.inf if returned_at is None else returned_at,
        link=link if chosen is None else chosen.link,
    )


def _status(outcome: Outcome | None, tries: int) -> Status:
    if isinstance(outcome, Chosen):
        return Status.OK
    return Status.REFUSED if isinstance(outcome, Refused) and tries == 1 else Status.UNKNOWN
