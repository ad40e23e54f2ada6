"""Local reads: what a master may answer alone, and what it must not."""

import pytest
from tests.chain.support import (
    MASTER_B,
    Hand,
    link_of,
    read,
    request,
    stored,
    write,
)
from tests.strategies.support import (
    link_of_call,
    messages,
    others,
    result_of,
    running_with_master,
    traced,
)

from composable_paxos import LOWEST, Accept, AcceptorState, Prepare, ProposalID
from multipaxos.chain.durable import Session, Snapshot
from multipaxos.chain.effects import LocalRead, Outbox, Timer
from multipaxos.chain.links import NewMaster
from multipaxos.chain.messages import Forward
from multipaxos.chain.requests import Chosen, Refused
from multipaxos.chain.settings import Settings
from multipaxos.composition import compose
from multipaxos.invariants.linearizability import find_violation
from multipaxos.simulation.clients import history_of
from multipaxos.strategies.reads import LocalReads

LEASE = Timer.HOURGLASS_LEFT
READING = compose(("reads", "master", "lease", "resolution"))
VALUE_X = Snapshot(value="x")


def reading_hand(**arguments: object) -> Hand:
    """Return a server at link 5, where the value is x, that trusts a lease."""
    state = stored(instance=5, snapshot=VALUE_X)
    hand = Hand(LocalReads, **{"state": state, **arguments})  # type: ignore[arg-type]
    hand.value.lease = LEASE
    return hand


def local_read(number: int = 1, *, origin: str = "A", since: int = 5, link: int = 4) -> LocalRead:
    """Make what the driver is asked to vouch for: x, as of *link*."""
    return LocalRead(
        update=read(number, since=since),
        origin=origin,
        outcome=Chosen(link=link, result="x"),
        lease=LEASE,
    )


# --------------------------------------------------------------------------------------- by hand


def test_under_a_lease_a_read_needs_no_round() -> None:
    """The value is read now, and answered if the driver finds the lease running after that."""
    hand = reading_hand()

    outbox = hand.read()

    assert outbox == Outbox(reads=(local_read(),))
    assert hand.value.queue == {}


def test_without_a_lease_a_read_goes_through_the_chain() -> None:
    """Like an update."""
    hand = Hand(LocalReads)

    outbox = hand.read()

    assert outbox.reads == ()
    assert hand.value.paxos.wish == link_of(read())


def test_a_write_goes_through_the_chain_under_a_lease_too() -> None:
    """Only what changes nothing can be answered alone."""
    hand = reading_hand()

    outbox = hand.write("y")

    assert outbox.reads == ()
    assert hand.value.paxos.wish == link_of(write("y", since=5))


@pytest.mark.parametrize(
    "message",
    [
        Prepare(proposal_id=ProposalID(2, "B")),
        Accept(proposal_id=ProposalID(2, "B"), value=link_of(write("y"))),
    ],
    ids=type,
)
def test_a_read_waits_for_the_link_in_flight(message: Prepare | Accept) -> None:
    """It may be chosen already, and seen by another client: the read must not be older."""
    hand = reading_hand()
    hand.receive(message)

    waiting = hand.read()
    released = hand.decide(link_of(write("y")))

    assert waiting.reads == ()
    assert [r.outcome for r in released.reads] == [Chosen(link=5, result="y")]


def test_each_waiting_read_is_answered_once() -> None:
    """In the order in which they came, and not again after the next link."""
    hand = reading_hand()
    hand.receive(Prepare(proposal_id=ProposalID(2, "B")))
    hand.read(1)
    hand.read(2)

    first = hand.decide(link_of(write("y")))
    second = hand.decide(link_of(write("z", 2)))

    assert [r.update.request_id for r in first.reads] == [read(1).request_id, read(2).request_id]
    assert second.reads == ()


def test_after_a_restart_a_link_that_was_in_flight_is_waited_for() -> None:
    """What this server promised before the crash counts like a promise of today."""
    acceptor = AcceptorState(promised_id=ProposalID(1, "A"))
    hand = reading_hand(state=stored(instance=5, acceptor=acceptor, snapshot=VALUE_X))

    assert hand.read().reads == ()


def test_a_read_of_another_servers_client_is_answered_there() -> None:
    """The read remembers where it came from."""
    hand = reading_hand()

    outbox = hand.receive(Forward(updates=(read(),)), sender="C")

    assert outbox.reads == (local_read(origin="C", since=1),)


def test_too_many_waiting_reads_make_a_server_busy() -> None:
    """The client may go elsewhere."""
    hand = reading_hand(settings=Settings(queue_max=1))
    hand.receive(Prepare(proposal_id=ProposalID(2, "B")))
    hand.read(1)

    outbox = hand.read(2)

    assert [answer.outcome for answer in outbox.answers] == [
        Refused(reason="busy: 1 reads wait already")
    ]


def test_a_read_reads_whatever_its_client_wrote_before() -> None:
    """The number of a read says nothing about what the chain remembers of its client."""
    sessions = {"reader": Session(sequence=9, link=3, result=None)}
    hand = reading_hand(state=stored(instance=5, snapshot=Snapshot(value="x", sessions=sessions)))

    assert hand.read(1).reads == (local_read(),)


def test_waiting_reads_go_elsewhere_when_the_lease_ends_by_time() -> None:
    """They go through the chain, and nobody is forgotten."""
    hand = master_with_reads()

    outbox = hand.timeout(LEASE)

    assert outbox.reads == ()
    assert list(hand.value.queue) == [request(1, "writer"), read().request_id]


