"""Applying links: what the chain so far amounts to, as pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from multipaxos.chain.durable import DecidedLink, Session, Snapshot
from multipaxos.chain.links import Link, NewMaster, Updates
from multipaxos.chain.requests import Chosen, Outcome, RequestID, Unknown, Update
from multipaxos.chain.state_machine import (
    Change,
    Command,
    Failure,
    Result,
    State,
    StateMachine,
    apply_safely,
)

RESULT_CHARACTERS_MAX = 1024
"""A longer text is not remembered as a result: sessions must stay small beside the state."""

TOO_LARGE = Failure("ERR this was done before, and its result was too large to be remembered")


@dataclass(frozen=True, slots=True)
class Effect:
    """
    What a link amounts to: the *snapshot* after it, and what to tell whom.

    The *outcomes* are those of the requests in it. Of these, the commands that led to another state
    of the state machine were *applied*, in this order.
    """

    snapshot: Snapshot
    outcomes: tuple[tuple[RequestID, Outcome], ...] = ()
    applied: tuple[Command, ...] = ()


def apply_link(
    snapshot: Snapshot, number: int, link: Link, *, machine: StateMachine, sessions_max: int
) -> Effect:
    """
    Return what *link*, the chain's *number*-th, makes of *snapshot*.

    A request that is in the chain already is skipped, and answered as it was the first time
    (AppliedOnce). Only the newest request of each client is remembered, and only of the
    *sessions_max* clients that used the chain last; one that may have been forgotten is skipped.
    """
    match link:
        case NewMaster():
            return Effect(replace(snapshot, master=link))
        case Updates():
            return _apply_updates(
                snapshot, number, link, machine=machine, sessions_max=sessions_max
            )
        case _:
            return Effect(snapshot)


def changes_of(
    commands: Sequence[Command], before: State, machine: StateMachine
) -> tuple[Change, ...]:
    """Return what *commands*, which were applied one after the other, changed from *before* on."""
    changes: list[Change] = []
    for command in commands:
        after, _ = apply_safely(machine, before, command)
        changes += machine.changes(before, after, command)
        before = after
    return tuple(changes)


def replay(
    snapshot: Snapshot, links: Sequence[DecidedLink], *, machine: StateMachine, sessions_max: int
) -> Snapshot:
    """Return what *links*, one after the other, make of *snapshot*."""
    for decided in links:
        snapshot = apply_link(
            snapshot,
            decided.number,
            _without_reads(decided.link, machine),
            machine=machine,
            sessions_max=sessions_max,
        ).snapshot
    return snapshot


def _without_reads(link: Link, machine: StateMachine) -> Link:
    # Nobody waits for their results any more.
    if not isinstance(link, Updates):
        return link
    return Updates(updates=tuple(u for u in link.updates if not machine.is_read(u.command)))


def outcome_so_far(snapshot: Snapshot, update: Update) -> Outcome | None:
    """Return what became of *update* in the links so far; None if it is certainly not in them."""
    return _outcome_in(snapshot.sessions, snapshot.forgotten_before, update)


def _outcome_in(
    sessions: Mapping[str, Session], forgotten_before: int, update: Update
) -> Outcome | None:
    session = sessions.get(update.request_id.client)
    if session is None:
        # Had it been applied and forgotten, that was at a link from *since* on.
        if update.since >= forgotten_before:
            return None
        return Unknown(reason="it waited so long that the chain may have forgotten it")
    if session.sequence < update.request_id.sequence:
        return None
    if session.sequence == update.request_id.sequence:
        return Chosen(link=session.link, result=session.result)
    return Unknown(reason=f"a later request of this client, {session.sequence}, is in the chain")


def _apply_updates(
    snapshot: Snapshot, number: int, link: Updates, *, machine: StateMachine, sessions_max: int
) -> Effect:
    sessions = dict(snapshot.sessions)
    value, forgotten_before = snapshot.value, snapshot.forgotten_before
    outcomes: list[tuple[RequestID, Outcome]] = []
    applied: list[Command] = []
    for update in link.updates:
        request_id, command = update.request_id, update.command
        client = request_id.client
        is_read = machine.is_read(command)
        outcome = None if is_read else _outcome_in(sessions, forgotten_before, update)
        if outcome is None:
            before = value
            value, result = apply_safely(machine, before, command)
            outcome = Chosen(link=number, result=result)
            if value is not before:
                applied.append(command)
            # A read needs no memory: to read again is harmless, and its result may be large.
            if not is_read:
                sessions.pop(client, None)
                sessions[client] = Session(
                    sequence=request_id.sequence, link=number, result=_to_remember(result)
                )
                if len(sessions) > sessions_max:
                    oldest = sessions.pop(next(iter(sessions)))
                    forgotten_before = max(forgotten_before, oldest.link + 1)
        outcomes.append((request_id, outcome))
    after = Snapshot(
        value=value,
        sessions=sessions,
        forgotten_before=forgotten_before,
        master=snapshot.master,
    )
    return Effect(after, tuple(outcomes), tuple(applied))


def _to_remember(result: Result) -> Result:
    return result if _characters(result) <= RESULT_CHARACTERS_MAX else TOO_LARGE


def _characters(result: Result) -> int:
    if type(result) is tuple and {*map(type, result)} <= {bool}:
        return 2 * len(result)
    match result:
        case str(text) | Failure(text=text):
            return len(text)
        case tuple():
            return sum(map(_characters, result)) + len(result)
        case _:
            return 0
