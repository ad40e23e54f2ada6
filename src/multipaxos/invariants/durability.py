"""
I8: state is durable before the message that reveals it.

A Prepare, a Promise and an Accepted reveal their sender's own vote, which must be on its own disk.
Any other message reveals which links are decided: that is on the disks of a quorum, or it is not
true. A server that goes back to its last vote has taken nothing of that back. An Accept reveals
what its proposer wants, under a number that was promised; number 1 needs no promise.
"""

from composable_paxos import Accept, Accepted, PeerID, Prepare, Promise, ProposalID
from multipaxos.chain.durable import DurableState
from multipaxos.chain.messages import Envelope
from multipaxos.chain.position import MASTERS_NUMBER
from multipaxos.invariants.names import SAVED_BEFORE_SENT
from multipaxos.invariants.shown import no_more_than
from multipaxos.invariants.violation import InvariantViolation
from multipaxos.invariants.votes import Votes


def check_saved(envelope: Envelope, state: DurableState | None, votes: Votes, uid: PeerID) -> None:
    """Check that what *envelope* reveals of *uid* is in the *state* on its disk."""
    message, link = envelope.message, envelope.instance
    reveals_vote = isinstance(message, Prepare | Promise | Accepted) or (
        isinstance(message, Accept) and message.proposal_id.number > MASTERS_NUMBER
    )
    if state is None or state.instance < link:
        if link > 0 and (reveals_vote or not _is_decided(link - 1, votes)):
            at = "nothing" if state is None else f"link {state.instance} in progress"
            raise _violation(uid, envelope, f"it has {at} on its disk")
        return
    match message:
        case Prepare() | Promise() | Accept() if reveals_vote:
            _check_promise(envelope, message.proposal_id, state, uid)
        case Accepted():
            _check_acceptance(envelope, message, state, votes, uid)


def _is_decided(link: int, votes: Votes) -> bool:
    return link in votes.chosen or votes.is_chosen_unseen(link)


def _check_promise(
    envelope: Envelope, proposal_id: ProposalID, state: DurableState, uid: PeerID
) -> None:
    promised_id = state.acceptor.promised_id
    if state.instance == envelope.instance and promised_id < proposal_id:
        raise _violation(uid, envelope, f"its disk knows of {no_more_than(promised_id, 'promise')}")


def _check_acceptance(
    envelope: Envelope, message: Accepted, state: DurableState, votes: Votes, uid: PeerID
) -> None:
    accepted_id = state.acceptor.accepted_id
    ballot = votes.record(envelope.instance).ballots.get(message.proposal_id)
    was_saved = ballot is not None and ballot.accepted_by & votes.quorums.bits[uid]
    if not was_saved or (state.instance == envelope.instance and accepted_id < message.proposal_id):
        raise _violation(
            uid, envelope, f"its disk knows of {no_more_than(accepted_id, 'acceptance')}"
        )


def _violation(uid: PeerID, envelope: Envelope, on_disk: str) -> InvariantViolation:
    message = envelope.message
    name = type(message).__name__
    number = getattr(message, "proposal_id", None)
    said = name if number is None else f"{name} {number}"
    return InvariantViolation(
        SAVED_BEFORE_SENT,
        envelope.instance,
        f"{uid} sends {said} to {envelope.receiver} before it saved that: {on_disk}. After a crash "
        "it would not know what it said",
    )
