"""Defect 4: a retransmission went on after its instance was over."""

import pytest
from tests.defects.support import MASTER, PLAIN, WatchedCluster

from composable_paxos import Accept, Prepare
from multipaxos.chain.effects import Timer
from multipaxos.composition import compose


@pytest.mark.parametrize("strategies", [PLAIN, MASTER], ids=["plain", "master"])
def test_no_retransmission_outlives_its_link(strategies: tuple[str, ...]) -> None:
    """
    Once a link is decided, nothing of it is sent again, ever.

    In the ancestor an old value came back 1000 s later, without anybody's request.
    """
    cluster = WatchedCluster(replica_class=compose(strategies))
    cluster.start()
    cluster.run_for(5)
    cluster.partition("AB", "C")
    cluster.write("A", "old")
    cluster.heal()
    cluster.write("B", "new")
    cluster.run_for(5)
    quiet_from = cluster.time.now
    posted = len(cluster.posted)

    cluster.run_for(1100 if strategies is PLAIN else 60)

    assert cluster.values("A") == ["old", "new"]
    assert {cluster.value_on_disk(uid) for uid in cluster.uids} == {"new"}
    later = [envelope for _, envelope in cluster.posted[posted:]]
    assert all("'old'" not in repr(e.message) for e in later if isinstance(e.message, Accept))
    if strategies is PLAIN:
        assert not any(isinstance(e.message, Prepare | Accept) for e in later)
        for uid in cluster.uids:
            assert cluster.fired(uid, Timer.RETRANSMIT, since=quiet_from) == 0
            assert cluster.fired(uid, Timer.BACKOFF, since=quiet_from) == 0


def test_an_accept_of_a_closed_link_changes_nothing() -> None:
    """A datagram that was 1000 s under way is of its own link, and that link is decided."""
    cluster = WatchedCluster()
    cluster.start()
    cluster.write("A", "old")
    late = next(e for _, e in cluster.posted if isinstance(e.message, Accept))
    cluster.write("B", "new")
    cluster.run_for(1000)
    before = cluster.servers[late.receiver].disk.state

    cluster.manual.held.append(late)
    cluster.manual.deliver(late)
    cluster.run_for(20)

    assert cluster.servers[late.receiver].disk.state == before
    assert cluster.value_on_disk(late.receiver) == "new"
