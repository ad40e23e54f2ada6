"""Master leases: who is master, from when, until when, and what it may skip."""

import pytest
from tests.chain.support import (
    FOUNDING,
    MASTER_B,
    Hand,
    events,
    link_of,
    request,
    sent,
    stored,
    timers,
    write,
)
from tests.strategies.support import (
    MASTER,
    PLAIN,
    link_of_call,
    messages,
    others,
    running_with_master,
    traced,
)

from composable_paxos import (
    Accept,
    Accepted,
    AcceptorState,
    Nack,
    Prepare,
    Promise,
    ProposalID,
)
from multipaxos.chain.durable import Snapshot
from multipaxos.chain.effects import Outbox, Timer
from multipaxos.chain.events import EventKind
from multipaxos.chain.links import NewMaster, Updates
from multipaxos.chain.settings import Settings
from multipaxos.composition import compose
from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.simulation.network import Weather
from multipaxos.strategies.master import MasterLease

MASTERFUL = compose(("master", "lease", "resolution"))
A1 = ProposalID(1, "A")
A2 = ProposalID(2, "A")
B2 = ProposalID(2, "B")
LEFT, RIGHT = Timer.HOURGLASS_LEFT, Timer.HOURGLASS_RIGHT
VALUE = link_of(write("x"))
NAMES_A = NewMaster(uid="A", lease_seconds=2.0, bid="of an earlier life")
HELD = Settings().held_lease_seconds


class Masterful(Hand):
    """A server that seeks mastership, under a person's hand."""

    def __init__(self, **arguments: object) -> None:
        """Make and start the server."""
        super().__init__(MASTERFUL, **arguments)  # type: ignore[arg-type]
        self.started = self.start()

    @property
    def master(self) -> MasterLease:
        """The protocol object."""
        assert isinstance(self.value, MasterLease)
        return self.value

    @property
    def bid(self) -> NewMaster:
        """The bid that is out."""
        assert self.master.bid is not None
        return self.master.bid

    def promise(self) -> Outbox:
        """Let B promise the round in progress."""
        number = self.value.paxos.proposal_id
        return self.receive(
            Promise(
                acceptor="B",
                proposal_id=number,
                accepted_id=ProposalID(0, ""),
                accepted_value=None,
            )
        )

    def accepted(self) -> Outbox:
        """Let B accept what the round in progress stands for: with our own vote, a quorum."""
        paxos = self.value.paxos
        return self.receive(
            Accepted(acceptor="B", proposal_id=paxos.proposal_id, value=paxos.value)
        )

    def elect(self) -> Outbox:
        """Let the server become master by the ordinary way."""
        self.timeout(Timer.ELECTION)
        self.promise()
        return self.accepted()


# ---------------------------------------------------------------------------------------- elections


def test_where_the_chain_names_nobody_a_server_waits_a_moment_and_bids() -> None:
    """Chance spreads the moments, so that one goes first."""
    hand = Masterful()
    wait = timers(hand.started)[Timer.ELECTION]
    assert wait is not None
    assert 0 <= wait <= hand.settings.election_seconds_max

    outbox = hand.timeout(Timer.ELECTION)

    assert sent(outbox, Prepare) == [(uid, Prepare(proposal_id=A2)) for uid in "BC"]
    assert hand.value.paxos.wish == hand.bid
    assert (hand.bid.uid, hand.bid.lease_seconds) == ("A", hand.settings.lease_seconds)


def test_servers_wait_for_different_moments() -> None:
    """The draw is the server's own."""
    waits = {timers(Masterful(seed=seed).started)[Timer.ELECTION] for seed in range(5)}

    assert len(waits) == 5


def test_where_the_chain_names_another_a_server_seeks_nothing() -> None:
    """It waits for the end of that lease first."""
    hand = Masterful(state=stored(snapshot=Snapshot(master=MASTER_B)))
    assert Timer.ELECTION not in timers(hand.started)

    outbox = hand.timeout(Timer.FOREIGN_LEASE)

    assert timers(outbox)[Timer.ELECTION] is not None


