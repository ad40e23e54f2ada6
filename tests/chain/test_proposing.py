"""The queue of a server's clients, and the rounds of the passive proposer."""

import pytest
from tests.chain.support import Hand, events, link_of, read, request, sent, stored, write

from composable_paxos import (
    LOWEST,
    Accept,
    Accepted,
    Nack,
    Prepare,
    Promise,
    ProposalID,
)
from multipaxos.chain.durable import Session, Snapshot
from multipaxos.chain.effects import LocalRead, Outbox, Timer
from multipaxos.chain.events import EventKind
from multipaxos.chain.links import Nothing, Updates
from multipaxos.chain.messages import Answered, Forward
from multipaxos.chain.requests import Chosen, Outcome, Refused, Unknown
from multipaxos.chain.settings import Settings

A2 = ProposalID(2, "A")
IN_LINK_4 = Snapshot(value="x", sessions={"client": Session(sequence=3, link=4, result=True)})


def promise(acceptor: str, proposal_id: ProposalID = A2) -> Promise:
    """Promise to an acceptor that has accepted nothing."""
    return Promise(
        acceptor=acceptor, proposal_id=proposal_id, accepted_id=LOWEST, accepted_value=None
    )


def outcomes(outbox: Outbox) -> list[Outcome]:
    """Return what the clients are told."""
    return [answer.outcome for answer in outbox.answers]


# -------------------------------------------------------------------------------------------- queue


def test_an_update_waits_for_its_link() -> None:
    """A client is not answered before its update is in the chain; the passive server sends none."""
    hand = Hand()

    outbox = hand.write("x")

    assert outbox == Outbox()
    assert hand.value.queue == {request(): write("x", since=1)}
    assert hand.value.paxos.wish == link_of(write("x"))


def test_an_update_says_where_the_chain_was_when_it_came_in() -> None:
    """That is how the chain can tell later that it cannot be in an earlier link."""
    hand = Hand(state=stored(instance=7))

    hand.write("x")

    assert hand.value.queue[request()].since == 7


def test_a_request_that_is_in_the_chain_is_answered_at_once() -> None:
    """A retry through any server gets the first answer again."""
    hand = Hand(state=stored(instance=5, snapshot=IN_LINK_4))

    outbox = hand.write("x", 3)

    assert outcomes(outbox) == [Chosen(link=4, result=True)]
    assert hand.value.queue == {}


def test_a_request_that_a_later_one_has_overtaken_is_answered_unknown() -> None:
    """The chain does not remember whether it holds it: nobody promises anything."""
    hand = Hand(state=stored(instance=5, snapshot=IN_LINK_4))

    outbox = hand.write("x", 2)

    assert [type(outcome) for outcome in outcomes(outbox)] == [Unknown]
    assert hand.value.queue == {}


def test_a_read_is_never_answered_from_memory() -> None:
    """The chain does not remember reads: whatever their number, they go into the next link."""
    hand = Hand(state=stored(instance=5, snapshot=IN_LINK_4))

    outbox = hand.submit(request(3), ("GET",))

    assert outcomes(outbox) == []
    assert request(3) in hand.value.queue


def test_the_oldest_update_comes_first() -> None:
    """Updates are proposed in the order in which they came in."""
    hand = Hand()
    hand.write("x", client="one")
    hand.write("y", client="two")

    hand.decide(link_of(write("x", client="one")))

    assert hand.value.paxos.wish == link_of(write("y", client="two"))


def test_an_update_whose_link_was_taken_goes_into_the_next() -> None:
    """Another's value is chosen: ours is not lost, and its client goes on waiting."""
    hand = Hand()
    hand.write("mine", client="one")

    outbox = hand.decide(link_of(write("another", client="two")))

    assert outcomes(outbox) == []
    assert hand.state.instance == 2
    assert hand.value.paxos.wish == link_of(write("mine", client="one"))


