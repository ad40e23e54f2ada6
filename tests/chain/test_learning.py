"""Learning: links are applied in order, each once, whether learned one by one or by catch-up."""

import pytest
from tests.chain.support import (
    CHAIN,
    FOUNDING,
    MASTER_B,
    Hand,
    events,
    link_of,
    read,
    request,
    stored,
    write,
)

from composable_paxos import Accepted, AcceptorState, Prepare, ProposalID
from multipaxos.chain.durable import DecidedLink, Session, Snapshot
from multipaxos.chain.effects import Outbox
from multipaxos.chain.events import EventKind
from multipaxos.chain.links import Founding, Nothing
from multipaxos.chain.requests import Chosen, Unknown
from multipaxos.chain.settings import Settings

B2 = ProposalID(2, "B")
VALUE = link_of(write("x"))


# ------------------------------------------------------------------------------------- link by link


def test_a_quorum_of_acceptances_closes_the_link() -> None:
    """The link goes into the history with the state that follows from it, in one save."""
    hand = Hand()

    outbox = hand.decide(VALUE)

    assert outbox.save is not None
    assert outbox.save.decided == (DecidedLink(number=1, link=VALUE),)
    assert outbox.save.state.instance == 2
    assert outbox.save.state.snapshot.value == "x"
    assert outbox.save.state.acceptor == AcceptorState()


def test_a_resolution_is_told_with_its_quorum() -> None:
    """A viewer can draw which acceptors decided what, under which number."""
    (event,) = events(Hand().decide(VALUE), EventKind.RESOLVED)

    assert event.text == "link 1 is decided"
    assert event.details == {
        "instance": 1,
        "link": VALUE,
        "proposal_id": B2,
        "acceptors": ("B", "C"),
    }


def test_one_acceptance_closes_nothing() -> None:
    """A minority's acceptance is no decision."""
    outbox = Hand().receive(Accepted(acceptor="B", proposal_id=B2, value=VALUE))

    assert outbox == Outbox()


def test_a_client_is_answered_by_whichever_server_it_waits_at() -> None:
    """Any server that learns the link answers its own clients, with the result."""
    hand = Hand()
    hand.submit(request(1, "reader"), ("GET",))

    outbox = hand.decide(link_of(write("x"), read()))

    (answer,) = outbox.answers
    assert answer.request_id == request(1, "reader")
    assert answer.outcome == Chosen(link=1, result="x")
    assert hand.value.queue == {}


def test_link_0_names_the_chain() -> None:
    """From then on every envelope carries the name."""
    hand = Hand(state=stored(founding=None, instance=0))
    assert hand.value.chain_id == ""

    hand.decide(FOUNDING)

    assert hand.value.chain_id == CHAIN
    assert hand.state.founding == FOUNDING
    assert hand.state.instance == 1


def test_the_chain_names_its_master() -> None:
    """The newest NewMaster link below the instance in progress counts."""
    hand = Hand()
    assert hand.value.master is None

    hand.decide(MASTER_B)

    assert hand.value.master == "B"


def test_votes_belong_to_one_instance() -> None:
    """The next link begins with no promise; lower numbers are welcome again."""
    hand = Hand()
    hand.receive(Prepare(proposal_id=ProposalID(9, "C")), sender="C")

    hand.decide(VALUE, proposal_id=ProposalID(9, "C"))
    hand.receive(Prepare(proposal_id=B2))

    assert hand.state.acceptor == AcceptorState(promised_id=B2)


def test_clients_beyond_the_settings_bound_are_forgotten() -> None:
    """The chain remembers *sessions_max* clients, as the settings say."""
    hand = Hand(settings=Settings(sessions_max=2))

    hand.decide(link_of(*(write("x", client=name) for name in ("one", "two", "three"))))

    assert list(hand.state.snapshot.sessions) == ["two", "three"]


# -------------------------------------------------------------------------------------- catching up


def caught_up(hand: Hand, instance: int, snapshot: Snapshot) -> Outbox:
    """Let *hand* take over *snapshot*."""
    hand.value.install(instance, FOUNDING, snapshot)
    return hand.value.take_outbox()


def test_a_catch_up_takes_over_everything() -> None:
    """Instance, value, sessions, master and chain come as one, with a fresh vote."""
    hand = Hand(state=stored(founding=None, instance=0))
    hand.receive(Prepare(proposal_id=B2))
    snapshot = Snapshot(value="x", master=MASTER_B, forgotten_before=3)

    outbox = caught_up(hand, 8, snapshot)

    assert outbox.save is not None
    assert outbox.save.decided == ()
    assert hand.state == stored(instance=8, snapshot=snapshot)
    (event,) = events(outbox, EventKind.CAUGHT_UP)
    assert event.text == "caught up with links 0 to 7"
    assert event.details == {"instance": 8, "value": "x"}


def test_clients_whose_updates_are_in_the_skipped_links_are_answered() -> None:
    """Their outcome is in the sessions: chosen, or not known any more."""
    hand = Hand()
    hand.write("1", 1, "one")
    hand.write("2", 1, "two")
    hand.write("3", 1, "three")
    sessions = {
        "one": Session(sequence=1, link=4, result=True),
        "two": Session(sequence=2, link=5, result=True),
    }

    outbox = caught_up(hand, 8, Snapshot(sessions=sessions))

    assert [(a.request_id, type(a.outcome)) for a in outbox.answers] == [
        (request(1, "one"), Chosen),
        (request(1, "two"), Unknown),
    ]
    assert list(hand.value.queue) == [request(1, "three")]


def test_what_is_not_in_the_skipped_links_is_proposed_next() -> None:
    """A catch-up drops no client's update."""
    hand = Hand()
    hand.write("x")

    caught_up(hand, 8, Snapshot())

    assert hand.value.paxos.wish == link_of(write("x"))


def test_reads_go_on_waiting_through_a_catch_up() -> None:
    """Their result is in no session, even where a write of that number is."""
    hand = Hand()
    hand.submit(request(1, "one"), ("GET",))

    outbox = caught_up(
        hand, 8, Snapshot(sessions={"one": Session(sequence=1, link=4, result=True)})
    )

    assert outbox.answers == ()
    assert list(hand.value.queue) == [request(1, "one")]


@pytest.mark.parametrize("instance", [0, 1])
def test_a_chain_never_goes_back(instance: int) -> None:
    """Nobody takes over fewer links than it has (AppliedOnce)."""
    hand = Hand()

    with pytest.raises(AssertionError, match="AppliedOnce"):
        hand.value.install(instance, FOUNDING, Snapshot())


def test_a_founding_that_is_no_first_news_leaves_the_rest_alone() -> None:
    """A link is told from link 0 by its kind only: no other kind names the chain."""
    hand = Hand()

    hand.decide(Nothing())

    assert hand.state.founding == FOUNDING
    assert isinstance(hand.state.founding, Founding)
