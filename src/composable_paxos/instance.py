"""One instance of Paxos in one server: all three roles in one object."""

from typing import assert_never

from composable_paxos.acceptor import Acceptor, AcceptorState
from composable_paxos.learner import Learner
from composable_paxos.messages import (
    Accept,
    Accepted,
    Message,
    Nack,
    Prepare,
    Promise,
    Resolution,
    Value,
)
from composable_paxos.proposal_id import PeerID, ProposalID
from composable_paxos.proposer import Proposer
from composable_paxos.quorum import Quorums


class PaxosInstance(Proposer, Acceptor, Learner):
    """
    Proposer, acceptor and learner for one value.

    Messages go in by method call and come out as returned objects; who sends them, and when, is the
    caller's concern. The roles share what they have seen: a number met as acceptor is not issued
    again as proposer.
    """

    def __init__(
        self, uid: PeerID, quorums: Quorums, state: AcceptorState, *, lowest_number: int = 1
    ) -> None:
        """Resume *uid*'s part from the saved *state*; rounds begin at *lowest_number* or above."""
        Proposer.__init__(
            self, uid, quorums, highest_seen=state.promised_id, lowest_number=lowest_number
        )
        Acceptor.__init__(self, uid, state)
        Learner.__init__(self, quorums)

    def receive(
        self, message: Message
    ) -> Prepare | Promise | Accept | Accepted | Nack | Resolution | None:
        """Hand *message* to the role that it concerns and return what that role answers."""
        match message:
            case Prepare():
                return self.receive_prepare(message)
            case Promise():
                return self.receive_promise(message)
            case Accept():
                return self.receive_accept(message)
            case Accepted():
                return self.receive_accepted(message)
            case Nack():
                return self.receive_nack(message)
            case _:
                assert_never(message)

    def receive_prepare(self, message: Prepare) -> Promise | Nack:
        """Answer as acceptor; as proposer, remember the number."""
        self.note_proposal(message.proposal_id)
        return super().receive_prepare(message)

    def receive_accept(self, message: Accept) -> Accepted | Nack:
        """Answer as acceptor; as proposer, remember the number."""
        self.note_proposal(message.proposal_id)
        return super().receive_accept(message)

    def value_of(self, proposal_id: ProposalID) -> Value:
        """Return what *proposal_id* stands for, if this server accepted it, or asked to."""
        if self.state.accepted_id == proposal_id:
            return self.state.accepted_value
        return self.value if self.asked_to_accept and self.proposal_id == proposal_id else None
