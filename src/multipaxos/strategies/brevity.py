"""Brevity: what everybody can know already is not said again."""

from dataclasses import replace
from typing import Any

from typing_extensions import override

from composable_paxos import Accept, Accepted, PeerID, ProposalID, Resolution
from multipaxos.chain.durable import Snapshot
from multipaxos.chain.effects import Timer
from multipaxos.chain.links import Founding, Link, Updates
from multipaxos.chain.messages import Envelope, Sync
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.chain.requests import RequestID, Update


class Brevity(BaseReplicatedValue):
    """
    Tells the proposer alone of an acceptance, by number; the proposer tells what was decided.

    Every server is asked to accept, and a number stands for one value (OneValuePerNumber). So an
    acceptance needs no value; and whoever has accepted what was decided needs only hear of the
    number to know the link. Each message says under which one the link before its own was decided:
    mostly that is the next request to accept. Where none follows, the others are told after
    *tell_seconds*, and at once if a client of theirs waits. With n servers a link takes 2(n - 1)
    messages, where telling all takes (n + 1)(n - 1), most of them with the value. (Paxos Made
    Simple, 2.3: a distinguished learner)

    State: the proposal that resolved the link in hand; those requests of other servers' clients
    that wait; for which link the others must be *told*, None if they need not be.
    """

    def __init__(self, **arguments: Any) -> None:
        """Begin with nothing to tell."""
        super().__init__(**arguments)
        self._resolved_by: ProposalID | None = None
        self._of_others: set[RequestID] = set()
        self._to_tell: int | None = None

    @override
    def tell_acceptance(self, accepted: Accepted) -> None:
        """Tell the proposer, and oneself, without super(), which tells all."""
        self.send(self.uid, accepted)
        if accepted.proposal_id.uid != self.uid:
            self.send(accepted.proposal_id.uid, replace(accepted, value=None))

    @override
    def take_hint(self, envelope: Envelope) -> None:
        super().take_hint(envelope)
        accepted = self.paxos.state
        if (
            envelope.instance == self.instance + 1
            and envelope.decided_by == accepted.accepted_id
            and envelope.chain_id == self._chain_of(accepted.accepted_value)
        ):
            self.resolve(
                Resolution(
                    proposal_id=accepted.accepted_id,
                    value=accepted.accepted_value,
                    acceptors=frozenset(),
                )
            )

    @override
    def take_update(self, update: Update, *, origin: PeerID) -> None:
        super().take_update(update, origin=origin)
        if origin != self.uid and update.request_id in self.queue:
            self._of_others.add(update.request_id)

    @override
    def resolve(self, resolution: Resolution) -> None:
        self._resolved_by = resolution.proposal_id
        super().resolve(resolution)
        self._resolved_by = None

    @override
    def advance_instance(self, instance: int, snapshot: Snapshot, *, learned: Link | None) -> None:
        self.decided_by, self._resolved_by = self._resolved_by, None
        self._stop_waiting()
        is_ours = self.decided_by is not None and self.decided_by.uid == self.uid
        super().advance_instance(instance, snapshot, learned=learned)
        if is_ours and self.instance == instance and not self.paxos.asked_to_accept:
            self._to_tell = instance
            if self._others_wait_for(learned):
                self._tell_all()
            else:
                self.set_timer(Timer.TELL, self.settings.tell_seconds)
        self._of_others.intersection_update(self.queue)

    @override
    def send_accept(self, accept: Accept) -> None:
        self._stop_waiting()
        super().send_accept(accept)

    @override
    def timeout(self, timer: Timer) -> None:
        super().timeout(timer)
        if timer is Timer.TELL and self._to_tell == self.instance:
            self._tell_all()

    def _chain_of(self, link: Link) -> str:
        # A server may found a chain twice, if it lost its memory, and use one number in both.
        return link.chain_id if isinstance(link, Founding) else self.chain_id

    def _others_wait_for(self, link: Link | None) -> bool:
        return isinstance(link, Updates) and any(
            update.request_id in self._of_others for update in link.updates
        )

    def _tell_all(self) -> None:
        self._to_tell = None
        for uid in self.membership.peers:
            self.send(uid, Sync(votes_from=self.votes_from))

    def _stop_waiting(self) -> None:
        if self._to_tell is not None:
            self._to_tell = None
            self.cancel_timer(Timer.TELL)
