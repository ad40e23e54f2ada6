"""Defect 2: a restarted proposer counted from one again, and reused its numbers."""

from tests.defects.support import MASTER, WatchedCluster, link_of

from composable_paxos import Accept, Prepare, Promise, ProposalID
from multipaxos.composition import compose


def test_a_restarted_proposer_numbers_above_what_it_used() -> None:
    """
    A number is used in one round only, whatever happens between.

    In the ancestor two values travelled under one number: one before the restart, one after.
    """
    cluster = WatchedCluster(manual=True)
    cluster.start()
    cluster.ask("A", "x")
    cluster.crash("A")
    cluster.start("A")

    wanted = cluster.ask("A", "y")

    before, after = cluster.sent(Prepare, by="A")[0], cluster.sent(Prepare, by="A")[-1]
    assert before.proposal_id == ProposalID(2, "A")
    assert after.proposal_id == ProposalID(3, "A")
    cluster.deliver("A->B", Prepare)
    cluster.deliver("B->A", Promise)
    assert cluster.sent(Accept, by="A") == []
    cluster.let_mail_flow()
    cluster.wait_for(wanted)
    assert ProposalID(2, "A") not in {a.proposal_id for a in cluster.sent(Accept, by="A")}
    assert cluster.values("B") == ["y"]


def test_a_restarted_master_does_not_use_number_one_again() -> None:
    """
    The master's own number stands for one value only, also across its restart.

    Its acceptance of x under number 1 was durable before the Accept left; so after the restart it
    goes through phase 1, with a higher number, and finds x.
    """
    cluster = WatchedCluster(manual=True, replica_class=compose(MASTER))
    cluster.name_master("A")
    cluster.start()
    lost = cluster.ask("A", "x")
    cluster.deliver("A->B", Accept)
    cluster.crash("A")
    cluster.start("A")

    wanted = cluster.ask("A", "y")

    assert cluster.sent(Prepare, by="A")[-1].proposal_id == ProposalID(2, "A")
    cluster.let_mail_flow()
    cluster.wait_for(wanted)
    numbers_one = [a for a in cluster.sent(Accept, by="A") if a.proposal_id.number == 1]
    assert len({repr(a.value) for a in numbers_one[:2]}) == 1
    assert cluster.values("B") == ["x", "y"]
    assert link_of(wanted) > 1
    assert not lost.answered
