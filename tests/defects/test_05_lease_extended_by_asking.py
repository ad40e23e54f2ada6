"""Defect 5: a master extended its own lease when it asked for the renewal."""

import pytest
from tests.defects.support import MASTER, WatchedCluster

from composable_paxos import Accept
from multipaxos.chain.links import NewMaster
from multipaxos.composition import compose


@pytest.mark.parametrize("seed", range(3))
def test_asking_for_a_renewal_extends_no_lease(seed: int) -> None:
    """
    A master cut off from the others stops trusting its lease before they elect another.

    The ancestor counted anew from the request, answered or not: two masters for 9 s.
    """
    cluster = WatchedCluster(seed=seed, replica_class=compose(MASTER))
    cluster.start()
    old = cluster.wait_for_master()
    others = [uid for uid in cluster.uids if uid != old.uid]
    cut_off_at = cluster.time.now
    cluster.partition([old.uid], others)

    cluster.run_for(cluster.settings.held_lease_seconds)
    trusted = cluster.trusting()
    asked = [
        accept
        for accept in cluster.sent(Accept, by=old.uid, since=cut_off_at)
        if isinstance(accept.value, NewMaster)
    ]
    elected = cluster.run_until(lambda: cluster.trusting() != [], limit_seconds=5)

    assert asked != []
    assert trusted == []
    assert elected
    assert cluster.trusting()[0] in others