def test_another_that_is_elected_first_ends_the_own_attempt() -> None:
    """What was wanted is wanted no more; only the end of the new lease starts it again."""
    hand = Masterful()
    hand.timeout(Timer.ELECTION)

    outbox = hand.decide(MASTER_B)
    hand.timeout(Timer.FOREIGN_LEASE)

    assert timers(outbox)[Timer.ELECTION] is None
    assert hand.value.paxos.wish is None


def test_a_waiting_client_goes_first_where_mastership_is_not_wanted_yet() -> None:
    """Before the election nobody's update has to wait for it."""
    hand = Masterful()

    hand.write("x")

    assert hand.value.paxos.wish == link_of(write("x"))


def test_a_bid_that_another_value_displaced_is_made_again() -> None:
    """Mastership is wanted until it is there, in the next link if not in this."""
    hand = Masterful()
    hand.timeout(Timer.ELECTION)
    first = hand.bid

    hand.decide(VALUE)

    assert hand.value.paxos.wish == hand.bid
    assert hand.bid.bid != first.bid


def test_a_running_cluster_has_one_master() -> None:
    """Somebody is elected soon, and nobody beside it."""
    cluster, master = running_with_master()
    assert cluster.time.now < 1.0

    for _ in range(100):
        cluster.run_for(0.3)
        assert cluster.trusting() == [master]


# ----------------------------------------------------------------------------------------- number 1


def test_a_master_goes_straight_to_accept() -> None:
    """Where it promised nothing in the instance, number 1 is unused: phase 1 is skipped."""
    hand = Masterful()
    hand.elect()

    outbox = hand.write("x")

    assert sent(outbox, Prepare) == []
    link = link_of(write("x", since=2))
    assert sent(outbox, Accept) == [(uid, Accept(proposal_id=A1, value=link)) for uid in "BC"]
    assert outbox.save is not None
    assert outbox.save.state.acceptor == AcceptorState(
        promised_id=A1, accepted_id=A1, accepted_value=link
    )


@pytest.mark.parametrize("promised", [A1, A2, B2])
def test_a_master_that_promised_something_prepares(promised: ProposalID) -> None:
    """Number 1 may have been used before a crash, for another value: it is not used again."""
    state = stored(snapshot=Snapshot(master=NAMES_A), acceptor=AcceptorState(promised_id=promised))
    hand = Masterful(state=state)

    outbox = hand.write("x")

    assert sent(outbox, Accept) == []
    assert sent(outbox, Prepare) == [
        (uid, Prepare(proposal_id=ProposalID(promised.number + 1, "A"))) for uid in "BC"
    ]


def test_who_is_not_named_by_the_chain_prepares() -> None:
    """Mastership that is wanted, or was, is none."""
    hand = Masterful()

    assert sent(hand.write("x"), Accept) == []


def test_a_master_whose_number_1_was_refused_goes_on_with_an_ordinary_round() -> None:
    """A lease that fails costs a retry, never the chain."""
    hand = Masterful()
    hand.elect()
    hand.write("x")
    for uid in "BC":
        hand.receive(Nack(acceptor=uid, proposal_id=A1, promised_id=B2), sender=uid)

    outbox = hand.timeout(Timer.BACKOFF)

    ((_, prepare), _) = sent(outbox, Prepare)
    assert isinstance(prepare, Prepare)
    assert prepare.proposal_id > B2
    assert sent(outbox, Accept) == []


def test_a_master_whose_lease_is_over_may_still_use_number_1() -> None:
    """The log is safe without any clock: ownership comes from the chain alone."""
    hand = Masterful()
    hand.elect()

    outbox = hand.timeout(LEFT)

    assert (hand.value.master, hand.value.lease) == ("A", None)
    assert sent(outbox, Accept)[0] == ("B", Accept(proposal_id=A1, value=hand.bid))


def test_who_is_named_by_a_bid_of_an_earlier_life_prepares() -> None:
    """That life may have used number 1 here, and told its disk nothing of it."""
    hand = Masterful(state=stored(snapshot=Snapshot(master=NAMES_A)))

    outbox = hand.write("x")

    assert sent(outbox, Accept) == []
    assert sent(outbox, Prepare)[0] == ("B", Prepare(proposal_id=A2))


