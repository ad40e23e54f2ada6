"""Batching: a link takes all that waits, in order, up to a bound, and nobody waits for company."""

from tests.chain.support import Hand, link_of, read, request, write
from tests.strategies.support import link_of_call, messages, others, running_with_master

from multipaxos.chain.effects import Timer
from multipaxos.chain.links import NewMaster, Updates
from multipaxos.composition import compose
from multipaxos.strategies.batching import LINK_CHARACTERS_MAX

BATCHING = compose(("batching", "resolution"))


def waiting(*values: str) -> Hand:
    """Return a server whose link 1 is under way, and at which a client for each value waits."""
    hand = Hand(BATCHING)
    hand.start()
    hand.write("first", client="first")
    for number, value in enumerate(values):
        hand.write(value, client=f"client-{number}")
    return hand


def batch_of(hand: Hand) -> Updates:
    """Decide the link under way, and return what is proposed for the next."""
    hand.decide(link_of(write("first", client="first")))
    wish = hand.value.paxos.wish
    assert isinstance(wish, Updates)
    return wish


def test_all_that_waits_shares_the_next_link() -> None:
    """The oldest first: whoever asked earlier is not applied later."""
    hand = waiting("a", "b", "c")

    batch = batch_of(hand)

    assert batch == link_of(*(write(v, client=f"client-{n}") for n, v in enumerate("abc")))


def test_a_lone_update_waits_for_nobody() -> None:
    """Where nothing is under way, what comes in is proposed at once, alone."""
    hand = Hand(BATCHING)
    hand.start()

    hand.write("x")

    assert hand.value.paxos.wish == link_of(write("x"))


def test_a_link_under_way_takes_nobody_in() -> None:
    """Its value may be accepted somewhere: a number stands for one value."""
    hand = waiting("a")

    assert hand.value.paxos.wish == link_of(write("first", client="first"))


def test_what_came_in_together_shares_a_link() -> None:
    """Also where nothing was under way."""
    hand = Hand(BATCHING)
    hand.start()

    hand.value.propose_updates(
        (request(1, client), ("SET", client), None) for client in ("ann", "bob")
    )
    hand.value.take_outbox()

    assert hand.value.paxos.wish == link_of(write("ann", client="ann"), write("bob", client="bob"))


def test_reads_that_go_through_the_chain_share_it_as_well() -> None:
    """They are applied in their place."""
    hand = waiting("a")
    hand.read(client="reader")

    assert batch_of(hand).updates[-1] == read()


def test_short_updates_are_bounded_as_well() -> None:
    """Each counts for what it takes on the wire; the rest goes into the link after it."""
    hand = waiting()
    for number in range(LINK_CHARACTERS_MAX // 50):
        update = write("x", client=f"client-{number}")
        hand.value.queue[update.request_id] = update

    batch = batch_of(hand)

    queued = list(hand.value.queue)
    assert 100 < len(batch.updates) < len(queued)
    assert [update.request_id for update in batch.updates] == queued[: len(batch.updates)]


def test_a_link_has_a_bound_of_characters() -> None:
    """So that a request to accept mostly is one datagram."""
    third = "x" * (LINK_CHARACTERS_MAX // 3)
    hand = waiting(third, third, third, third)

    assert len(batch_of(hand).updates) == 2


def test_a_value_beyond_the_bound_goes_alone() -> None:
    """It must get through; whoever waits behind it comes next."""
    hand = waiting("x" * (LINK_CHARACTERS_MAX + 1), "small")

    assert len(batch_of(hand).updates) == 1


def test_a_bid_for_mastership_is_not_mixed_with_updates() -> None:
    """Another strategy's link stays what it is."""
    hand = Hand(compose(("master", "batching", "resolution")))
    hand.start()
    hand.write("first", client="first")
    hand.write("a")
    hand.timeout(Timer.ELECTION)

    hand.decide(link_of(write("first", client="first")))

    assert isinstance(hand.value.paxos.wish, NewMaster)
    assert list(hand.value.queue) == [request()]


def test_a_hundred_clients_of_a_master_need_few_links() -> None:
    """While one link is under way the next one fills; every update is in one of them."""
    cluster, master = running_with_master()
    cluster.run_for(0.1)
    since = cluster.time.now
    (other, _) = others(cluster, master)

    calls = [cluster.submit(uid, ("SET", "x")) for _ in range(50) for uid in (master, other)]
    cluster.run_for(0.3)

    assert all(call.answered for call in calls)
    assert len({link_of_call(call) for call in calls}) < 10
    assert messages(cluster, server=master, since=since)["Accept"] < 40
