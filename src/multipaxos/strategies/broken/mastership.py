"""Masters that are wrong on purpose: what they skip is what kept the log safe."""

from typing_extensions import override

from composable_paxos import LOWEST, ProposalID
from multipaxos.chain.position import LOWEST_ORDINARY_NUMBER, MASTERS_NUMBER
from multipaxos.chain.refusals import Reason, Refusal
from multipaxos.chain.replicated_value import BaseReplicatedValue


class TrustsItsLeaseForTheLog(BaseReplicatedValue):
    """
    Skips phase 1 because it holds the lease.

    Mistake: "nobody else may propose while I hold the lease, so there is nothing to ask". A lease
    depends on clocks, and on messages that are not on their way any more. When one of these is not
    as it should be, the master overwrites what was chosen.

    Rule: safety must not depend on time (Paxos Made Simple, 2.4: progress may). A master may skip
    phase 1 only where it has been done, or where there is a number of which it is the only owner
    and below which nothing was accepted (section 3).

    Met: in many a system with leader leases; in the program that this project descends from, two
    masters at once decided two values for one instance.
    """

    @override
    def start_round(self) -> None:
        """Ask to accept at once, without super()'s asking for promises, while the lease runs."""
        if self.lease is None:
            super().start_round()
            return
        number = max(self.paxos.highest_seen.number + 1, LOWEST_ORDINARY_NUMBER)
        accept = self.paxos.skip_prepare(ProposalID(number, self.uid), self.paxos.wish)
        self.send_accept(accept)


class UsesNumberOneTwice(BaseReplicatedValue):
    """
    Uses the master's number anew after a crash.

    Mistake: number 1 of each link needs no phase 1, so the master uses it: also when it has used it
    before it crashed. Some accept the first value under it, some the second.

    Rule: a proposal is a number and one value (Paxos Made Simple, 2.2), also across a crash of its
    proposer (2.5). The right to skip phase 1 is for one value; where the own acceptor has promised
    anything in this instance, it may be spent.

    Met: where a leader's term outlives its process, and with it a counter that does not.
    """

    @override
    def start_round(self) -> None:
        """Use number 1 in any case, without super()'s look at the own acceptor."""
        if self.master == self.uid:
            number_one = ProposalID(MASTERS_NUMBER, self.uid)
            self.send_accept(self.paxos.skip_prepare(number_one, self.paxos.wish))
        else:
            super().start_round()


class TakesNumberOne(BaseReplicatedValue):
    """
    Lets anybody use the master's number.

    Mistake: whoever has something to propose skips phase 1 with number 1, as the master does, and
    the acceptors do not ask whose it is. Two that do so at once are two masters.

    Rule: the right to skip phase 1 has one owner in each instance; all servers that work on it know
    from the links before who that is (MastersNumber; Paxos Made Simple, 3: a single leader, and it
    has executed phase 1 for the instances to come).

    Met: where the first term, epoch or view needs no election, and a node that restarts empty
    begins with it.
    """

    @override
    def start_round(self) -> None:
        """Use number 1 while it is free, without super()'s question whose it is."""
        if self.founding is None or self.paxos.state.promised_id > LOWEST:
            super().start_round()
            return
        number_one = ProposalID(MASTERS_NUMBER, self.uid)
        self.send_accept(self.paxos.skip_prepare(number_one, self.paxos.wish))

    @override
    def vote_refusal(self, proposal_id: ProposalID) -> Refusal | None:
        refusal = super().vote_refusal(proposal_id)
        is_about_its_owner = refusal is not None and refusal.reason is Reason.NUMBER_ONE
        return None if is_about_its_owner else refusal
