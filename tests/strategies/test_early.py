"""Early messages: what comes before its time is kept until then."""

import pytest
from tests.chain.support import CHAIN, FOUNDING, MASTER_B, Hand, link_of, sent, stored, write

from composable_paxos import Accept, Accepted, Prepare, Promise, ProposalID
from multipaxos.chain.durable import DecidedLink, Snapshot
from multipaxos.chain.messages import Decided
from multipaxos.composition import compose
from multipaxos.strategies import early
from multipaxos.strategies.early import EarlyMessages

B1, B2 = ProposalID(1, "B"), ProposalID(2, "B")
X, Y = link_of(write("x", client="x")), link_of(write("y", client="y"))
OF_B = stored(snapshot=Snapshot(master=MASTER_B))


def test_a_request_that_comes_early_gets_its_vote_in_time() -> None:
    """The server votes when it has come so far, though nobody asks again."""
    hand = Hand(EarlyMessages, state=OF_B)

    before = hand.receive(Accept(proposal_id=B1, value=Y), instance=2)
    after = hand.decide(X)

    assert sent(before) == []
    assert hand.state.acceptor.accepted_value == Y
    assert sent(after) == [
        (uid, Accepted(acceptor="A", proposal_id=B1, value=Y)) for uid in ("B", "C")
    ]


def test_votes_that_come_early_are_counted_in_time() -> None:
    """One link that is told brings the next one with it."""
    hand = Hand(compose(["early", "replay", "sync"]), state=OF_B)
    hand.receive(Accept(proposal_id=B1, value=Y), instance=2)
    hand.receive(Accepted(acceptor="B", proposal_id=B1, value=Y), instance=2)

    outbox = hand.receive(Decided(links=(DecidedLink(number=1, link=X),)), instance=2)

    assert hand.state.instance == 3
    assert outbox.save is not None
    assert [decided.link for decided in outbox.save.decided] == [X, Y]


def test_what_was_kept_is_not_taken_for_another_link() -> None:
    """The votes on a link that was skipped are worth nothing any more."""
    hand = Hand(compose(["early", "sync"]), state=OF_B)
    hand.receive(Accept(proposal_id=B1, value=Y), instance=2)

    hand.catch_up(3, OF_B.snapshot)
    hand.decide(X)

    assert hand.state.acceptor.accepted_value is None


def test_what_is_much_too_early_is_not_kept() -> None:
    """Until then it would be old."""
    hand = Hand(compose(["early", "sync"]), state=OF_B)
    latest = 1 + early.EARLY_LINKS_MAX

    hand.receive(Accept(proposal_id=B1, value=X), instance=latest)
    hand.receive(Accept(proposal_id=B1, value=Y), instance=latest + 1)
    hand.catch_up(latest, OF_B.snapshot)
    in_time = hand.state.acceptor.accepted_value
    hand.catch_up(latest + 1, OF_B.snapshot)

    assert (in_time, hand.state.acceptor.accepted_value) == (X, None)


@pytest.mark.parametrize(
    "flood",
    [
        pytest.param(
            [Prepare(proposal_id=ProposalID(n + 2, "B")) for n in range(early.EARLY_MESSAGES_MAX)],
            id="many",
        ),
        pytest.param(
            [
                Promise(
                    acceptor="B",
                    proposal_id=ProposalID(2, "A"),
                    accepted_id=ProposalID(2, "C"),
                    accepted_value=link_of(write("z" * early.EARLY_CHARACTERS_MAX)),
                )
            ],
            id="long",
        ),
    ],
)
def test_only_so_much_is_kept(flood: list[Prepare | Promise]) -> None:
    """Newer messages take the place of older ones: what is kept is bounded."""
    hand = Hand(EarlyMessages, state=OF_B)
    hand.receive(Accept(proposal_id=B1, value=Y), instance=2)

    for message in flood:
        hand.receive(message, instance=3)
    hand.decide(X)

    assert hand.state.acceptor.accepted_value is None
    assert hand.value.early_characters <= early.EARLY_CHARACTERS_MAX  # type: ignore[attr-defined]


def test_what_came_before_the_chain_was_known_counts_only_if_it_is_of_this_chain() -> None:
    """Before link 0 is known nothing tells chains apart."""
    replies = []
    for chain_id in (CHAIN, "chain-2"):
        hand = Hand(compose(("early",)), state=stored(instance=0, founding=None))
        hand.receive(Accept(proposal_id=B2, value=X), instance=1, chain_id=chain_id)
        hand.value.install(1, FOUNDING, Snapshot())
        replies.append(sent(hand.value.take_outbox(), Accepted))

    of_this, of_another = replies
    assert of_this != []
    assert of_another == []
