"""The acceptor: the memory of the algorithm. It promises, and it accepts."""

from dataclasses import dataclass

from composable_paxos.messages import Accept, Accepted, Nack, Prepare, Promise, Value
from composable_paxos.proposal_id import LOWEST, PeerID, ProposalID


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptorState:
    """
    What an acceptor must remember across a crash.

    Invariants: *promised_id* never goes down (PromiseKept); *accepted_id* is at most *promised_id*
    (AcceptedWithinPromise).
    """

    promised_id: ProposalID = LOWEST
    accepted_id: ProposalID = LOWEST
    accepted_value: Value = None

    def __post_init__(self) -> None:
        """Assert what no acceptor can come to remember."""
        assert self.accepted_id <= self.promised_id, "AcceptedWithinPromise: accepted above promise"


class Acceptor:
    """
    Answers :class:`Prepare` and :class:`Accept` (Paxos Made Simple, 2.2 and 2.3).

    The caller must make :attr:`state` durable before it releases a reply (SavedBeforeSent).
    """

    def __init__(self, uid: PeerID, state: AcceptorState) -> None:
        """Resume from *state*: a new one at first, after a crash the one that was saved."""
        self.uid = uid
        self.state = state

    def receive_prepare(self, message: Prepare) -> Promise | Nack:
        """
        Promise to ignore lower proposals, and report the last acceptance.

        A repeated Prepare gets the same promise again: its first answer may have been lost.
        """
        # P1a: an acceptor accepts n if it has not responded to a prepare request above n.
        if message.proposal_id < self.state.promised_id:
            return self.nack(message.proposal_id)
        self.state = AcceptorState(
            promised_id=message.proposal_id,
            accepted_id=self.state.accepted_id,
            accepted_value=self.state.accepted_value,
        )
        return Promise(
            acceptor=self.uid,
            proposal_id=message.proposal_id,
            accepted_id=self.state.accepted_id,
            accepted_value=self.state.accepted_value,
        )

    def receive_accept(self, message: Accept) -> Accepted | Nack:
        """Accept *message.value* unless a higher proposal is promised."""
        if message.proposal_id < self.state.promised_id:
            return self.nack(message.proposal_id)
        # To accept n is also to promise n. Remembering the acceptance without the promise would
        # let a proposal between the two be accepted later.
        self.state = AcceptorState(
            promised_id=message.proposal_id,
            accepted_id=message.proposal_id,
            accepted_value=message.value,
        )
        return Accepted(acceptor=self.uid, proposal_id=message.proposal_id, value=message.value)

    def nack(self, proposal_id: ProposalID) -> Nack:
        """Refuse *proposal_id*, saying what was promised instead."""
        return Nack(acceptor=self.uid, proposal_id=proposal_id, promised_id=self.state.promised_id)
