"""The learner: one vote an acceptor, the newest counts, and all votes for one proposal."""

from typing_extensions import override

from composable_paxos import LOWEST, Accepted, Learner, ProposalID, Quorums, Resolution

FIRST = ProposalID(1, "A")
SECOND = ProposalID(2, "B")
THIRD = ProposalID(3, "C")


def accepted(acceptor: str, proposal_id: ProposalID, value: str | None) -> Accepted:
    """Tell that *acceptor* accepted *value* under *proposal_id*."""
    return Accepted(acceptor=acceptor, proposal_id=proposal_id, value=value)


def test_a_quorum_of_acceptances_resolves_the_value() -> None:
    """The learner names the proposal, its value and who accepted it."""
    learner = Learner(Quorums.majority("ABC"))

    first = learner.receive_accepted(accepted("A", FIRST, "x"))
    second = learner.receive_accepted(accepted("C", FIRST, "x"))

    assert first is None
    assert second == Resolution(proposal_id=FIRST, value="x", acceptors=frozenset("AC"))
    assert learner.resolution == second


def test_a_duplicated_acceptance_is_one_vote() -> None:
    """Acceptors are counted, not messages."""
    learner = Learner(Quorums.majority("ABC"))

    replies = [learner.receive_accepted(accepted("A", FIRST, "x")) for _ in range(3)]

    assert replies == [None, None, None]
    assert learner.accepted_by(FIRST) == {"A"}


def test_acceptances_of_different_proposals_do_not_add_up() -> None:
    """Two acceptors that accepted different proposals chose nothing, even with one value."""
    learner = Learner(Quorums.majority("ABC"))

    learner.receive_accepted(accepted("A", FIRST, "x"))
    reply = learner.receive_accepted(accepted("B", SECOND, "x"))

    assert reply is None
    assert learner.resolution is None


def test_of_each_acceptor_only_the_newest_acceptance_counts() -> None:
    """An acceptor that moved on no longer counts for the proposal it left."""
    learner = Learner(Quorums.majority("ABC"))
    learner.receive_accepted(accepted("A", FIRST, "x"))
    learner.receive_accepted(accepted("A", SECOND, "y"))

    for_the_old = learner.receive_accepted(accepted("B", FIRST, "x"))
    for_the_new = learner.receive_accepted(accepted("B", SECOND, "y"))

    assert for_the_old is None
    assert for_the_new == Resolution(proposal_id=SECOND, value="y", acceptors=frozenset("AB"))


def test_an_old_acceptance_does_not_replace_a_newer_one() -> None:
    """Messages may arrive in any order; the number tells which is newer, not the arrival."""
    learner = Learner(Quorums.majority("ABC"))
    learner.receive_accepted(accepted("A", SECOND, "y"))

    reply = learner.receive_accepted(accepted("A", FIRST, "x"))

    assert reply is None
    assert learner.accepted_by(FIRST) == frozenset()
    assert learner.accepted_by(SECOND) == {"A"}


def test_three_acceptors_with_three_proposals_resolve_nothing() -> None:
    """Mixed proposal numbers wait until a quorum meets in one of them."""
    learner = Learner(Quorums.majority("ABC"))
    learner.receive_accepted(accepted("A", FIRST, "x"))
    learner.receive_accepted(accepted("B", SECOND, "y"))
    learner.receive_accepted(accepted("C", THIRD, "z"))

    reply = learner.receive_accepted(accepted("A", THIRD, "z"))

    assert reply == Resolution(proposal_id=THIRD, value="z", acceptors=frozenset("AC"))


def test_a_resolution_is_final() -> None:
    """Whatever arrives afterwards, the learner's answer stays the one it found."""
    learner = Learner(Quorums.majority("ABC"))
    learner.receive_accepted(accepted("A", FIRST, "x"))
    resolution = learner.receive_accepted(accepted("B", FIRST, "x"))

    third = learner.receive_accepted(accepted("C", FIRST, "x"))
    higher = [learner.receive_accepted(accepted(uid, SECOND, "x")) for uid in "ABC"]

    assert resolution == Resolution(proposal_id=FIRST, value="x", acceptors=frozenset("AB"))
    assert third is resolution
    assert higher == [resolution] * 3
    assert learner.resolution is resolution


def test_an_acceptance_of_nothing_is_no_vote() -> None:
    """LOWEST means "nothing accepted", so it cannot be chosen, whoever reports it."""
    learner = Learner(Quorums.majority("ABC"))

    replies = [learner.receive_accepted(accepted(uid, LOWEST, "x")) for uid in "ABC"]

    assert replies == [None, None, None]


def test_a_stranger_has_no_vote() -> None:
    """Only the acceptors of the cluster choose."""
    learner = Learner(Quorums.majority("ABC"))
    learner.receive_accepted(accepted("X", FIRST, "x"))

    with_a_stranger = learner.receive_accepted(accepted("A", FIRST, "x"))
    with_a_quorum = learner.receive_accepted(accepted("B", FIRST, "x"))

    assert with_a_stranger is None
    assert with_a_quorum == Resolution(proposal_id=FIRST, value="x", acceptors=frozenset("AB"))


def test_the_quorum_of_phase_two_decides() -> None:
    """Where one acceptance is a quorum, one resolves; where all are needed, two of three do not."""
    one = Learner(Quorums(acceptors=frozenset("ABC"), promise_size=3, accept_size=1))
    three = Learner(Quorums(acceptors=frozenset("ABC"), promise_size=1, accept_size=3))
    three.receive_accepted(accepted("A", FIRST, "x"))

    at_one = one.receive_accepted(accepted("A", FIRST, "x"))
    at_two = three.receive_accepted(accepted("B", FIRST, "x"))

    assert at_one == Resolution(proposal_id=FIRST, value="x", acceptors=frozenset("A"))
    assert at_two is None


# ------------------------------------------------------------------------------------ brief answers


class Knowing(Learner):
    """A learner that knows, from elsewhere, what FIRST stands for."""

    @override
    def value_of(self, proposal_id: ProposalID) -> str | None:
        """Return what *proposal_id* stands for."""
        return "x" if proposal_id == FIRST else super().value_of(proposal_id)


def test_acceptances_without_their_value_are_enough_for_who_knows_the_proposal() -> None:
    """A number stands for one value, so the number tells what is chosen."""
    learner = Knowing(Quorums.majority("ABC"))

    first = learner.receive_accepted(accepted("A", FIRST, None))
    second = learner.receive_accepted(accepted("B", FIRST, None))

    assert first is None
    assert second == Resolution(proposal_id=FIRST, value="x", acceptors=frozenset("AB"))


def test_a_quorum_for_a_number_that_means_nothing_here_resolves_nothing() -> None:
    """That it is chosen is known then, and what it is, not."""
    learner = Knowing(Quorums.majority("ABC"))

    replies = [learner.receive_accepted(accepted(uid, SECOND, None)) for uid in "ABC"]

    assert replies == [None] * 3
    assert learner.accepted_by(SECOND) == set("ABC")


def test_the_value_that_comes_at_last_resolves() -> None:
    """One acceptance of the same proposal that names its value is enough, also a repeated one."""
    learner = Learner(Quorums.majority("ABC"))
    for uid in "AB":
        learner.receive_accepted(accepted(uid, SECOND, None))

    resolution = learner.receive_accepted(accepted("B", SECOND, "y"))

    assert resolution == Resolution(proposal_id=SECOND, value="y", acceptors=frozenset("AB"))