def test_number_1_is_used_once_in_an_instance_although_the_own_acceptor_was_not_asked() -> None:
    """A proposer that does not vote knows by itself what it has asked for."""
    hand = Masterful()
    hand.elect()
    hand.write("x")
    assert not hand.value.is_untouched
    for uid in "BC":
        hand.receive(Nack(acceptor=uid, proposal_id=A1, promised_id=B2), sender=uid)

    assert sent(hand.timeout(Timer.BACKOFF), Accept) == []


def test_under_a_master_a_link_takes_one_round_trip() -> None:
    """Accept and accepted; nobody prepares."""
    cluster, master = running_with_master()
    cluster.run_for(0.1)
    since = cluster.time.now

    call = cluster.submit(master, ("SET", "x"))
    cluster.run_for(0.1)

    assert link_of_call(call) > 0
    counted = messages(cluster, since=since)
    # The others are told soon, if no further request tells them.
    assert set(counted) == {"Accept", "Accepted", "Sync"}
    assert counted["Accept"] == 2


# -------------------------------------------------------------------------------------- hourglasses


def test_the_hourglass_is_turned_when_the_bid_leaves() -> None:
    """With the Accept, not with the Prepare before it nor with its success after it."""
    hand = Masterful()

    prepared = hand.timeout(Timer.ELECTION)
    asked = hand.promise()
    elected = hand.accepted()

    assert LEFT not in timers(prepared)
    assert timers(asked)[LEFT] == pytest.approx(HELD)
    assert sent(asked, Accept)[0] == ("B", Accept(proposal_id=A2, value=hand.value.snapshot.master))
    assert LEFT not in timers(elected)
    assert hand.value.lease is LEFT
    (event,) = events(elected, EventKind.LEASE_BEGAN)
    assert event.text == "is master"
    assert event.details["lease"] is LEFT


def test_the_lease_is_held_for_less_than_the_others_respect_it() -> None:
    """By as much as two clocks may differ."""
    hand = Masterful(settings=Settings(lease_seconds=10.0, clock_rate_error=0.1))
    hand.timeout(Timer.ELECTION)

    outbox = hand.promise()

    assert hand.bid.lease_seconds == 10.0
    assert timers(outbox)[LEFT] == pytest.approx(10.0 * 0.9 / 1.1)


def test_a_repeated_bid_does_not_turn_the_hourglass_again() -> None:
    """The others may have learned of its success from the first sending."""
    hand = Masterful()
    hand.timeout(Timer.ELECTION)
    hand.promise()

    outbox = hand.timeout(Timer.RETRANSMIT)

    assert sent(outbox, Accept) != []
    assert timers(outbox) == {Timer.RETRANSMIT: 1.0}


def test_a_bid_in_a_second_round_does_not_turn_the_hourglass_again() -> None:
    """The first round's Accept may have won already."""
    hand = Masterful()
    hand.timeout(Timer.ELECTION)
    hand.promise()
    for uid in "BC":
        nack = Nack(acceptor=uid, proposal_id=A2, promised_id=ProposalID(2, "Z"))
        hand.receive(nack, sender=uid)
    hand.timeout(Timer.BACKOFF)

    outbox = hand.promise()

    assert sent(outbox, Accept) != []
    assert not {LEFT, RIGHT} & set(timers(outbox))


def test_another_value_than_the_bid_turns_no_hourglass() -> None:
    """A round that must carry on another's value wins no lease."""
    hand = Masterful()
    hand.timeout(Timer.ELECTION)

    outbox = hand.receive(
        Promise(acceptor="B", proposal_id=A2, accepted_id=ProposalID(1, "B"), accepted_value=VALUE)
    )

    assert sent(outbox, Accept) != []
    assert not {LEFT, RIGHT} & set(timers(outbox))


