"""Defect 2: a restarted proposer counted from one again, and reused its numbers."""

from collections import defaultdict

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
    The master's own number stands for one value in a link only, also across its restart.

    It is used behind a bid of the present life only; so after the restart the master goes through
    phase 1, with a higher number, and finds x.
    """
    cluster = WatchedCluster(manual=True, replica_class=compose(MASTER))
    cluster.name_master("A")
    cluster.start()
    link = cluster.let_lead("A")
    lost = cluster.ask("A", "x")
    for uid in "BC":
        cluster.deliver(f"A->{uid}", Accept)
    cluster.crash("A")
    cluster.start("A")

    wanted = cluster.ask("A", "y")

    assert cluster.sent(Prepare, by="A")[-1].proposal_id == ProposalID(2, "A")
    cluster.let_mail_flow()
    cluster.wait_for(wanted)
    asked: dict[int, set[str]] = defaultdict(set)
    for _, envelope in cluster.posted:
        message = envelope.message
        if isinstance(message, Accept) and message.proposal_id == ProposalID(1, "A"):
            asked[envelope.instance].add(repr(message.value))
    assert link in asked
    assert all(len(values) == 1 for values in asked.values())
    assert cluster.run_until(lambda: len(cluster.values("B")) == 2, limit_seconds=30)
    assert cluster.values("B") == ["x", "y"]
    assert link_of(wanted) > link
    assert not lost.answered
