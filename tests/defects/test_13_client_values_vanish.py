"""Defect 13: clients' values vanished, without a word: no queue, no reply, no request id."""

import pytest
from tests.defects.support import MASTER, PLAIN, WHOLE, WatchedCluster, link_of

from composable_paxos import Accept, Prepare, Promise
from multipaxos.chain.links import Updates
from multipaxos.chain.messages import CatchUp, Forward, Sync
from multipaxos.chain.requests import Chosen, Unknown
from multipaxos.chain.settings import Settings
from multipaxos.composition import compose
from multipaxos.simulation.network import ROUGH

BOTH = pytest.mark.parametrize("strategies", [PLAIN, MASTER], ids=["plain", "master"])


@BOTH
def test_a_value_that_comes_while_another_is_pending_waits_its_turn(
    strategies: tuple[str, ...],
) -> None:
    """
    Each is chosen once, and each client is told in which link.

    Without a master in a link of its own, in the order in which they came; a master may let those
    that wait share one.
    """
    cluster = WatchedCluster(replica_class=compose(strategies))
    cluster.start()
    values = [f"value {number}" for number in range(10)]

    calls = [cluster.ask("A", value) for value in values]
    cluster.wait_for(*cluster.unanswered)
    assert cluster.run_until(lambda: len(cluster.values("A")) == len(values), limit_seconds=30)

    assert sorted(cluster.values("A")) == sorted(values)
    for call, value in zip(calls, values, strict=True):
        assert value in cluster.values_in("A", link_of(call))
    if strategies is PLAIN:
        assert [link_of(call) for call in calls] == list(range(1, 11))
        assert cluster.values("A") == values


@pytest.mark.parametrize("seed", range(10))
@BOTH
def test_of_conflicting_values_none_is_lost(strategies: tuple[str, ...], seed: int) -> None:
    """
    Three values at once, at three servers: one wins a link, the others get later ones.

    Of the ancestor's, 198 of 300 vanished without a word.
    """
    cluster = WatchedCluster(seed=seed, replica_class=compose(strategies), weather=ROUGH)
    cluster.start()

    calls = [cluster.ask(uid, f"{uid}{number}") for number in range(3) for uid in "ABC"]
    cluster.wait_for(*cluster.unanswered)

    last = max(map(link_of, calls))
    assert cluster.run_until(
        lambda: min(map(cluster.link_in_progress, cluster.uids)) > last, limit_seconds=30
    )
    assert len({cluster.value_on_disk(uid) for uid in cluster.uids}) == 1
    assert all(
        [cluster.values_in(uid, link_of(call)).count(call.command[1]) for uid in cluster.uids]
        == [1, 1, 1]
        for call in calls
    )
    if strategies is PLAIN:
        assert len({link_of(call) for call in calls}) == len(calls)


def test_a_value_that_lost_its_link_goes_into_the_next() -> None:
    """The proposer that finds another's value in its way carries that to its end, then its own."""
    cluster = WatchedCluster(manual=True)
    cluster.start()
    first = cluster.ask("A", "x")
    cluster.deliver("A->B", Prepare)
    cluster.deliver("B->A", Promise)
    cluster.deliver("A->B", Accept)
    second = cluster.ask("C", "z")
    cluster.deliver("C->B", Prepare)
    cluster.deliver("B->C", Promise)
    adopted = cluster.sent(Accept, by="C")[0].value

    cluster.let_mail_flow()
    cluster.wait_for(*cluster.unanswered)

    assert isinstance(adopted, Updates)
    assert adopted.updates[0].request_id == first.request_id
    assert (link_of(first), link_of(second)) == (1, 2)
    assert cluster.values("A") == ["x", "z"]


def test_a_value_survives_a_catch_up() -> None:
    """A server that finds the chain far ahead proposes what waits there, not what it knew."""
    cluster = WatchedCluster(
        replica_class=compose(WHOLE),
    )
    cluster.start()
    cluster.run_for(1)
    cluster.partition("AB", "C")
    waiting = [cluster.ask("C", "z1"), cluster.ask("C", "z2")]
    for value in ("1", "2", "3"):
        cluster.write("A", value)
    assert not waiting[0].answered

    cluster.heal()
    cluster.wait_for(*cluster.unanswered)

    assert [link_of(call) for call in waiting] == [4, 5]
    assert cluster.values("A") == ["1", "2", "3", "z1", "z2"]
    assert [e.fields["text"] for e in cluster.events("caught up", "C")] == [
        "caught up with links 1 to 3"
    ]


