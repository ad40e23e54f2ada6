"""Defect 6: the promise that mastership implies was in memory only."""

import pytest
from tests.defects.support import MASTER, WatchedCluster

from composable_paxos import Accept, Prepare, Promise, ProposalID
from multipaxos.chain.links import Nothing
from multipaxos.composition import compose


def test_restarts_under_a_master_leave_one_value_in_a_link() -> None:
    """
    A master that skips phase 1 cannot overrule what was chosen meanwhile, restarts or not.

    In the ancestor a quorum that restarted knew nothing of the promise which the master relied
    upon: both its value and a rival's were chosen in one instance. Here the master's number lies
    below all others, so nothing rests on a promise that nobody wrote down.
    """
    cluster = WatchedCluster(manual=True, replica_class=compose(MASTER))
    cluster.name_master("A")
    cluster.start()
    link = cluster.let_lead("A")
    wanted = cluster.ask("A", "x")
    late = cluster.manual.find("A", "B", "Accept")
    cluster.run_for(cluster.settings.lease_seconds + cluster.settings.election_seconds_max)
    cluster.deliver("C->B", Prepare)
    cluster.deliver("B->C", Promise)
    cluster.deliver("C->B", Accept)
    chosen = cluster.invariants.chosen[link]
    for uid in "BC":
        cluster.crash(uid)
        cluster.start(uid)

    cluster.manual.deliver(late)

    assert isinstance(late.message, Accept)
    assert late.message.proposal_id == ProposalID(1, "A")
    assert chosen.acceptors == ("C", "B")
    state = cluster.servers["B"].disk.state
    assert state is not None
    assert state.acceptor.accepted_value == chosen.value
    cluster.let_mail_flow()
    cluster.wait_for(wanted)
    for uid in cluster.uids:
        assert cluster.servers[uid].disk.history[link].link == chosen.value


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
def test_number_one_has_one_owner_by_the_disk(restarted: bool) -> None:
    """Whom the chain names as master is durable: nobody else may use number 1, restarts or not."""
    cluster = WatchedCluster(manual=True, replica_class=compose(MASTER))
    cluster.name_master("A")
    cluster.start()
    if restarted:
        for uid in cluster.uids:
            cluster.crash(uid)
            cluster.start(uid)
    cluster.run_for(2 * cluster.settings.lease_seconds)
    before = cluster.servers["B"].disk.state

    usurped = Accept(proposal_id=ProposalID(1, "C"), value=Nothing())
    cluster.forge("C->B", usurped, instance=2)

    assert cluster.servers["B"].disk.state == before
    assert cluster.refusals("B")[-1] == ("refused Accept 1.C: number 1 belongs to the master, A")
