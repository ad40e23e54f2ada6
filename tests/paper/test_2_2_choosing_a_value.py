"""Paxos Made Simple, 2.2: how a value is chosen; P1 to P2c and the two phases."""

import pytest
from tests.paper.cluster import Cluster
from tests.paper.invariants import check_all, check_p2b, check_p2c

from composable_paxos import (
    LOWEST,
    Accept,
    Accepted,
    Acceptor,
    AcceptorState,
    Nack,
    Prepare,
    Promise,
    ProposalID,
)


def cluster_where_a_and_b_chose_x() -> Cluster:
    """Return three servers of which A and B have accepted x while C has heard of nothing."""
    cluster = Cluster()
    cluster.propose("A", "x")
    cluster.prepare("A")
    cluster.deliver_all("AB")
    cluster.lose_all()
    return cluster


def cluster_where_a_alone_accepted_x() -> Cluster:
    """Return three servers of which A alone has accepted x: it is not chosen."""
    cluster = Cluster()
    cluster.propose("A", "x")
    cluster.prepare("A")
    cluster.deliver("A->B", Prepare)
    cluster.deliver("B->A", Promise)
    cluster.lose_all()
    return cluster


# --------------------------------------------------------------------------------------- P1 and P1a


def test_p1_the_first_proposal_is_accepted() -> None:
    """
    An acceptor must accept the first proposal that it receives.

    2.2, P1.
    """
    acceptor = Acceptor("C", AcceptorState())

    reply = acceptor.receive_accept(Accept(proposal_id=ProposalID(1, "A"), value="x"))

    assert reply == Accepted(acceptor="C", proposal_id=ProposalID(1, "A"), value="x")


def test_p1_an_acceptor_may_accept_more_than_one_proposal() -> None:
    """
    Three first proposals with three values choose nothing; later ones get one of them chosen.

    2.2: P1 and the need for a majority imply that an acceptor accepts several proposals.
    """
    cluster = Cluster()
    for number, uid in enumerate("ABC", start=1):
        cluster.hand_over(uid, Accept(proposal_id=ProposalID(number, uid), value=f"first of {uid}"))
    cluster.lose_all()
    chosen_at_first = cluster.chosen_values

    cluster.prepare("C")
    cluster.deliver_all("BC")

    assert chosen_at_first == set()
    assert cluster.chosen_values == {"first of C"}
    assert [
        accepted.value for accepted in cluster.history.acceptances if accepted.acceptor == "B"
    ] == ["first of B", "first of C"]


@pytest.mark.parametrize(
    "promised, accepts",
    [
        (ProposalID(2, "A"), True),
        (ProposalID(2, "B"), True),
        (ProposalID(2, "C"), False),
        (ProposalID(3, "A"), False),
    ],
)
def test_p1a_accepts_exactly_what_no_promise_forbids(promised: ProposalID, accepts: bool) -> None:
    """
    An acceptor accepts n if and only if it has not responded to a prepare request above n.

    2.2, P1a.
    """
    acceptor = Acceptor("C", AcceptorState())
    acceptor.receive_prepare(Prepare(proposal_id=promised))

    reply = acceptor.receive_accept(Accept(proposal_id=ProposalID(2, "B"), value="y"))

    assert isinstance(reply, Accepted) is accepts
    assert (acceptor.state.accepted_value == "y") is accepts


def test_p1a_holds_after_a_restart() -> None:
    """
    What an acceptor promised before a crash, it keeps after it.

    2.2: an acceptor "must remember this information even if it fails and then restarts".
    """
    cluster = Cluster()
    cluster.hand_over("C", Prepare(proposal_id=ProposalID(2, "B")))

    cluster.restart("C")
    cluster.hand_over("C", Accept(proposal_id=ProposalID(1, "A"), value="x"))

    assert cluster.servers["C"].state == AcceptorState(promised_id=ProposalID(2, "B"))
    assert cluster.under_way(Nack) == [
        Nack(acceptor="C", proposal_id=ProposalID(1, "A"), promised_id=ProposalID(2, "B"))
    ]


def test_the_promise_made_by_accepting_holds_after_a_restart() -> None:
    """
    Whoever accepted n accepts nothing below n, not even after a crash.

    2.2: only the highest-numbered acceptance is remembered, so a lower one may not replace it.
    """
    cluster = Cluster()
    cluster.hand_over("C", Prepare(proposal_id=ProposalID(1, "A")))
    cluster.hand_over("C", Accept(proposal_id=ProposalID(3, "B"), value="y"))

    cluster.restart("C")
    cluster.hand_over("C", Accept(proposal_id=ProposalID(2, "A"), value="x"))

    assert cluster.servers["C"].state == AcceptorState(
        promised_id=ProposalID(3, "B"), accepted_id=ProposalID(3, "B"), accepted_value="y"
    )


