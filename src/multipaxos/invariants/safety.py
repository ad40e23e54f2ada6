"""
Requests to accept: whether the value is safe (I4), and the quorums meet (I6).

Paxos Made Simple, 2.2, P2c: some quorum has promised the number, and its highest acceptance below,
if there is any, is of the value that is asked for.
"""

from typing import TypeAlias

from composable_paxos import LOWEST, ProposalID
from multipaxos.invariants.names import QUORUMS_INTERSECT, VALUE_IS_SAFE
from multipaxos.invariants.quorums import QuorumsInUse, in_words
from multipaxos.invariants.records import Ballot, LinkRecord
from multipaxos.invariants.shown import shown, shown_apart
from multipaxos.invariants.violation import InvariantViolation

Numbered: TypeAlias = tuple[ProposalID, Ballot]


def check_asked(
    quorums: QuorumsInUse, record: LinkRecord, link: int, proposal_id: ProposalID
) -> None:
    """Check the first request to accept under *proposal_id*, which is not number 1."""
    ballot = record.ballots[proposal_id]
    own = quorums.bits[proposal_id.uid]
    if record.promised.get(proposal_id.uid, LOWEST) >= proposal_id:
        ballot.promises |= own
    ballot.asked_with = ballot.promises
    if ballot.promises & ~own and not quorums.may_ask(proposal_id.uid, ballot.promises):
        _too_few(quorums, link, proposal_id, ballot)
    for lower, other in record.ballots.items():
        if lower < proposal_id and quorums.chosen[other.accepted_by]:
            check_meet(quorums, link, asking=(proposal_id, ballot), accepted=(lower, other))
    _check_safe(quorums, record, link, proposal_id)


def check_meet(quorums: QuorumsInUse, link: int, *, asking: Numbered, accepted: Numbered) -> None:
    """I6, of the two quorums that were really used: one to ask, one that accepted below."""
    (higher, asks), (lower, holds) = asking, accepted
    took_them = quorums.may_ask(higher.uid, asks.asked_with)
    if not took_them or asks.asked_with & holds.accepted_by:
        return
    asked, chosen = shown_apart(asks.value, holds.value)
    raise InvariantViolation(
        QUORUMS_INTERSECT,
        link,
        f"{higher} was promised by {quorums.shown(asks.asked_with)} and asks to accept {asked}; "
        f"{lower} was accepted by {in_words(holds.acceptors)} with {chosen}: both were taken for "
        "quorums, and no server is in both",
    )


def _too_few(quorums: QuorumsInUse, link: int, proposal_id: ProposalID, ballot: Ballot) -> None:
    raise InvariantViolation(
        QUORUMS_INTERSECT,
        link,
        f"{proposal_id.uid} asks to accept {shown(ballot.value)} under {proposal_id} with the "
        f"promises of {quorums.shown(ballot.promises)} only: that is no quorum, and "
        f"{quorums.others(ballot.promises)} may have chosen another value without any of them",
    )


def _check_safe(
    quorums: QuorumsInUse, record: LinkRecord, link: int, proposal_id: ProposalID
) -> None:
    value = record.ballots[proposal_id].value
    able = record.unseen
    for uid, promised in record.promised.items():
        if promised >= proposal_id:
            able |= quorums.bits[uid]
    for quorum in quorums.quorums_within(proposal_id.uid, able):
        binding = _highest_below(record, proposal_id, quorum)
        if binding is None or quorum & record.unseen or binding[1].value == value:
            return
    _unsafe(quorums, record, link, proposal_id, able)


def _highest_below(record: LinkRecord, proposal_id: ProposalID, members: int) -> Numbered | None:
    """Return the highest that any of *members* accepted below *proposal_id*."""
    below = [
        (number, ballot)
        for number, ballot in record.ballots.items()
        if number < proposal_id and ballot.accepted_by & members
    ]
    return max(below, key=lambda one: one[0], default=None)


def _unsafe(
    quorums: QuorumsInUse, record: LinkRecord, link: int, proposal_id: ProposalID, able: int
) -> None:
    uid, value = proposal_id.uid, record.ballots[proposal_id].value
    binding = _highest_below(record, proposal_id, able)
    if binding is None or not quorums.may_ask(uid, able):
        raise InvariantViolation(
            VALUE_IS_SAFE,
            link,
            f"{uid} asks to accept {shown(value)} under {proposal_id}, which only "
            f"{quorums.shown(able)} promised: {quorums.others(able)} may accept something lower",
        )
    number, other = binding
    asked, accepted = shown_apart(value, other.value)
    raise InvariantViolation(
        VALUE_IS_SAFE,
        link,
        f"{uid} asks to accept {asked} under {proposal_id}. {quorums.shown(able)} promised that, "
        f"and the highest that they had accepted is {accepted} under {number}, by "
        f"{quorums.shown(other.accepted_by & able)}: only that is safe, for it may be chosen",
    )
