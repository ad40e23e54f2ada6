"""Defect 10: a catch-up did not carry the lease."""

import pytest
from tests.defects.support import WHOLE_MASTER, WatchedCluster

from composable_paxos import Accept, Accepted, Prepare, Promise
from multipaxos.chain.messages import CatchUp, Sync
from multipaxos.chain.settings import Settings
from multipaxos.composition import compose

TWO_SECONDS = Settings(lease_seconds=2.0, renewal_head_start_seconds=1.0, election_seconds_max=0.3)
"""The times below are told for these leases."""


def test_whoever_learns_of_a_renewal_by_catch_up_respects_it_in_full() -> None:
    """
    Two servers that know of the master's renewal from a catch-up only elect no other meanwhile.

    In the ancestor they would, as soon as the lease before that one was over: two masters.
    """
    cluster = WatchedCluster(manual=True, replica_class=compose(WHOLE_MASTER), settings=TWO_SECONDS)
    cluster.name_master("A")
    cluster.start("B", "C")
    cluster.run_for(1.5)
    cluster.start("A")
    cluster.run_for(0.35)
    cluster.deliver("A->C", Prepare)
    cluster.deliver("C->A", Promise)
    cluster.deliver("A->C", Accept)
    cluster.deliver("C->A", Accepted)
    cluster.drop_all()
    assert cluster.trusting() == ["A"]
    cluster.ask("A", "x")
    for uid in "BC":
        cluster.deliver(f"A->{uid}", Accept)
        cluster.deliver(f"{uid}->A", Sync)
        cluster.deliver(f"A->{uid}", CatchUp)
    learned_at = cluster.time.now
    cluster.drop_all()

    cluster.deliver_for(1.4, "B", "C")
    trusted = cluster.trusting()
    prepared = cluster.sent(Prepare, since=learned_at)
    cluster.deliver_for(1.5, "B", "C")

    assert trusted == ["A"]
    assert prepared == []
    assert len(cluster.trusting()) == 1
    assert cluster.trusting()[0] in "BC"


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
def test_nobody_becomes_master_by_catch_up(restarted: bool) -> None:
    """
    A server that finds its own election in a catch-up holds no lease: it may be long over.

    It bids anew, and trusts the lease that this bid wins, from the time of this bid.
    """
    cluster = WatchedCluster(manual=True, replica_class=compose(WHOLE_MASTER), settings=TWO_SECONDS)
    cluster.name_master("A")
    cluster.start()
    cluster.run_for(0.35)
    cluster.deliver("A->B", Prepare)
    cluster.deliver("B->A", Promise)
    for uid in "BC":
        cluster.deliver(f"A->{uid}", Accept)
    cluster.deliver_among("B", "C")
    cluster.drop_all()
    cluster.run_for(2 * cluster.settings.settle_seconds)
    cluster.drop_all()
    assert cluster.link_in_progress("B") == 3
    if restarted:
        cluster.crash("A")
        cluster.start("A")
    cluster.forge("A->B", Sync(votes_from=0), instance=2)

    cluster.deliver("B->A", CatchUp)

    assert cluster.link_in_progress("A") == 3
    assert cluster.trusting() == []
    cluster.let_mail_flow()
    cluster.run_for(1.5)
    assert cluster.trusting() == ["A"]
