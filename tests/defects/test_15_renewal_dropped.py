"""Defect 15: a renewal was dropped while a client's value was pending."""

from functools import partial
from itertools import pairwise

from tests.defects.support import MASTER, WatchedCluster

from multipaxos.composition import compose
from multipaxos.simulation.network import Weather

SLOW = Weather(delay_seconds_min=0.02, delay_seconds_max=0.04)


def test_a_busy_master_renews_its_lease() -> None:
    """
    With clients' values always waiting, the lease is renewed in time, over and over.

    The ancestor's master lost its mastership whenever it had work to do at the wrong moment.
    """
    cluster = WatchedCluster(replica_class=compose(MASTER), weather=SLOW)
    cluster.start()
    master = cluster.wait_for_master()
    start = cluster.time.now
    idle: list[float] = []

    def demand(number: int) -> None:
        if not master.replica.queue:
            idle.append(cluster.time.now)
        cluster.ask(master.uid, f"{number}")

    cluster.ask(master.uid, "first")
    for number in range(400):
        cluster.time.call_at(start + number * 0.025, partial(demand, number))
    cluster.run_for(10)

    assert idle == []
    assert cluster.trusting() == [master.uid]
    assert cluster.events("lease ended") == []
    began = [e.seconds for e in cluster.events("lease began")]
    assert {e.server for e in cluster.events("lease began")} == {master.uid}
    assert len(began) >= 8
    held = cluster.settings.held_lease_seconds
    assert all(later - earlier < held for earlier, later in pairwise(began))
    assert len(cluster.values(master.uid)) > 100
