"""Defect 16: switching ``--master`` with a value in flight wedged the chain."""

import pytest
from tests.defects.support import MASTER, PLAIN, WatchedCluster, link_of

from composable_paxos import Accept, Prepare, Promise
from multipaxos.composition import compose

MODES = {"on": (PLAIN, MASTER), "off": (MASTER, PLAIN)}


@pytest.mark.parametrize("before, after", MODES.values(), ids=MODES.keys())
def test_a_value_in_flight_survives_the_switch(
    before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    """
    What was accepted under one mode is read, and carried to its end, under the other.

    Links say what kind they are; the mode says only who proposes.
    """
    cluster = WatchedCluster(manual=True, replica_class=compose(before))
    cluster.name_master("A")
    cluster.start()
    if before is MASTER:
        cluster.let_lead("A")
    cluster.ask("A", "x")
    if before is PLAIN:
        cluster.deliver("A->B", Prepare)
        cluster.deliver("B->A", Promise)
    for uid in "BC":
        cluster.deliver(f"A->{uid}", Accept)
    for uid in cluster.uids:
        cluster.crash(uid)
    cluster.let_mail_flow()
    cluster.switch_strategies(after)
    cluster.start()

    calls = [cluster.ask(uid, uid) for uid in cluster.uids]
    cluster.wait_for(*calls)
    assert cluster.run_until(lambda: len(cluster.values("B")) == 4, limit_seconds=30)

    assert min(link_of(call) for call in calls) > 2
    assert cluster.values("B")[0] == "x"
    assert sorted(cluster.values("B")[1:]) == ["A", "B", "C"]


@pytest.mark.parametrize("first", ["A", "B", "C"])
def test_servers_of_both_modes_serve_one_chain(first: str) -> None:
    """They may be switched one by one; those without the strategy respect the leases as well."""
    cluster = WatchedCluster()
    cluster.switch_strategies(MASTER)
    cluster.start(first)
    cluster.switch_strategies(PLAIN)
    cluster.start()
    assert cluster.run_until(lambda: cluster.trusting() == [first], limit_seconds=10)
    cluster.run_for(0.1)
    named_at = cluster.time.now

    calls = [cluster.ask(uid, uid) for uid in cluster.uids]
    cluster.wait_for(*cluster.unanswered)
    cluster.run_for(20)

    assert sorted(cluster.values(first)) == ["A", "B", "C"]
    assert all(call.command[1] in cluster.values_in(first, link_of(call)) for call in calls)
    assert cluster.trusting() == [first]
    assert cluster.sent(Prepare, since=named_at) == []