# --------------------------------------------------------------------------------------- P2 to P2b


def test_p2_every_higher_chosen_proposal_has_the_chosen_value() -> None:
    """
    Proposals may be chosen again and again, but all of them carry the value of the first.

    2.2, P2.
    """
    cluster = cluster_where_a_and_b_chose_x()

    for uid in "CBA":
        cluster.propose(uid, f"wish of {uid}")
        cluster.prepare(uid)
        cluster.deliver_all()

    chosen = cluster.history.chosen(cluster.quorums)
    assert len(chosen) == 4
    assert {proposal.value for proposal in chosen} == {"x"}


def test_p2a_an_acceptor_that_slept_accepts_only_the_chosen_value() -> None:
    """
    C wakes up with a value of its own; still it accepts only the chosen one.

    2.2, P2a, with the very example that leads the paper to P2b.
    """
    cluster = cluster_where_a_and_b_chose_x()
    cluster.propose("C", "z")

    cluster.prepare("C")
    cluster.deliver_all("BC")

    state = cluster.servers["C"].state
    assert state.accepted_id.uid == "C"
    assert state.accepted_value == "x"


def test_p2b_every_higher_issued_proposal_has_the_chosen_value() -> None:
    """
    Whichever acceptors a later proposer asks, it issues the chosen value.

    2.2, P2b.
    """
    for others in ("A", "B", "AB"):
        cluster = cluster_where_a_and_b_chose_x()
        cluster.propose("C", "z")

        cluster.prepare("C")
        cluster.deliver_all("C" + others)

        assert [accept.value for accept in cluster.history.issued] == ["x", "x"]
        check_p2b(cluster)


# --------------------------------------------------------------------------------------------- P2c


def test_p2c_case_a_where_nothing_was_accepted_the_value_is_free() -> None:
    """
    If no acceptor of a majority has accepted any lower proposal, any value may be issued.

    2.2, P2c (a): A's acceptance is out of sight of B and C, and therefore not chosen.
    """
    cluster = cluster_where_a_alone_accepted_x()
    cluster.propose("C", "z")

    cluster.prepare("C")
    cluster.deliver_all("BC")

    assert cluster.chosen_values == {"z"}
    check_p2c(cluster)


def test_p2c_case_b_the_highest_numbered_acceptance_binds() -> None:
    """
    Of several values accepted within the majority, the one with the highest number is issued.

    2.2, P2c (b).
    """
    cluster = cluster_where_a_alone_accepted_x()
    cluster.propose("C", "z")
    cluster.prepare("C")
    cluster.deliver("C->B", Prepare)
    cluster.deliver("B->C", Promise)
    cluster.lose_all()
    reported = {uid: cluster.servers[uid].state.accepted_value for uid in "AC"}
    cluster.servers["A"].note_proposal(cluster.servers["C"].proposal_id)

    cluster.prepare("A")
    cluster.deliver_all("AC")

    assert reported == {"A": "x", "C": "z"}
    assert cluster.chosen_values == {"z"}
    check_p2c(cluster)


def test_p2c_case_b_binds_even_if_the_value_was_not_chosen() -> None:
    """
    One acceptance within the majority binds: whether the value is chosen cannot be seen from here.

    2.2, P2c (b).
    """
    cluster = cluster_where_a_alone_accepted_x()
    cluster.propose("C", "z")

    cluster.prepare("C")
    cluster.deliver_all("AC")

    assert cluster.chosen_values == {"x"}
    check_p2c(cluster)


def test_p2c_acceptances_outside_the_majority_do_not_bind() -> None:
    """
    The proposer's value depends on the quorum that answered, and not on what it hears later.

    2.2, P2c: one majority S decides.
    """
    cluster = cluster_where_a_alone_accepted_x()
    cluster.propose("C", "z")
    cluster.prepare("C")
    cluster.deliver("C->A", Prepare)
    cluster.deliver("C->B", Prepare)

    cluster.deliver("B->C", Promise)
    cluster.deliver("A->C", Promise)

    assert [accept.value for accept in cluster.history.issued] == ["x", "z"]
    check_p2c(cluster)


# ------------------------------------------------------------------------------------- the promise


def test_a_promise_controls_the_future_instead_of_predicting_it() -> None:
    """
    A proposal that the majority has not accepted at its promise, it will not accept after it.

    2.2: the proposer asks that acceptors accept no more proposals numbered below n. A's Accept is
    under way all the time, and arrives too late to make a second choice.
    """
    cluster = Cluster()
    cluster.propose("A", "x")
    cluster.propose("C", "z")
    cluster.prepare("A")
    cluster.deliver("A->B", Prepare)
    cluster.deliver("B->A", Promise)
    cluster.servers["C"].note_proposal(cluster.servers["A"].proposal_id)
    cluster.prepare("C")
    cluster.deliver_all("BC")

    cluster.deliver("A->B", Accept)
    cluster.deliver("A->C", Accept)

    assert len(cluster.under_way(Nack)) == 2
    assert cluster.chosen_values == {"z"}
    check_all(cluster)


