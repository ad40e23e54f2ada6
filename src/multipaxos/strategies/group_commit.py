"""
Group commit: a server saves when it votes, and little else has to wait for that.

The argument stands in docs/explanation/durability.md; in short:

- What a server knows of decided links is true whether it is saved or not: a quorum has saved the
  acceptances that decided them. A server that goes back to its last vote has forgotten nothing that
  it promised; it learns the links again. So a decided link is saved with the next vote.
- An Accept tells others what its proposer wants, not what it has accepted. Its number must never
  stand for another value, also in a later life: an ordinary number was promised, durably, before
  the Prepare left; number 1 is used only behind a bid of the present life. So an Accept need not
  wait for its proposer's own save; the Accepted does, and counts as everybody else's.
- Both hold only where the links before are decided by what is on disks. If this server's own vote,
  cast in the same event, was the one that decided, everything waits until that is saved.
"""

from typing import Any

from typing_extensions import override

from composable_paxos import Accept, AcceptorState, Message, ProposalID
from multipaxos.chain.durable import DurableState, Snapshot
from multipaxos.chain.effects import Timer
from multipaxos.chain.links import Link
from multipaxos.chain.messages import ChainMessage
from multipaxos.chain.position import MASTERS_NUMBER
from multipaxos.chain.replicated_value import BaseReplicatedValue

DECIDED_LINKS_MAX = 16
"""So many links are decided at most between two saves."""


class GroupCommit(BaseReplicatedValue):
    """
    Saves decided links with the next vote, and lets an Accept overtake its proposer's save.

    When no vote follows, what was decided is saved after *settle_seconds*, or DECIDED_LINKS_MAX
    links, so that a server that is started again has not much to ask for. State: whether a vote was
    cast, or announced, in a link that was left since the last save (*votes are at stake*), whether
    the wait for the next vote runs, and is *over*.

    Invariant (SavedBeforeSent): a Promise or an Accepted leaves after the save of the vote.
    """

    def __init__(self, **arguments: Any) -> None:
        """Begin with all saved."""
        super().__init__(**arguments)
        self.votes_are_at_stake = False
        self._is_settling = False
        self._wait_is_over = False

    @override
    def save_may_wait(self, saved: DurableState, state: DurableState) -> bool:
        """Tell whether nothing but decided links is new, without super(), which waits for none."""
        if (
            self._wait_is_over
            or self.votes_are_at_stake
            or state.instance - saved.instance > DECIDED_LINKS_MAX
            or not _votes_alike(saved, state)
        ):
            self._wait_is_over = self.votes_are_at_stake = False
            return False
        if not self._is_settling:
            self._is_settling = True
            self.set_timer(Timer.SETTLE, self.settings.settle_seconds)
        return True

    @override
    def may_overtake_save(self, message: Message | ChainMessage) -> bool:
        """
        Let an Accept leave early, without super(), which lets nothing. Not for link 0.

        A founder that has accepted nothing counts as newborn, and newborns may found another chain:
        it must not have asked others to accept this one's first link.
        """
        return (
            isinstance(message, Accept)
            and not self.votes_are_at_stake
            and self.founding is not None
            and self._is_promised(message.proposal_id)
        )

    @override
    def answers_may_overtake_save(self) -> bool:
        """
        Answer early unless a vote of this event helped to decide; super() never does.

        What is answered was decided before the present instance, whose votes the save is about.
        """
        return not self.votes_are_at_stake

    @override
    def advance_instance(self, instance: int, snapshot: Snapshot, *, learned: Link | None) -> None:
        # A vote that was cast in this very event leaves memory here, and has not been saved. Nor
        # has one that was to follow a request of this event: that still leaves, and its number must
        # not be used again.
        saved, left = self.saved, self.instance
        is_asking = any(about == left for about, _ in self._to_self)
        if is_asking or saved is None or self.paxos.state != _acceptor_at(saved, left):
            self.votes_are_at_stake = True
        super().advance_instance(instance, snapshot, learned=learned)

    @override
    def timeout(self, timer: Timer) -> None:
        super().timeout(timer)
        if timer is Timer.SETTLE:
            self._is_settling = False
            self._wait_is_over = self.durable is not self.saved

    def _is_promised(self, proposal_id: ProposalID) -> bool:
        """Tell whether no later life of this server can use *proposal_id* in this instance."""
        return proposal_id.number == MASTERS_NUMBER or (
            self.saved is not None
            and proposal_id <= _acceptor_at(self.saved, self.instance).promised_id
        )


def _votes_alike(saved: DurableState, state: DurableState) -> bool:
    """Tell whether a server that goes back from *state* to *saved* takes no vote back."""
    return (
        state.acceptor == _acceptor_at(saved, state.instance)
        and state.votes_from == saved.votes_from
        and state.founding == saved.founding
        and state.founders == saved.founders
        and state.birth == saved.birth
    )


def _acceptor_at(saved: DurableState, instance: int) -> AcceptorState:
    """Return what *saved* says of votes on *instance*: nothing, where it is at another link."""
    return saved.acceptor if saved.instance == instance else AcceptorState()