def test_a_bid_that_wins_after_its_hourglass_ran_out_gives_no_lease() -> None:
    """What it won is over already; a new bid follows."""
    hand = Masterful()
    hand.timeout(Timer.ELECTION)
    hand.promise()
    late = hand.bid
    hand.timeout(LEFT)

    outbox = hand.accepted()

    assert hand.value.snapshot.master == late
    assert hand.value.lease is None
    assert events(outbox, EventKind.LEASE_BEGAN) == []
    assert hand.bid.bid != late.bid


def test_a_bid_from_before_a_crash_gives_no_lease() -> None:
    """Its hourglass is gone: nobody knows how much of the lease is left."""
    before = Masterful()
    before.timeout(Timer.ELECTION)
    before.promise()
    old_bid = before.bid
    after = Masterful(state=before.state, seed=1)

    outbox = after.decide(old_bid, proposal_id=A2, acceptors="AB")

    assert after.value.master == "A"
    assert after.value.lease is None
    assert events(outbox, EventKind.LEASE_BEGAN) == []
    assert sent(outbox, Prepare)[0] == ("B", Prepare(proposal_id=A2))
    assert after.value.paxos.wish == after.bid


def test_a_catch_up_gives_no_lease() -> None:
    """When the bid was decided is not known; who is named without a lease bids anew."""
    hand = Masterful()
    hand.timeout(Timer.ELECTION)
    hand.promise()
    won = hand.bid

    hand.value.install(4, FOUNDING, Snapshot(master=won))
    outbox = hand.value.take_outbox()

    assert hand.value.lease is None
    assert timers(outbox)[LEFT] is None
    assert hand.bid.bid != won.bid
    assert timers(hand.promise())[LEFT] is not None


def test_a_catch_up_that_names_this_server_makes_it_bid() -> None:
    """It won in an earlier life: only a bid of this life gives it the lease."""
    hand = Masterful()

    hand.value.install(4, FOUNDING, Snapshot(master=NAMES_A))
    outbox = hand.value.take_outbox()

    assert hand.value.lease is None
    assert sent(outbox, Prepare)[0] == ("B", Prepare(proposal_id=A2))
    assert hand.value.paxos.wish == hand.bid


def test_an_election_that_is_won_ends_the_wait_for_one() -> None:
    """A bid that came out of turn leaves no timer that would make another."""
    hand = Masterful()
    assert Timer.ELECTION in timers(hand.started)
    hand.value.install(4, FOUNDING, Snapshot(master=NAMES_A))
    hand.value.take_outbox()
    hand.promise()

    outbox = hand.accepted()

    assert hand.value.lease is LEFT
    assert timers(outbox)[Timer.ELECTION] is None


def test_a_catch_up_that_names_another_ends_the_own_lease() -> None:
    """Whoever was elected in the links that were skipped is master now."""
    hand = Masterful()
    hand.elect()

    hand.value.install(9, FOUNDING, Snapshot(master=MASTER_B))
    outbox = hand.value.take_outbox()

    assert hand.value.lease is None
    assert events(outbox, EventKind.LEASE_ENDED) != []
    assert timers(outbox)[LEFT] is None


def test_a_catch_up_that_names_nobody_leaves_the_wish_for_mastership() -> None:
    """The chain has no master there either: the bid is made again."""
    hand = Masterful()
    hand.timeout(Timer.ELECTION)
    first = hand.bid

    hand.value.install(4, FOUNDING, Snapshot())
    outbox = hand.value.take_outbox()

    assert sent(outbox, Prepare) != []
    assert hand.bid.bid != first.bid


def test_a_bid_that_was_displaced_leaves_no_hourglass_running() -> None:
    """It can win nothing any more."""
    hand = Masterful()
    hand.timeout(Timer.ELECTION)
    hand.promise()

    outbox = hand.decide(VALUE)

    assert timers(outbox)[LEFT] is None
    assert hand.value.lease is None


# ------------------------------------------------------------------------------------------ renewal


def test_a_renewal_is_bid_for_before_the_lease_ends() -> None:
    """With the head start that the settings name: counted from the bid, as the lease is."""
    hand = Masterful()

    hand.timeout(Timer.ELECTION)

    asked = hand.promise()
    elected = hand.accepted()

    assert timers(asked)[Timer.RENEWAL] == pytest.approx(
        HELD - hand.settings.renewal_head_start_seconds
    )
    assert Timer.RENEWAL not in timers(elected)


