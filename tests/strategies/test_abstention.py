"""Abstention: a proposer leaves the votes to others, as long as they come."""

from tests.chain.support import Hand, link_of, sent, timers, write
from tests.strategies.support import (
    others,
    result_of,
    running_with_master,
    traced,
)

from composable_paxos import LOWEST, Accept, Accepted, Nack, Prepare, Promise, ProposalID
from multipaxos.chain.effects import Outbox, Timer
from multipaxos.composition import compose

ABSTAINING = compose(("resolution", "abstention"))
A2, B9 = ProposalID(2, "A"), ProposalID(9, "B")


def propose(hand: Hand, value: str) -> Outbox:
    """Propose *value*, and let B promise: return what the request to accept comes with."""
    hand.write(value, client=value)
    number = hand.value.paxos.proposal_id
    return hand.receive(
        Promise(acceptor="B", proposal_id=number, accepted_id=LOWEST, accepted_value=None)
    )


def accept(hand: Hand, uid: str, *, instance: int | None = None) -> Outbox:
    """Tell the server that *uid* has accepted what it was asked to."""
    accepted = Accepted(acceptor=uid, proposal_id=A2, value=None)
    return hand.receive(accepted, sender=uid, instance=instance)


def abstaining() -> Hand:
    """Return a server to which B and C have answered in link 1; it is at link 2."""
    hand = Hand(ABSTAINING)
    hand.start()
    propose(hand, "first")
    accept(hand, "B")
    accept(hand, "C", instance=1)
    assert hand.value.instance == 2
    return hand


def test_where_a_quorum_of_others_answered_before_the_proposer_does_not_vote() -> None:
    """It asks them alone, and its disk has nothing to do."""
    hand = abstaining()

    outbox = propose(hand, "x")

    assert [uid for uid, _ in sent(outbox, Accept)] == ["B", "C"]
    assert sent(outbox, Accepted) == []
    assert hand.state.acceptor.accepted_id == LOWEST
    assert timers(outbox)[Timer.OWN_VOTE] == 0.005


def test_their_votes_decide() -> None:
    """A quorum needs no particular member (Paxos Made Simple, 2.1)."""
    hand = abstaining()
    propose(hand, "x")

    first = accept(hand, "B")
    second = accept(hand, "C")

    assert sent(first) == []
    assert hand.value.snapshot.value == "x"
    assert timers(second)[Timer.OWN_VOTE] is None


def test_where_one_of_them_is_silent_the_proposer_votes_after_a_moment() -> None:
    """A quorum with its own vote is there at once then."""
    hand = abstaining()
    propose(hand, "x")
    accept(hand, "B")

    outbox = hand.timeout(Timer.OWN_VOTE)

    assert outbox.save is not None
    assert hand.value.snapshot.value == "x"


def test_it_goes_on_to_vote_until_they_are_back() -> None:
    """A moment is lost once, not with each link."""
    hand = abstaining()
    propose(hand, "x")
    accept(hand, "B")
    hand.timeout(Timer.OWN_VOTE)

    outbox = propose(hand, "y")

    assert hand.state.acceptor.accepted_id == A2
    assert Timer.OWN_VOTE not in timers(outbox)


def test_who_answers_late_is_back() -> None:
    """The vote counts no more, but tells that its sender is there."""
    hand = abstaining()
    propose(hand, "x")
    accept(hand, "B")
    hand.timeout(Timer.OWN_VOTE)
    propose(hand, "y")
    accept(hand, "B")
    accept(hand, "C", instance=3)

    propose(hand, "z")

    assert hand.value.instance == 4
    assert hand.state.acceptor.accepted_id == LOWEST


def test_an_answer_about_an_older_link_tells_nothing() -> None:
    """It may have been on its way for long."""
    hand = Hand(ABSTAINING)
    hand.start()
    for value in ("first", "second"):
        propose(hand, value)
        accept(hand, "B")
    accept(hand, "C", instance=1)

    propose(hand, "x")

    assert hand.state.acceptor.accepted_id == A2


def test_at_first_a_proposer_votes() -> None:
    """Nobody has answered yet, and two servers of three may be all there are."""
    hand = Hand(ABSTAINING)
    hand.start()

    propose(hand, "x")

    assert hand.state.acceptor.accepted_id == A2


def test_in_a_cluster_of_two_it_votes_always() -> None:
    """The other one alone is no quorum."""
    hand = Hand(ABSTAINING, servers=("A", "B"))
    hand.start()
    propose(hand, "first")
    accept(hand, "B")

    propose(hand, "x")

    assert hand.state.acceptor.accepted_id == A2


def test_a_vote_that_was_put_off_keeps_what_was_promised_meanwhile() -> None:
    """The acceptor is nobody's servant: it refuses its own proposer as anybody else."""
    hand = abstaining()
    propose(hand, "x")
    hand.receive(Prepare(proposal_id=B9))

    hand.timeout(Timer.OWN_VOTE)

    assert (hand.state.acceptor.promised_id, hand.state.acceptor.accepted_id) == (B9, LOWEST)


def test_a_link_that_was_decided_leaves_no_vote_behind() -> None:
    """The moment that ends late finds nothing to vote on."""
    hand = abstaining()
    propose(hand, "x")
    hand.decide(link_of(write("other")), proposal_id=B9)

    assert hand.timeout(Timer.OWN_VOTE) == Outbox()


def test_after_a_lost_round_the_next_request_is_the_one_to_vote_on() -> None:
    """An older one has been refused."""
    hand = abstaining()
    propose(hand, "x")
    for uid in "BC":
        hand.receive(Nack(acceptor=uid, proposal_id=A2, promised_id=B9), sender=uid)
    hand.timeout(Timer.BACKOFF)
    number = hand.value.paxos.proposal_id
    hand.receive(Promise(acceptor="B", proposal_id=number, accepted_id=LOWEST, accepted_value=None))

    hand.timeout(Timer.OWN_VOTE)

    assert number > B9
    assert hand.state.acceptor.accepted_id == number


# ---------------------------------------------------------------------------------- in a cluster


def test_a_master_whose_followers_answer_saves_nothing_for_a_link() -> None:
    """What it decided it saves after some links, or a moment: a save for many."""
    cluster, master = running_with_master()
    cluster.run_for(0.1)
    since = cluster.time.now

    for number in range(10):
        cluster.submit(master, ("SET", str(number)))
        assert cluster.run_until(lambda: not cluster.unanswered, limit_seconds=1.0)

    assert len(traced(cluster, "saved", server=master, since=since)) <= 2


def test_a_follower_that_dies_costs_a_moment_and_no_answer() -> None:
    """The master votes in its place."""
    cluster, master = running_with_master()
    cluster.run_for(0.1)
    (dying, other) = others(cluster, master)
    cluster.crash(dying)

    calls = [cluster.submit(master, ("SET", str(number))) for number in range(3)]
    cluster.run_for(0.05)

    assert all(call.answered for call in calls)
    read = cluster.submit(other, ("GET",))
    cluster.run_for(0.1)
    assert result_of(read) == "2"


def test_a_master_that_abstained_and_dies_has_lost_no_link() -> None:
    """The followers' disks hold what it had decided, and one of them goes on with it."""
    cluster, master = running_with_master()
    cluster.run_for(0.1)
    calls = [cluster.submit(master, ("SET", str(number))) for number in range(5)]
    assert cluster.run_until(lambda: all(call.answered for call in calls), limit_seconds=1.0)
    cluster.crash(master)
    cluster.wipe(master)

    read = cluster.submit(others(cluster, master)[0], ("GET",))
    cluster.run_for(10.0)

    assert result_of(read) == "4"
