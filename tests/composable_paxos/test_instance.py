"""One server's part in an instance: the three roles share what they have seen."""

import pytest

import composable_paxos
from composable_paxos import (
    LOWEST,
    Accept,
    Accepted,
    AcceptorState,
    Message,
    Nack,
    PaxosInstance,
    Prepare,
    Promise,
    ProposalID,
    Quorums,
    Resolution,
)

FIRST = ProposalID(1, "A")
SECOND = ProposalID(2, "B")
FOURTH = ProposalID(4, "C")


def new_instance(acceptors: str = "ABC", state: AcceptorState | None = None) -> PaxosInstance:
    """Return A's part of an instance, resumed from *state* if there is one."""
    return PaxosInstance("A", Quorums.majority(acceptors), state or AcceptorState())


# ----------------------------------------------------------------------------------------- dispatch


def test_a_prepare_goes_to_the_acceptor() -> None:
    """It answers with a promise or a refusal."""
    instance = new_instance()

    promised = instance.receive(Prepare(proposal_id=SECOND))
    refused = instance.receive(Prepare(proposal_id=FIRST))

    assert promised == Promise(
        acceptor="A", proposal_id=SECOND, accepted_id=LOWEST, accepted_value=None
    )
    assert refused == Nack(acceptor="A", proposal_id=FIRST, promised_id=SECOND)


def test_an_accept_goes_to_the_acceptor() -> None:
    """It answers with an acceptance or a refusal."""
    instance = new_instance()

    accepted = instance.receive(Accept(proposal_id=SECOND, value="y"))
    refused = instance.receive(Accept(proposal_id=FIRST, value="x"))

    assert accepted == Accepted(acceptor="A", proposal_id=SECOND, value="y")
    assert refused == Nack(acceptor="A", proposal_id=FIRST, promised_id=SECOND)


def test_a_promise_goes_to_the_proposer() -> None:
    """At a quorum it answers with the Accept."""
    instance = new_instance()
    instance.propose_value("x")
    instance.prepare()
    replies = [
        instance.receive(
            Promise(acceptor=uid, proposal_id=FIRST, accepted_id=LOWEST, accepted_value=None)
        )
        for uid in "BC"
    ]

    assert replies == [None, Accept(proposal_id=FIRST, value="x")]


def test_a_nack_goes_to_the_proposer() -> None:
    """When no quorum is left it answers with the next Prepare."""
    instance = new_instance()
    instance.prepare()
    replies = [
        instance.receive(Nack(acceptor=uid, proposal_id=FIRST, promised_id=SECOND)) for uid in "BC"
    ]

    assert replies == [None, Prepare(proposal_id=ProposalID(3, "A"))]


def test_an_accepted_goes_to_the_learner() -> None:
    """At a quorum it answers with the resolution."""
    instance = new_instance()
    replies = [
        instance.receive(Accepted(acceptor=uid, proposal_id=SECOND, value="y")) for uid in "BC"
    ]

    assert replies == [
        None,
        Resolution(proposal_id=SECOND, value="y", acceptors=frozenset("BC")),
    ]


def test_a_single_server_agrees_with_itself() -> None:
    """All three roles in one object are enough for a cluster of one."""
    instance = new_instance("A")
    instance.propose_value("x")
    message: Message = instance.prepare()

    for _ in range(3):
        reply = instance.receive(message)
        assert reply is not None
        assert not isinstance(reply, Resolution)
        message = reply

    assert instance.receive(message) == Resolution(
        proposal_id=FIRST, value="x", acceptors=frozenset("A")
    )


# ------------------------------------------------------------------------------------------ numbers


@pytest.mark.parametrize(
    "message",
    [
        Prepare(proposal_id=FOURTH),
        Accept(proposal_id=FOURTH, value="z"),
        Nack(acceptor="B", proposal_id=FIRST, promised_id=FOURTH),
        Promise(acceptor="B", proposal_id=FIRST, accepted_id=FOURTH, accepted_value="z"),
    ],
    ids=lambda message: type(message).__name__,
)
def test_a_round_is_numbered_above_all_that_the_server_has_met(message: Message) -> None:
    """A number met in any role is not issued again by the proposer, nor one below it."""
    instance = new_instance()

    instance.receive(message)

    assert instance.prepare() == Prepare(proposal_id=ProposalID(5, "A"))


