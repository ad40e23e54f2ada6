"""The acceptor in the chain: what it answers to whom, and what it does not vote on at all."""

import pytest
from tests.chain.support import MASTER_B, Hand, events, link_of, refusals, sent, stored, write

from composable_paxos import (
    LOWEST,
    Accept,
    Accepted,
    AcceptorState,
    Nack,
    Prepare,
    Promise,
    ProposalID,
)
from multipaxos.chain.durable import Snapshot
from multipaxos.chain.events import EventKind

VALUE = link_of(write("x"))
B2 = ProposalID(2, "B")
C2 = ProposalID(2, "C")


def test_a_promise_goes_to_the_proposer() -> None:
    """Who asked is told what was promised and accepted before."""
    outbox = Hand().receive(Prepare(proposal_id=B2))

    assert sent(outbox) == [
        ("B", Promise(acceptor="A", proposal_id=B2, accepted_id=LOWEST, accepted_value=None))
    ]
    (event,) = events(outbox, EventKind.PROMISED)
    assert event.text == "promised 2.B"
    assert event.details == {"instance": 1, "proposal_id": B2, "accepted_id": LOWEST}


def test_an_acceptance_goes_to_all_learners() -> None:
    """Every server learns of every acceptance; this one without a message."""
    outbox = Hand().receive(Accept(proposal_id=B2, value=VALUE))

    accepted = Accepted(acceptor="A", proposal_id=B2, value=VALUE)
    assert sent(outbox) == [("B", accepted), ("C", accepted)]
    (event,) = events(outbox, EventKind.ACCEPTED)
    assert event.text == "accepted 2.B"
    assert event.details == {"instance": 1, "proposal_id": B2, "value": VALUE}


@pytest.mark.parametrize(
    "message", [Prepare(proposal_id=B2), Accept(proposal_id=B2, value=VALUE)], ids=type
)
def test_what_is_below_the_promise_is_refused_aloud(message: Prepare | Accept) -> None:
    """The proposer is told what was promised instead, and the trace too."""
    hand = Hand()
    hand.receive(Prepare(proposal_id=C2), sender="C")

    outbox = hand.receive(message)

    assert sent(outbox) == [("B", Nack(acceptor="A", proposal_id=B2, promised_id=C2))]
    assert refusals(outbox) == ["promised 2.C"]
    (event,) = events(outbox, EventKind.REFUSED)
    assert event.details["promised_id"] == C2
    assert event.details["sender"] == "B"
    assert outbox.save is None


@pytest.mark.parametrize(
    "message", [Prepare(proposal_id=B2), Accept(proposal_id=B2, value=VALUE)], ids=type
)
def test_a_server_that_sits_a_link_out_votes_on_nothing(message: Prepare | Accept) -> None:
    """It may have forgotten a vote there: it neither answers nor changes, and tells the trace."""
    hand = Hand(state=stored(votes_from=2))

    outbox = hand.receive(message)

    assert sent(outbox) == []
    assert outbox.save is None
    assert refusals(outbox) == ["no votes below link 2: some may have been forgotten"]


def test_a_server_votes_from_the_first_link_on_that_it_need_not_sit_out() -> None:
    """On the link *votes_from* itself it votes."""
    hand = Hand(state=stored(votes_from=2, instance=2))

    assert [type(m) for _, m in sent(hand.receive(Prepare(proposal_id=B2)))] == [Promise]


def test_a_server_that_sits_a_link_out_learns_it() -> None:
    """To count the others' acceptances is no vote."""
    hand = Hand(state=stored(votes_from=3))

    hand.decide(VALUE)

    assert hand.state.instance == 2
    assert hand.state.snapshot.value == "x"


@pytest.mark.parametrize(
    "snapshot, owner", [(Snapshot(), "nobody"), (Snapshot(master=MASTER_B), "B")]
)
def test_number_1_is_refused_from_anyone_but_the_master(snapshot: Snapshot, owner: str) -> None:
    """In every instance number 1 belongs to the master that the links before it name."""
    hand = Hand(state=stored(snapshot=snapshot))

    outbox = hand.receive(Accept(proposal_id=ProposalID(1, "C"), value=VALUE), sender="C")

    assert sent(outbox) == []
    assert outbox.save is None
    assert refusals(outbox) == [f"number 1 belongs to the master, {owner}"]


def test_number_1_is_accepted_from_the_master() -> None:
    """Its owner may go straight to accept."""
    hand = Hand(state=stored(snapshot=Snapshot(master=MASTER_B)))

    hand.receive(Accept(proposal_id=ProposalID(1, "B"), value=VALUE))

    assert hand.state.acceptor == AcceptorState(
        promised_id=ProposalID(1, "B"), accepted_id=ProposalID(1, "B"), accepted_value=VALUE
    )


def test_the_master_may_use_other_numbers_too() -> None:
    """Only number 1 has an owner, and ownership takes no other number away."""
    hand = Hand(state=stored(snapshot=Snapshot(master=MASTER_B)))

    assert [type(m) for _, m in sent(hand.receive(Prepare(proposal_id=B2)))] == [Promise]
    assert [type(m) for _, m in sent(hand.receive(Prepare(proposal_id=C2)))] == [Promise]
