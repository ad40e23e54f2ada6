"""Defect 20: a server might sync with itself, and one that was behind got no answer."""

import pytest
from tests.defects.support import WatchedCluster, link_of

from composable_paxos import PeerID, Prepare
from multipaxos.chain.effects import Timer
from multipaxos.chain.messages import Decided, Sync


@pytest.mark.parametrize("servers", [("A",), ("A", "B"), ("A", "B", "C", "D", "E")])
def test_a_server_tells_others_where_it_is_not_itself(servers: tuple[PeerID, ...]) -> None:
    """Each sync goes to another server; over time, to every other one."""
    cluster = WatchedCluster(servers)
    cluster.start()

    cluster.run_for(600)

    ways = {(e.sender, e.receiver) for _, e in cluster.posted if isinstance(e.message, Sync)}
    assert ways == {(one, other) for one in servers for other in servers if one != other}
    if len(servers) > 1:
        assert all(cluster.fired(uid, Timer.SYNC, since=0) >= 59 for uid in servers)


def test_a_server_that_is_behind_is_helped_when_it_proposes() -> None:
    """
    Its request for a closed link is answered with what it lacks, at once.

    In the ancestor the others were silent, until a sync happened to come along.
    """
    cluster = WatchedCluster(manual=True)
    cluster.start()
    cluster.drop_all()
    first = cluster.ask("A", "x")
    cluster.deliver_among("A", "B")
    assert first.answered
    cluster.let_mail_flow()

    call = cluster.ask("C", "y")
    cluster.run_for(0.05)

    assert cluster.sent(Prepare, by="C") != []
    assert cluster.sent(Decided) != []
    assert link_of(call) == 2
    assert cluster.values("A") == ["x", "y"]


def test_a_server_that_is_behind_asks_when_it_hears_of_a_later_link() -> None:
    """It need not wait for its own next sync either."""
    cluster = WatchedCluster(manual=True)
    cluster.start()
    cluster.drop_all()
    cluster.ask("A", "x")
    cluster.deliver_among("A", "B")
    cluster.let_mail_flow()

    call = cluster.ask("A", "y")
    cluster.run_for(0.05)

    assert call.answered
    # Link 2 was decided while C still asked: it will learn of that by the next greeting.
    assert cluster.value_on_disk("C") in ("x", "y")
