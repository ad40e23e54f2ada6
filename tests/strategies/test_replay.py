"""Replay: who missed a few links is told these."""

import pytest
from tests.chain.support import (
    CHAIN,
    FOUNDING,
    MASTER_B,
    Hand,
    events,
    link_of,
    refusals,
    request,
    sent,
    stored,
    timers,
    write,
)
from tests.strategies.support import (
    MASTER,
    instances,
    messages,
    others,
    running_with_master,
    traced,
)

from composable_paxos import LOWEST, Accept, AcceptorState, Nack, Prepare, Promise, ProposalID
from multipaxos.chain.durable import DecidedLink, DurableState, Snapshot
from multipaxos.chain.effects import Answer, Applied, Outbox, Timer
from multipaxos.chain.events import EventKind
from multipaxos.chain.links import Founding, Link, NewMaster, Nothing
from multipaxos.chain.messages import CatchUp, Decided, Sync
from multipaxos.chain.requests import Chosen
from multipaxos.composition import compose
from multipaxos.simulation.weather import CALM, Weather
from multipaxos.strategies import replay

REPLAYING = compose(["replay", "sync", "resolution"])
A2, B2 = ProposalID(2, "A"), ProposalID(2, "B")
X, Y, Z = (link_of(write(value, client=value)) for value in "xyz")


def decided(*links: Link, since: int = 1) -> Decided:
    """Make the message that tells *links*, the first of them link *since*."""
    return Decided(
        links=tuple(DecidedLink(number=since + n, link=link) for n, link in enumerate(links))
    )


def hand(*, state: DurableState | None = None) -> Hand:
    """Make a server that helps link by link, where it can."""
    return Hand(REPLAYING, state=state)


def promise_to(proposer: Hand) -> Promise:
    """Make the promise of B in the round that *proposer* has begun."""
    number = proposer.value.paxos.proposal_id
    return Promise(acceptor="B", proposal_id=number, accepted_id=LOWEST, accepted_value=None)


# ------------------------------------------------------------------------------------------ helping


def test_who_missed_a_few_links_is_told_them() -> None:
    """From the one that it is at, and no others."""
    helper = hand()
    for link in (X, Y, Z):
        helper.decide(link)

    outbox = helper.receive(Sync(votes_from=0), sender="C", instance=2)

    assert sent(outbox) == [("C", decided(Y, Z, since=2))]
    assert outbox.send[0].instance == 4


def test_who_asks_about_a_closed_link_is_told_it_too() -> None:
    """Its proposal is in vain, and one message says by what."""
    helper = hand()
    helper.decide(X)

    outbox = helper.receive(Prepare(proposal_id=B2), instance=1)

    assert sent(outbox) == [("B", decided(X))]


def test_what_a_server_learned_before_this_life_it_tells_as_a_whole() -> None:
    """The links are gone from its memory; what they amount to is not."""
    helper = hand(state=stored(instance=5, snapshot=Snapshot(value="x")))
    helper.decide(Y)

    before = helper.receive(Sync(votes_from=0), instance=4)
    since = helper.receive(Sync(votes_from=0), instance=5)

    assert sent(before) == [("B", CatchUp(founding=FOUNDING, snapshot=helper.value.snapshot))]
    assert sent(since) == [("B", decided(Y, since=5))]


def test_link_0_comes_with_a_catch_up() -> None:
    """It decides whether a server may take part at all."""
    helper = hand(state=stored(instance=0, founding=None))
    helper.decide(FOUNDING)

    outbox = helper.receive(Sync(votes_from=0), instance=0)

    assert sent(outbox) == [("B", CatchUp(founding=FOUNDING, snapshot=Snapshot()))]


