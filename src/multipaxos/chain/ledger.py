"""Applying links: what the chain so far amounts to, as pure functions."""

from dataclasses import replace

from multipaxos.chain.durable import Session, Snapshot
from multipaxos.chain.links import Link, NewMaster, Updates
from multipaxos.chain.requests import Chosen, Outcome, RequestID, Unknown, Update
from multipaxos.chain.state_machine import StateMachine


def apply_link(
    snapshot: Snapshot, number: int, link: Link, *, machine: StateMachine, sessions_max: int
) -> tuple[Snapshot, tuple[tuple[RequestID, Outcome], ...]]:
    """
    Return *snapshot* after *link*, the chain's *number*-th, and the outcome of each request in it.

    A request that is in the chain already is skipped, and answered as it was the first time
    (AppliedOnce). Only the newest request of each client is remembered, and only of the
    *sessions_max* clients that used the chain last.
    """
    match link:
        case NewMaster():
            return replace(snapshot, master=link), ()
        case Updates():
            outcomes = []
            for update in link.updates:
                snapshot, outcome = _apply_update(
                    snapshot, number, update, machine=machine, sessions_max=sessions_max
                )
                outcomes.append((update.request_id, outcome))
            return snapshot, tuple(outcomes)
        case _:
            return snapshot, ()


def outcome_so_far(snapshot: Snapshot, request_id: RequestID) -> Outcome | None:
    """Return what became of *request_id* in the links so far; None if it is not in them."""
    session = snapshot.sessions.get(request_id.client)
    if session is None or session.sequence < request_id.sequence:
        return None
    if session.sequence == request_id.sequence:
        return Chosen(link=session.link, result=session.result)
    return Unknown(reason=f"a later request of this client, {session.sequence}, is in the chain")


def _apply_update(
    snapshot: Snapshot, number: int, update: Update, *, machine: StateMachine, sessions_max: int
) -> tuple[Snapshot, Outcome]:
    if machine.is_read(update.command):
        # A read needs no memory: to read again is harmless, and its result may be large.
        _, result = machine.apply(snapshot.value, update.command)
        return snapshot, Chosen(link=number, result=result)
    outcome = outcome_so_far(snapshot, update.request_id)
    if outcome is not None:
        return snapshot, outcome
    value, result = machine.apply(snapshot.value, update.command)
    sessions = dict(snapshot.sessions)
    sessions.pop(update.request_id.client, None)
    sessions[update.request_id.client] = Session(
        sequence=update.request_id.sequence, link=number, result=result
    )
    if len(sessions) > sessions_max:
        del sessions[next(iter(sessions))]
    return replace(snapshot, value=value, sessions=sessions), Chosen(link=number, result=result)