def test_a_server_with_a_full_queue_says_that_it_is_busy() -> None:
    """The request was not taken, and the client may go elsewhere."""
    hand = Hand(settings=Settings(queue_max=2))
    hand.write("1", client="one")
    hand.write("2", client="two")

    outbox = hand.write("3", client="three")

    assert outcomes(outbox) == [Refused(reason="busy: 2 updates wait already")]
    assert request(client="three") not in hand.value.queue


def test_a_retry_of_what_waits_already_finds_room_in_a_full_queue() -> None:
    """It waits already: it takes no more room, and refusing it would be a lie."""
    hand = Hand(settings=Settings(queue_max=1))
    hand.write("1", client="one")

    outbox = hand.write("1", client="one")

    assert outcomes(outbox) == []


def test_room_is_made_by_each_link() -> None:
    """What is in the chain waits no more."""
    hand = Hand(settings=Settings(queue_max=1))
    hand.write("1", client="one")
    hand.decide(link_of(write("1", client="one")))

    hand.write("2", client="two")

    assert list(hand.value.queue) == [request(client="two")]


def test_an_update_of_another_servers_client_is_queued_like_an_own_one() -> None:
    """It is proposed here; the answer is the other server's affair."""
    hand = Hand()

    hand.receive(Forward(updates=(write("x"),)))
    outbox = hand.decide(link_of(write("x")))

    assert outbox.answers == ()
    assert hand.state.snapshot.value == "x"
    assert hand.value.queue == {}


def test_the_answer_to_a_forwarded_read_reaches_the_client() -> None:
    """The master read the value: the read need not go into the chain any more."""
    hand = Hand()
    hand.submit(read().request_id, ("GET",))

    outbox = hand.receive(Answered(request_id=read().request_id, link=4, result="x"))

    assert outcomes(outbox) == [Chosen(link=4, result="x")]
    assert hand.value.queue == {}


def test_an_answer_that_nobody_waits_for_is_ignored() -> None:
    """It may come twice, or after the read was answered another way."""
    outbox = Hand().receive(Answered(request_id=request(), link=4, result="x"))

    assert outbox == Outbox()


# -------------------------------------------------------------------------------------- local reads


LOCAL_READ = LocalRead(
    update=read(),
    origin="A",
    outcome=Chosen(link=4, result="x"),
    lease=Timer.HOURGLASS_LEFT,
)


def test_a_read_under_a_lease_is_answered_when_it_is_released() -> None:
    """The clock was looked at after the value was read."""
    hand = Hand()
    hand.submit(read().request_id, ("GET",))

    outbox = hand.release(LOCAL_READ)

    assert outcomes(outbox) == [Chosen(link=4, result="x")]


def test_a_read_of_another_servers_client_is_answered_there() -> None:
    """The result travels back to where the client waits."""
    local_read = LocalRead(
        update=read(),
        origin="C",
        outcome=Chosen(link=4, result="x"),
        lease=Timer.HOURGLASS_LEFT,
    )

    outbox = Hand().release(local_read)

    assert sent(outbox) == [("C", Answered(request_id=read().request_id, link=4, result="x"))]


def test_only_a_result_travels_back() -> None:
    """What is not chosen is no answer to a read."""
    local_read = LocalRead(
        update=read(),
        origin="C",
        outcome=Refused(reason="no"),
        lease=Timer.HOURGLASS_LEFT,
    )

    assert Hand().release(local_read) == Outbox()


def test_a_read_whose_lease_ended_is_taken_anew() -> None:
    """Its value cannot be vouched for: it goes through the chain."""
    hand = Hand()

    outbox = hand.retry(LOCAL_READ)

    assert outbox.answers == ()
    assert hand.value.queue == {read().request_id: read()}


# ---------------------------------------------------------------------------------------- proposing


def test_a_round_goes_from_promises_to_a_link() -> None:
    """The passive server answers as proposer, but does not begin by itself."""
    hand = Hand()
    hand.write("x")

    hand.value.start_round()
    prepared = hand.value.take_outbox()
    asked = hand.receive(promise("B"))
    resolved = hand.receive(Accepted(acceptor="B", proposal_id=A2, value=link_of(write("x"))))

    assert sent(prepared) == [(uid, Prepare(proposal_id=A2)) for uid in "BC"]
    assert sent(asked, Accept) == [
        (uid, Accept(proposal_id=A2, value=link_of(write("x")))) for uid in "BC"
    ]
    assert outcomes(resolved) == [Chosen(link=1, result=True)]


