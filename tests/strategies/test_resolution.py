"""Resolving: rounds, repetition, backoff, and taking over from the dead."""

import pytest
from tests.chain.support import Hand, events, link_of, request, sent, stored, timers, write
from tests.strategies.support import PLAIN, instances, link_of_call, messages, traced

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
from multipaxos.chain.effects import Outbox, Timer
from multipaxos.chain.events import EventKind
from multipaxos.chain.links import Nothing, Updates
from multipaxos.chain.settings import Settings
from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.simulation.network import Weather
from multipaxos.strategies.resolution import Resolving

A2 = ProposalID(2, "A")
B2 = ProposalID(2, "B")
VALUE = link_of(write("x"))
ACCEPTED_FROM_B = AcceptorState(promised_id=B2, accepted_id=B2, accepted_value=VALUE)


def promise(hand: Hand, acceptor: str = "B") -> Promise:
    """Promise the round in progress, having accepted nothing."""
    return Promise(
        acceptor=acceptor,
        proposal_id=hand.value.paxos.proposal_id,
        accepted_id=LOWEST,
        accepted_value=None,
    )


def lose_round(hand: Hand) -> Outbox:
    """Let B and C refuse the round in progress."""
    lost = hand.value.paxos.proposal_id
    outbox = Outbox()
    for uid in ("B", "C"):
        nack = Nack(acceptor=uid, proposal_id=lost, promised_id=ProposalID(lost.number, "Z"))
        outbox = hand.receive(nack, sender=uid)
    return outbox


def lose_rounds(hand: Hand, count: int) -> list[float]:
    """Let *count* rounds be lost, each after the wait for it; return the waits."""
    waits = []
    for _ in range(count):
        seconds = timers(lose_round(hand))[Timer.BACKOFF]
        assert seconds is not None
        waits.append(seconds)
        hand.timeout(Timer.BACKOFF)
    return waits


# ------------------------------------------------------------------------------------------- rounds


def test_a_request_begins_a_round() -> None:
    """The own promise is saved, the others are asked, and asked again if they do not answer."""
    hand = Hand(Resolving)

    outbox = hand.write("x")

    assert sent(outbox) == [(uid, Prepare(proposal_id=A2)) for uid in "BC"]
    assert hand.state.acceptor.promised_id == A2
    assert timers(outbox) == {
        Timer.TAKEOVER: None,
        Timer.RETRANSMIT: hand.settings.retransmit_seconds,
    }


def test_without_faults_a_link_takes_two_round_trips() -> None:
    """Prepare and accept, each sent and answered once: nothing is repeated."""
    cluster = SimulatedCluster(strategies=PLAIN, founded=True)
    cluster.start()
    cluster.run_for(0.5)

    call = cluster.submit("A", ("SET", "x"))
    cluster.run_for(0.9)

    assert link_of_call(call) == 1
    counted = messages(cluster, since=0.5)
    assert (counted["Prepare"], counted["Promise"]) == (2, 2)
    assert (counted["Accept"], counted["Nack"]) == (2, 0)
    assert instances(cluster) == [2, 2, 2]


def test_more_requests_do_not_restart_the_round() -> None:
    """A flood of requests is no livelock: what drives the instance goes on undisturbed."""
    hand = Hand(Resolving)
    hand.write("1", client="one")

    assert hand.write("2", client="two") == Outbox()
    assert hand.write("1", client="one") == Outbox()


def test_a_flood_of_requests_is_answered() -> None:
    """Each of a hundred requests at once gets its link."""
    cluster = SimulatedCluster(strategies=PLAIN, founded=True)
    cluster.start()

    calls = [cluster.submit("A", ("SET", str(number))) for number in range(100)]
    cluster.run_for(5.0)

    assert [link_of_call(call) for call in calls] == list(range(1, 101))


def test_the_next_request_begins_when_the_link_is_decided() -> None:
    """A queue is worked off without another event."""
    hand = Hand(Resolving)
    hand.write("1", client="one")
    hand.write("2", client="two")

    outbox = hand.decide(link_of(write("1", client="one")))

    assert outbox.send[0].instance == 2
    assert sent(outbox, Prepare) == [(uid, Prepare(proposal_id=A2)) for uid in "BC"]
    assert timers(outbox)[Timer.RETRANSMIT] == hand.settings.retransmit_seconds


