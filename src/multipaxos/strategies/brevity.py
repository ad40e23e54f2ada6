"""Brevity: an acceptance does not repeat the value that its learners were asked to accept."""

from dataclasses import replace
from typing import Any

from typing_extensions import override

from composable_paxos import Accepted
from multipaxos.chain.durable import Snapshot
from multipaxos.chain.effects import Timer
from multipaxos.chain.links import Link
from multipaxos.chain.messages import Sync
from multipaxos.chain.replicated_value import BaseReplicatedValue


class Brevity(BaseReplicatedValue):
    """
    Tells others of its acceptances by number alone.

    Every server is asked to accept, and a number stands for one value (OneValuePerNumber): whoever
    has accepted the same proposal knows what was chosen. Whoever has not, because the Accept was
    lost on its way, hears of a quorum for a number that means nothing to it. It waits a moment, for
    the Accept may come yet, and then asks who is ahead. State: whether that moment *runs*.
    """

    def __init__(self, **arguments: Any) -> None:
        """Begin with nothing missing."""
        super().__init__(**arguments)
        self._is_missing = False

    @override
    def tell_acceptance(self, accepted: Accepted) -> None:
        """Keep the value to oneself, without super(), which tells it to all."""
        brief = replace(accepted, value=None)
        for uid in self.membership.servers:
            self.send(uid, accepted if uid == self.uid else brief)

    @override
    def receive_accepted(self, message: Accepted) -> None:
        instance = self.instance
        super().receive_accepted(message)
        if self.instance == instance and not self._is_missing and self._is_chosen(message):
            self._is_missing = True
            self.set_timer(Timer.VALUE, self.settings.value_seconds)

    @override
    def advance_instance(self, instance: int, snapshot: Snapshot, *, learned: Link | None) -> None:
        if self._is_missing:
            self._is_missing = False
            self.cancel_timer(Timer.VALUE)
        super().advance_instance(instance, snapshot, learned=learned)

    @override
    def timeout(self, timer: Timer) -> None:
        super().timeout(timer)
        if timer is Timer.VALUE:
            self._is_missing = False
            for uid in self.membership.peers:
                self.send(uid, Sync(votes_from=self.votes_from))

    def _is_chosen(self, message: Accepted) -> bool:
        return self.quorums.have_accepted(self.paxos.accepted_by(message.proposal_id))
