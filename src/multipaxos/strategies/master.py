"""Master leases: one server, named by the chain, proposes in one round trip."""

from typing import Any

from typing_extensions import override

from composable_paxos import Accept, ProposalID
from multipaxos.chain.effects import Timer
from multipaxos.chain.events import EventKind
from multipaxos.chain.links import Link, NewMaster
from multipaxos.chain.position import MASTERS_NUMBER
from multipaxos.chain.replicated_value import BaseReplicatedValue

HOURGLASSES = (Timer.HOURGLASS_LEFT, Timer.HOURGLASS_RIGHT)


class MasterLease(BaseReplicatedValue):
    """
    Seeks mastership, renews it, and as master skips phase 1.

    The log is safe without any clock: number 1 of each instance has one owner, the master that the
    links before it name (MastersNumber). The lease decides only who proposes, and who may answer
    reads alone. It is measured with two hourglasses: one runs for the lease that is believed in
    (*lease*), the other is turned when a bid for the next one leaves.

    An Accept under number 1 may leave before its own acceptance is saved (see
    :mod:`multipaxos.strategies.group_commit`). So the number is used only behind a link that holds
    a bid of this life: a server sends an Accept for link k when all links below k are decided, and
    none of them holds a bid that it draws in a later life; that life uses number 1 above k only
    (OneValuePerNumber).

    State: the *bid* that was proposed last, its hourglass while that runs, whether mastership is
    *wanted* at the next link, and whether the server is *in office*: the newest bid in the chain is
    one of its present life.
    """

    def __init__(self, **arguments: Any) -> None:
        """Begin as nobody's master."""
        super().__init__(**arguments)
        self.wanted = False
        self.in_office = False
        self.bid: NewMaster | None = None
        self._bid_hourglass: Timer | None = None

    @override
    def joined(self) -> None:
        super().joined()
        if self.master in (None, self.uid):
            self._wait_for_election()

    @override
    def foreign_lease_ended(self) -> None:
        super().foreign_lease_ended()
        self._wait_for_election()

    @override
    def next_link(self) -> Link | None:
        if not self.wanted:
            return super().next_link()
        self.wanted = False
        # The bid's name tells this proposal from one made before a crash, whose hourglass is gone.
        self.bid = NewMaster(
            uid=self.uid, lease_seconds=self.settings.lease_seconds, bid=self.draw_name()
        )
        return self.bid

    @override
    def start_round(self) -> None:
        # In this life, number 1 was used in this instance only where it is not untouched any more.
        if self.in_office and self.is_untouched:
            number_one = ProposalID(MASTERS_NUMBER, self.uid)
            self.send_accept(self.paxos.skip_prepare(number_one, self.paxos.wish))
        else:
            super().start_round()

    @override
    def send_accept(self, accept: Accept) -> None:
        if accept.value == self.bid and self._bid_hourglass is None:
            # The others learn of the bid's success after this instant, and respect the lease from
            # then on: counting from here can only end earlier. A repeated Accept counts no anew.
            left, right = HOURGLASSES
            self._bid_hourglass = right if self.lease is left else left
            held_seconds = self.settings.held_lease_seconds
            self.set_timer(self._bid_hourglass, held_seconds)
            self.set_timer(Timer.RENEWAL, held_seconds - self.settings.renewal_head_start_seconds)
        super().send_accept(accept)

    @override
    def instance_began(self, *, learned: Link | None) -> None:
        if learned is not None and learned == self.bid:
            self._elected()
        else:
            self._drop_bid()
            if learned is None or isinstance(learned, NewMaster):
                self._named()
        super().instance_began(learned=learned)

    @override
    def timeout(self, timer: Timer) -> None:
        if timer is self.lease:
            self._end_lease()
            if self.bid is None:
                self._want()
        elif timer is self._bid_hourglass:
            # What this bid may still win is a lease that is over already.
            self._drop_bid()
        elif timer in (Timer.ELECTION, Timer.RENEWAL):
            self._want()
        super().timeout(timer)

    def _wait_for_election(self) -> None:
        # All learn of a lease's end at about the same time; chance lets one of them go first.
        self.set_timer(Timer.ELECTION, self.rng.uniform(0, self.settings.election_seconds_max))

    def _want(self) -> None:
        self.wanted = True
        self.propose_next()

    def _elected(self) -> None:
        assert self._bid_hourglass is not None, "OneReader: a bid outlived its hourglass"
        if self.lease is not None:
            self.cancel_timer(self.lease)
        self.lease, self._bid_hourglass, self.bid = self._bid_hourglass, None, None
        self.in_office = True
        held_seconds = self.settings.held_lease_seconds
        self.note(EventKind.LEASE_BEGAN, "is master", lease=self.lease, seconds=held_seconds)
        self.cancel_timer(Timer.ELECTION)

    def _named(self) -> None:
        # Nobody's lease begins with a name that the chain gives: only a bid of this life, whose
        # hourglass runs, makes a master. Who is named without one bids anew.
        self.in_office = False
        if self.master == self.uid:
            self.wanted = True
        elif self.master is not None:
            self.wanted = False
            self.cancel_timer(Timer.ELECTION)
            self.cancel_timer(Timer.RENEWAL)
            self._end_lease()

    def _drop_bid(self) -> None:
        if self.bid is not None:
            self.wanted = True
        if self._bid_hourglass is not None:
            self.cancel_timer(self._bid_hourglass)
        self._bid_hourglass = None
        self.bid = None

    def _end_lease(self) -> None:
        if self.lease is not None:
            self.note(EventKind.LEASE_ENDED, "is master no more", lease=self.lease)
            self.cancel_timer(self.lease)
            self.lease = None
