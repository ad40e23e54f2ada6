"""Leases that are wrong on purpose: two servers trust one at the same instant."""

from typing_extensions import override

from composable_paxos import Accept
from multipaxos.chain.effects import Timer
from multipaxos.chain.links import Link, NewMaster
from multipaxos.chain.replicated_value import BaseReplicatedValue


class CountsFromLearning(BaseReplicatedValue):
    """
    Counts its lease from learning of it.

    Mistake: the others begin to count when they learn of the election, and they may learn of it
    first: it takes them one message less. For as long as the news was late, two servers trust a
    lease.

    Rule: the holder counts from the sending of its request, the others from a moment after it, so
    that the holder's time ends first (Gray and Cheriton, Leases, 1989, section 2; Paxos Made Live,
    Chandra et al., 2007, 5.2).

    Met: in the program that this project descends from, and in most first designs: "we are master
    from now on".
    """

    @override
    def instance_began(self, *, learned: Link | None) -> None:
        before = self.lease
        super().instance_began(learned=learned)
        if self.lease is not None and self.lease is not before:
            self.set_timer(self.lease, self.settings.held_lease_seconds)


class CountsFromAsking(BaseReplicatedValue):
    """
    Extends its lease when it asks for that.

    Mistake: the renewal is taken as granted when it leaves. A master that is cut off asks on and
    on, and goes on to trust a lease that nobody respects any more.

    Rule: a lease is extended when the renewal is known to be chosen, and then to the time that
    counts from its sending (Gray and Cheriton, Leases, 1989, section 2).

    Met: in the program that this project descends from (two masters for nine seconds), and wherever
    a heartbeat's sending, not its acknowledgement, keeps a leader in office.
    """

    @override
    def send_accept(self, accept: Accept) -> None:
        super().send_accept(accept)
        if self.lease is not None and isinstance(accept.value, NewMaster):
            self.set_timer(self.lease, self.settings.held_lease_seconds)


class CountsFromCatchUp(BaseReplicatedValue):
    """
    Begins its lease when a catch-up names it.

    Mistake: a catch-up tells what was decided, not when. The election that it tells of may be
    minutes old, and the others' respect for it has ended.

    Rule: a lease is a promise about time, so it begins only for who measured the time since before
    it was asked for (Gray and Cheriton, Leases, 1989, section 2).

    Met: where a snapshot or a replayed log runs through the same code as a fresh decision.
    """

    @override
    def instance_began(self, *, learned: Link | None) -> None:
        super().instance_began(learned=learned)
        if learned is None and self.lease is None and self.master == self.uid:
            self.lease = Timer.HOURGLASS_LEFT
            self.set_timer(self.lease, self.settings.held_lease_seconds)


class ForgetsLeasesAtRestart(BaseReplicatedValue):
    """
    Respects no lease after a restart.

    Mistake: the timer that kept this server from helping a rival was in memory, and memory is gone.
    Two servers that restart elect a new master while the old one reads from its own state.

    Rule: who has granted a lease respects it after a crash as well: it remembers its end, or waits
    for the longest time that one may run (Gray and Cheriton, Leases, 1989, section 2).

    Met: in rolling restarts, which restart a majority within one lease.
    """

    @override
    def joined(self) -> None:
        super().joined()
        self.cancel_timer(Timer.FOREIGN_LEASE)
        self.timeout(Timer.FOREIGN_LEASE)


class ForgetsLeasesInCatchUp(BaseReplicatedValue):
    """
    Respects no lease that it caught up with.

    Mistake: the lease is respected by who took part in the election, and nobody thought of who was
    away. A server that was away votes for a rival right after it has caught up.

    Rule: whoever votes on a later link respects the lease that an earlier one gave, by whichever
    route it learned of it: or the quorum of the next election need not contain one that does.

    Met: in the program that this project descends from, where a catch-up carried the value alone.
    """

    @override
    def instance_began(self, *, learned: Link | None) -> None:
        super().instance_began(learned=learned)
        if learned is None:
            self.cancel_timer(Timer.FOREIGN_LEASE)
            self.timeout(Timer.FOREIGN_LEASE)
