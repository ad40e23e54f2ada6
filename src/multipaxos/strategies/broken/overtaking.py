"""Group commits that are wrong on purpose: what leaves early, or is saved late, had to wait."""

from typing_extensions import override

from composable_paxos import LOWEST, Accept, Message, Prepare, ProposalID, Resolution
from multipaxos.chain.durable import DurableState
from multipaxos.chain.messages import ChainMessage, Envelope
from multipaxos.chain.position import MASTERS_NUMBER
from multipaxos.chain.replicated_value import BaseReplicatedValue


class SavesVotesWithTheirLink(BaseReplicatedValue):
    """
    Saves a link once: when it is decided.

    Mistake: a decided link need not be saved before the next vote, so the votes that decide it are
    treated alike: one save for all that happens in a link. But what is decided can be learned again
    from others, and what a server has promised them it can learn from nobody.

    Rule: an acceptor records its response in stable storage before it sends the response (Paxos
    Made Simple, 2.5).

    Met: where a log is flushed when an entry commits, and not when it is appended.
    """

    @override
    def save_may_wait(self, saved: DurableState, state: DurableState) -> bool:
        return state.instance == saved.instance or super().save_may_wait(saved, state)


class PreparesBeforeSaving(BaseReplicatedValue):
    """
    Asks for promises before it saves its own.

    Mistake: an Accept need not wait for its proposer's save, so a Prepare is let go as well. An
    Accept's number was promised on disk before; a Prepare's is promised in the very event. After a
    crash the server numbers its rounds from below, and asks for two values under one number.

    Rule: each proposer remembers in stable storage the highest-numbered proposal that it has tried
    to issue (Paxos Made Simple, 2.5).

    Met: with candidates that ask for votes while their new term is still on its way to the disk.
    """

    @override
    def may_overtake_save(self, message: Message | ChainMessage) -> bool:
        return isinstance(message, Prepare) or super().may_overtake_save(message)


class OvertakesTheDecidingVote(BaseReplicatedValue):
    """
    Lets what follows from a vote overtake it.

    Mistake: an Accept and an answer may leave before a save, so they leave before any. Where this
    server's own vote, cast in the same event, completes the quorum, the link that they follow from
    is not decided yet: after a crash that vote is gone, and another value may be chosen.

    Rule: a value is chosen when a majority has accepted it (Paxos Made Simple, 2.1), and accepted
    is what an acceptor remembers after a crash (2.5).

    Met: with leaders that count themselves for a commit before their own log is on the disk.
    """

    @override
    def may_overtake_save(self, message: Message | ChainMessage) -> bool:
        """Let any Accept leave, without super()'s look at what else the save holds."""
        return isinstance(message, Accept)

    @override
    def answers_may_overtake_save(self) -> bool:
        """Let any answer leave, without super()."""
        return True


class UsesNumberOneOfAnEarlierLife(BaseReplicatedValue):
    """
    Uses number 1 where its disk has no promise.

    Mistake: that the own acceptor has promised nothing is taken for a proof that number 1 was not
    used. It was one as long as an Accept waited for its proposer's save. Now one may have left in
    an earlier life that ended before the save: number 1 stands for two values.

    Rule: a proposal is a number and one value (Paxos Made Simple, 2.2), also across a crash of its
    proposer (2.5). Number 1 needs a bid of the present life before it: whatever an earlier life
    asked for, it asked before that bid was chosen.

    Met: where a leader's term outlives its process, and its log is written in the background.
    """

    @override
    def start_round(self) -> None:
        """Use number 1 when named, without super()'s question by which life."""
        if self.master == self.uid and self.paxos.state.promised_id == LOWEST:
            number_one = ProposalID(MASTERS_NUMBER, self.uid)
            self.send_accept(self.paxos.skip_prepare(number_one, self.paxos.wish))
        else:
            super().start_round()


class TakesItsValueForDecided(BaseReplicatedValue):
    """
    Takes what it accepted for what was decided.

    Mistake: a message of the next link says under which number this one was decided, without the
    value, for all have been asked to accept that. The server has accepted something here; that it
    was under another number, it does not look.

    Rule: what is chosen is a proposal: a number with its value (Paxos Made Simple, 2.3). Who did
    not accept that number does not know its value, and asks.

    Met: with followers that take a commit index for word that their own entry there is committed,
    whatever its term.
    """

    @override
    def take_hint(self, envelope: Envelope) -> None:
        """Resolve with what was accepted here, without super()'s look at its number."""
        acceptor = self.paxos.state
        if envelope.instance == self.instance + 1 and acceptor.accepted_id > LOWEST:
            self.resolve(
                Resolution(
                    proposal_id=acceptor.accepted_id,
                    value=acceptor.accepted_value,
                    acceptors=frozenset(),
                )
            )