# ----------------------------------------------------------------------------------------- phase 1


def test_phase_1a_a_prepare_carries_a_new_number_to_the_acceptors() -> None:
    """
    A proposer selects a number and sends a prepare request with it.

    2.2, phase 1 (a). The request carries no value.
    """
    cluster = Cluster()
    cluster.propose("B", "y")

    proposal_id = cluster.prepare("B")

    assert proposal_id == ProposalID(1, "B")
    assert [(letter.receiver, letter.message) for letter in cluster.pool] == [
        ("A", Prepare(proposal_id=proposal_id)),
        ("C", Prepare(proposal_id=proposal_id)),
    ]


def test_phase_1b_a_promise_answers_a_number_above_all_before() -> None:
    """
    A higher prepare request is answered with a promise and the highest-numbered acceptance.

    2.2, phase 1 (b).
    """
    acceptor = Acceptor("C", AcceptorState())
    acceptor.receive_accept(Accept(proposal_id=ProposalID(1, "A"), value="x"))
    acceptor.receive_accept(Accept(proposal_id=ProposalID(2, "B"), value="y"))

    reply = acceptor.receive_prepare(Prepare(proposal_id=ProposalID(3, "A")))

    assert reply == Promise(
        acceptor="C",
        proposal_id=ProposalID(3, "A"),
        accepted_id=ProposalID(2, "B"),
        accepted_value="y",
    )
    assert acceptor.state.promised_id == ProposalID(3, "A")


def test_phase_1b_a_promise_may_report_nothing() -> None:
    """
    An acceptor that has accepted no proposal promises without reporting one.

    2.2, phase 1 (b): "if any".
    """
    acceptor = Acceptor("C", AcceptorState())

    reply = acceptor.receive_prepare(Prepare(proposal_id=ProposalID(1, "A")))

    assert reply == Promise(
        acceptor="C", proposal_id=ProposalID(1, "A"), accepted_id=LOWEST, accepted_value=None
    )


def test_phase_1b_a_lower_number_gets_no_promise() -> None:
    """
    A prepare request below one already answered is not answered with a promise.

    2.2, phase 1 (b).
    """
    acceptor = Acceptor("C", AcceptorState())
    acceptor.receive_prepare(Prepare(proposal_id=ProposalID(2, "B")))

    reply = acceptor.receive_prepare(Prepare(proposal_id=ProposalID(1, "A")))

    assert isinstance(reply, Nack)
    assert acceptor.state.promised_id == ProposalID(2, "B")


# ----------------------------------------------------------------------------------------- phase 2


def test_phase_2a_waits_for_a_majority_of_promises() -> None:
    """
    No accept request leaves before a majority has answered the prepare request.

    2.2, phase 2 (a): of five acceptors, the proposer itself and one more are too few, however often
    that one's promise arrives.
    """
    cluster = Cluster("ABCDE")
    cluster.propose("A", "x")
    cluster.prepare("A")
    cluster.deliver("A->B", Prepare)
    (promise,) = (letter for letter in cluster.pool if isinstance(letter.message, Promise))
    for _ in range(3):
        cluster.deliver_letter(promise, keep=True)
    at_two = list(cluster.history.issued)

    cluster.deliver("A->C", Prepare)
    cluster.deliver("C->A", Promise)

    assert at_two == []
    assert cluster.history.issued == [Accept(proposal_id=ProposalID(1, "A"), value="x")]


def test_phase_2a_any_value_if_no_proposal_was_reported() -> None:
    """
    With nothing reported, the proposer's own value goes out under the number it prepared.

    2.2, phase 2 (a).
    """
    cluster = Cluster()
    cluster.propose("A", "x")
    proposal_id = cluster.prepare("A")

    cluster.deliver("A->C", Prepare)
    cluster.deliver("C->A", Promise)

    assert cluster.under_way(Accept) == [Accept(proposal_id=proposal_id, value="x")] * 2


def test_phase_2a_the_accept_may_go_to_other_acceptors_than_those_who_promised() -> None:
    """
    A and B promised, A and C accept: the two sets need not be the same.

    2.2, the second step of the proposer's algorithm, which becomes phase 2 (a).
    """
    cluster = Cluster()
    cluster.propose("A", "x")
    cluster.prepare("A")
    cluster.deliver("A->B", Prepare)
    cluster.deliver("B->A", Promise)

    cluster.deliver("A->C", Accept)

    assert cluster.history.promised.keys() == {"A", "B"}
    assert cluster.history.accepted_by(cluster.history.issued[0]) == {"A", "C"}
    assert cluster.chosen_values == {"x"}


