"""The learner: it finds out that a value is chosen by counting acceptances."""

from composable_paxos.messages import Accepted, Resolution, Value
from composable_paxos.proposal_id import LOWEST, PeerID, ProposalID
from composable_paxos.quorum import Quorums


class Learner:
    """
    Counts acceptances until a quorum agrees on one proposal (Paxos Made Simple, 2.3).

    State: each acceptor's newest acceptance, and the *resolution* once there is one.
    """

    def __init__(self, quorums: Quorums) -> None:
        """Begin without any acceptance known."""
        self.quorums = quorums
        self.resolution: Resolution | None = None
        self._newest: dict[PeerID, ProposalID] = {}

    def receive_accepted(self, message: Accepted) -> Resolution | None:
        """
        Count an acceptance; return the resolution when it completes a quorum, and from then on.

        Only acceptances of one and the same proposal add up, and of each acceptor only the newest
        counts. (An older one would be sound too: what a quorum accepted under one number is chosen,
        whatever its members accept afterwards. Counting the newest needs no history.) Where
        neither the message nor :meth:`value_of` tells what was chosen, None is returned.
        """
        if self.resolution is not None:
            return self.resolution
        if message.acceptor not in self.quorums.acceptors:
            return None
        newest = self._newest.get(message.acceptor, LOWEST)
        if message.proposal_id < newest or message.proposal_id == LOWEST:
            return None
        self._newest[message.acceptor] = message.proposal_id
        accepted_by = self.accepted_by(message.proposal_id)
        if self.quorums.have_accepted(accepted_by):
            value = self.value_of(message.proposal_id) if message.value is None else message.value
            if value is not None:
                self.resolution = Resolution(
                    proposal_id=message.proposal_id, value=value, acceptors=accepted_by
                )
        return self.resolution

    def value_of(self, proposal_id: ProposalID) -> Value:  # noqa: ARG002 - for those who know
        """Return what *proposal_id* stands for, None if that is not known. Here: never."""
        return None

    def accepted_by(self, proposal_id: ProposalID) -> frozenset[PeerID]:
        """Return the acceptors whose newest known acceptance is *proposal_id*."""
        return frozenset(
            acceptor for acceptor, newest in self._newest.items() if newest == proposal_id
        )