@pytest.mark.parametrize(
    "message", [Prepare(proposal_id=FIRST), Accept(proposal_id=FIRST, value="x")]
)
def test_a_refused_number_does_not_lower_the_next_round(message: Message) -> None:
    """Old messages leave the numbering where it is."""
    instance = new_instance(state=AcceptorState(promised_id=FOURTH))

    reply = instance.receive(message)

    assert reply == Nack(acceptor="A", proposal_id=FIRST, promised_id=FOURTH)
    assert instance.prepare() == Prepare(proposal_id=ProposalID(5, "A"))


def test_numbers_go_on_after_a_restart() -> None:
    """What the own acceptor promised before the crash is not issued for another value after it."""
    instance = new_instance()
    prepare = instance.prepare()
    instance.receive(prepare)

    restarted = new_instance(state=instance.state)

    assert prepare == Prepare(proposal_id=FIRST)
    assert restarted.prepare() == Prepare(proposal_id=ProposalID(2, "A"))


def test_rounds_of_an_instance_begin_at_its_lowest_number() -> None:
    """Numbers below belong to somebody else."""
    instance = PaxosInstance("A", Quorums.majority("ABC"), AcceptorState(), lowest_number=2)

    assert instance.prepare() == Prepare(proposal_id=ProposalID(2, "A"))


# ------------------------------------------------------------------------------------ brief answers


def test_who_accepted_a_proposal_knows_what_it_stands_for() -> None:
    """It was asked to accept number and value together (OneValuePerNumber)."""
    instance = new_instance()
    instance.receive(Accept(proposal_id=SECOND, value="y"))

    assert instance.value_of(SECOND) == "y"


def test_who_asked_for_a_proposal_knows_what_it_stands_for() -> None:
    """Also where its own acceptor has accepted something else, or nothing."""
    instance = new_instance()
    instance.receive(Accept(proposal_id=FIRST, value="x"))
    instance.skip_prepare(FOURTH, "z")

    assert instance.value_of(FOURTH) == "z"
    assert instance.value_of(FIRST) == "x"


def test_a_proposal_that_was_neither_accepted_nor_asked_for_is_unknown() -> None:
    """What was accepted under another number, before or after, says nothing of this one."""
    instance = new_instance()
    instance.receive(Accept(proposal_id=FIRST, value="x"))
    instance.receive(Accept(proposal_id=FOURTH, value="z"))
    instance.propose_value("wish")
    prepare = instance.prepare()

    unknown = [instance.value_of(number) for number in (FIRST, SECOND, prepare.proposal_id)]

    assert unknown == [None, None, None]


# ------------------------------------------------------------------------------------------- memory


def test_a_restarted_instance_keeps_what_its_acceptor_remembers() -> None:
    """The acceptor's memory survives; the wish, the round and the counted votes do not."""
    instance = new_instance()
    instance.propose_value("wish")
    instance.receive(Accept(proposal_id=SECOND, value="y"))
    instance.receive(Accepted(acceptor="B", proposal_id=SECOND, value="y"))

    restarted = new_instance(state=instance.state)

    assert restarted.state == AcceptorState(
        promised_id=SECOND, accepted_id=SECOND, accepted_value="y"
    )
    assert restarted.value is None
    assert restarted.request_in_flight() is None
    assert restarted.accepted_by(SECOND) == frozenset()


def test_an_accept_above_the_promise_is_a_promise_after_a_restart() -> None:
    """An acceptance raises the saved promise, so that nothing lower is accepted afterwards."""
    instance = new_instance()
    instance.receive(Prepare(proposal_id=FIRST))
    instance.receive(Accept(proposal_id=FOURTH, value="z"))

    restarted = new_instance(state=instance.state)

    assert restarted.receive(Accept(proposal_id=SECOND, value="y")) == Nack(
        acceptor="A", proposal_id=SECOND, promised_id=FOURTH
    )


def test_the_package_exports_what_it_names() -> None:
    """Each public name is listed once and exists."""
    assert len(set(composable_paxos.__all__)) == len(composable_paxos.__all__)
    assert all(hasattr(composable_paxos, name) for name in composable_paxos.__all__)
