"""Paxos Made Simple, 2.3: how the chosen value is learned."""

from tests.paper.cluster import Cluster
from tests.paper.invariants import check_resolved_means_chosen

from composable_paxos import Accept, Accepted, Prepare, Promise, ProposalID


def cluster_where_a_and_b_accepted_x() -> Cluster:
    """Return three servers of which A and B have accepted x; their reports are under way."""
    cluster = Cluster()
    cluster.propose("A", "x")
    cluster.prepare("A")
    cluster.deliver("A->B", Prepare)
    cluster.deliver("B->A", Promise)
    cluster.deliver("A->B", Accept)
    return cluster


def test_an_acceptor_tells_all_learners_what_it_accepted() -> None:
    """
    Each acceptor, whenever it accepts a proposal, responds to all learners.

    2.3: the first of the three ways; it needs no further message delay.
    """
    cluster = Cluster()
    proposal_id = ProposalID(1, "A")

    cluster.hand_over("B", Accept(proposal_id=proposal_id, value="x"))

    assert [(letter.receiver, letter.message) for letter in cluster.pool] == [
        ("A", Accepted(acceptor="B", proposal_id=proposal_id, value="x")),
        ("C", Accepted(acceptor="B", proposal_id=proposal_id, value="x")),
    ]
    assert cluster.servers["B"].accepted_by(proposal_id) == {"B"}


def test_a_learner_finds_out_from_a_majority_of_acceptors() -> None:
    """
    A server that has accepted nothing itself learns from the reports of two others.

    2.3: a value is learned by finding out that a majority has accepted a proposal.
    """
    cluster = cluster_where_a_and_b_accepted_x()

    cluster.deliver("A->C", Accepted)
    after_one = cluster.learned("C")
    cluster.deliver("B->C", Accepted)

    assert after_one is None
    assert cluster.learned("C") == "x"
    check_resolved_means_chosen(cluster)


def test_a_value_is_chosen_before_anybody_has_learned_it() -> None:
    """
    Choice and learning are two events: with all reports lost, a chosen value is known to nobody.

    2.3: "a value could be chosen with no learner ever finding out".
    """
    cluster = cluster_where_a_and_b_accepted_x()
    cluster.lose_all()
    cluster.restart("B")

    assert cluster.chosen_values == {"x"}
    assert [cluster.learned(uid) for uid in "ABC"] == [None, None, None]


def test_who_needs_to_know_lets_a_proposal_be_issued() -> None:
    """
    A learner that missed the reports finds out by a new proposal, even one without a wish.

    2.3, last paragraph: have a proposer issue a proposal, using the algorithm above.
    """
    cluster = cluster_where_a_and_b_accepted_x()
    cluster.lose_all()

    cluster.prepare("C")
    cluster.deliver_all("BC")

    assert cluster.learned("C") == "x"
    check_resolved_means_chosen(cluster)


def test_acceptances_of_different_proposals_are_no_majority() -> None:
    """
    A accepted 1.A and C accepted 2.C: nothing is chosen, although two acceptors have accepted.

    2.3: the majority must have accepted one proposal.
    """
    cluster = Cluster()
    cluster.hand_over("A", Accept(proposal_id=ProposalID(1, "A"), value="x"))
    cluster.hand_over("C", Accept(proposal_id=ProposalID(2, "C"), value="z"))

    cluster.deliver_all()

    assert cluster.chosen_values == set()
    assert [cluster.learned(uid) for uid in "ABC"] == [None, None, None]
