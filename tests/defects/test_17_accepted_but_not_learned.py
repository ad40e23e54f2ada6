"""Defect 17: a value accepted but not learned before a full restart stayed stuck, then was lost."""

import pytest
from tests.defects.support import MASTER, PLAIN, WatchedCluster, link_of

from composable_paxos import Accept, Prepare, Promise
from multipaxos.composition import compose


@pytest.mark.parametrize("accepted_by_a_quorum", [True, False], ids=["quorum", "minority"])
def test_what_a_server_accepted_is_brought_to_its_end_without_a_request(
    accepted_by_a_quorum: bool,
) -> None:
    """
    After a full restart, whoever holds an acceptance finds out about it, by itself and soon.

    In the ancestor the next request found the value in its way: one of the two was lost.
    """
    cluster = WatchedCluster(manual=True)
    cluster.start()
    cluster.ask("A", "x")
    cluster.deliver("A->B", Prepare)
    cluster.deliver("B->A", Promise)
    if accepted_by_a_quorum:
        cluster.deliver("A->B", Accept)
    for uid in cluster.uids:
        cluster.crash(uid)
    cluster.let_mail_flow()
    cluster.start()

    cluster.run_for(cluster.settings.takeover_seconds + 1)

    assert {cluster.value_on_disk(uid) for uid in cluster.uids} == {"x"}
    call = cluster.write("C", "y")
    assert link_of(call) == 2
    assert cluster.values("C") == ["x", "y"]


def test_a_request_right_after_the_restart_displaces_nothing() -> None:
    """The value that may be chosen comes first, the request's own value next."""
    cluster = WatchedCluster(manual=True)
    cluster.start()
    cluster.ask("A", "x")
    cluster.deliver("A->B", Prepare)
    cluster.deliver("B->A", Promise)
    cluster.deliver("A->B", Accept)
    for uid in cluster.uids:
        cluster.crash(uid)
    cluster.let_mail_flow()
    cluster.start()

    cluster.write("C", "y")

    assert cluster.values("C") == ["x", "y"]


def test_it_needs_no_master_to_come_back() -> None:
    """A master's value is finished by the others if that master stays away."""
    cluster = WatchedCluster(manual=True, replica_class=compose(MASTER))
    cluster.name_master("A")
    cluster.start()
    cluster.let_lead("A")
    cluster.ask("A", "x")
    for uid in "BC":
        cluster.deliver(f"A->{uid}", Accept)
    for uid in cluster.uids:
        cluster.crash(uid)
    cluster.let_mail_flow()
    cluster.switch_strategies(PLAIN)
    cluster.start("B", "C")

    cluster.run_for(cluster.settings.lease_seconds + cluster.settings.takeover_seconds + 1)

    assert cluster.value_on_disk("B") == cluster.value_on_disk("C") == "x"