# --------------------------------------------------------------------------------------- repetition


def test_an_unanswered_prepare_is_repeated() -> None:
    """A second after it was sent, and every second from then on; under the same number."""
    hand = Hand(Resolving)
    hand.write("x")

    for _ in range(2):
        outbox = hand.timeout(Timer.RETRANSMIT)
        assert sent(outbox, Prepare) == [(uid, Prepare(proposal_id=A2)) for uid in "BC"]
        assert timers(outbox)[Timer.RETRANSMIT] == 1.0


def test_an_unanswered_accept_is_repeated() -> None:
    """The same value under the same number."""
    hand = Hand(Resolving)
    hand.write("x")
    hand.receive(promise(hand))

    outbox = hand.timeout(Timer.RETRANSMIT)

    assert sent(outbox, Prepare) == []
    assert sent(outbox, Accept) == [(uid, Accept(proposal_id=A2, value=VALUE)) for uid in "BC"]
    assert timers(outbox)[Timer.RETRANSMIT] == 1.0


def test_a_refused_request_is_not_repeated_but_raised() -> None:
    """One refuses and the other is silent: only a higher number can have the votes of both."""
    hand = Hand(Resolving)
    hand.write("x")
    refused = hand.receive(Nack(acceptor="B", proposal_id=A2, promised_id=ProposalID(5, "B")))

    outbox = hand.timeout(Timer.RETRANSMIT)

    higher = Prepare(proposal_id=ProposalID(6, "A"))
    assert sent(refused) == []
    assert sent(outbox, Prepare) == [(uid, higher) for uid in "BC"]
    assert timers(outbox)[Timer.RETRANSMIT] == 1.0


def test_nothing_is_repeated_where_no_round_was_begun() -> None:
    """A timer that fires at an idle server asks nobody for anything."""
    hand = Hand(Resolving)

    assert sent(hand.timeout(Timer.RETRANSMIT)) == []


@pytest.mark.parametrize("seed", range(3))
def test_requests_survive_a_lossy_network(seed: int) -> None:
    """Half of all messages are lost: every request is answered all the same."""
    cluster = SimulatedCluster(strategies=PLAIN, founded=True, seed=seed, weather=Weather(loss=0.5))
    cluster.start()
    calls = [cluster.submit("A", ("SET", str(number))) for number in range(5)]

    assert cluster.run_until(lambda: all(c.answered for c in calls), limit_seconds=120.0)


def test_what_is_repeated_is_repeated_after_a_second() -> None:
    """Settings are seconds, not milliseconds: a lost message costs one of them."""
    cluster = SimulatedCluster(strategies=PLAIN, founded=True, weather=Weather(loss=1.0))
    cluster.start()
    cluster.submit("A", ("SET", "x"))

    cluster.run_for(3.5)

    prepares = [e for e in traced(cluster, "sent") if e.fields["receiver"] == "B"]
    times = [e.seconds for e in prepares if "Prepare" in str(e.fields["message"])]
    assert times == pytest.approx([0.0, 1.0, 2.0, 3.0])


# ------------------------------------------------------------------------------------------ backoff


def test_a_lost_round_is_followed_by_a_wait() -> None:
    """Neither the new round nor a repetition of the old one leaves at once."""
    hand = Hand(Resolving)
    hand.write("x")

    outbox = lose_round(hand)

    assert sent(outbox) == []
    waits = timers(outbox)
    assert set(waits) == {Timer.RETRANSMIT, Timer.BACKOFF}
    assert waits[Timer.RETRANSMIT] is None
    wait = waits[Timer.BACKOFF]
    assert wait is not None
    assert 0 <= wait <= hand.settings.backoff_seconds_min


def test_after_the_wait_a_round_begins_above_what_refused_the_last() -> None:
    """It has the highest number seen plus one."""
    hand = Hand(Resolving)
    hand.write("x")
    lose_round(hand)
    seen = hand.value.paxos.highest_seen

    outbox = hand.timeout(Timer.BACKOFF)

    (_, prepare), _ = sent(outbox, Prepare)
    assert isinstance(prepare, Prepare)
    assert prepare.proposal_id.number == seen.number + 1
    assert timers(outbox)[Timer.RETRANSMIT] == 1.0