def test_phase_2b_accepts_unless_a_higher_prepare_was_answered() -> None:
    """
    B has promised more and refuses; C has not, and accepts.

    2.2, phase 2 (b).
    """
    cluster = Cluster()
    cluster.propose("A", "x")
    cluster.prepare("A")
    cluster.deliver("A->B", Prepare)
    cluster.deliver("B->A", Promise)
    cluster.prepare("B")

    cluster.deliver("A->B", Accept)
    cluster.deliver("A->C", Accept)

    assert cluster.history.accepted_by(cluster.history.issued[0]) == {"A", "C"}
    assert cluster.under_way(Nack) == [
        Nack(acceptor="B", proposal_id=ProposalID(1, "A"), promised_id=ProposalID(2, "B"))
    ]


# ------------------------------------------------------------------------ what may be left undone


def test_an_acceptor_may_ignore_any_request() -> None:
    """
    Silence costs progress at most: with C ignoring everything, A and B still choose one value.

    2.2: an acceptor "can ignore any request without compromising safety".
    """
    cluster = Cluster()
    cluster.propose("A", "x")
    cluster.prepare("A")

    cluster.deliver_all("AB")
    cluster.lose_all()

    assert cluster.chosen_values == {"x"}
    assert cluster.servers["C"].state == AcceptorState()
    check_all(cluster)


def test_a_refusal_tells_the_proposer_and_changes_nothing_else() -> None:
    """
    Instead of ignoring a request, the acceptor names its promise, so that the proposer gives up.

    2.2: a performance optimisation that does not affect correctness.
    """
    cluster = Cluster()
    cluster.hand_over("B", Prepare(proposal_id=ProposalID(5, "C")))
    cluster.hand_over("C", Prepare(proposal_id=ProposalID(5, "C")))
    cluster.lose_all()
    states = {uid: cluster.servers[uid].state for uid in "BC"}
    cluster.prepare("A")

    cluster.deliver("A->B", Prepare)
    cluster.deliver("A->C", Prepare)
    unchanged = {uid: cluster.servers[uid].state for uid in "BC"} == states
    cluster.deliver("B->A", Nack)
    cluster.deliver("C->A", Nack)

    assert unchanged
    assert cluster.servers["A"].proposal_id == ProposalID(6, "A")


def test_a_repeated_prepare_may_be_answered_again() -> None:
    """
    An acceptor need not answer a prepare request for a proposal that it has accepted; ours does.

    2.2: the remark on ignoring such requests. The answer reports that very proposal.
    """
    acceptor = Acceptor("C", AcceptorState())
    acceptor.receive_accept(Accept(proposal_id=ProposalID(1, "A"), value="x"))
    state = acceptor.state

    reply = acceptor.receive_prepare(Prepare(proposal_id=ProposalID(1, "A")))

    assert reply == Promise(
        acceptor="C",
        proposal_id=ProposalID(1, "A"),
        accepted_id=ProposalID(1, "A"),
        accepted_value="x",
    )
    assert acceptor.state == state


def test_a_proposer_may_abandon_its_proposal_at_any_time() -> None:
    """
    Answers to an abandoned proposal that arrive long afterwards have no effect.

    2.2: correctness is maintained although requests and responses arrive after the abandonment.
    """
    cluster = Cluster()
    cluster.propose("A", "x")
    abandoned = cluster.prepare("A")
    cluster.deliver("A->B", Prepare)
    cluster.deliver("A->C", Prepare)
    current = cluster.prepare("A")

    cluster.deliver("B->A", Promise)
    cluster.deliver("C->A", Promise)
    issued_on_old_promises = list(cluster.history.issued)
    cluster.deliver_all()

    assert abandoned < current
    assert issued_on_old_promises == []
    assert cluster.history.issued == [Accept(proposal_id=current, value="x")]
    assert cluster.chosen_values == {"x"}


def test_a_crashed_proposer_may_forget_its_proposal() -> None:
    """
    A proposer that restarts continues under a new number and never under the forgotten one.

    2.2: it may forget a proposal as long as it never issues another one with the same number.
    """
    cluster = Cluster()
    cluster.propose("A", "x")
    forgotten = cluster.prepare("A")
    cluster.deliver("A->B", Prepare)

    cluster.restart("A")
    cluster.propose("A", "w")
    cluster.deliver("B->A", Promise)
    issued_on_old_promises = list(cluster.history.issued)
    current = cluster.prepare("A")
    cluster.deliver_all()

    assert issued_on_old_promises == []
    assert forgotten < current
    assert cluster.chosen_values == {"w"}
    check_all(cluster)
