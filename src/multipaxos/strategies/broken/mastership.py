"""Masters that are wrong on purpose: what they skip is what kept the log safe."""

from typing_extensions import override

from composable_paxos import ProposalID
from multipaxos.chain.position import LOWEST_ORDINARY_NUMBER, MASTERS_NUMBER
from multipaxos.chain.replicated_value import BaseReplicatedValue


class TrustsItsLeaseForTheLog(BaseReplicatedValue):
    """
    Skips phase 1 under any number as long as it believes in its lease.

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
    Uses the master's number again after a restart, for another value.

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
