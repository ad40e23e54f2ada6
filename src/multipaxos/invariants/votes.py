"""
What was ever voted on each link, and the rules that votes are held against: I1 to I3, I5.

It knows what the words mean (promised, accepted, chosen) and uses nothing of the roles.
"""

from collections.abc import Callable
from functools import partial

from composable_paxos import LOWEST, PeerID, ProposalID
from multipaxos.chain.links import Link
from multipaxos.invariants.names import (
    ACCEPTED_WITHIN_PROMISE,
    AGREEMENT,
    ONE_VALUE_PER_NUMBER,
    PROMISE_KEPT,
)
from multipaxos.invariants.quorums import QuorumsInUse, in_words
from multipaxos.invariants.records import Ballot, ChosenLink, LinkRecord
from multipaxos.invariants.safety import check_asked, check_meet
from multipaxos.invariants.shown import no_more_than, shown, shown_apart
from multipaxos.invariants.violation import InvariantViolation, OnViolation, raise_it


class Votes:
    """
    The votes of the whole cluster, and what they have *chosen*.

    A cluster has one chain: links are told apart by number alone. Each choice is told to
    *on_chosen* at the instant it is made. *unseen* tells who may have voted on a link without being
    seen: nobody, where all disks are watched. *on_violation* is told what is wrong with a vote;
    where it does not raise that, the vote counts all the same.
    """

    def __init__(
        self,
        quorums: QuorumsInUse,
        on_chosen: Callable[[ChosenLink], None],
        unseen: Callable[[int], int] = lambda _link: 0,
        on_violation: OnViolation = raise_it,
    ) -> None:
        """Begin without a vote."""
        self.quorums = quorums
        self.on_chosen = on_chosen
        self.on_violation = on_violation
        self.unseen = unseen
        self.chosen: dict[int, ChosenLink] = {}
        self.records: dict[int, LinkRecord] = {}

    def record(self, link: int) -> LinkRecord:
        """Return the record of *link*."""
        record = self.records.get(link)
        if record is None:
            record = self.records[link] = LinkRecord(unseen=self.unseen(link))
        return record

    def is_chosen_unseen(self, link: int, value: Link | None = None) -> bool:
        """
        Tell whether *value*, or any, may have been chosen for *link* by votes that were not seen.

        If so, *value* is taken as chosen from now on.
        """
        record = self.record(link)
        if not record.unseen:
            return False
        if self.quorums.chosen[record.unseen]:
            known = None
        else:
            known = next(
                (
                    (proposal_id, ballot)
                    for proposal_id, ballot in record.ballots.items()
                    if (value is None or ballot.value == value)
                    and self.quorums.chosen[ballot.accepted_by | record.unseen]
                ),
                None,
            )
            if known is None:
                return False
        if value is not None:
            proposal_id, ballot = known or (LOWEST, Ballot())
            self.chosen[link] = ChosenLink(
                link=link,
                proposal_id=proposal_id,
                value=value,
                acceptors=tuple(ballot.acceptors),
            )
        return True

    # -- acceptances -------------------------------------------------------------------------------

    def accepted(
        self, link: int, proposal_id: ProposalID, value: Link | None, uid: PeerID, *, life: int
    ) -> None:
        """
        Count that *uid*, in this *life* of its disk, has accepted durably: I1, I2, I3.

        *value* is None where it is only known that the proposal was accepted: of one that nobody
        was seen to ask for, nothing can be said.
        """
        if value is None:
            ballot = self.record(link).ballot(proposal_id)
            if ballot.value is None:
                return
        else:
            ballot = self.travelled(link, proposal_id, value)
        bit = self.quorums.bits[uid]
        if ballot.accepted_by & bit:
            return
        record = self.records[link]
        promised = record.promised.get(uid, LOWEST)
        if proposal_id < promised and record.voted.get(uid, life) == life:
            self._violate(
                PROMISE_KEPT,
                link,
                f"{uid} accepted {shown(value)} under {proposal_id}, though it had promised "
                f"{promised}, and with that to accept nothing lower",
            )
        was_chosen = self.quorums.chosen[ballot.accepted_by]
        ballot.accepted_by |= bit
        ballot.acceptors.append(uid)
        if not was_chosen and self.quorums.chosen[ballot.accepted_by]:
            self._choose(link, proposal_id, ballot)

    def travelled(self, link: int, proposal_id: ProposalID, value: Link) -> Ballot:
        """I2: under one number travels one value; number 1 has one owner."""
        record = self.record(link)
        ballot = record.ballot(proposal_id)
        known = ballot.value
        if known is None:
            ballot.value = value
            if proposal_id.number == 1:
                self._check_owner(link, proposal_id, record)
        elif known is not value and known != value:
            one, other = shown_apart(known, value)
            self._violate(
                ONE_VALUE_PER_NUMBER,
                link,
                f"{proposal_id} stands for {one} and for {other}: "
                f"{proposal_id.uid} used one number for two values",
            )
        return ballot

    def _check_owner(self, link: int, proposal_id: ProposalID, record: LinkRecord) -> None:
        for other, ballot in record.ballots.items():
            if other.number == 1 and other != proposal_id and ballot.value is not None:
                self._violate(
                    ONE_VALUE_PER_NUMBER,
                    link,
                    f"number 1 belongs to the one master of the link, and two used it: {other.uid} "
                    f"for {shown(ballot.value)}, {proposal_id.uid} for "
                    f"{shown(record.ballots[proposal_id].value)}",
                )

    def _choose(self, link: int, proposal_id: ProposalID, ballot: Ballot) -> None:
        assert ballot.value is not None
        now = ChosenLink(
            link=link,
            proposal_id=proposal_id,
            value=ballot.value,
            acceptors=tuple(ballot.acceptors),
        )
        for higher, other in self.records[link].ballots.items():
            if higher > proposal_id and other.is_asked:
                self._judge(
                    partial(
                        check_meet,
                        self.quorums,
                        link,
                        asking=(higher, other),
                        accepted=(proposal_id, ballot),
                    )
                )
        before = self.chosen.get(link)
        if before is None:
            self.chosen[link] = now
            self.on_chosen(now)
        elif before.value != ballot.value:
            self.on_chosen(now)
            one, another = shown_apart(before.value, now.value)
            self._violate(
                AGREEMENT,
                link,
                f"two values are chosen: {one} under {before.proposal_id}, "
                f"accepted by {in_words(before.acceptors)}, and {another} under "
                f"{proposal_id}, accepted by {in_words(now.acceptors)}",
            )

    # -- promises ----------------------------------------------------------------------------------

    def promise_reached(self, link: int, proposal_id: ProposalID, acceptor: PeerID) -> None:
        """Note that the promise of *acceptor* reached the proposer."""
        bit = self.quorums.bits.get(acceptor, 0)
        self.record(link).ballot(proposal_id).promises |= bit

    def promised(self, link: int, promised_id: ProposalID, uid: PeerID, *, life: int) -> None:
        """Note what *uid* has promised durably: I3 while its disk has the same *life*."""
        record = self.records.get(link)
        if record is None:
            record = self.record(link) if promised_id.number > 0 else _NOTHING
        before = record.promised.get(uid, LOWEST)
        if before == promised_id:
            return
        if promised_id < before and record.voted.get(uid) == life:
            has = "no promise" if promised_id == LOWEST else f"only {promised_id}"
            self._violate(
                PROMISE_KEPT, link, f"{uid} had promised {before} and has {has} on its disk now"
            )
        if promised_id > before:
            record.promised[uid] = promised_id

    def voted(self, link: int, proposal_id: ProposalID, uid: PeerID, *, life: int) -> None:
        """I3 across a loss of memory: nobody votes twice on a link of which it forgot a vote."""
        record = self.record(link)
        if record.voted.setdefault(uid, life) != life:
            promised = record.promised.get(uid, LOWEST)
            self._violate(
                PROMISE_KEPT,
                link,
                f"{uid} votes on {proposal_id} although it has lost its memory since it voted "
                f"there: it had promised {promised}, and cannot know that",
            )

    # -- requests to accept ------------------------------------------------------------------------

    def asked(self, link: int, proposal_id: ProposalID, value: Link) -> None:
        """Check a request to accept: I2; and, the first time, I4 and I6."""
        ballot = self.travelled(link, proposal_id, value)
        if ballot.is_asked:
            # Promises only grow: what was safe once is safe for ever.
            return
        ballot.is_asked = True
        if proposal_id.number <= 1 or proposal_id.uid not in self.quorums.bits:
            return
        self._judge(partial(check_asked, self.quorums, self.records[link], link, proposal_id))

    def _judge(self, check: Callable[[], None]) -> None:
        try:
            check()
        except InvariantViolation as violation:
            self.on_violation(violation)

    def _violate(self, name: str, link: int, explanation: str) -> None:
        self.on_violation(InvariantViolation(name, link, explanation))


_NOTHING = LinkRecord()
"""The record of a link on which nobody has voted: never changed."""


def check_within_promise(
    link: int, accepted_id: ProposalID, promised_id: ProposalID, uid: PeerID
) -> None:
    """I5: what *uid* has on its disk is accepted at most up to its promise."""
    if accepted_id > promised_id:
        raise InvariantViolation(
            ACCEPTED_WITHIN_PROMISE,
            link,
            f"{uid} has accepted {accepted_id} and knows of "
            f"{no_more_than(promised_id, 'promise')}: a proposal between the two could still be "
            "accepted",
        )
