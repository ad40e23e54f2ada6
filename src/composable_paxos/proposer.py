"""The proposer: it gathers promises, then asks for acceptance of the one value that is safe."""

from composable_paxos.messages import Accept, Nack, Prepare, Promise, Value
from composable_paxos.proposal_id import LOWEST, PeerID, ProposalID
from composable_paxos.quorum import Quorums


class Proposer:
    """
    Drives rounds: :meth:`prepare`, a quorum of promises, one Accept (Paxos Made Simple, 2.2).

    State: the *wish*: the value that this server proposes where none is safer. Of the current
    round, its *proposal_id* (``LOWEST`` before the first), who promised, who refused, the
    acceptance that binds it, and whether its Accept is out.

    Invariant (OneValuePerNumber): at most one Accept value under one proposal id. The caller must
    keep a promise of its own acceptor, saved, for each number before the Prepare leaves; after a
    crash the numbers then go on above it.
    """

    def __init__(
        self, uid: PeerID, quorums: Quorums, *, highest_seen: ProposalID, lowest_number: int
    ) -> None:
        """
        Begin without a round.

        *highest_seen* is the highest proposal that this server knows of, at least what its own
        acceptor promised; rounds are numbered above it and from *lowest_number* on.
        """
        self.uid = uid
        self.quorums = quorums
        self.highest_seen = highest_seen
        self.lowest_number = lowest_number
        self.wish: Value = None
        self.proposal_id = LOWEST
        self.promised_by: set[PeerID] = set()
        self.refused_by: set[PeerID] = set()
        self.asked_to_accept = False
        self.adopted_id = LOWEST
        self._adopted_value: Value = None

    @property
    def value(self) -> Value:
        """What the current round stands for: the value that binds it, else the wish, else None."""
        return self.wish if self.adopted_id == LOWEST else self._adopted_value

    def propose_value(self, value: Value) -> Accept | None:
        """
        Wish for *value*; the first wish of an instance stays.

        Returns the Accept if a quorum had promised and was waiting for a value.
        """
        if value is None:
            msg = "None stands for no value and cannot be proposed"
            raise ValueError(msg)
        if self.wish is None:
            self.wish = value
        return self._accept_if_due()

    def prepare(self) -> Prepare:
        """Begin a new round, above every proposal seen."""
        number = max(self.highest_seen.number + 1, self.lowest_number)
        self._begin_round(ProposalID(number, self.uid))
        return Prepare(proposal_id=self.proposal_id)

    def skip_prepare(self, proposal_id: ProposalID, value: Value) -> Accept:
        """
        Begin a round at *proposal_id* with phase 2, for *value*.

        The caller's duty: nobody else may issue this number, nothing can have been accepted below
        it, and it is used once, for one value, also across crashes. Then phase 1 could report
        nothing that binds the proposer. (Paxos Made Simple, 3: a new leader executes phase 1 once)
        """
        assert self.wish is None or self.wish == value, "OneValuePerNumber: another wish is set"
        self._begin_round(proposal_id)
        self.wish = value
        self.asked_to_accept = True
        return Accept(proposal_id=proposal_id, value=value)

    def receive_promise(self, message: Promise) -> Accept | None:
        """
        Count a promise of the current round; at a quorum, ask to accept.

        Returns None while promises are missing, when the Accept is out already, or when there is no
        value to propose yet (then :meth:`propose_value` returns it).
        """
        self.note_proposal(message.accepted_id)
        if self.asked_to_accept or not self._is_current(message.proposal_id):
            return None
        # A set of names, not a count: a duplicated promise is still one promise.
        self.promised_by.add(message.acceptor)
        # P2c: the value of the highest-numbered acceptance reported by the quorum binds us; our own
        # wish is free only if none was reported. (Paxos Made Simple, 2.2)
        if message.accepted_id > self.adopted_id:
            self.adopted_id = message.accepted_id
            self._adopted_value = message.accepted_value
        return self._accept_if_due()

    def receive_nack(self, message: Nack) -> Prepare | None:
        """
        Count a refusal of the current round; once the round cannot succeed, begin the next.

        Returns the next round's Prepare, which the caller may hold back and replace by a later one
        (a backoff). A refusal of an earlier round, or one that still leaves a quorum, returns None.
        """
        self.note_proposal(message.promised_id)
        if not self._is_current(message.proposal_id):
            return None
        self.refused_by.add(message.acceptor)
        remaining = self.quorums.acceptors - self.refused_by
        possible = (
            self.quorums.have_accepted(remaining)
            if self.asked_to_accept
            else self.quorums.have_promised(remaining)
        )
        return None if possible else self.prepare()

    def request_in_flight(self) -> Prepare | Accept | None:
        """Return what the current round asks for now, to be repeated: None before the first."""
        if self.proposal_id == LOWEST:
            return None
        if self.asked_to_accept:
            return Accept(proposal_id=self.proposal_id, value=self.value)
        return Prepare(proposal_id=self.proposal_id)

    def note_proposal(self, proposal_id: ProposalID) -> None:
        """Remember that *proposal_id* exists, to number the next round above it."""
        self.highest_seen = max(self.highest_seen, proposal_id)

    def _begin_round(self, proposal_id: ProposalID) -> None:
        self.note_proposal(proposal_id)
        self.proposal_id = proposal_id
        self.promised_by = set()
        self.refused_by = set()
        self.adopted_id = LOWEST
        self.asked_to_accept = False

    def _is_current(self, proposal_id: ProposalID) -> bool:
        # Before the first round there is none, and LOWEST, which names none, is nobody's.
        return proposal_id == self.proposal_id != LOWEST

    def _accept_if_due(self) -> Accept | None:
        if (
            self.asked_to_accept
            or self.value is None
            or not self.quorums.have_promised(self.promised_by)
        ):
            return None
        self.asked_to_accept = True
        return Accept(proposal_id=self.proposal_id, value=self.value)
