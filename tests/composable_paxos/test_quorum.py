"""Quorums: their sizes are checked, and only acceptors count."""

import pytest

from composable_paxos import Quorums


@pytest.mark.parametrize(
    "acceptors, size", [("A", 1), ("AB", 2), ("ABC", 2), ("ABCD", 3), ("ABCDE", 3), ("AAAB", 2)]
)
def test_a_majority_is_more_than_half(acceptors: str, size: int) -> None:
    """Half is no majority, and a name given twice is one acceptor."""
    quorums = Quorums.majority(acceptors)

    assert quorums.acceptors == frozenset(acceptors)
    assert quorums.promise_size == size
    assert quorums.accept_size == size


def test_the_two_phases_count_to_their_own_size() -> None:
    """With three promises and two acceptances of four, two uids suffice for phase 2 only."""
    quorums = Quorums(acceptors=frozenset("ABCD"), promise_size=3, accept_size=2)

    assert quorums.have_promised("ABC")
    assert not quorums.have_promised("AB")
    assert quorums.have_accepted("AB")
    assert not quorums.have_accepted("A")


def test_strangers_and_repetitions_do_not_count() -> None:
    """A quorum is a set of acceptors: other servers and repeated names add nothing."""
    quorums = Quorums.majority("ABC")

    assert not quorums.have_promised(["A", "A", "X", "Y"])
    assert not quorums.have_accepted(["A", "A", "X", "Y"])
    assert quorums.have_promised(["A", "X", "C"])
    assert quorums.have_accepted(["A", "X", "C"])


@pytest.mark.parametrize("promise_size, accept_size", [(0, 3), (3, 0), (4, 1), (1, 4), (-1, 3)])
def test_a_size_outside_the_cluster_is_refused(promise_size: int, accept_size: int) -> None:
    """A quorum has at least one acceptor and at most all of them."""
    with pytest.raises(ValueError, match=r"^a quorum has between 1 and 3 of the 3 acceptors$"):
        Quorums(acceptors=frozenset("ABC"), promise_size=promise_size, accept_size=accept_size)


def test_a_cluster_without_acceptors_is_refused() -> None:
    """Nobody cannot decide."""
    with pytest.raises(ValueError, match=r"^a quorum has between 1 and 0 of the 0 acceptors$"):
        Quorums.majority("")


@pytest.mark.parametrize(
    "acceptors, promise_size, accept_size", [("ABC", 1, 2), ("ABC", 2, 1), ("ABCD", 2, 2)]
)
def test_quorums_without_a_common_acceptor_are_refused(
    acceptors: str, promise_size: int, accept_size: int
) -> None:
    """The sizes of the two quorums must together exceed the cluster; the error says so."""
    expected = (
        f"^{promise_size} promises and {accept_size} acceptances of {len(acceptors)} acceptors "
        "may have no acceptor in common: their sum must exceed the acceptors$"
    )

    with pytest.raises(ValueError, match=expected):
        Quorums(acceptors=frozenset(acceptors), promise_size=promise_size, accept_size=accept_size)


@pytest.mark.parametrize(
    "acceptors, promise_size, accept_size", [("ABC", 3, 1), ("ABC", 1, 3), ("ABCD", 3, 2)]
)
def test_quorums_that_just_intersect_are_taken(
    acceptors: str, promise_size: int, accept_size: int
) -> None:
    """One acceptor in common is enough."""
    quorums = Quorums(
        acceptors=frozenset(acceptors), promise_size=promise_size, accept_size=accept_size
    )

    assert quorums.promise_size + quorums.accept_size == len(acceptors) + 1
