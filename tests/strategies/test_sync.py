"""Synchronization: who is behind catches up, who is ahead helps."""

import pytest
from tests.chain.support import FOUNDING, Hand, refusals, sent, stored, timers
from tests.strategies.support import PLAIN, instances, link_of_call, messages, traced

from composable_paxos import Accept, Accepted, Nack, Prepare, Promise, ProposalID
from multipaxos.chain.durable import Snapshot
from multipaxos.chain.effects import Outbox, Timer
from multipaxos.chain.links import Founding
from multipaxos.chain.messages import CatchUp, Sync
from multipaxos.chain.settings import Settings
from multipaxos.composition import strategy_names
from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.strategies.sync import Synchronization

BY_SNAPSHOT = strategy_names(master=False, without=("replay", "early"))

B2 = ProposalID(2, "B")
SNAPSHOT = Snapshot(value="x")


def test_a_server_that_joins_greets_all() -> None:
    """Everybody hears where it is, and so can help it or ask it."""
    outbox = Hand(Synchronization).start()

    assert sent(outbox) == [("B", Sync(votes_from=0)), ("C", Sync(votes_from=0))]
    assert timers(outbox) == {Timer.SYNC: 10.0}


def test_the_greeting_says_which_links_the_server_sits_out() -> None:
    """Whoever is idle can close them."""
    outbox = Hand(Synchronization, state=stored(votes_from=9)).start()

    assert sent(outbox)[0] == ("B", Sync(votes_from=9))


def test_a_single_server_has_nobody_to_tell() -> None:
    """It sends nothing and plans nothing."""
    assert Hand(Synchronization, servers="A").start() == Outbox()


def test_now_and_then_one_random_other_server_is_told() -> None:
    """Over time all of them, and never the server itself."""
    hand = Hand(Synchronization, servers="ABCDE")
    told = set()

    for _ in range(50):
        outbox = hand.timeout(Timer.SYNC)
        ((receiver, message),) = sent(outbox)
        assert message == Sync(votes_from=0)
        assert timers(outbox) == {Timer.SYNC: 10.0}
        told.add(receiver)

    assert told == set("BCDE")


def test_servers_tell_each_other_every_sync_seconds() -> None:
    """Ten seconds of silence, then one Sync of each server."""
    cluster = SimulatedCluster(strategies=PLAIN, founded=True)
    cluster.start()

    cluster.run_for(25.0)

    greetings = [event.seconds for event in traced(cluster, "sent", server="A")]
    assert greetings == pytest.approx([0.0, 0.0, 10.0, 20.0])


# ------------------------------------------------------------------------------- helping and asking


def test_a_server_behind_is_helped() -> None:
    """It gets all that the links below ours amount to."""
    hand = Hand(Synchronization, state=stored(instance=5, snapshot=SNAPSHOT))

    outbox = hand.receive(Sync(votes_from=0), instance=4)

    assert sent(outbox) == [("B", CatchUp(founding=FOUNDING, snapshot=SNAPSHOT))]
    assert outbox.send[0].instance == 5


def test_a_server_ahead_is_asked() -> None:
    """Our own Sync, with our link in its envelope, asks for help."""
    hand = Hand(Synchronization, state=stored(instance=5))

    outbox = hand.receive(Sync(votes_from=0), instance=6)

    assert sent(outbox) == [("B", Sync(votes_from=0))]
    assert outbox.send[0].instance == 5


def test_a_server_at_the_same_link_needs_nothing() -> None:
    """Nobody is behind: silence."""
    assert Hand(Synchronization).receive(Sync(votes_from=0)) == Outbox()


@pytest.mark.parametrize("message", [Prepare(proposal_id=B2), Accept(proposal_id=B2, value="x")])
def test_who_asks_about_a_closed_link_is_told_at_once_that_it_is_behind(
    message: Prepare | Accept,
) -> None:
    """It need not wait for the next Sync to learn that its proposal is in vain."""
    hand = Hand(Synchronization, state=stored(instance=5, snapshot=SNAPSHOT))

    outbox = hand.receive(message, instance=4)

    assert sent(outbox) == [("B", CatchUp(founding=FOUNDING, snapshot=SNAPSHOT))]


@pytest.mark.parametrize(
    "message",
    [
        Promise(acceptor="B", proposal_id=B2, accepted_id=B2, accepted_value="x"),
        Accepted(acceptor="B", proposal_id=B2, value="x"),
        Nack(acceptor="B", proposal_id=B2, promised_id=B2),
    ],
    ids=type,
)
def test_a_late_reply_is_no_sign_of_being_behind(message: Promise | Accepted | Nack) -> None:
    """It was merely slow: silence."""
    hand = Hand(Synchronization, state=stored(instance=5))

    assert hand.receive(message, instance=4) == Outbox()


