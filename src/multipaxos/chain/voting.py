"""The instance in progress: asks for votes, casts them, counts them."""

from abc import ABC, abstractmethod
from typing import assert_never

from composable_paxos import (
    Accept,
    Accepted,
    Message,
    Nack,
    Prepare,
    Promise,
    ProposalID,
    Resolution,
)
from multipaxos.chain.effect_collector import EffectCollector
from multipaxos.chain.events import EventKind
from multipaxos.chain.position import MASTERS_NUMBER
from multipaxos.chain.refusals import Reason, Refusal


class Voting(EffectCollector, ABC):
    """
    Lets the roles of :mod:`composable_paxos` take part in one instance after the other.

    It carries their messages, tells the trace what they decide, and may keep the acceptor silent:
    :meth:`vote_refusal`. It starts nothing by itself.
    """

    # -- messages ----------------------------------------------------------------------------------

    def receive_in_instance(self, message: Message) -> None:
        """Take a Paxos message of the instance in progress."""
        match message:
            case Prepare():
                self.receive_prepare(message)
            case Promise():
                self.receive_promise(message)
            case Accept():
                self.receive_accept(message)
            case Accepted():
                self.receive_accepted(message)
            case Nack():
                self.receive_nack(message)
            case _:
                assert_never(message)

    def receive_prepare(self, message: Prepare) -> None:
        """Promise or refuse, as acceptor."""
        if self._votes_on(message):
            reply = self.paxos.receive_prepare(message)
            self._note_vote(message, reply)
            self.send(message.proposal_id.uid, reply)

    def receive_promise(self, message: Promise) -> None:
        """Count a promise, as proposer."""
        accept = self.paxos.receive_promise(message)
        if accept is not None:
            self.send_accept(accept)

    def receive_accept(self, message: Accept) -> None:
        """Accept, and tell all learners; or refuse, as acceptor."""
        if self._votes_on(message):
            reply = self.paxos.receive_accept(message)
            self._note_vote(message, reply)
            match reply:
                case Accepted():
                    self.tell_acceptance(reply)
                case Nack():
                    self.send(message.proposal_id.uid, reply)
                case _:
                    assert_never(reply)

    def receive_accepted(self, message: Accepted) -> None:
        """Count an acceptance, as learner."""
        resolution = self.paxos.receive_accepted(message)
        if resolution is not None:
            self.resolve(resolution)

    def receive_nack(self, message: Nack) -> None:
        """Count a refusal, as proposer."""
        prepare = self.paxos.receive_nack(message)
        if prepare is not None:
            self.note(
                EventKind.ROUND_LOST,
                "too many refuse {proposal_id}",
                proposal_id=message.proposal_id,
                promised_id=message.promised_id,
            )
            self.round_lost(prepare)

    # -- rounds ------------------------------------------------------------------------------------

    def start_round(self) -> None:
        """Begin a round for the instance's wish: ask for promises."""
        self.broadcast(self.paxos.prepare())

    def send_accept(self, accept: Accept) -> None:
        """Ask all acceptors, for the first time in this round, to accept."""
        self.broadcast(accept)

    def tell_acceptance(self, accepted: Accepted) -> None:
        """Tell all learners of this server's acceptance, and of its value."""
        self.broadcast(accepted)

    def round_lost(self, prepare: Prepare) -> None:
        """Go on after a round that cannot succeed any more: here at once, with *prepare*."""
        self.broadcast(prepare)

    @abstractmethod
    def resolve(self, resolution: Resolution) -> None:
        """Take the finding that this instance has chosen a value."""

    # -- the acceptor's silence --------------------------------------------------------------------

    def vote_refusal(self, proposal_id: ProposalID) -> Refusal | None:
        """
        Return why this server casts no vote on *proposal_id* at all; None if it votes.

        Such a refusal is silent: it is not the acceptor's, which would answer with its promise.
        """
        if self.instance < self.votes_from:
            return Refusal(
                reason=Reason.VOTES_FROM,
                words=f"no votes below link {self.votes_from}: some may have been forgotten",
                details={"votes_from": self.votes_from},
            )
        if proposal_id.number == MASTERS_NUMBER and proposal_id.uid != self.master:
            return Refusal(
                reason=Reason.NUMBER_ONE,
                words=f"number {MASTERS_NUMBER} belongs to the master, {self.master or 'nobody'}",
                details={"master": self.master},
            )
        return None

    def _votes_on(self, message: Prepare | Accept) -> bool:
        refusal = self.vote_refusal(message.proposal_id)
        if refusal is not None:
            self.note_refusal(message, refusal, sender=message.proposal_id.uid)
        return refusal is None

    def _note_vote(self, message: Prepare | Accept, reply: Promise | Accepted | Nack) -> None:
        match reply:
            case Promise():
                self.note(
                    EventKind.PROMISED,
                    "promised {proposal_id}",
                    proposal_id=reply.proposal_id,
                    accepted_id=reply.accepted_id,
                )
            case Accepted():
                self.note(
                    EventKind.ACCEPTED,
                    "accepted {proposal_id}",
                    proposal_id=reply.proposal_id,
                    value=reply.value,
                )
            case Nack():
                refusal = Refusal(
                    reason=Reason.PROMISED,
                    words=f"promised {reply.promised_id}",
                    details={"promised_id": reply.promised_id},
                )
                self.note_refusal(message, refusal, sender=message.proposal_id.uid)
            case _:
                assert_never(reply)
