"""Forwarding: a server that must not propose hands its clients' updates to the master."""

import pytest
from tests.chain.support import (
    MASTER_B,
    Hand,
    events,
    link_of,
    read,
    request,
    sent,
    stored,
    timers,
    write,
)
from tests.strategies.support import (
    link_of_call,
    messages,
    others,
    result_of,
    running_with_master,
)

from multipaxos.chain.durable import Snapshot
from multipaxos.chain.effects import Outbox, Timer
from multipaxos.chain.events import EventKind
from multipaxos.chain.links import NewMaster, Updates
from multipaxos.chain.messages import Forward
from multipaxos.chain.requests import Unknown
from multipaxos.composition import compose
from multipaxos.strategies.forwarding import FORWARD_CHARACTERS_MAX, FORWARDS_AT_ONCE_MAX

FORWARDING = compose(("forwarding", "lease"))
LED_BY_B = stored(snapshot=Snapshot(master=MASTER_B))
MASTER_C = NewMaster(uid="C", lease_seconds=2.0, bid="bid-of-C")


def follower() -> Hand:
    """Return a server that respects B's lease."""
    hand = Hand(FORWARDING, state=LED_BY_B)
    hand.start()
    return hand


def test_an_update_goes_to_the_master() -> None:
    """It stays here as well, until it is in the chain."""
    hand = follower()

    outbox = hand.write("x")

    assert sent(outbox) == [("B", Forward(updates=(write("x"),)))]
    assert list(hand.value.queue) == [request()]
    assert timers(outbox) == {Timer.FORWARD: hand.settings.retransmit_seconds}
    (event,) = events(outbox, EventKind.FORWARDED)
    assert event.text == "request client/1 goes to B"
    assert event.details["request_id"] == request()
    assert event.details["master"] == "B"


def test_only_the_new_update_goes_at_once() -> None:
    """The others are on their way already: they have their own time."""
    hand = follower()
    hand.write("x", client="one")

    outbox = hand.write("y", client="two")

    assert sent(outbox) == [("B", Forward(updates=(write("y", client="two"),)))]
    assert timers(outbox) == {}


def test_what_is_not_in_the_chain_is_forwarded_again() -> None:
    """Every second: a Forward may be lost, and nobody answers it."""
    hand = follower()
    hand.write("x", client="one")
    hand.write("y", client="two")

    for _ in range(2):
        outbox = hand.timeout(Timer.FORWARD)
        assert sent(outbox) == [
            ("B", Forward(updates=(write("x", client="one"), write("y", client="two")))),
        ]
        assert timers(outbox) == {Timer.FORWARD: 1.0}


def test_forwarding_stops_when_the_update_is_in_the_chain() -> None:
    """The next time there is nothing to forward, and no time is set."""
    hand = follower()
    hand.write("x")
    hand.decide(link_of(write("x")))

    assert hand.timeout(Timer.FORWARD) == Outbox()


def test_a_later_update_is_forwarded_in_its_turn() -> None:
    """After a pause without anything to forward, time is set anew."""
    hand = follower()
    hand.write("x")
    hand.decide(link_of(write("x")))
    hand.timeout(Timer.FORWARD)

    assert timers(hand.write("y", 2)) == {Timer.FORWARD: 1.0}


@pytest.mark.parametrize("reason", [Timer.FORWARD, MASTER_C])
def test_what_the_chain_can_tell_no_more_is_answered_instead_of_forwarded(
    reason: Timer | NewMaster,
) -> None:
    """Its client gave up and went on elsewhere: the master has nobody to tell that."""
    hand = follower()
    hand.write("x", 1)
    hand.decide(link_of(write("y", 2)))

    outbox = hand.timeout(reason) if isinstance(reason, Timer) else hand.decide(reason)

    assert sent(outbox) == []
    assert [type(answer.outcome) for answer in outbox.answers] == [Unknown]
    assert hand.value.queue == {}


def test_other_timers_forward_nothing() -> None:
    """A repetition has its own time."""
    hand = follower()
    hand.write("x")

    assert hand.timeout(Timer.RETRANSMIT) == Outbox()


def test_a_new_master_gets_what_waits() -> None:
    """Without waiting for the next repetition."""
    hand = follower()
    hand.write("x")

    outbox = hand.decide(MASTER_C)

    assert sent(outbox) == [("C", Forward(updates=(write("x"),)))]


def test_links_of_other_kinds_forward_nothing() -> None:
    """Only a change of masters is a reason to hurry."""
    hand = follower()
    hand.write("x", client="one")

    assert sent(hand.decide(link_of(write("y", client="two")))) == []


def test_not_all_that_waits_is_sent_at_once() -> None:
    """A long queue must not become one burst of datagrams."""
    hand = follower()
    for number in range(100):
        hand.write("x", client=f"client-{number}")

    outbox = hand.timeout(Timer.FORWARD)

    ((uid, forward),) = sent(outbox)
    assert uid == "B"
    assert isinstance(forward, Forward)
    assert len(forward.updates) == FORWARDS_AT_ONCE_MAX == 64
    assert forward.updates[0] == write("x", client="client-0")


