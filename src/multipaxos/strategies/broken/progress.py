"""Servers that are safe and get nowhere, on purpose."""

from typing_extensions import override

from composable_paxos import LOWEST, Prepare
from multipaxos.chain.effects import Timer
from multipaxos.chain.replicated_value import BaseReplicatedValue


class NeverRepeats(BaseReplicatedValue):
    """
    Says nothing twice.

    Mistake: a message that is lost is lost for good. The round waits for answers to a question that
    nobody has heard, and with it all that comes after.

    Rule: messages can be lost (Paxos Made Simple, 2.1), so a proposer repeats what is not answered,
    and somebody takes over from one that fell silent (2.4: progress).

    Met: in the program that this project descends from, whose retransmission came after a thousand
    seconds; and in code that was only ever run on one machine, where UDP loses nothing.
    """

    @override
    def timeout(self, timer: Timer) -> None:
        """Let the time pass, without super(), where something should be said once more."""
        if timer not in (Timer.RETRANSMIT, Timer.TAKEOVER, Timer.BACKOFF):
            super().timeout(timer)


class BacksOffInStep(BaseReplicatedValue):
    """
    Backs off without randomness.

    Mistake: two proposers that met wait equally long and meet again. Each new number arrives before
    the other's Accept does, and neither ever finishes, until the network happens to be uneven.

    Rule: two proposers can keep each other from finishing for ever; chance or a distinguished
    proposer must break the tie (Paxos Made Simple, 2.4; Fischer, Lynch and Paterson, Impossibility
    of Distributed Consensus with One Faulty Process, 1985).

    Met: as "retry after 100 ms", in consensus as on any shared wire: Ethernet draws its waits by
    lot for the same reason.
    """

    @override
    def receive_prepare(self, message: Prepare) -> None:
        super().receive_prepare(message)
        if LOWEST < self.paxos.proposal_id < message.proposal_id:
            self.round_lost(message)

    @override
    def round_lost(self, prepare: Prepare) -> None:
        """Wait as long as ever, without super()'s window that grows and its draw."""
        self.cancel_timer(Timer.RETRANSMIT)
        self.set_timer(Timer.BACKOFF, self.settings.backoff_seconds_min / 10)