def test_waiting_reads_go_elsewhere_when_another_is_elected() -> None:
    """The value may change there without a word to us."""
    hand = master_with_reads()

    outbox = hand.decide(MASTER_B)

    assert outbox.reads == ()
    assert read().request_id in hand.value.queue


def test_waiting_reads_are_answered_under_a_renewed_lease() -> None:
    """The read names the hourglass that counts now."""
    hand = master_with_reads()
    assert isinstance(hand.value, LocalReads)
    hand.timeout(Timer.RENEWAL)
    hand.decide(link_of(write("x", 1, "writer", since=2)))

    waiting = hand.read(2)
    renewal = hand.value.paxos.wish
    assert isinstance(renewal, NewMaster)
    outbox = hand.decide(renewal)

    assert waiting.reads == ()
    assert [r.lease for r in outbox.reads] == [Timer.HOURGLASS_RIGHT]


def test_timers_of_others_leave_waiting_reads_alone() -> None:
    """As long as the lease runs they wait for their link."""
    hand = master_with_reads()
    assert isinstance(hand.value, LocalReads)

    hand.timeout(Timer.RETRANSMIT)

    assert len(hand.value.reads) == 1


def test_a_read_that_is_forwarded_again_waits_once() -> None:
    """A repeated Forward takes no place from other clients' reads."""
    hand = master_with_reads()
    assert isinstance(hand.value, LocalReads)

    hand.receive(Forward(updates=(read(7),)), sender="B")
    hand.receive(Forward(updates=(read(7),)), sender="B")

    assert len(hand.value.reads) == 2


def test_a_read_that_is_taken_anew_under_a_later_lease_is_read_again() -> None:
    """Its first value may be old by now."""
    hand = reading_hand()
    (first,) = hand.read().reads
    hand.decide(link_of(write("y")))

    outbox = hand.retry(first)

    assert [r.outcome for r in outbox.reads] == [Chosen(link=5, result="y")]


def test_a_read_that_is_taken_anew_still_knows_where_it_came_from() -> None:
    """Its client waits at the other server, not here."""
    hand = reading_hand()

    outbox = hand.retry(local_read(origin="C"))

    assert outbox.reads == (local_read(origin="C"),)


def master_with_reads() -> Hand:
    """Return a master with a write of its own in flight and a read that waits for it."""
    hand = Hand(READING)
    hand.start()
    hand.timeout(Timer.ELECTION)
    bid = hand.value.paxos.wish
    # Our own Accept must have left: that is what turns the hourglass.
    hand.value.send_accept(Accept(proposal_id=ProposalID(2, "A"), value=bid))
    hand.value.take_outbox()
    hand.decide(bid, proposal_id=ProposalID(2, "A"))
    assert hand.value.lease is LEASE
    hand.write("x", 1, "writer")
    assert hand.value.paxos.state.promised_id > LOWEST
    assert hand.read().reads == ()
    return hand


# ------------------------------------------------------------------------------- on a whole cluster


def test_a_master_reads_without_a_message() -> None:
    """No other server is asked."""
    cluster, master = running_with_master()
    cluster.submit(master, ("SET", "x"))
    cluster.run_for(0.2)
    since = cluster.time.now

    call = cluster.submit(master, ("GET",))

    assert result_of(call) == "x"
    assert call.returned_at == since
    assert not messages(cluster, since=since)


def test_a_read_at_another_server_is_answered_by_the_master() -> None:
    """Forwarded there, answered back: no link is spent."""
    cluster, master = running_with_master()
    cluster.submit(master, ("SET", "x"))
    cluster.run_for(0.2)
    since = cluster.time.now

    call = cluster.submit(others(cluster, master)[0], ("GET",))
    cluster.run_for(0.1)

    assert result_of(call) == "x"
    assert messages(cluster, since=since) == {"Forward": 1, "Answered": 1}


def test_a_process_that_stood_still_between_reading_and_answering_does_not_answer() -> None:
    """The lease ended meanwhile, another master wrote: the old value must not be given away."""
    cluster, master = running_with_master()
    (other, _) = others(cluster, master)
    cluster.submit(master, ("SET", "old"))
    cluster.run_for(0.5)
    newer = []

    # The first reading begins the event; the second is the check of the lease.
    cluster.stall_at_reading(master, 2, 8.0)
    cluster.time.call_at(
        cluster.time.now + 4.0, lambda: newer.append(cluster.submit(other, ("SET", "new")))
    )
    call = cluster.submit(master, ("GET",))
    cluster.run_for(10.0)

    assert result_of(call) == "new"
    assert link_of_call(newer[0]) < link_of_call(call)
    assert traced(cluster, "lease ended", server=master) != []


def test_reads_and_writes_around_a_change_of_masters_have_one_order() -> None:
    """What clients saw can be explained by single steps, one after the other."""
    cluster, master = running_with_master()
    calls = []
    for step in range(60):
        if step == 20:
            cluster.partition((master,), others(cluster, master))
        if step == 45:
            cluster.heal()
        uid = cluster.uids[step % 3]
        calls.append(cluster.submit(uid, ("SET", str(step)) if step % 4 == 0 else ("GET",)))
        cluster.run_for(0.2)
    cluster.run_for(10.0)

    assert all(call.answered for call in calls)
    assert find_violation(history_of(cluster)) == ()
