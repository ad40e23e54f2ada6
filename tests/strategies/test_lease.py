"""Respect for leases: nobody helps a rival of the master that the chain names."""

import pytest
from tests.chain.support import (
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
from tests.strategies.support import MASTER, PLAIN, others, running_with_master, traced

from composable_paxos import Accept, Accepted, Prepare, Promise, ProposalID
from multipaxos.chain.durable import DurableState, Snapshot
from multipaxos.chain.effects import Timer
from multipaxos.chain.events import EventKind
from multipaxos.chain.links import NewMaster
from multipaxos.chain.settings import Settings
from multipaxos.composition import compose
from multipaxos.strategies.lease import LeaseRespect

C2 = ProposalID(2, "C")
VALUE = link_of(write("x"))
LED_BY_B = stored(snapshot=Snapshot(master=MASTER_B))
LED_BY_A = stored(snapshot=Snapshot(master=NewMaster(uid="A", lease_seconds=2.0, bid="b")))


def respectful() -> Hand:
    """Return a server that has just learned that B is master."""
    hand = Hand(LeaseRespect)
    hand.start()
    hand.decide(MASTER_B)
    return hand


@pytest.mark.parametrize(
    "message", [Prepare(proposal_id=C2), Accept(proposal_id=C2, value=VALUE)], ids=type
)
def test_a_rival_of_the_master_gets_silence(message: Prepare | Accept) -> None:
    """Neither a vote nor a refusal: a refusal would make it try a higher number."""
    hand = respectful()

    outbox = hand.receive(message, sender="C")

    assert sent(outbox) == []
    assert outbox.save is None
    assert refusals(outbox) == ["the lease of B still runs"]


def test_the_master_gets_votes() -> None:
    """The lease is there to help it."""
    hand = respectful()

    prepared = hand.receive(Prepare(proposal_id=ProposalID(2, "B")))
    accepted = hand.receive(Accept(proposal_id=ProposalID(2, "B"), value=VALUE))

    assert [type(message) for _, message in sent(prepared)] == [Promise]
    assert sent(accepted, Accepted) != []


def test_number_1_stays_the_masters_when_its_lease_has_ended() -> None:
    """What belongs to it by the chain does not depend on any clock."""
    hand = respectful()
    hand.timeout(Timer.FOREIGN_LEASE)

    outbox = hand.receive(Accept(proposal_id=ProposalID(1, "C"), value=VALUE), sender="C")

    assert refusals(outbox) == ["number 1 belongs to the master, B"]


def test_who_sits_links_out_says_so_first() -> None:
    """The reason that holds longest is the one that is told."""
    hand = Hand(LeaseRespect, state=stored(votes_from=9, snapshot=Snapshot(master=MASTER_B)))
    hand.start()

    outbox = hand.receive(Prepare(proposal_id=C2), sender="C")

    assert refusals(outbox) == ["no votes below link 9: some may have been forgotten"]


def test_respect_includes_not_being_a_rival() -> None:
    """The own proposals wait as well, and go out when the lease has ended."""
    hand = respectful()
    hand.write("x")
    assert not hand.value.may_propose()
    assert hand.value.paxos.wish is None

    hand.timeout(Timer.FOREIGN_LEASE)

    assert hand.value.may_propose()
    assert hand.value.paxos.wish is not None


def test_a_lease_that_has_ended_is_respected_no_more() -> None:
    """Rivals are welcome: the master may be dead."""
    hand = respectful()

    hand.timeout(Timer.FOREIGN_LEASE)

    outbox = hand.receive(Prepare(proposal_id=C2), sender="C")
    assert [type(message) for _, message in sent(outbox)] == [Promise]


def test_other_timers_do_not_end_the_respect() -> None:
    """Only the full time of the lease does."""
    hand = respectful()

    hand.timeout(Timer.RETRANSMIT)

    assert not hand.value.may_propose()


# -------------------------------------------------------------------------------- how long it lasts


def test_a_full_lease_counts_from_learning() -> None:
    """The link says how long: other servers' settings are no excuse."""
    hand = Hand(LeaseRespect, settings=Settings(lease_seconds=2.0))

    outbox = hand.decide(NewMaster(uid="B", lease_seconds=7.0, bid="b"))

    assert timers(outbox) == {Timer.FOREIGN_LEASE: 7.0}
    (event,) = events(outbox, EventKind.FOREIGN_LEASE)
    assert event.text == "respects the lease of B"
    assert (event.details["master"], event.details["seconds"]) == ("B", 7.0)


def test_a_renewal_counts_anew() -> None:
    """Each NewMaster link is a lease of its own."""
    hand = respectful()

    outbox = hand.decide(NewMaster(uid="B", lease_seconds=2.0, bid="next"))

    assert timers(outbox) == {Timer.FOREIGN_LEASE: 2.0}


def test_links_in_between_change_nothing() -> None:
    """An update is no renewal."""
    hand = respectful()

    outbox = hand.decide(VALUE)

    assert timers(outbox) == {}
    assert not hand.value.may_propose()


def test_after_a_restart_a_full_lease_counts_anew() -> None:
    """How much of it had passed is not known any more."""
    hand = Hand(LeaseRespect, state=LED_BY_B)

    outbox = hand.start()

    assert timers(outbox) == {Timer.FOREIGN_LEASE: 2.0}
    assert sent(hand.receive(Prepare(proposal_id=C2), sender="C")) == []


def test_after_a_catch_up_a_full_lease_counts_anew() -> None:
    """A renewal may be among the links that were skipped."""
    hand = Hand(LeaseRespect, state=LED_BY_B)
    hand.start()
    hand.timeout(Timer.FOREIGN_LEASE)

    hand.value.install(9, FOUNDING, LED_BY_B.snapshot)
    outbox = hand.value.take_outbox()

    assert timers(outbox) == {Timer.FOREIGN_LEASE: 2.0}
    assert not hand.value.may_propose()


def test_a_restarted_server_respects_before_it_proposes() -> None:
    """What waited for its start must not slip out first."""
    hand = Hand(compose(("lease", "resolution")), state=LED_BY_B)
    hand.value.queue[request()] = write("x")

    outbox = hand.start()

    assert sent(outbox) == []


# ------------------------------------------------------------------------------- whose lease counts


@pytest.mark.parametrize("state", [LED_BY_A, stored()], ids=["own", "nobody's"])
def test_neither_the_own_lease_nor_nobodys_is_respected(state: DurableState) -> None:
    """There is no rival to hold back from."""
    hand = Hand(LeaseRespect, state=state)

    outbox = hand.start()

    assert timers(outbox) == {Timer.FOREIGN_LEASE: None}
    assert hand.value.may_propose()
    assert [type(m) for _, m in sent(hand.receive(Prepare(proposal_id=C2), sender="C"))] == [
        Promise
    ]


def test_the_own_election_ends_the_respect_for_another() -> None:
    """The chain names this server now."""
    hand = respectful()

    outbox = hand.decide(NewMaster(uid="A", lease_seconds=2.0, bid="b"))

    assert timers(outbox) == {Timer.FOREIGN_LEASE: None}
    assert hand.value.may_propose()


def test_the_newest_master_is_respected() -> None:
    """Another election replaces whose rivals are refused."""
    hand = respectful()
    hand.decide(NewMaster(uid="C", lease_seconds=2.0, bid="b"))

    of_c = hand.receive(Prepare(proposal_id=C2), sender="C")
    of_b = hand.receive(Prepare(proposal_id=ProposalID(3, "B")))

    assert [type(message) for _, message in sent(of_c)] == [Promise]
    assert refusals(of_b) == ["the lease of C still runs"]


def test_a_server_without_the_master_strategy_respects_leases_too() -> None:
    """Mastership may be switched on for some and off for others between runs of one chain."""
    cluster, master = running_with_master()
    (plain, *_) = others(cluster, master)
    cluster.crash(plain)
    cluster.replica_class = compose([name for name in MASTER if name not in ("master", "reads")])
    cluster.restart(plain)
    started_at = cluster.time.now

    cluster.run_for(3.0)

    respected = traced(cluster, "foreign lease", server=plain, since=started_at)
    assert {event.fields["master"] for event in respected} == {master}
    assert cluster.trusting() == [master]


def test_a_dead_masters_lease_is_waited_out() -> None:
    """Nobody else becomes master while it may still believe in its lease; then somebody does."""
    cluster, master = running_with_master()
    cluster.run_for(5.0)
    newest = max(event.seconds for event in traced(cluster, "lease began"))
    cluster.crash(master)
    crashed_at = cluster.time.now

    assert cluster.run_until(lambda: bool(cluster.trusting()), limit_seconds=10.0)

    assert cluster.trusting() != [master]
    assert cluster.time.now >= newest + cluster.settings.lease_seconds
    assert cluster.time.now <= crashed_at + 5.0


def test_switching_mastership_off_leaves_the_chain_going() -> None:
    """All servers return without the strategy: the old lease ends, and anybody proposes."""
    cluster, _ = running_with_master()
    for uid in cluster.uids:
        cluster.crash(uid)
    cluster.replica_class = compose(PLAIN)
    cluster.start()

    calls = [cluster.submit(uid, ("SET", uid)) for uid in cluster.uids]
    cluster.run_for(6.0)

    assert all(call.answered for call in calls)
    assert cluster.trusting() == []