def test_after_a_catch_up_the_links_begin_anew() -> None:
    """What was kept before it does not lead to what comes after it."""
    helper = hand()
    helper.decide(X)
    helper.catch_up(9, Snapshot(value="y"))
    helper.decide(Z)

    outbox = helper.receive(Sync(votes_from=0), instance=1)
    later = helper.receive(Sync(votes_from=0), instance=9)

    assert sent(outbox) == [("B", CatchUp(founding=FOUNDING, snapshot=helper.value.snapshot))]
    assert sent(later) == [("B", decided(Z, since=9))]


def test_a_message_holds_as_many_links_as_fit_a_datagram() -> None:
    """The rest is asked for when these are learned."""
    helper = hand()
    long = [link_of(write(letter * 20_000, client=letter)) for letter in "abcd"]
    for link in long:
        helper.decide(link)

    first = helper.receive(Sync(votes_from=0), instance=1)
    second = helper.receive(Sync(votes_from=0), instance=3)

    assert sent(first) == [("B", decided(*long[:2]))]
    assert sent(second) == [("B", decided(*long[2:], since=3))]


def test_a_link_that_is_longer_goes_alone() -> None:
    """There must be progress, whatever a link holds."""
    helper = hand()
    longest = link_of(write("x" * 100_000))
    helper.decide(longest)
    helper.decide(Y)

    outbox = helper.receive(Sync(votes_from=0), instance=1)

    assert sent(outbox) == [("B", decided(longest))]


def test_only_so_many_links_are_kept() -> None:
    """Of an older one, what it amounts to is told."""
    helper = hand()
    for _ in range(replay.KEPT_LINKS_MAX + 1):
        helper.decide(Nothing())

    lost = helper.receive(Sync(votes_from=0), instance=1)
    kept = helper.receive(Sync(votes_from=0), instance=2)

    assert [type(message) for _, message in sent(lost)] == [CatchUp]
    assert [type(message) for _, message in sent(kept)] == [Decided]


