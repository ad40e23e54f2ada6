"""Abstention: a proposer does not vote where the others' votes suffice."""

from typing import Any

from typing_extensions import override

from composable_paxos import Accept, Accepted, PeerID
from multipaxos.chain.durable import Snapshot
from multipaxos.chain.effects import Timer
from multipaxos.chain.links import Link
from multipaxos.chain.messages import Envelope
from multipaxos.chain.replicated_value import BaseReplicatedValue


class Abstention(BaseReplicatedValue):
    """
    Keeps the proposer's own acceptor out of a link that a quorum of others is likely to accept.

    An acceptor may vote as late as it likes, or never; what is chosen needs a quorum and no
    particular member of it. The proposer has the most to do of all, and its save would hold up
    whatever comes next. So it asks the others first, if enough of them answered to the link before.
    If they do not in *own_vote_seconds*, it votes, too, and goes on to vote at once until they are
    back. (Paxos Made Simple, 2.5, asks for a set of acceptors; Cheap Paxos, Lamport and Massa,
    2004, leaves some of them out)

    State: the request that this server has not voted on itself, if there is one; who of the others
    accepted in this link; and who did in the one before, late or not.
    """

    heeds_late_votes = True

    def __init__(self, **arguments: Any) -> None:
        """Begin with nobody's answer."""
        super().__init__(**arguments)
        self._abstains_from: Accept | None = None
        self._accepting: set[PeerID] = set()
        self._accepted_before: set[PeerID] = set()

    @override
    def send_accept(self, accept: Accept) -> None:
        """Ask the others, without super(), which asks oneself as well, if they are enough."""
        if not self.quorums.have_accepted(self._accepted_before):
            super().send_accept(accept)
            return
        self._abstains_from = accept
        self.set_timer(Timer.OWN_VOTE, self.settings.own_vote_seconds)
        for uid in self.membership.peers:
            self.send(uid, accept)

    @override
    def receive_accepted(self, message: Accepted) -> None:
        if message.acceptor != self.uid:
            self._accepting.add(message.acceptor)
        super().receive_accepted(message)

    @override
    def receive_from_behind(self, envelope: Envelope) -> None:
        super().receive_from_behind(envelope)
        message = envelope.message
        if isinstance(message, Accepted) and envelope.instance == self.instance - 1:
            self._accepted_before.add(message.acceptor)

    @override
    def advance_instance(self, instance: int, snapshot: Snapshot, *, learned: Link | None) -> None:
        self._accepted_before, self._accepting = self._accepting, set()
        if self._abstains_from is not None:
            self._abstains_from = None
            self.cancel_timer(Timer.OWN_VOTE)
        super().advance_instance(instance, snapshot, learned=learned)

    @override
    def timeout(self, timer: Timer) -> None:
        super().timeout(timer)
        if timer is Timer.OWN_VOTE and self._abstains_from is not None:
            accept, self._abstains_from = self._abstains_from, None
            self._accepting.clear()
            self.send(self.uid, accept)
