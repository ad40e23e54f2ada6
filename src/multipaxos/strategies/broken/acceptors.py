"""Acceptors that are wrong on purpose."""

from dataclasses import dataclass, replace

from typing_extensions import override

from composable_paxos import (
    LOWEST,
    Accept,
    Accepted,
    AcceptorState,
    Nack,
    PaxosInstance,
    Prepare,
    Promise,
)


class PromisesWithoutReport(PaxosInstance):
    """
    Promises without saying what it accepted.

    Mistake: the promise carries the number only. Its proposer takes silence for "nothing accepted"
    and sends its own value, which may be a second one.

    Rule: a promise reports the highest-numbered proposal that the acceptor has accepted (Paxos Made
    Simple, 2.2, phase 1b). That is what makes P2c possible at all.

    Met: where phase 1 was taken over from lock services and leader elections, whose answer is yes
    or no; and where the accepted value is dropped because it "does not fit into the datagram".
    """

    @override
    def receive_prepare(self, message: Prepare) -> Promise | Nack:
        reply = super().receive_prepare(message)
        if isinstance(reply, Promise):
            return replace(reply, accepted_id=LOWEST, accepted_value=None)
        return reply


class PromisesWithoutRecord(PaxosInstance):
    """
    Answers with a promise it does not record.

    Mistake: the acceptor remembers what it accepted, not what it promised. It then accepts a
    proposal that it has promised to ignore, behind the back of the one that it promised this to.

    Rule: an acceptor remembers the highest number that it has promised, and accepts nothing below
    it (Paxos Made Simple, 2.2, P1a); also across a crash (2.3).

    Met: where "only data" is worth a write to the disk, and a promise is taken for a mere message.
    """

    @override
    def receive_prepare(self, message: Prepare) -> Promise | Nack:
        before = self.state
        reply = super().receive_prepare(message)
        self.state = before
        return reply


class AcceptsAnything(PaxosInstance):
    """
    Accepts without a look at its promise.

    Mistake: the number is checked when a Prepare comes, and not again when the Accept does. An
    Accept that was delayed overwrites what was chosen meanwhile.

    Rule: an acceptor accepts a proposal unless it has promised a higher number (Paxos Made Simple,
    2.2, P1a and phase 2b).

    Met: in systems whose leader sends writes that the followers apply as they come, with the
    election on another path. A leader that was paused by its garbage collector shows it.
    """

    @override
    def receive_accept(self, message: Accept) -> Accepted | Nack:
        self.note_proposal(message.proposal_id)
        self.state = AcceptorState(
            promised_id=max(self.state.promised_id, message.proposal_id),
            accepted_id=message.proposal_id,
            accepted_value=message.value,
        )
        return Accepted(acceptor=self.uid, proposal_id=message.proposal_id, value=message.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class _UncheckedState(AcceptorState):
    """Like any acceptor's memory, without the assertion that would stop the mistake."""

    @override
    def __post_init__(self) -> None:
        """Assert nothing."""


class AcceptsAboveItsPromise(PaxosInstance):
    """
    Accepts a number without promising it.

    Mistake: whoever accepts number 2 has as good as promised it, and this acceptor does not
    remember that. It goes on to promise or accept a number between the two, and then has two
    acceptances of which the older number was given later.

    Rule: to accept a proposal is to promise its number: an acceptor never accepts below a number
    that it has accepted (Paxos Made Simple, 2.2, P1a; in Lamport's specification Phase2b sets
    maxBal as well).

    Met: in the program that this project descends from, where a restart made it two chosen values;
    and wherever acceptances and promises are stored in two places.
    """

    @override
    def receive_accept(self, message: Accept) -> Accepted | Nack:
        promised_id = self.state.promised_id
        reply = super().receive_accept(message)
        if isinstance(reply, Accepted):
            self.state = _UncheckedState(
                promised_id=promised_id, accepted_id=reply.proposal_id, accepted_value=reply.value
            )
        return reply