def test_an_update_is_not_sent_straight_back_to_where_it_came_from() -> None:
    """The master sent it: it knows it."""
    hand = follower()

    outbox = hand.receive(Forward(updates=(write("x"),)), sender="B")

    assert sent(outbox) == []
    assert list(hand.value.queue) == [request()]


def test_an_update_of_a_third_server_goes_on_to_the_master() -> None:
    """Its sender believed in another master; this one knows better."""
    hand = follower()

    outbox = hand.receive(Forward(updates=(write("x"),)), sender="C")

    assert sent(outbox) == [("B", Forward(updates=(write("x"),)))]


@pytest.mark.parametrize("master", [None, "A"])
def test_nothing_is_forwarded_without_another_master(master: str | None) -> None:
    """Who may propose itself does so."""
    named = NewMaster(uid="A", lease_seconds=2.0, bid="b") if master else None
    hand = Hand(FORWARDING, state=stored(snapshot=Snapshot(master=named)))
    hand.start()

    outbox = hand.write("x")

    assert outbox == Outbox()
    assert hand.value.paxos.wish == link_of(write("x"))


def test_a_master_that_sits_links_out_forwards_to_nobody() -> None:
    """Least of all to itself: its updates wait until it votes again."""
    named = NewMaster(uid="A", lease_seconds=2.0, bid="b")
    hand = Hand(FORWARDING, state=stored(votes_from=9, snapshot=Snapshot(master=named)))
    hand.start()

    outbox = hand.receive(Forward(updates=(write("x"),)))

    assert outbox == Outbox()
    assert list(hand.value.queue) == [request()]


def test_nothing_is_forwarded_when_the_lease_has_ended() -> None:
    """The named master may be dead: this server proposes by itself."""
    hand = follower()
    hand.timeout(Timer.FOREIGN_LEASE)

    assert sent(hand.write("x")) == []
    assert hand.value.paxos.wish == link_of(write("x"))


def test_what_was_not_taken_is_not_forwarded() -> None:
    """A retry of what is in the chain is answered here."""
    hand = follower()
    hand.write("x")
    hand.decide(link_of(write("x")))

    outbox = hand.write("x")

    assert sent(outbox) == []
    assert len(outbox.answers) == 1


def test_a_read_is_forwarded_like_an_update() -> None:
    """The master answers it from its own state."""
    hand = follower()

    outbox = hand.submit(read().request_id, ("GET",))

    assert sent(outbox) == [("B", Forward(updates=(read(),)))]


# ------------------------------------------------------------------------------- on a whole cluster


def test_clients_of_all_servers_are_served_under_a_master() -> None:
    """Whichever server they ask, their updates reach the chain, each once."""
    cluster, _ = running_with_master()

    calls = [cluster.submit(uid, ("SET", f"{uid}{n}")) for n in range(10) for uid in "ABC"]
    cluster.run_for(3.0)

    held = {link_of_call(call) for call in calls}
    requests = []
    for link in held:
        chosen = cluster.invariants.chosen[link].value
        assert isinstance(chosen, Updates)
        requests += [update.request_id for update in chosen.updates]
    assert len(requests) == 30
    assert set(requests) == {call.request_id for call in calls}


def test_a_forward_that_was_lost_is_repeated() -> None:
    """A second later the update is on its way again, and its client hears of it."""
    cluster, master = running_with_master()
    (other, _) = others(cluster, master)
    cluster.block(other, master)
    call = cluster.submit(other, ("SET", "x"))
    cluster.run_for(0.5)
    assert cluster.unanswered == [call]
    cluster.heal()

    cluster.run_for(1.0)

    assert cluster.unanswered == []
    assert messages(cluster, server=other)["Forward"] >= 2


def test_updates_that_wait_for_a_dead_master_are_proposed_after_its_lease() -> None:
    """The master dies with the update: its server goes on without it."""
    cluster, master = running_with_master()
    (other, _) = others(cluster, master)
    cluster.crash(master)

    call = cluster.submit(other, ("SET", "x"))
    cluster.run_for(5.0)
    read_call = cluster.submit(other, ("GET",))
    cluster.run_for(1.0)

    assert link_of_call(call) > 0
    assert result_of(read_call) == "x"


def test_large_updates_do_not_share_a_message() -> None:
    """Sixty-four values of a megabyte in one message would fit no transport, ever."""
    hand = follower()
    third, whole = FORWARD_CHARACTERS_MAX // 3, FORWARD_CHARACTERS_MAX
    for number, length in enumerate([third] * 4 + [whole] * 2 + [1] * 3):
        hand.write("x" * length, client=f"client-{number}")

    outbox = hand.timeout(Timer.FORWARD)

    forwards = [forward.updates for _, forward in sent(outbox) if isinstance(forward, Forward)]
    assert [len(updates) for updates in forwards] == [2, 2, 1, 1, 3]
    assert [u.request_id.client for updates in forwards for u in updates] == [
        f"client-{number}" for number in range(9)
    ]