def test_the_window_of_the_wait_doubles_up_to_a_bound() -> None:
    """Duellists draw from ever larger windows: ever more likely one has the time to finish."""
    hand = Hand(Resolving, settings=Settings(backoff_seconds_min=0.5, backoff_seconds_max=2.0))
    assert isinstance(hand.value, Resolving)
    hand.write("x")
    windows = []

    for _ in range(4):
        lose_rounds(hand, 1)
        windows.append(hand.value.backoff_seconds)

    assert windows == [1.0, 2.0, 2.0, 2.0]


def test_waits_are_drawn_from_the_whole_window() -> None:
    """Servers that lost together must not come back together."""
    settings = Settings(backoff_seconds_min=1.0, backoff_seconds_max=1.0)
    waits = []
    for seed in range(10):
        hand = Hand(Resolving, settings=settings, seed=seed)
        hand.write("x")
        waits += lose_rounds(hand, 5)

    assert 0.0 <= min(waits) < 0.2
    assert 0.8 < max(waits) <= 1.0


def test_the_window_begins_anew_with_each_instance() -> None:
    """A hard fight for one link says nothing about the next."""
    hand = Hand(Resolving)
    assert isinstance(hand.value, Resolving)
    hand.write("x")
    lose_rounds(hand, 3)

    hand.decide(VALUE)

    assert hand.value.backoff_seconds == hand.settings.backoff_seconds_min


@pytest.mark.parametrize("seed", range(3))
def test_duelling_servers_all_get_their_values_in(seed: int) -> None:
    """Three servers propose at once, again and again: nobody's value vanishes."""
    cluster = SimulatedCluster(strategies=PLAIN, founded=True, seed=seed)
    cluster.start()
    calls = [cluster.submit(uid, ("SET", f"{uid}{n}")) for n in range(10) for uid in "ABC"]

    cluster.run_for(30.0)

    assert sorted(link_of_call(call) for call in calls) == list(range(1, 31))


# ------------------------------------------------------------------------ timers and their instance


def test_no_timer_outlives_its_instance() -> None:
    """What it would repeat is decided: an old value cannot come back."""
    hand = Hand(Resolving)
    hand.write("x")

    outbox = hand.decide(VALUE)

    assert timers(outbox) == {
        Timer.RETRANSMIT: None,
        Timer.BACKOFF: None,
        Timer.TAKEOVER: None,
    }
    assert sent(outbox) == []


def test_an_idle_cluster_is_silent() -> None:
    """After the last link nobody sends anything but an occasional Sync."""
    cluster = SimulatedCluster(strategies=PLAIN, founded=True)
    cluster.start()
    cluster.submit("A", ("SET", "x"))
    cluster.run_for(2.0)

    cluster.run_for(100.0)

    assert set(messages(cluster, since=2.0)) == {"Sync"}


# ----------------------------------------------------------------------------------------- takeover


def test_an_acceptance_starts_the_watch_for_silence() -> None:
    """What was accepted here may be chosen, and its proposer dead."""
    hand = Hand(Resolving)

    outbox = hand.receive(Accept(proposal_id=B2, value=VALUE))

    assert timers(outbox) == {Timer.TAKEOVER: hand.settings.takeover_seconds}


def test_without_an_acceptance_there_is_nothing_to_take_over() -> None:
    """A promise alone saves nobody's value."""
    assert timers(Hand(Resolving).receive(Prepare(proposal_id=B2))) == {}


@pytest.mark.parametrize(
    "message",
    [Prepare(proposal_id=ProposalID(3, "C")), Accept(proposal_id=B2, value=VALUE)],
    ids=type,
)
def test_a_sign_of_life_prolongs_the_watch(message: Prepare | Accept) -> None:
    """Somebody works on the link: no need to take over yet."""
    hand = Hand(Resolving)
    hand.receive(Accept(proposal_id=B2, value=VALUE))

    assert timers(hand.receive(message)) == {Timer.TAKEOVER: 3.0}


def test_a_driving_server_watches_for_no_silence() -> None:
    """It makes the noise itself."""
    hand = Hand(Resolving)
    hand.write("x")

    outbox = hand.receive(Accept(proposal_id=B2, value=VALUE))

    assert sent(outbox, Accepted) != []
    assert timers(outbox) == {}


