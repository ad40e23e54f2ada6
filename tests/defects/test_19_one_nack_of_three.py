"""Defect 19: one nack of three ended a round that had its quorum, and old nacks counted."""

from tests.defects.support import WatchedCluster, link_of

from composable_paxos import Accept, Accepted, Nack, Prepare, Promise, ProposalID


def test_one_nack_of_three_does_not_end_a_round() -> None:
    """As long as a quorum can still promise and accept, the round goes on and succeeds."""
    cluster = WatchedCluster(manual=True)
    cluster.start()
    call = cluster.ask("A", "x")
    cluster.ask("C", "z")
    cluster.deliver("A->C", Prepare)
    cluster.deliver("C->A", Nack)

    cluster.deliver("A->B", Prepare)
    cluster.deliver("B->A", Promise)
    cluster.deliver("A->C", Accept)
    cluster.deliver("C->A", Nack)
    cluster.deliver("A->B", Accept)
    cluster.deliver("B->A", Accepted)

    assert link_of(call) == 1
    assert {p.proposal_id for p in cluster.sent(Prepare, by="A")} == {ProposalID(2, "A")}
    assert cluster.events("round lost") == []


def test_a_nack_of_an_earlier_round_does_not_count() -> None:
    """A late or doubled refusal of the last round says nothing about this one."""
    cluster = WatchedCluster(manual=True)
    cluster.start()
    call = cluster.ask("A", "x")
    cluster.ask("C", "z")
    cluster.deliver("C->B", Prepare)
    cluster.deliver("A->B", Prepare)
    cluster.deliver("A->C", Prepare)
    late = cluster.manual.find("B", "A", "Nack")
    cluster.manual.duplicate(late)
    cluster.deliver("B->A", Nack)
    cluster.deliver("C->A", Nack)
    cluster.run_for(cluster.settings.backoff_seconds_min)
    lost = len(cluster.events("round lost", "A"))
    second = cluster.sent(Prepare, by="A")[-1].proposal_id

    cluster.forge(
        "C->A",
        Nack(acceptor="C", proposal_id=second, promised_id=ProposalID(9, "C")),
        instance=1,
    )
    cluster.manual.deliver(late)
    cluster.deliver("A->B", Prepare)
    cluster.deliver("B->A", Promise)
    cluster.deliver("A->B", Accept)
    cluster.deliver("B->A", Accepted)

    assert second > ProposalID(2, "C")
    assert lost == len(cluster.events("round lost", "A")) == 1
    assert link_of(call) == 1