def test_only_so_many_characters_are_kept() -> None:
    """A few links with large values are as much as many with small ones."""
    helper = hand()
    large = "x" * (replay.KEPT_CHARACTERS_MAX // 4)
    for n in range(4):
        helper.decide(link_of(write(large, client=f"client-{n}")))

    lost = helper.receive(Sync(votes_from=0), instance=1)
    kept = helper.receive(Sync(votes_from=0), instance=2)

    assert [type(message) for _, message in sent(lost)] == [CatchUp]
    assert [type(message) for _, message in sent(kept)] == [Decided]


def test_who_is_helped_is_asked_for_its_vote_as_well() -> None:
    """It has missed the request of the link in progress, too, and its vote may be needed."""
    helper = hand()
    helper.decide(X)
    helper.write("y")
    (_, accept), *_ = sent(helper.receive(promise_to(helper)), Accept)

    outbox = helper.receive(Sync(votes_from=0), sender="C", instance=1)

    assert sent(outbox) == [("C", decided(X)), ("C", accept)]


def test_a_request_that_waits_for_its_backoff_is_not_sent_with_the_help() -> None:
    """Not even its own acceptor has promised its number yet."""
    helper = hand()
    helper.decide(X)
    helper.write("y")
    for uid in ("B", "C"):
        helper.receive(Nack(acceptor=uid, proposal_id=A2, promised_id=B2), sender=uid)

    outbox = helper.receive(Sync(votes_from=0), sender="C", instance=1)

    assert sent(outbox) == [("C", decided(X))]


def test_with_nothing_in_flight_no_vote_is_asked_for() -> None:
    """Help alone."""
    helper = hand()
    helper.decide(X)

    assert len(sent(helper.receive(Sync(votes_from=0), instance=1))) == 1


# ------------------------------------------------------------------------------------- being helped


def test_links_that_are_told_are_learned_one_after_the_other() -> None:
    """All are applied, saved and in the history; the trace says who told them."""
    behind = hand()

    outbox = behind.receive(decided(X, Y, Z), instance=4)

    assert behind.state.instance == 4
    assert behind.state.snapshot.value == "z"
    assert outbox.save is not None
    assert outbox.save.decided == decided(X, Y, Z).links
    learned = events(outbox, EventKind.LEARNED)
    assert [event.details["link"] for event in learned] == [X, Y, Z]
    assert {event.details["told_by"] for event in learned} == {"B"}


def test_what_is_told_amounts_to_the_same_as_what_is_counted() -> None:
    """Two servers at the same link have the same state, whichever way they learned it."""
    one, other = hand(), hand()
    for link in (X, MASTER_B, Y):
        one.decide(link)

    other.receive(decided(X, MASTER_B, Y), instance=4)

    assert one.state == other.state
    assert one.value.kept == other.value.kept  # type: ignore[attr-defined]


def test_requests_in_a_link_that_is_told_are_answered() -> None:
    """Nothing was skipped: each link's results are known, and what each changed."""
    behind = hand()
    behind.write("x", client="x")

    outbox = behind.receive(decided(X), instance=2)

    assert outbox.answers == (
        Answer(request_id=request(1, "x"), outcome=Chosen(link=1, result=True)),
    )
    (news,) = outbox.changes
    assert isinstance(news, Applied)
    assert (news.link, news.commands, news.before) == (1, (("SET", "x"),), None)
    assert behind.value.queue == {}


def test_links_that_are_known_already_are_passed_over() -> None:
    """A message that comes late, or twice, changes nothing; what is new in it does."""
    behind = hand()
    behind.decide(X)

    new = behind.receive(decided(X, Y), instance=3)
    again = behind.receive(decided(X, Y), instance=3)

    assert new.save is not None
    assert new.save.decided == decided(Y, since=2).links
    assert again == Outbox()


def test_links_beyond_the_next_one_are_asked_for() -> None:
    """A link can be applied only after those before it."""
    behind = hand()

    outbox = behind.receive(decided(Z, since=3), instance=4)

    assert behind.state.instance == 1
    assert sent(outbox) == [("B", Sync(votes_from=0))]


def test_the_rest_is_asked_for_at_once() -> None:
    """Each answer brings progress, so nobody waits for the time between two questions."""
    behind = hand()
    behind.receive(Sync(votes_from=0), instance=4)

    outbox = behind.receive(decided(X, Y), instance=4)

    assert sent(outbox) == [("B", Sync(votes_from=0))]
    assert outbox.send[0].instance == 3
    assert timers(outbox)[Timer.CATCH_UP] == 0.5


def test_after_the_last_link_nothing_is_asked() -> None:
    """The server is in step."""
    behind = hand()
    behind.receive(Sync(votes_from=0), instance=3)

    outbox = behind.receive(decided(X, Y), instance=3)

    assert sent(outbox) == []
    assert timers(outbox)[Timer.CATCH_UP] is None


def test_no_round_begins_between_two_links_that_are_told() -> None:
    """Those instances are closed: a proposal goes into the one after them."""
    behind = hand()
    behind.write("own", client="own")

    outbox = behind.receive(decided(X, Y), instance=3)

    assert [envelope.instance for envelope in outbox.send] == [3, 3]
    assert [type(message) for _, message in sent(outbox)] == [Prepare, Prepare]


def test_the_votes_on_a_link_that_is_told_are_over() -> None:
    """What this server had promised and accepted there is of no more use."""
    voted = AcceptorState(promised_id=B2, accepted_id=B2, accepted_value=X)
    behind = hand(state=stored(acceptor=voted))

    behind.receive(decided(X), instance=2)

    assert behind.state.acceptor == AcceptorState()


def test_a_link_0_among_them_is_refused() -> None:
    """No chain has two, and what tells of another is not believed in the rest either."""
    behind = hand()
    other = Founding(chain_id="chain-2", machine_kind="register", founders=())

    outbox = behind.receive(decided(X, other), instance=3)

    assert refusals(outbox) == ["it tells of another link 0"]
    assert behind.state == stored()


def test_links_of_another_chain_are_refused() -> None:
    """As every message about one is."""
    behind = hand()

    outbox = behind.receive(decided(X), instance=2, chain_id="chain-2")

    assert refusals(outbox) == [f"it speaks of chain chain-2, this is chain {CHAIN}"]
    assert behind.state == stored()


def test_who_knows_no_link_0_takes_none_after_it() -> None:
    """Which chain they are of cannot be told."""
    founder = hand(state=stored(instance=0, founding=None))

    assert founder.receive(decided(X), instance=2) == Outbox()
    assert founder.state.instance == 0


# ------------------------------------------------------------------------------------ with a master


def bidding() -> tuple[Hand, NewMaster]:
    """Make a server whose bid for mastership has left, and return its bid."""
    bidder = Hand(compose(MASTER))
    bidder.timeout(Timer.ELECTION)
    (_, accept), *_ = sent(bidder.receive(promise_to(bidder)), Accept)
    assert isinstance(accept, Accept)
    return bidder, accept.value


def test_a_bid_that_is_told_to_have_won_counts_from_when_it_left() -> None:
    """Its hourglass has run since, and the others respect it from no earlier moment."""
    bidder, bid = bidding()

    outbox = bidder.receive(decided(bid), instance=2)

    assert bidder.value.lease is Timer.HOURGLASS_LEFT
    assert Timer.HOURGLASS_LEFT not in timers(outbox), "it runs on, and is not set anew"


def test_a_bid_whose_hourglass_has_ended_wins_no_lease_by_being_told() -> None:
    """The lease would be over already."""
    bidder, bid = bidding()
    bidder.timeout(Timer.HOURGLASS_LEFT)

    bidder.receive(decided(bid), instance=2)

    assert bidder.value.lease is None


def test_another_master_that_is_told_is_respected_for_a_full_lease() -> None:
    """From the moment of learning, which is never too early."""
    voter = Hand(compose(MASTER))

    outbox = voter.receive(decided(MASTER_B), instance=2)

    assert timers(outbox)[Timer.FOREIGN_LEASE] == MASTER_B.lease_seconds


# ------------------------------------------------------------------------------------- in a cluster


def test_one_lost_request_costs_one_question_and_one_answer() -> None:
    """The next request shows the loss, and the links that are missing come at once."""
    cluster, master = running_with_master()
    lost, other = others(cluster, master)
    cluster.run_for(0.2)
    began = cluster.time.now
    cluster.block(master, lost)
    cluster.submit(other, ("SET", "x"))
    cluster.run_for(0.1)
    cluster.heal()
    cluster.submit(other, ("SET", "y"))
    cluster.run_for(0.1)

    assert len(set(instances(cluster))) == 1
    assert cluster.servers[lost].replica.snapshot.value == "y"
    assert messages(cluster, server=lost, since=began)["Sync"] == 1
    helped = messages(cluster, server=master, since=began)
    assert (helped["Decided"], helped["CatchUp"]) == (1, 0)


@pytest.mark.parametrize("seed", range(5))
def test_where_messages_are_lost_nobody_stays_behind(seed: int) -> None:
    """One in twenty is lost; whoever misses a link has it soon after, and never a whole state."""
    cluster, master = running_with_master(seed=seed)
    cluster.network.weather = Weather(delay_seconds_min=0.0005, delay_seconds_max=0.001, loss=0.05)
    began = cluster.time.now
    for number in range(100):
        cluster.submit(master, ("SET", str(number)))
        cluster.run_for(0.02)
    cluster.network.weather = CALM
    cluster.run_for(1.2)
    cluster.submit(master, ("SET", "last"))
    cluster.run_for(0.2)

    assert len(set(instances(cluster))) == 1
    counted = messages(cluster, since=began)
    assert counted["Decided"] > 0
    assert counted["CatchUp"] == 0
    assert len(traced(cluster, "learned", since=began)) > 0