def test_promises_that_are_no_quorum_yet_change_nothing() -> None:
    """In a cluster of five, the own promise and one more are not enough."""
    hand = Hand(servers="ABCDE")
    hand.write("x")
    hand.value.start_round()
    hand.value.take_outbox()

    assert hand.receive(promise("B")) == Outbox()


def test_ordinary_numbers_begin_at_2() -> None:
    """Number 1 is the master's."""
    hand = Hand()

    hand.value.start_round()

    assert sent(hand.value.take_outbox())[0] == ("B", Prepare(proposal_id=A2))


def test_a_round_that_is_refused_by_too_many_goes_on_with_the_next_number() -> None:
    """The passive server prepares again at once, above what refused it, and says why."""
    hand = Hand()
    hand.value.start_round()
    hand.value.take_outbox()
    nacks = [
        Nack(acceptor=uid, proposal_id=A2, promised_id=ProposalID(5, "C")) for uid in ("B", "C")
    ]

    first = hand.receive(nacks[0])
    second = hand.receive(nacks[1], sender="C")

    assert first == Outbox()
    assert sent(second)[0] == ("B", Prepare(proposal_id=ProposalID(6, "A")))
    (event,) = events(second, EventKind.ROUND_LOST)
    assert event.text == "too many refuse 2.A"
    assert event.details["proposal_id"] == A2
    assert event.details["promised_id"] == ProposalID(5, "C")


def test_nothing_is_proposed_without_memory() -> None:
    """Whoever does not know whether it voted before must not begin rounds; its clients wait."""
    hand = Hand(memoryless=True)
    hand.start()

    hand.write("x")

    assert not hand.value.may_propose()
    assert hand.value.paxos.wish is None
    assert list(hand.value.queue) == [request()]


def test_what_waited_for_memory_is_proposed_when_it_is_there() -> None:
    """Joining takes up what came in before."""
    hand = Hand(memoryless=True)
    hand.write("x")
    hand.value.memoryless = False

    hand.value.joined()

    assert isinstance(hand.value.paxos.wish, Updates)


def test_what_waited_for_a_foreign_lease_is_proposed_when_that_ends() -> None:
    """The hook by which a strategy tells that rivals need not be respected any more."""
    hand = Hand()
    hand.value.queue[request()] = write("x")

    hand.value.foreign_lease_ended()

    assert hand.value.paxos.wish == link_of(write("x"))


def test_nothing_is_proposed_on_links_that_are_sat_out() -> None:
    """Numbers used there before may be forgotten; the update waits for a link with a vote."""
    hand = Hand(state=stored(votes_from=2))
    hand.write("x", client="one")
    assert not hand.value.may_propose()
    assert hand.value.paxos.wish is None

    hand.decide(Nothing())

    assert hand.value.may_propose()
    assert hand.value.paxos.wish == link_of(write("x", client="one"))


def test_the_first_wish_of_an_instance_stays() -> None:
    """A second update does not change what a round may have promised to stand for."""
    hand = Hand()

    hand.write("x", client="one")
    hand.write("y", client="two")

    assert hand.value.paxos.wish == link_of(write("x", client="one"))


def test_a_command_is_proposed_as_the_client_gave_it() -> None:
    """The link holds the request's id and command."""
    hand = Hand()

    hand.submit(request(9), ("SET", "abc"))

    (update,) = hand.value.paxos.wish.updates
    assert (update.request_id, update.command) == (request(9), ("SET", "abc"))


@pytest.mark.parametrize("timer", list(Timer))
def test_the_passive_server_knows_no_timers(timer: Timer) -> None:
    """Time is the strategies' concern."""
    assert Hand().timeout(timer) == Outbox()