@pytest.mark.parametrize(
    "message",
    [Prepare(proposal_id=B2), Accepted(acceptor="B", proposal_id=B2, value="x")],
    ids=type,
)
def test_any_message_about_a_later_link_shows_that_we_are_behind(
    message: Prepare | Accepted,
) -> None:
    """Its sender is asked for help."""
    hand = Hand(Synchronization)

    outbox = hand.receive(message, instance=2)

    assert sent(outbox) == [("B", Sync(votes_from=0))]
    assert timers(outbox) == {Timer.CATCH_UP: 0.5}


def test_help_is_asked_for_at_most_once_in_a_while() -> None:
    """However many messages show that we are behind, one question is enough for a time."""
    hand = Hand(Synchronization)
    message = Prepare(proposal_id=B2)
    hand.receive(message, instance=2)

    again = hand.receive(message, instance=2)
    by_sync = hand.receive(Sync(votes_from=0), instance=2)
    hand.timeout(Timer.CATCH_UP)
    later = hand.receive(message, instance=2)

    assert (sent(again), sent(by_sync)) == ([], [])
    assert sent(later) == [("B", Sync(votes_from=0))]


def test_other_timers_do_not_make_a_server_ask_again() -> None:
    """Only the time for an answer ends the wait for it."""
    hand = Hand(Synchronization)
    hand.receive(Prepare(proposal_id=B2), instance=2)

    hand.timeout(Timer.RETRANSMIT)

    assert sent(hand.receive(Prepare(proposal_id=B2), instance=2)) == []


# -------------------------------------------------------------------------------------- catching up


def test_help_is_taken() -> None:
    """One message brings a server to where its helper is."""
    hand = Hand(Synchronization)

    hand.catch_up(9, SNAPSHOT)

    assert hand.state == stored(instance=9, snapshot=SNAPSHOT)


@pytest.mark.parametrize("instance", [1, 0])
def test_help_that_comes_late_is_ignored(instance: int) -> None:
    """Nobody goes back to a link that it has passed, nor starts the present one anew."""
    hand = Hand(Synchronization)
    hand.receive(Prepare(proposal_id=B2))

    assert hand.catch_up(instance, Snapshot()) == Outbox()
    assert hand.state.acceptor.promised_id == B2


def test_a_jump_that_is_not_plausible_is_refused() -> None:
    """One forged message must not move a server to a link that no chain can have reached."""
    hand = Hand(Synchronization, settings=Settings(instance_jump_max=100))

    refused = hand.catch_up(102, SNAPSHOT)
    accepted = hand.catch_up(101, SNAPSHOT)

    assert refusals(refused) == ["101 links ahead is not plausible"]
    assert refused.save is None
    assert accepted.save is not None


def test_a_catch_up_cannot_change_the_chain() -> None:
    """It names our chain on the envelope and another link 0 inside: it is refused."""
    hand = Hand(Synchronization)
    other = Founding(chain_id="chain-2", machine_kind="register", founders=())

    outbox = hand.receive(CatchUp(founding=other, snapshot=SNAPSHOT), instance=9)

    assert refusals(outbox) == ["it tells of another link 0"]
    assert hand.state == stored()


def test_a_server_that_was_away_catches_up_when_it_returns() -> None:
    """It greets the others and is helped within a round trip, not after the next Sync."""
    cluster = SimulatedCluster(strategies=PLAIN, founded=True)
    cluster.start()
    cluster.crash("C")
    for number in range(5):
        cluster.submit("A", ("SET", str(number)))
    cluster.run_for(2.0)

    cluster.restart("C")
    cluster.run_for(0.1)

    assert instances(cluster) == [6, 6, 6]
    assert cluster.servers["C"].replica.snapshot.value == "4"


def test_an_idle_server_that_missed_a_link_learns_it_by_sync() -> None:
    """Cut off while a link was decided, and nothing happens after: some Sync tells it."""
    cluster = SimulatedCluster(strategies=PLAIN, founded=True)
    cluster.start()
    cluster.run_for(1.0)
    cluster.partition("AB", "C")
    cluster.submit("A", ("SET", "x"))
    cluster.run_for(1.0)
    cluster.heal()

    assert instances(cluster) == [2, 2, 1]
    assert cluster.run_until(lambda: instances(cluster) == [2, 2, 2], limit_seconds=30.0)


def test_a_proposer_that_is_behind_learns_and_then_gets_its_value_in() -> None:
    """Its first Prepare brings the catch-up, and its value goes into the next link."""
    cluster = SimulatedCluster(strategies=BY_SNAPSHOT, founded=True)
    cluster.start()
    cluster.run_for(1.0)
    cluster.partition("AB", "C")
    cluster.submit("A", ("SET", "x"))
    cluster.run_for(1.0)
    cluster.heal()

    call = cluster.submit("C", ("SET", "y"))
    cluster.run_for(0.5)

    assert link_of_call(call) == 2
    assert messages(cluster, since=2.0)["CatchUp"] >= 1
