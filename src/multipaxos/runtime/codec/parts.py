"""
Links and durable state, between the wire's structures and the protocol's own dataclasses.

What the structures cannot say field by field is checked here, before any dataclass is made: two
founders or sessions of one name, an acceptance without its value, one above the promise. The
dataclasses assert some of this; what came from outside must never reach an assertion.
"""

from collections.abc import Iterable
from typing import Any, assert_never

from composable_paxos import LOWEST, AcceptorState, ProposalID, Value
from multipaxos.chain import durable, links, requests
from multipaxos.chain.durable import DurableState
from multipaxos.chain.state_machine import (
    Result,
    State,
    freeze,
    result_from_plain,
    result_to_plain,
    thaw,
)
from multipaxos.runtime.codec import wire
from multipaxos.runtime.codec.errors import MalformedDatagramError

# -------------------------------------------------------------------------------- updates and links


def link_to_wire(link: links.Link) -> wire.Link:
    """Return the structure that *link* is written as."""
    match link:
        case links.Founding():
            return founding_to_wire(link)
        case links.Updates():
            return wire.Updates(updates=tuple(map(update_to_wire, link.updates)))
        case links.NewMaster():
            return _new_master_to_wire(link)
        case links.Nothing():
            return wire.Nothing()
        case _:
            # A link travels as a Paxos value, whose type is Any: this can happen.
            raise MalformedDatagramError(f"{type(link).__name__} is no kind of link")


def link_from_wire(link: wire.Link) -> links.Link:
    """Return the link that the structure stands for."""
    match link:
        case wire.Founding():
            return founding_from_wire(link)
        case wire.Updates():
            return links.Updates(updates=tuple(map(update_from_wire, link.updates)))
        case wire.NewMaster():
            return _new_master_from_wire(link)
        case wire.Nothing():
            return links.Nothing()
        case _:
            assert_never(link)


def update_to_wire(update: requests.Update) -> wire.Update:
    """Return the structure that *update* is written as."""
    return wire.Update(
        client=update.request_id.client,
        sequence=update.request_id.sequence,
        since=update.since,
        do=update.command,
    )


def update_from_wire(update: wire.Update) -> requests.Update:
    """Return the update that the structure stands for."""
    request_id = requests.RequestID(update.client, update.sequence)
    return requests.Update(request_id=request_id, command=update.do, since=update.since)


def founding_to_wire(link: links.Founding) -> wire.Founding:
    """Return the structure that *link* is written as."""
    return wire.Founding(chain=link.chain_id, machine=link.machine_kind, founders=link.founders)


def founding_from_wire(link: wire.Founding) -> links.Founding:
    """Return the link that the structure stands for."""
    founders = founders_from_wire(link.founders)
    return links.Founding(chain_id=link.chain, machine_kind=link.machine, founders=founders)


def founding_or_none_to_wire(link: links.Founding | None) -> wire.Founding | None:
    """Return the structure that *link*, if it is known, is written as."""
    return None if link is None else founding_to_wire(link)


def founding_or_none_from_wire(link: wire.Founding | None) -> links.Founding | None:
    """Return the link that the structure, if any, stands for."""
    return None if link is None else founding_from_wire(link)


def _new_master_to_wire(link: links.NewMaster) -> wire.NewMaster:
    return wire.NewMaster(uid=link.uid, lease=link.lease_seconds, bid=link.bid)


def _new_master_from_wire(link: wire.NewMaster) -> links.NewMaster:
    return links.NewMaster(uid=link.uid, lease_seconds=link.lease, bid=link.bid)


# ------------------------------------------------------------------------------------ durable state


def snapshot_to_wire(snapshot: durable.Snapshot) -> wire.Snapshot:
    """Return the structure that *snapshot* is written as."""
    sessions = tuple(
        (client, session.sequence, session.link, result_to_plain(session.result))
        for client, session in snapshot.sessions.items()
    )
    master = None if snapshot.master is None else _new_master_to_wire(snapshot.master)
    return wire.Snapshot(
        value=thaw(snapshot.value),
        sessions=sessions,
        forgotten_before=snapshot.forgotten_before,
        master=master,
    )


