"""What reaches a server: the right chain, the right link, or silence."""

import pytest
from tests.chain.support import (
    FOUNDING,
    Hand,
    events,
    link_of,
    refusals,
    request,
    sent,
    stored,
    write,
)

from composable_paxos import Accept, Accepted, Nack, Prepare, Promise, ProposalID
from multipaxos.chain.durable import DecidedLink, Snapshot
from multipaxos.chain.effects import Outbox
from multipaxos.chain.events import EventKind
from multipaxos.chain.links import Nothing
from multipaxos.chain.messages import (
    Answered,
    CatchUp,
    ChainMessage,
    Decided,
    FetchPart,
    Forward,
    IAmAt,
    OtherChain,
    SnapshotPart,
    Sync,
    WhereAreYou,
)
from multipaxos.chain.refusals import Reason

B2 = ProposalID(2, "B")
PREPARE = Prepare(proposal_id=B2)
I_AM_AT = IAmAt(
    asked_in="birth-of-A",
    birth="birth-of-B",
    newborn=False,
    may_have_voted_on=4,
    founders=(),
    founding=FOUNDING,
)
ADDRESSED_TO_A_MEMORY: list[ChainMessage] = [
    Sync(votes_from=0),
    CatchUp(founding=FOUNDING, snapshot=Snapshot()),
    Decided(links=(DecidedLink(number=1, link=Nothing()),)),
    SnapshotPart(founding=FOUNDING, at=9, number=0, is_last=False, snapshot=Snapshot()),
    FetchPart(at=9, number=1),
    Forward(updates=(write("x"),)),
    Answered(request_id=request(), link=1, result=None),
    OtherChain(),
]


def test_messages_of_another_chain_are_refused_and_their_sender_is_told() -> None:
    """Two chains must never be mixed; who keeps the other one should know."""
    hand = Hand()

    outbox = hand.receive(PREPARE, chain_id="chain-2")

    assert sent(outbox) == [("B", OtherChain())]
    assert outbox.send[0].chain_id == "chain-1"
    assert refusals(outbox) == ["it speaks of chain chain-2, this is chain chain-1"]
    assert outbox.save is None


def test_the_news_of_another_chain_is_not_answered_with_the_same_news() -> None:
    """Two servers of two chains would tell each other for ever."""
    assert Hand().receive(OtherChain(), chain_id="chain-2") == Outbox()


@pytest.mark.parametrize("own", [None, FOUNDING])
def test_an_unnamed_chain_is_no_other_chain(own: object) -> None:
    """Before link 0 is known, nobody can say that the chains differ."""
    hand = Hand(state=stored(founding=FOUNDING if own else None, instance=0))

    outbox = hand.receive(PREPARE, chain_id="" if own else "chain-1")

    assert [type(message) for _, message in sent(outbox)] == [Promise]


@pytest.mark.parametrize(
    "message",
    [
        PREPARE,
        Accept(proposal_id=B2, value="x"),
        Accepted(acceptor="B", proposal_id=B2, value="x"),
        *ADDRESSED_TO_A_MEMORY,
    ],
    ids=type,
)
def test_a_server_without_memory_takes_no_part(message: Prepare | Accept | ChainMessage) -> None:
    """It does not know what it may have promised: silence, but for the trace."""
    hand = Hand(memoryless=True)

    outbox = hand.receive(message)

    assert sent(outbox) == []
    assert refusals(outbox) == ["this server has no memory yet"]


@pytest.mark.parametrize("message", [WhereAreYou(birth="b"), I_AM_AT], ids=type)
@pytest.mark.parametrize("memoryless", [True, False])
def test_questions_of_servers_without_memory_pass_every_check(
    message: ChainMessage, memoryless: bool
) -> None:
    """They come before the asker knows of any chain. The passive server has nothing to say."""
    hand = Hand(memoryless=memoryless)

    assert hand.receive(message, chain_id="chain-2") == Outbox()


@pytest.mark.parametrize(
    "message", [message for message in ADDRESSED_TO_A_MEMORY if not isinstance(message, Forward)]
)
def test_the_passive_server_leaves_these_to_strategies(message: ChainMessage) -> None:
    """Each is a hook: here it does nothing."""
    assert Hand().receive(message) == Outbox()


@pytest.mark.parametrize("instance", [0, 2])
@pytest.mark.parametrize(
    "message",
    [
        Promise(acceptor="B", proposal_id=B2, accepted_id=B2, accepted_value="x"),
        Accepted(acceptor="B", proposal_id=B2, value="x"),
        Nack(acceptor="B", proposal_id=B2, promised_id=B2),
    ],
    ids=type,
)
def test_replies_about_other_links_change_nothing(
    message: Promise | Accepted | Nack, instance: int
) -> None:
    """A server counts replies of the link in progress only; the others are late, or too early."""
    hand = Hand()

    assert hand.receive(message, instance=instance) == Outbox()


@pytest.mark.parametrize(
    "instance, reason, words",
    [(0, Reason.BEHIND, "link 0 is closed here"), (2, Reason.AHEAD, "link 2 is to come here")],
)
@pytest.mark.parametrize("message", [PREPARE, Accept(proposal_id=B2, value="x")], ids=type)
def test_requests_about_other_links_get_no_vote(
    message: Prepare | Accept, instance: int, reason: Reason, words: str
) -> None:
    """A server votes on the link in progress only, and the trace says which link was asked for."""
    hand = Hand()

    outbox = hand.receive(message, instance=instance)

    (refusal,) = events(outbox, EventKind.REFUSED)
    assert outbox == Outbox(events=(refusal,))
    assert refusals(outbox) == [words]
    assert refusal.details["reason"] is reason
    assert refusal.details["asked"] == instance


def test_a_late_acceptance_does_not_count_for_another_link() -> None:
    """Acceptances of two links never add up to a quorum."""
    hand = Hand()
    link = link_of(write("x"))
    hand.receive(Accepted(acceptor="B", proposal_id=B2, value=link), instance=0)

    hand.receive(Accepted(acceptor="C", proposal_id=B2, value=link), sender="C", instance=1)

    assert hand.state.instance == 1
