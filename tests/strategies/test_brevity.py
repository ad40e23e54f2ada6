"""Brevity: an acceptance goes to its proposer alone, by number, and that tells what was decided."""

import pytest
from tests.chain.support import (
    CHAIN,
    FOUNDERS,
    FOUNDING,
    LOWEST_B,
    Hand,
    link_of,
    request,
    sent,
    stored,
    timers,
    write,
)
from tests.strategies.support import link_of_call, messages, others, running_with_master

from composable_paxos import LOWEST, Accept, Accepted, AcceptorState, Prepare, Promise, ProposalID
from multipaxos.chain.effects import Answer, Outbox, Timer
from multipaxos.chain.links import Founding, Nothing
from multipaxos.chain.messages import Envelope, Forward, Sync
from multipaxos.chain.requests import Chosen
from multipaxos.composition import compose

BRIEF = compose(("sync", "resolution", "brevity"))
A2, A3, B3 = ProposalID(2, "A"), ProposalID(3, "A"), ProposalID(3, "B")
X, Y = link_of(write("x", client="x")), link_of(write("y", client="y"))


def server(**arguments: object) -> Hand:
    """Return a server that has started at link 1."""
    hand = Hand(BRIEF, **arguments)  # type: ignore[arg-type]
    hand.start()
    return hand


def hint(
    hand: Hand,
    decided_by: ProposalID | None,
    message: Prepare | Accept | Sync,
    *,
    instance: int = 2,
    chain_id: str = CHAIN,
) -> Outbox:
    """Deliver *message* of B, which says by what the link before *instance* was decided."""
    hand.value.receive(
        Envelope(
            cluster="test",
            chain_id=chain_id,
            instance=instance,
            sender="B",
            receiver="A",
            message=message,
            decided_by=decided_by,
        )
    )
    return hand.value.take_outbox()


GREETING = Sync(votes_from=0)


# ------------------------------------------------------------------------------------- acceptances


def test_an_acceptance_goes_to_its_proposer_alone_and_without_the_value() -> None:
    """The proposer knows what it asked for, and counts for all (Paxos Made Simple, 2.3)."""
    outbox = server().receive(Accept(proposal_id=LOWEST_B, value=X))

    assert sent(outbox) == [
        ("B", Accepted(acceptor="A", proposal_id=LOWEST_B, value=None)),
    ]


def test_the_proposer_counts_its_own_acceptance_and_tells_nobody() -> None:
    """There is nothing that the others could do with it."""
    hand = server()
    hand.write("x")
    promise = Promise(acceptor="B", proposal_id=A2, accepted_id=LOWEST, accepted_value=None)

    outbox = hand.receive(promise)

    assert {type(message) for _, message in sent(outbox)} == {Accept}
    hand.receive(Accepted(acceptor="B", proposal_id=A2, value=None))
    assert hand.value.instance == 2
    assert hand.value.snapshot.value == "x"


# -------------------------------------------------------------------------------------------- hints


@pytest.mark.parametrize("message", [GREETING, Prepare(proposal_id=B3)])
def test_who_accepted_what_was_decided_learns_it_from_the_number(message: Sync | Prepare) -> None:
    """Any message about the next link will do; then it is taken for itself."""
    hand = server()
    hand.write("x", client="x")
    hand.receive(Accept(proposal_id=LOWEST_B, value=X))

    outbox = hint(hand, LOWEST_B, message)

    assert hand.value.instance == 2
    assert hand.value.snapshot.value == "x"
    assert outbox.answers == (
        Answer(request_id=request(1, "x"), outcome=Chosen(link=1, result=True)),
    )
    assert (sent(outbox, Promise) != []) == isinstance(message, Prepare)


def test_one_message_decides_a_link_and_asks_for_the_next() -> None:
    """That is how a master's links follow each other: one message a link to each server."""
    hand = server()
    hand.receive(Accept(proposal_id=LOWEST_B, value=X))

    outbox = hint(hand, LOWEST_B, Accept(proposal_id=B3, value=Y))

    assert sent(outbox) == [("B", Accepted(acceptor="A", proposal_id=B3, value=None))]
    assert outbox.save is not None
    assert (outbox.save.state.instance, outbox.save.state.acceptor.accepted_value) == (2, Y)


@pytest.mark.parametrize("decided_by", [A3, B3, None])
def test_who_accepted_something_else_asks(decided_by: ProposalID | None) -> None:
    """The number means nothing to it, and what it accepted itself may be something else."""
    hand = server()
    hand.receive(Accept(proposal_id=LOWEST_B, value=X))

    outbox = hint(hand, decided_by, GREETING)

    assert hand.value.instance == 1
    assert sent(outbox) == [("B", GREETING)]


def test_who_accepted_nothing_asks() -> None:
    """The request was lost on its way."""
    hand = server()

    outbox = hint(hand, LOWEST_B, GREETING)

    assert hand.value.instance == 1
    assert sent(outbox) == [("B", GREETING)]


@pytest.mark.parametrize("instance", [1, 3])
def test_a_hint_is_about_the_one_link_before_its_message(instance: int) -> None:
    """Numbers begin anew in each link: the same one stands for something else there."""
    hand = server()
    hand.receive(Accept(proposal_id=LOWEST_B, value=X))

    hint(hand, LOWEST_B, GREETING, instance=instance)

    assert hand.value.instance == 1