def test_asking_for_a_renewal_does_not_extend_the_lease() -> None:
    """The running hourglass stays as it is; the other one is turned for the bid."""
    hand = Masterful()
    hand.elect()

    outbox = hand.timeout(Timer.RENEWAL)

    assert sent(outbox, Accept)[0] == ("B", Accept(proposal_id=A1, value=hand.bid))
    assert timers(outbox)[RIGHT] == pytest.approx(HELD)
    assert LEFT not in timers(outbox)
    assert hand.value.lease is LEFT


def test_a_renewal_that_is_won_changes_the_hourglass() -> None:
    """The new lease counts from its own bid; the old hourglass is put away."""
    hand = Masterful()
    hand.elect()
    hand.timeout(Timer.RENEWAL)

    outbox = hand.accepted()

    assert hand.value.lease is RIGHT
    assert timers(outbox)[LEFT] is None
    assert RIGHT not in timers(outbox)
    hand.timeout(Timer.RENEWAL)
    hand.accepted()
    assert hand.value.lease is LEFT


def test_a_renewal_comes_before_what_waits() -> None:
    """Clients that keep the master busy cannot cost it the lease."""
    hand = Masterful()
    hand.elect()
    hand.write("1", client="one")
    hand.write("2", client="two")
    hand.timeout(Timer.RENEWAL)

    outbox = hand.accepted()

    assert sent(outbox, Accept)[0] == ("B", Accept(proposal_id=A1, value=hand.bid))
    next_outbox = hand.accepted()
    assert sent(next_outbox, Accept)[0] == (
        "B",
        Accept(proposal_id=A1, value=link_of(write("2", client="two", since=2))),
    )


def test_a_renewal_that_comes_due_before_its_lease_was_won_follows_at_once() -> None:
    """The election took so long that there is no time to lose."""
    hand = Masterful()
    hand.timeout(Timer.ELECTION)
    hand.promise()
    first = hand.bid
    hand.timeout(Timer.RENEWAL)

    outbox = hand.accepted()

    assert hand.value.lease is LEFT
    assert hand.bid.bid != first.bid
    assert timers(outbox)[RIGHT] == pytest.approx(HELD)


def test_a_master_on_slow_wires_keeps_its_lease() -> None:
    """A round trip that fits into the head start is quick enough for ever."""
    cluster = SimulatedCluster(
        strategies=MASTER,
        founded=True,
        settings=Settings(lease_seconds=2.0, renewal_head_start_seconds=1.0),
        weather=Weather(delay_seconds_min=0.4, delay_seconds_max=0.42),
    )
    cluster.start()
    assert cluster.run_until(lambda: bool(cluster.trusting()), limit_seconds=20.0)

    cluster.run_for(60.0)

    assert traced(cluster, "lease ended") == []
    assert len(cluster.trusting()) == 1


def test_a_busy_master_keeps_its_lease() -> None:
    """Requests all the time, renewals among them, one master throughout."""
    cluster, master = running_with_master()

    for number in range(100):
        cluster.submit(master, ("SET", str(number)))
        cluster.run_for(0.07)
        assert cluster.trusting() == [master]

    assert traced(cluster, "lease ended") == []
    assert len(traced(cluster, "lease began")) >= 5


# ---------------------------------------------------------------------------------- loss of a lease


def test_a_lease_ends_with_its_hourglass() -> None:
    """From then on nothing is answered alone; mastership is wanted again."""
    hand = Masterful()
    hand.elect()

    outbox = hand.timeout(LEFT)

    assert hand.value.lease is None
    (event,) = events(outbox, EventKind.LEASE_ENDED)
    assert event.text == "is master no more"
    assert event.details["lease"] is LEFT
    assert sent(outbox, Accept)[0] == ("B", Accept(proposal_id=A1, value=hand.bid))


