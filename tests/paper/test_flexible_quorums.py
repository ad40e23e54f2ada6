"""
Flexible Paxos (Howard, Malkhi, Spiegelman, 2016): quorums of different phases must intersect.

Paxos Made Simple, 2.2, takes majorities, of which any two intersect. What its proof uses is less.
"""

import itertools

import pytest
from tests.paper.cluster import Cluster
from tests.paper.invariants import check_all

from composable_paxos import Accept, Prepare, Quorums


def flexible(acceptors: str, *, promises: int, acceptances: int) -> Quorums:
    """Return quorums of these sizes."""
    return Quorums(acceptors=frozenset(acceptors), promise_size=promises, accept_size=acceptances)


@pytest.mark.parametrize("acceptors", ["A", "AB", "ABC", "ABCD", "ABCDE"])
def test_any_two_majorities_have_an_acceptor_in_common(acceptors: str) -> None:
    """
    Two majorities of the same set share a member, which is the witness of an earlier choice.

    Paxos Made Simple, 2.2.
    """
    quorums = Quorums.majority(acceptors)
    majorities = [
        set(uids)
        for size in range(1, len(acceptors) + 1)
        for uids in itertools.combinations(acceptors, size)
        if quorums.have_accepted(uids)
    ]

    assert majorities
    assert all(one & other for one, other in itertools.product(majorities, repeat=2))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_sizes_are_taken_exactly_if_the_two_phases_intersect(size: int) -> None:
    """
    Of all pairs of sizes, those are refused that leave two quorums without a common acceptor.

    Flexible Paxos, section 3.
    """
    acceptors = "ABCDE"[:size]

    for promises, acceptances in itertools.product(range(1, size + 1), repeat=2):
        intersect = all(
            set(one) & set(other)
            for one in itertools.combinations(acceptors, promises)
            for other in itertools.combinations(acceptors, acceptances)
        )
        if intersect:
            flexible(acceptors, promises=promises, acceptances=acceptances)
        else:
            with pytest.raises(ValueError, match="no acceptor in common"):
                flexible(acceptors, promises=promises, acceptances=acceptances)


def test_one_acceptance_chooses_where_all_must_promise() -> None:
    """
    With quorums of 3 and 1 of three, the proposer's own acceptance is already a choice.

    And the next proposer cannot miss it, since it needs every promise.
    """
    cluster = Cluster(quorums=flexible("ABC", promises=3, acceptances=1))
    cluster.propose("A", "x")
    cluster.prepare("A")
    cluster.deliver("A->B", Prepare)
    cluster.deliver_all("AB")
    at_two_promises = list(cluster.history.issued)
    cluster.deliver_all()
    cluster.propose("C", "z")
    cluster.prepare("C")
    cluster.deliver_all()

    assert at_two_promises == []
    assert cluster.chosen_values == {"x"}
    assert [accept.value for accept in cluster.history.issued] == ["x", "x"]
    check_all(cluster)


def test_one_promise_suffices_where_all_must_accept() -> None:
    """With quorums of 1 and 3 of three, a proposer needs nobody for phase 1, all for phase 2."""
    cluster = Cluster(quorums=flexible("ABC", promises=1, acceptances=3))
    cluster.propose("A", "x")
    cluster.prepare("A")
    issued_at_once = list(cluster.history.issued)
    cluster.deliver("A->B", Accept)
    chosen_at_two = cluster.chosen_values

    cluster.deliver("A->C", Accept)

    assert len(issued_at_once) == 1
    assert chosen_at_two == set()
    assert cluster.chosen_values == {"x"}


def test_half_of_the_acceptors_may_choose_if_more_than_half_promised() -> None:
    """With quorums of 3 and 2 of four, A and C choose, and any three promises find it."""
    for others in ("AC", "BD", "AB", "CB"):
        cluster = Cluster("ABCD", flexible("ABCD", promises=3, acceptances=2))
        cluster.propose("A", "x")
        cluster.prepare("A")
        cluster.deliver_all("AB")
        cluster.deliver("A->C", Prepare)
        cluster.deliver_all("AC")
        cluster.lose_all()
        assert cluster.history.accepted_by(cluster.history.issued[0]) == {"A", "C"}
        proposer = next(uid for uid in "DC" if uid not in others)
        cluster.propose(proposer, "z")

        cluster.prepare(proposer)
        cluster.deliver_all(proposer + others)

        assert [accept.value for accept in cluster.history.issued] == ["x", "x"]
        check_all(cluster)