def test_a_hint_of_another_chain_decides_nothing() -> None:
    """
    Before link 0 is known, nothing else tells chains apart.

    B has lost its memory: it founded one chain in its earlier life, and another in this one, and
    used the same number in both.
    """
    founding = Founding(chain_id="chain-2", machine_kind="register", founders=FOUNDERS)
    acceptor = AcceptorState(promised_id=LOWEST_B, accepted_id=LOWEST_B, accepted_value=founding)
    state = stored(instance=0, founding=None, acceptor=acceptor)

    of_the_first, of_the_second = server(state=state), server(state=state)
    hint(of_the_first, LOWEST_B, GREETING, instance=1)
    hint(of_the_second, LOWEST_B, GREETING, instance=1, chain_id="chain-2")

    assert FOUNDING.chain_id == CHAIN
    assert (of_the_first.value.instance, of_the_first.value.founding) == (0, None)
    assert (of_the_second.value.instance, of_the_second.value.founding) == (1, founding)


# ---------------------------------------------------------------------------------------- telling


def decided() -> tuple[Hand, Outbox]:
    """Let the server decide a link of its own; return what followed."""
    hand = server()
    hand.write("x")
    hand.receive(Promise(acceptor="B", proposal_id=A2, accepted_id=LOWEST, accepted_value=None))
    return hand, hand.receive(Accepted(acceptor="B", proposal_id=A2, value=None))


def greetings(outbox: Outbox) -> list[tuple[str, ProposalID | None]]:
    """Return who is greeted in *outbox*, and what each is told of the link before."""
    return [
        (envelope.receiver, envelope.decided_by)
        for envelope in outbox.sent
        if isinstance(envelope.message, Sync)
    ]


def test_the_others_are_told_after_a_moment_if_nothing_else_tells_them() -> None:
    """A millisecond later most often there is a next request, and no message is spent."""
    hand, outbox = decided()

    told = hand.timeout(Timer.TELL)

    assert timers(outbox)[Timer.TELL] == 0.001
    assert greetings(outbox) == []
    assert greetings(told) == [("B", A2), ("C", A2)]
    assert hand.timeout(Timer.TELL) == Outbox()


def test_the_next_request_tells_them_instead() -> None:
    """What waited for the moment waits no more."""
    hand, _ = decided()
    hand.write("y", client="other")

    number = hand.value.paxos.proposal_id
    outbox = hand.receive(
        Promise(acceptor="B", proposal_id=number, accepted_id=LOWEST, accepted_value=None)
    )

    assert {e.decided_by for e in outbox.sent} == {A2}
    assert timers(outbox)[Timer.TELL] is None
    assert hand.timeout(Timer.TELL) == Outbox()


def test_they_are_told_at_once_if_a_client_of_theirs_waits() -> None:
    """It is answered by its own server, when that knows."""
    hand = server()
    hand.receive(Forward(updates=(write("x"),)))
    hand.receive(Promise(acceptor="B", proposal_id=A2, accepted_id=LOWEST, accepted_value=None))

    outbox = hand.receive(Accepted(acceptor="B", proposal_id=A2, value=None))

    assert greetings(outbox) == [("B", A2), ("C", A2)]
    assert Timer.TELL not in timers(outbox)


def test_what_another_server_decided_is_its_to_tell() -> None:
    """Whoever learns from a hint spreads no news."""
    hand = server()
    hand.receive(Accept(proposal_id=LOWEST_B, value=X))

    outbox = hint(hand, LOWEST_B, GREETING)

    assert greetings(outbox) == []
    assert Timer.TELL not in timers(outbox)


def test_a_link_that_was_not_decided_by_votes_seen_here_is_told_by_no_number() -> None:
    """After a catch-up nobody here knows which proposal it was."""
    hand, _ = decided()
    hand.catch_up(9, hand.value.snapshot)

    outbox = hand.write("y", client="other")

    assert {envelope.decided_by for envelope in outbox.sent} == {None}


def test_a_moment_that_a_later_link_has_overtaken_tells_nothing() -> None:
    """The link that it was about is not the newest any more."""
    hand, _ = decided()
    hand.decide(Nothing())

    assert greetings(hand.timeout(Timer.TELL)) == []


# ---------------------------------------------------------------------------------- in a cluster


@pytest.mark.parametrize("servers", ["ABC", "ABCDE"])
def test_a_link_takes_a_message_to_each_server_and_one_back(servers: str) -> None:
    """2(n - 1) messages a link, whoever the value is for, while one follows the other."""
    cluster, master = running_with_master(servers=servers)
    cluster.run_for(0.1)
    since = cluster.time.now

    calls = []
    for number in range(10):
        calls.append(cluster.submit(master, ("SET", str(number))))
        assert cluster.run_until(lambda: calls[-1].answered, limit_seconds=1.0)

    links = len({link_of_call(call) for call in calls})
    counted = messages(cluster, since=since)
    peers = len(servers) - 1
    assert links == 10
    assert counted["Accept"] == links * peers
    assert counted["Accepted"] <= links * peers


def test_a_follower_that_lost_the_request_learns_the_link_all_the_same() -> None:
    """It hears of a number that means nothing to it, and asks."""
    cluster, master = running_with_master()
    (behind, _) = others(cluster, master)
    cluster.run_for(0.1)
    cluster.block(master, behind)
    cluster.submit(master, ("SET", "x"))
    cluster.run_for(0.02)
    cluster.heal()
    cluster.submit(master, ("SET", "y"))

    assert cluster.run_until(
        lambda: cluster.servers[behind].replica.snapshot.value == "y", limit_seconds=1.0
    )
