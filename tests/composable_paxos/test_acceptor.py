"""The acceptor: what it answers, and what it remembers."""

import pytest

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

FIRST = ProposalID(1, "A")
SECOND = ProposalID(2, "B")
THIRD = ProposalID(3, "A")


def test_a_new_acceptor_has_promised_and_accepted_nothing() -> None:
    """The state of the beginning is below every proposal."""
    assert AcceptorState() == AcceptorState(
        promised_id=LOWEST, accepted_id=LOWEST, accepted_value=None
    )


def test_the_first_promise_reports_no_acceptance() -> None:
    """Who has accepted nothing says so with LOWEST and None."""
    acceptor = Acceptor("C", AcceptorState())

    reply = acceptor.receive_prepare(Prepare(proposal_id=FIRST))

    assert reply == Promise(
        acceptor="C", proposal_id=FIRST, accepted_id=LOWEST, accepted_value=None
    )
    assert acceptor.state == AcceptorState(promised_id=FIRST)


def test_a_promise_reports_the_last_acceptance_and_keeps_it() -> None:
    """To promise more is not to forget what was accepted."""
    acceptor = Acceptor("C", AcceptorState())
    acceptor.receive_accept(Accept(proposal_id=FIRST, value="x"))

    reply = acceptor.receive_prepare(Prepare(proposal_id=SECOND))

    assert reply == Promise(acceptor="C", proposal_id=SECOND, accepted_id=FIRST, accepted_value="x")
    assert acceptor.state == AcceptorState(
        promised_id=SECOND, accepted_id=FIRST, accepted_value="x"
    )


def test_a_duplicated_prepare_gets_the_same_promise() -> None:
    """The first answer may have been lost, so the acceptor repeats it and changes nothing."""
    acceptor = Acceptor("C", AcceptorState())
    first_reply = acceptor.receive_prepare(Prepare(proposal_id=SECOND))
    state = acceptor.state

    second_reply = acceptor.receive_prepare(Prepare(proposal_id=SECOND))

    assert isinstance(first_reply, Promise)
    assert second_reply == first_reply
    assert acceptor.state == state


def test_a_prepare_repeated_after_its_accept_reports_that_acceptance() -> None:
    """Late copies of a Prepare are answered from the present, not from the past."""
    acceptor = Acceptor("C", AcceptorState())
    acceptor.receive_prepare(Prepare(proposal_id=SECOND))
    acceptor.receive_accept(Accept(proposal_id=SECOND, value="y"))

    reply = acceptor.receive_prepare(Prepare(proposal_id=SECOND))

    assert reply == Promise(
        acceptor="C", proposal_id=SECOND, accepted_id=SECOND, accepted_value="y"
    )


def test_an_old_prepare_is_refused_and_changes_nothing() -> None:
    """The refusal names the refused proposal and the promise that stands against it."""
    acceptor = Acceptor("C", AcceptorState())
    acceptor.receive_prepare(Prepare(proposal_id=SECOND))
    state = acceptor.state

    reply = acceptor.receive_prepare(Prepare(proposal_id=FIRST))

    assert reply == Nack(acceptor="C", proposal_id=FIRST, promised_id=SECOND)
    assert acceptor.state == state


def test_an_accept_at_the_promised_number_is_accepted() -> None:
    """A promise binds against lower numbers only."""
    acceptor = Acceptor("C", AcceptorState())
    acceptor.receive_prepare(Prepare(proposal_id=FIRST))

    reply = acceptor.receive_accept(Accept(proposal_id=FIRST, value="x"))

    assert reply == Accepted(acceptor="C", proposal_id=FIRST, value="x")
    assert acceptor.state == AcceptorState(promised_id=FIRST, accepted_id=FIRST, accepted_value="x")


def test_a_duplicated_accept_gets_the_same_answer() -> None:
    """The first answer may have been lost, so the acceptor repeats it and changes nothing."""
    acceptor = Acceptor("C", AcceptorState())
    first_reply = acceptor.receive_accept(Accept(proposal_id=FIRST, value="x"))
    state = acceptor.state

    second_reply = acceptor.receive_accept(Accept(proposal_id=FIRST, value="x"))

    assert isinstance(first_reply, Accepted)
    assert second_reply == first_reply
    assert acceptor.state == state


def test_an_old_accept_is_refused_and_changes_nothing() -> None:
    """An Accept below the promise meets the promise."""
    acceptor = Acceptor("C", AcceptorState())
    acceptor.receive_prepare(Prepare(proposal_id=SECOND))
    state = acceptor.state

    reply = acceptor.receive_accept(Accept(proposal_id=FIRST, value="x"))

    assert reply == Nack(acceptor="C", proposal_id=FIRST, promised_id=SECOND)
    assert acceptor.state == state


def test_an_accept_above_the_promise_raises_the_promise() -> None:
    """To accept a number is to promise it: after a restart, too, nothing lower gets in between."""
    acceptor = Acceptor("C", AcceptorState())
    acceptor.receive_prepare(Prepare(proposal_id=FIRST))
    acceptor.receive_accept(Accept(proposal_id=THIRD, value="z"))
    restarted = Acceptor("C", acceptor.state)

    reply = restarted.receive_accept(Accept(proposal_id=SECOND, value="y"))

    assert acceptor.state.promised_id == THIRD
    assert reply == Nack(acceptor="C", proposal_id=SECOND, promised_id=THIRD)
    assert restarted.state == acceptor.state


def test_a_higher_acceptance_replaces_the_lower_one() -> None:
    """An acceptor remembers its highest-numbered acceptance and no other."""
    acceptor = Acceptor("C", AcceptorState())
    acceptor.receive_accept(Accept(proposal_id=FIRST, value="x"))

    acceptor.receive_accept(Accept(proposal_id=SECOND, value="y"))

    assert acceptor.state == AcceptorState(
        promised_id=SECOND, accepted_id=SECOND, accepted_value="y"
    )


def test_a_state_that_no_acceptor_can_reach_is_refused() -> None:
    """AcceptedWithinPromise: an acceptance above the promise is a sign of a damaged memory."""
    with pytest.raises(AssertionError, match="AcceptedWithinPromise"):
        AcceptorState(promised_id=FIRST, accepted_id=SECOND, accepted_value="y")
