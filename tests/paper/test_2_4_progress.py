"""Paxos Made Simple, 2.4: progress, and what stands in its way."""

from tests.paper.cluster import Cluster
from tests.paper.invariants import check_all

from composable_paxos import Accept, Nack, Prepare, Promise


def test_two_proposers_can_outbid_each_other_for_ever() -> None:
    """
    Each completes phase 1 just in time to spoil the other's phase 2: nothing is ever chosen.

    2.4: the scenario of the duelling proposers. Nothing unsafe happens, only nothing useful.
    """
    cluster = Cluster()
    cluster.propose("A", "x")
    cluster.propose("C", "z")
    rounds = [cluster.prepare("A")]
    cluster.deliver("A->B", Prepare)
    cluster.deliver("B->A", Promise)

    for uid, rival in [("C", "A"), ("A", "C")] * 20:
        rounds.append(cluster.prepare(uid))
        cluster.deliver(f"{uid}->B", Prepare)
        cluster.deliver(f"B->{uid}", Promise)
        cluster.deliver(f"{rival}->B", Accept)
        cluster.deliver(f"B->{rival}", Nack)

    assert rounds == sorted(set(rounds))
    assert [accept.proposal_id for accept in cluster.history.issued] == rounds
    assert not any(accepted.acceptor == "B" for accepted in cluster.history.acceptances)
    assert cluster.chosen_values == set()
    check_all(cluster)


def test_a_single_distinguished_proposer_succeeds() -> None:
    """
    Once only one of the duellists goes on, its next proposal is chosen.

    2.4: a distinguished proposer that communicates with a majority will succeed.
    """
    cluster = Cluster()
    cluster.propose("A", "x")
    cluster.propose("C", "z")
    cluster.prepare("A")
    cluster.deliver("A->B", Prepare)
    cluster.deliver("B->A", Promise)
    cluster.servers["C"].note_proposal(cluster.servers["A"].proposal_id)
    cluster.prepare("C")
    cluster.deliver("C->B", Prepare)
    cluster.deliver("A->B", Accept)
    cluster.lose_all()
    before = cluster.chosen_values

    cluster.prepare("C")
    cluster.deliver_all()

    assert before == set()
    assert len(cluster.chosen_values) == 1
    assert len({cluster.learned(uid) for uid in "ABC"}) == 1
    assert cluster.learned("B") in cluster.chosen_values


def test_a_refused_proposer_finds_a_number_that_is_high_enough() -> None:
    """
    Refusals name the number to beat, so the proposer gets above it in a single step.

    2.4: by abandoning a proposal and trying again it eventually chooses a high enough number.
    """
    cluster = Cluster()
    for _ in range(7):
        cluster.prepare("C")
    cluster.deliver_all("BC")
    cluster.lose_all()
    cluster.propose("A", "x")
    first = cluster.prepare("A")

    cluster.deliver("A->B", Prepare)
    cluster.deliver("A->C", Prepare)
    cluster.deliver("B->A", Nack)
    cluster.deliver("C->A", Nack)
    cluster.deliver_all()

    assert first.number == 1
    assert cluster.servers["A"].proposal_id.number == 8
    assert cluster.chosen_values == {"x"}


def test_one_refusal_does_not_make_a_proposer_give_up() -> None:
    """
    A proposal that can still reach a majority is pursued: giving it up would only delay the choice.

    2.4: enough of the system works, so the distinguished proposer gets a value chosen.
    """
    cluster = Cluster()
    cluster.prepare("C")
    cluster.lose_all()
    cluster.propose("A", "x")
    cluster.prepare("A")

    cluster.deliver("A->C", Prepare)
    cluster.deliver("C->A", Nack)
    cluster.deliver("A->B", Prepare)
    cluster.deliver("B->A", Promise)
    cluster.deliver("A->B", Accept)

    assert len(cluster.history.issued) == 1
    assert cluster.chosen_values == {"x"}