def test_a_client_is_answered_by_a_catch_up_too() -> None:
    """If others got its value chosen meanwhile, the server says so, and proposes it no more."""
    cluster = WatchedCluster(manual=True, replica_class=compose(WHOLE))
    cluster.start()
    call = cluster.ask("C", "z")
    cluster.deliver("C->A", Prepare)
    cluster.deliver("A->C", Promise)
    cluster.deliver("C->A", Accept)
    cluster.drop_all()
    cluster.deliver_for(4.5, "A", "B")
    assert cluster.values("A") == ["z"]
    assert not call.answered

    cluster.forge("C->A", Sync(votes_from=0), instance=1)
    cluster.deliver("A->C", CatchUp)

    assert call.outcome == Chosen(link=1, result=True)
    cluster.let_mail_flow()
    cluster.run_for(20)
    assert cluster.values("A") == ["z"]


def test_a_value_that_comes_to_another_server_reaches_the_master() -> None:
    """Who must not propose hands it to the master, again until it is chosen."""
    cluster = WatchedCluster(replica_class=compose(MASTER))
    cluster.start()
    master = cluster.wait_for_master()
    cluster.run_for(0.1)
    other = next(uid for uid in cluster.uids if uid != master.uid)
    cluster.block(other, master.uid)
    asked_at = cluster.time.now
    call = cluster.ask(other, "x")
    cluster.run_for(0.5)
    before = call.answered

    cluster.heal()
    cluster.wait_for(call)

    assert not before
    assert link_of(call) > 1
    assert len(cluster.sent(Forward, by=other, since=asked_at)) > 1
    assert cluster.sent(Prepare, by=other, since=asked_at) == []
    assert cluster.trusting() == [master.uid]


def test_a_retry_through_another_server_is_applied_once() -> None:
    """A request keeps its id wherever the client asks again, and gets the same answer."""
    cluster = WatchedCluster()
    cluster.start()
    call = cluster.ask("A", "x")
    cluster.retry(call, "B")
    cluster.wait_for(call)
    other = cluster.ask("C", "y")
    cluster.wait_for(other)

    cluster.retry(call, "C")
    cluster.run_for(10)

    assert cluster.value_on_disk("A") == "y"
    answers = [
        e.fields["outcome"]
        for e in cluster.events("answered")
        if e.fields["request"] == str(call.request_id)
    ]
    assert len(answers) == 3
    assert all(answer == answers[0] for answer in answers)


def test_a_request_that_waited_too_long_is_answered_too() -> None:
    """
    Who waited while more clients wrote than the chain remembers is told that it did.

    Its server cannot know any more whether the request is in the chain; it says that, instead of
    offering it to the master for ever.
    """
    settings = Settings(sessions_max=4, queue_max=3)
    cluster = WatchedCluster(replica_class=compose(MASTER), settings=settings)
    cluster.start()
    master = cluster.wait_for_master()
    cluster.run_for(0.1)
    other = next(uid for uid in cluster.uids if uid != master.uid)
    cluster.block(other, master.uid)
    call = cluster.ask(other, "x")
    for number in range(6):
        cluster.write(master.uid, f"{number}")
    cluster.heal()

    cluster.wait_for(call)

    assert isinstance(call.outcome, Unknown)
    assert "x" not in cluster.values(master.uid)


def test_a_request_that_its_client_gave_up_does_not_linger() -> None:
    """Once a later request of the client is in the chain, no server offers the earlier one."""
    cluster = WatchedCluster(replica_class=compose(MASTER))
    cluster.start()
    master = cluster.wait_for_master()
    cluster.run_for(0.1)
    other = next(uid for uid in cluster.uids if uid != master.uid)
    cluster.block(other, master.uid)
    first = cluster.submit(other, ("SET", "first"), client="c", sequence=1)
    second = cluster.submit(master.uid, ("SET", "second"), client="c", sequence=2)
    cluster.wait_for(second)
    cluster.heal()
    cluster.wait_for(first)
    answered_at = cluster.time.now

    cluster.run_for(10)

    assert isinstance(first.outcome, Unknown)
    assert cluster.sent(Forward, since=answered_at + 0.1) == []
    assert cluster.value_on_disk(other) == "second"