def test_a_lease_that_ends_while_its_renewal_is_out_goes_on_with_the_renewal() -> None:
    """The bid's own hourglass still runs: when the bid wins, it counts."""
    hand = Masterful()
    hand.elect()
    hand.timeout(Timer.RENEWAL)
    ended = hand.timeout(LEFT)

    outbox = hand.accepted()

    assert timers(ended) == {LEFT: None}
    assert events(ended, EventKind.LEASE_ENDED) != []
    assert hand.value.lease is RIGHT
    assert sent(outbox, Accept) == []


def test_another_master_ends_the_own_lease() -> None:
    """The chain names another: whatever the hourglass says, it is over."""
    hand = Masterful()
    hand.elect()

    outbox = hand.decide(MASTER_B)

    assert hand.value.lease is None
    assert timers(outbox)[LEFT] is None
    assert timers(outbox)[Timer.RENEWAL] is None
    assert events(outbox, EventKind.LEASE_ENDED) != []


def test_ordinary_links_leave_the_lease_alone() -> None:
    """Only time and elections end it."""
    hand = Masterful()
    hand.elect()
    hand.write("x")

    hand.accepted()

    assert hand.value.lease is LEFT


def test_an_expired_hourglass_of_nobody_changes_nothing() -> None:
    """Where there is neither lease nor bid, no timer is either's."""
    hand = Masterful(state=stored(snapshot=Snapshot(master=MASTER_B)))

    assert hand.timeout(LEFT) == Outbox()


def test_the_named_master_that_restarts_bids_anew() -> None:
    """It has no lease, however short it was away; the others respect the old one and help it."""
    hand = Masterful(state=stored(snapshot=Snapshot(master=NAMES_A)))
    assert hand.value.lease is None
    assert timers(hand.started)[Timer.ELECTION] is not None

    outbox = hand.timeout(Timer.ELECTION)

    assert sent(outbox, Prepare)[0] == ("B", Prepare(proposal_id=A2))
    assert hand.value.paxos.wish == hand.bid


def test_a_master_that_restarts_is_master_again_soon() -> None:
    """Its own old lease does not stand in its way."""
    cluster, master = running_with_master()
    cluster.run_for(0.2)
    cluster.crash(master)
    cluster.restart(master)
    assert cluster.trusting() == []

    assert cluster.run_until(lambda: cluster.trusting() == [master], limit_seconds=1.0)


@pytest.mark.parametrize("seed", range(3))
def test_a_cut_off_master_stops_trusting_before_another_begins(seed: int) -> None:
    """Two servers never believe at one instant, though clocks run unequally fast."""
    cluster = SimulatedCluster(
        seed=seed,
        strategies=MASTER,
        founded=True,
        rates={"A": 0.99, "B": 1.01, "C": 1.0},
    )
    cluster.start()
    cluster.run_for(5.0)

    for _ in range(3):
        (master,) = cluster.trusting()
        cluster.partition((master,), others(cluster, master))
        cluster.run_for(8.0)
        cluster.heal()
        cluster.run_for(8.0)

    assert len({event.server for event in traced(cluster, "lease began")}) > 1


def test_mastership_can_be_switched_on_with_a_value_in_flight() -> None:
    """Links are tagged by kind: a value accepted before the switch is finished, not mistaken."""
    cluster = SimulatedCluster(strategies=PLAIN, founded=True)
    cluster.start()
    cluster.submit("A", ("SET", "x"))
    cluster.run_until(lambda: bool(traced(cluster, "accepted")), limit_seconds=1.0)
    for uid in cluster.uids:
        cluster.crash(uid)
    cluster.replica_class = compose(MASTER)
    cluster.start()

    cluster.run_for(10.0)

    assert {server.replica.snapshot.value for server in cluster.live()} == {"x"}
    assert len(cluster.trusting()) == 1


def test_only_mastership_makes_bids() -> None:
    """A server that wants nothing passes the question for the next link on."""
    hand = Masterful()
    hand.value.queue[request()] = write("x")

    unwanted = hand.value.next_link()
    hand.master.wanted = True
    wanted = hand.value.next_link()

    assert unwanted == Updates(updates=(write("x"),))
    assert isinstance(wanted, NewMaster)