def test_after_silence_the_accepted_value_is_carried_on() -> None:
    """The new round must propose it, for it may be chosen."""
    hand = Hand(Resolving, state=stored(acceptor=ACCEPTED_FROM_B))
    hand.start()

    outbox = hand.timeout(Timer.TAKEOVER)
    asked = hand.receive(promise(hand, "C"), sender="C")

    (event,) = events(outbox, EventKind.TAKEOVER)
    assert event.text == "nothing heard of 2.B for a while"
    assert event.details["accepted_id"] == B2
    proposal_id = ProposalID(3, "A")
    assert sent(outbox, Prepare) == [(uid, Prepare(proposal_id=proposal_id)) for uid in "BC"]
    assert sent(asked, Accept)[0] == ("B", Accept(proposal_id=proposal_id, value=VALUE))
    assert timers(outbox)[Timer.TAKEOVER] is None


@pytest.mark.parametrize("waiting", [True, False])
def test_a_takeover_wishes_for_what_waits_or_for_nothing(waiting: bool) -> None:
    """Should the silent proposer's value be lost after all, the link is closed without it."""
    hand = Hand(Resolving, state=stored(acceptor=ACCEPTED_FROM_B))
    if waiting:
        hand.value.queue[request()] = write("mine")

    hand.timeout(Timer.TAKEOVER)

    assert hand.value.paxos.wish == (Updates(updates=(write("mine"),)) if waiting else Nothing())


def test_a_takeover_waits_while_this_server_may_not_propose() -> None:
    """It must not begin rounds now, but it goes on watching."""
    hand = Hand(Resolving, state=stored(acceptor=ACCEPTED_FROM_B, votes_from=2))

    outbox = hand.timeout(Timer.TAKEOVER)

    assert sent(outbox) == []
    assert timers(outbox) == {Timer.TAKEOVER: 3.0}
    assert events(outbox, EventKind.TAKEOVER) == []


def test_a_takeover_keeps_the_wish_that_there_is() -> None:
    """The first wish of an instance stays."""
    hand = Hand(Resolving)
    hand.write("mine")

    hand.timeout(Timer.TAKEOVER)

    assert hand.value.paxos.wish == link_of(write("mine"))


def test_a_restarted_server_watches_over_what_it_accepted() -> None:
    """Its proposer may have died with it."""
    accepted = Hand(Resolving, state=stored(acceptor=ACCEPTED_FROM_B))
    idle = Hand(Resolving)

    assert timers(accepted.start()) == {Timer.TAKEOVER: 3.0}
    assert timers(idle.start()) == {}


def test_a_value_whose_proposer_died_is_decided_without_another_request() -> None:
    """Accepted somewhere, then silence: another server finishes the link."""
    cluster = SimulatedCluster(strategies=PLAIN, founded=True)
    cluster.start()
    cluster.submit("A", ("SET", "x"))
    accepted = cluster.run_until(
        lambda: bool(traced(cluster, "accepted", server="B")), limit_seconds=1.0
    )
    assert accepted
    cluster.crash("A")
    cluster.crash("C")
    cluster.restart("C")

    cluster.run_for(8.0)

    assert [cluster.servers[uid].replica.snapshot.value for uid in "BC"] == ["x", "x"]


def test_a_whole_cluster_that_lost_power_finishes_its_link() -> None:
    """All accepted, all died, all return: the value is decided, and no second one."""
    cluster = SimulatedCluster(strategies=PLAIN, founded=True)
    cluster.start()
    cluster.submit("A", ("SET", "x"))
    cluster.run_until(lambda: bool(traced(cluster, "accepted")), limit_seconds=1.0)
    for uid in cluster.uids:
        cluster.crash(uid)
    cluster.start()

    cluster.run_for(10.0)

    assert {server.replica.snapshot.value for server in cluster.live()} == {"x"}
    assert instances(cluster) == [2, 2, 2]


@pytest.mark.parametrize("timer", [Timer.RETRANSMIT, Timer.BACKOFF])
def test_a_server_that_may_propose_no_more_gives_its_round_up(timer: Timer) -> None:
    """Its own acceptor would not remember the number; it drives again when it may."""
    hand = Hand(Resolving)
    hand.write("x")
    hand.value.votes_from = 2

    given_up = hand.timeout(timer)
    hand.value.votes_from = 0
    hand.value.propose_next()

    assert (sent(given_up), timers(given_up)) == ([], {})
    assert sent(hand.value.take_outbox(), Prepare) != []
