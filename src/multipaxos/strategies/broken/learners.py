"""Learners that are wrong on purpose."""

from typing_extensions import override

from composable_paxos import Accepted, PaxosInstance, Resolution


class ResolvesAtOnce(PaxosInstance):
    """
    Takes one acceptance for the choice.

    Mistake: one acceptor's word is believed. What a single acceptor has accepted may never be
    chosen, and a client was told that it is.

    Rule: a value is chosen when a quorum of acceptors has accepted one proposal (Paxos Made Simple,
    2.1 and 2.3).

    Met: where a server answers its client as soon as the entry is in its own log; and where reads
    are answered from what was received and not from what was committed.
    """

    @override
    def receive_accepted(self, message: Accepted) -> Resolution | None:
        self.resolution = Resolution(
            proposal_id=message.proposal_id,
            value=message.value,
            acceptors=frozenset({message.acceptor}),
        )
        return self.resolution