def snapshot_from_wire(snapshot: wire.Snapshot) -> durable.Snapshot:
    """Return the snapshot that the structure stands for."""
    _check_unique("session", (client for client, *_ in snapshot.sessions))
    return durable.Snapshot(
        value=state_machine_state_from_wire(snapshot.value),
        sessions={
            client: durable.Session(sequence=sequence, link=link, result=result_from_wire(result))
            for client, sequence, link, result in snapshot.sessions
        },
        forgotten_before=snapshot.forgotten_before,
        master=None if snapshot.master is None else _new_master_from_wire(snapshot.master),
    )


def votes_to_wire(state: DurableState) -> wire.Votes:
    """Return the structure that *state*, its snapshot excepted, is written as."""
    acceptor = state.acceptor
    accepted, value = acceptance_to_wire(acceptor.accepted_id, acceptor.accepted_value)
    return wire.Votes(
        birth=state.birth,
        founders=state.founders,
        founding=founding_or_none_to_wire(state.founding),
        instance=state.instance,
        votes_from=state.votes_from,
        promised=proposal_or_none_to_wire(acceptor.promised_id),
        accepted=accepted,
        value=value,
    )


def state_from_wire(votes: wire.Votes, snapshot: durable.Snapshot) -> DurableState:
    """Return the durable state that *votes* and *snapshot* amount to."""
    promised_id = proposal_id_from_wire(votes.promised)
    accepted_id, value = acceptance_from_wire(votes.accepted, votes.value)
    if accepted_id > promised_id:
        raise MalformedDatagramError(f"{accepted_id} accepted above the promise {promised_id}")
    return DurableState(
        birth=votes.birth,
        founders=founders_from_wire(votes.founders),
        founding=founding_or_none_from_wire(votes.founding),
        instance=votes.instance,
        votes_from=votes.votes_from,
        acceptor=AcceptorState(
            promised_id=promised_id, accepted_id=accepted_id, accepted_value=value
        ),
        snapshot=snapshot,
    )


# -------------------------------------------------------------------------------------------- parts


def result_from_wire(result: wire.Result) -> Result:
    """Return the result that was written as *result*; MalformedDatagramError for nonsense."""
    try:
        return result_from_plain(result)
    except ValueError as error:
        raise MalformedDatagramError(str(error)) from None


def state_machine_state_from_wire(value: Any) -> State:
    """Return the state that was written as *value*; MalformedDatagramError for an abyss of it."""
    try:
        return freeze(value)
    except RecursionError as error:
        raise MalformedDatagramError(str(error)) from None


def proposal_to_wire(proposal_id: ProposalID) -> wire.Proposal:
    """Write *proposal_id* as a pair."""
    return proposal_id.number, proposal_id.uid


def proposal_or_none_to_wire(proposal_id: ProposalID) -> wire.Proposal | None:
    """Write *proposal_id* as a pair, LOWEST as None."""
    return None if proposal_id == LOWEST else proposal_to_wire(proposal_id)


def proposal_id_from_wire(proposal: wire.Proposal | None) -> ProposalID:
    """Return the proposal that the pair stands for; LOWEST for None."""
    return LOWEST if proposal is None else ProposalID(*proposal)


def acceptance_to_wire(
    accepted_id: ProposalID, value: Value
) -> tuple[wire.Proposal | None, wire.Link | None]:
    """Write what was accepted last, or None and None."""
    if accepted_id == LOWEST:
        return None, None
    return proposal_to_wire(accepted_id), link_to_wire(value)


def acceptance_from_wire(
    accepted: wire.Proposal | None, value: wire.Link | None
) -> tuple[ProposalID, links.Link | None]:
    """Return what was accepted last: LOWEST and None, or a proposal and its value."""
    if (accepted is None) != (value is None):
        raise MalformedDatagramError("an acceptance has both a proposal and a value, or neither")
    return proposal_id_from_wire(accepted), None if value is None else link_from_wire(value)


def founders_from_wire(founders: links.Founders) -> links.Founders:
    """Return *founders* if each stands there once."""
    _check_unique("founder", (uid for uid, _ in founders))
    return founders


def _check_unique(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise MalformedDatagramError(f"{what} {name} stands there twice")
        seen.add(name)
