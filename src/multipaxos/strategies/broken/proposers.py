"""Proposers that are wrong on purpose."""

from dataclasses import replace

from typing_extensions import override

from composable_paxos import (
    LOWEST,
    Accept,
    Accepted,
    AcceptorState,
    Nack,
    PaxosInstance,
    PeerID,
    Prepare,
    Promise,
    Quorums,
)


class SkipsPhaseOne(PaxosInstance):
    """
    Asks to accept without asking for promises.

    Mistake: whoever takes itself for the leader sends Accept requests right away, under a new
    number. Two that do so overwrite each other's chosen value.

    Rule: a proposer sends an Accept only after a quorum has promised its number, with the value
    that these promises bind it to (Paxos Made Simple, 2.2, P2c). Phase 1 may be left out only at a
    number below which nothing can have been accepted, and which has one owner.

    Met: in replication with a "leader" that an operator, a load balancer or a lock service appoints
    while the old one still runs.
    """

    @override
    def prepare(self) -> Prepare:
        proposal_id = super().prepare().proposal_id
        # What should be a Prepare is an Accept already.
        return self.skip_prepare(proposal_id, self.wish)  # type: ignore[return-value]


class ChangesItsMind(PaxosInstance):
    """
    Changes its value when a late promise comes.

    Mistake: promises are taken into account as long as they come in, also after the Accept has
    left. One proposal number then carries two values, and acceptors that accepted "the same
    proposal" have accepted different things.

    Rule: a proposal is a number and one value (Paxos Made Simple, 2.2); the promises of one quorum
    determine it, and those that come later change nothing.

    Met: in implementations that compute the value anew with each retransmission of the Accept.
    """

    @override
    def receive_promise(self, message: Promise) -> Accept | None:
        if message.proposal_id == self.proposal_id and message.accepted_id > self.adopted_id:
            self.asked_to_accept = False
        return super().receive_promise(message)


class ForgetsItsNumbers(PaxosInstance):
    """
    Begins to number anew after a restart.

    Mistake: the proposer begins to count anew with each life, and does not ask the acceptor of its
    own server, which would know better. What is under way from its former life, promises as well as
    values, is taken for the present one.

    Rule: different proposals have different numbers; each proposer remembers in stable storage the
    highest number that it has used (Paxos Made Simple, 2.5).

    Met: where proposers are processes of their own beside the acceptors, and nobody thought of
    giving them a disk; and where a clock that was set back makes the numbers.
    """

    def __init__(
        self, uid: PeerID, quorums: Quorums, state: AcceptorState, *, lowest_number: int = 1
    ) -> None:
        """Know of no number, whatever *state* has promised."""
        super().__init__(uid, quorums, state, lowest_number=lowest_number)
        self.highest_seen = LOWEST

    @override
    def receive_prepare(self, message: Prepare) -> Promise | Nack:
        own = message.proposal_id.uid == self.uid
        return self.nack(message.proposal_id) if own else super().receive_prepare(message)

    @override
    def receive_accept(self, message: Accept) -> Accepted | Nack:
        own = message.proposal_id.uid == self.uid
        return self.nack(message.proposal_id) if own else super().receive_accept(message)


class KeepsItsWish(PaxosInstance):
    """
    Sends its own value, whatever was accepted.

    Mistake: the proposer reads from its promises only that it may go on. What an acceptor reports
    may be chosen already; the own value then becomes a second one.

    Rule: the value of a proposal is that of the highest-numbered one among those accepted, and free
    only if the promises report none (Paxos Made Simple, 2.2, P2c).

    Met: in homemade two-phase "voting", where winning the vote is taken for the right to write
    one's own value. It is the best known misreading of Paxos.
    """

    @override
    def receive_promise(self, message: Promise) -> Accept | None:
        unread = replace(message, accepted_id=LOWEST, accepted_value=None)
        return super().receive_promise(unread)


class AdoptsAnyValue(PaxosInstance):
    """
    Adopts any reported value, not the highest's.

    Mistake: that an accepted value must be adopted is understood, that it matters which is not. A
    value that only a minority accepted long ago displaces the chosen one.

    Rule: of the values that the promises report, the one with the highest number binds (Paxos Made
    Simple, 2.2, P2c); lower ones were proposed by those who did not see it chosen.

    Met: in code that keeps "the accepted value" of a round in one variable which each promise
    overwrites. Tests rarely find it: the shortest run that shows it is the longest of all.
    """

    @override
    def receive_promise(self, message: Promise) -> Accept | None:
        if message.accepted_id > LOWEST and not self.asked_to_accept:
            self.adopted_id = LOWEST
        return super().receive_promise(message)


class CountsPromisesTwice(PaxosInstance):
    """
    Counts promises, not who gave them.

    Mistake: a promise that the network doubled, or that answers a repeated Prepare, is counted once
    more. A quorum of messages may be one server.

    Rule: a quorum is a set of acceptors, and any two have one in common (Paxos Made Simple, 2.1);
    messages can be duplicated (2.1) and repeating one must change nothing.

    Met: in every second first implementation: ``promises += 1``.
    """

    @override
    def receive_promise(self, message: Promise) -> Accept | None:
        is_repeated = message.acceptor in self.promised_by
        missing = self.quorums.acceptors - self.promised_by
        if is_repeated and missing and message.proposal_id == self.proposal_id:
            # The names do not matter here, only how many they are.
            self.promised_by.add(min(missing))
        return super().receive_promise(message)
