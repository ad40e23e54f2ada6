"""Defect 9: leases and timers ran on wall-clock time, which jumps."""

import time

from tests.defects.support import MASTER, WatchedCluster
from twisted.internet.base import ReactorBase
from twisted.internet.task import Clock
from typing_extensions import override

from composable_paxos import Prepare, ProposalID
from multipaxos.composition import compose
from multipaxos.runtime.clock import BootTimeClock, boot_seconds, make_count
from multipaxos.simulation.clock import SimulatedClock


class IdleReactor(ReactorBase):
    """One of Twisted's own reactors, as real ones are built, which waits for nothing."""

    @override
    def installWaker(self) -> None:
        """Need no waking."""


def test_a_jump_of_the_reactors_time_fires_nothing_early() -> None:
    """If somebody sets the wall clock an hour ahead, a lease does not end an hour early."""
    reactor = Clock()
    boot = [500.0]
    fired: list[float] = []
    clock = BootTimeClock(reactor, seconds=lambda: boot[0])
    clock.call_later(10.0, lambda: fired.append(boot[0]))

    boot[0] += 1.0
    reactor.advance(3600.0)
    before = list(fired)
    boot[0] += 9.0
    reactor.advance(9.0)

    assert before == []
    assert fired == [510.0]


def test_a_real_reactor_counts_boot_time() -> None:
    """If somebody sets the wall clock back, the timers of a server fire all the same, in time."""
    boot = [500.0]
    fired: list[float] = []
    reactor = IdleReactor()
    make_count(reactor, lambda: boot[0])
    clock = BootTimeClock(reactor, seconds=lambda: boot[0])
    clock.call_later(10.0, lambda: fired.append(boot[0]))

    boot[0] += 9.0
    reactor.runUntilCurrent()
    before = list(fired)
    boot[0] += 1.0
    reactor.runUntilCurrent()

    assert before == []
    assert fired == [510.0]


def test_boot_time_is_no_wall_clock() -> None:
    """A server's seconds are the operating system's since it booted, not those since 1970."""
    clock_id = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

    earliest, shown, latest = (
        time.clock_gettime(clock_id),
        boot_seconds(),
        time.clock_gettime(clock_id),
    )

    assert earliest <= shown <= latest
    assert abs(shown - time.time()) > 3600


def test_a_lease_is_respected_in_full_after_the_clock_began_anew() -> None:
    """
    A machine that reboots has a clock that begins at zero: no saved time means anything then.

    A server that comes back respects the lease for its whole length, by the clock it has now.
    """
    cluster = WatchedCluster(manual=True, replica_class=compose(MASTER))
    cluster.name_master("A")
    cluster.start()
    cluster.run_for(1.5)
    server = cluster.servers["B"]
    cluster.crash("B")
    server.clock = SimulatedClock(cluster.time, gate=server.gate)
    cluster.start("B")
    prepare = Prepare(proposal_id=ProposalID(2, "C"))

    cluster.run_for(cluster.settings.lease_seconds - 0.01)
    cluster.forge("C->B", prepare, instance=2)
    refused = cluster.refusals("B")
    cluster.run_for(0.02)
    cluster.forge("C->B", prepare, instance=2)

    assert refused == ["refused Prepare 2.C: the lease of A still runs"]
    assert cluster.refusals("B") == refused
    assert cluster.promised("B") == prepare.proposal_id
