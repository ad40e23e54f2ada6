"""A whole cluster in one process: it starts, dies, is cut and mended, and answers its clients."""

import pytest

from multipaxos.chain.effects import Timer
from multipaxos.chain.requests import Chosen
from multipaxos.chain.state_machine import Result
from multipaxos.composition import strategy_names
from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.simulation.disk import Cut


def founded(seed: int = 1, *, servers: str = "ABC", master: bool = False) -> SimulatedCluster:
    """Return a cluster at link 1 whose servers run."""
    cluster = SimulatedCluster(
        tuple(servers), seed=seed, founded=True, strategies=strategy_names(master=master)
    )
    cluster.start()
    cluster.run_for(0.1)
    return cluster


def write(cluster: SimulatedCluster, uid: str, value: str) -> Chosen:
    """Have *value* written through *uid* and return the outcome."""
    call = cluster.submit(uid, ("SET", value))
    assert cluster.run_until(lambda: call.answered, limit_seconds=60)
    assert isinstance(call.outcome, Chosen)
    return call.outcome


def read(cluster: SimulatedCluster, uid: str) -> Result:
    """Read the value through *uid*."""
    call = cluster.submit(uid, ("GET",))
    assert cluster.run_until(lambda: call.answered, limit_seconds=60)
    assert isinstance(call.outcome, Chosen)
    return call.outcome.result


@pytest.mark.parametrize("servers", ["A", "AB", "ABC", "ABCD", "ABCDEFGHI"])
def test_servers_without_memory_found_a_chain(servers: str) -> None:
    """Of any number from one to nine: link 0 names the chain, the first value is link 1."""
    cluster = SimulatedCluster(tuple(servers), seed=1)
    cluster.start()

    assert write(cluster, "A", "x").link == 1

    cluster.run_for(30)
    states = [server.disk.state for server in cluster.servers.values()]
    assert {state.chain_id for state in states if state} == {cluster.servers["A"].replica.chain_id}
    assert {state.snapshot.value for state in states if state} == {"x"}


def test_a_founded_cluster_begins_at_link_1() -> None:
    """Tests that are not about the founding need not wait for it."""
    cluster = SimulatedCluster(founded=True)
    cluster.start()

    assert all(server.replica.instance == 1 for server in cluster.servers.values())
    assert write(cluster, "B", "x").link == 1


def test_a_killed_server_loses_its_memory_and_keeps_its_disk() -> None:
    """The others go on; after its restart it is told what it missed."""
    cluster = founded()
    write(cluster, "A", "one")
    cluster.run_for(1)
    cluster.crash("C")
    write(cluster, "A", "two")

    state = cluster.servers["C"].disk.state
    assert state is not None
    assert state.snapshot.value == "one"
    assert [server.uid for server in cluster.live()] == ["A", "B"]

    cluster.restart("C")
    cluster.run_for(1)

    assert cluster.servers["C"].replica.snapshot.value == "two"


def test_a_wiped_server_votes_again_only_after_the_others_went_on() -> None:
    """It sits out what it may have voted on, and then is a full member again."""
    cluster = founded()
    write(cluster, "A", "one")
    cluster.run_for(1)
    cluster.crash("B")
    cluster.wipe("B")
    cluster.restart("B")
    cluster.run_for(5)

    server = cluster.servers["B"].replica
    assert server.votes_from > 2
    assert server.instance >= server.votes_from

    cluster.crash("A")
    assert read(cluster, "B") == "one"


def test_a_minority_gets_no_answer_and_a_healed_one_does() -> None:
    """The request waits, it does not fail."""
    cluster = founded()
    cluster.partition("A", "BC")
    call = cluster.submit("A", ("SET", "x"))
    cluster.run_for(30)
    assert not call.answered
    assert cluster.unanswered == [call]

    cluster.heal()

    assert cluster.run_until(lambda: call.answered, limit_seconds=10)


def test_a_request_to_a_server_that_is_down_can_be_repeated_elsewhere() -> None:
    """Under the same id, so that it is one request."""
    cluster = founded()
    cluster.crash("A")
    call = cluster.submit("A", ("SET", "x"))
    cluster.run_for(5)
    assert not call.answered

    cluster.retry(call, "B")

    assert cluster.run_until(lambda: call.answered, limit_seconds=10)
    assert call.tried == ["A", "B"]


def test_a_paused_server_goes_on_where_it_stopped() -> None:
    """It neither answers nor forgets meanwhile."""
    cluster = founded()
    cluster.pause("A")
    call = cluster.submit("A", ("SET", "x"))
    cluster.run_for(5)
    assert not call.answered

    cluster.resume("A")

    assert cluster.run_until(lambda: call.answered, limit_seconds=10)


def test_a_full_disk_stops_the_server_before_it_tells_anyone() -> None:
    """What could not be saved is not sent; with room again the server returns."""
    cluster = founded()
    cluster.servers["A"].disk.full = True
    call = cluster.submit("A", ("SET", "x"))
    cluster.run_for(0.1)

    server = cluster.servers["A"]
    assert not server.up
    assert server.halted is not None
    assert "full" in server.halted
    assert not any(
        event.kind == "sent" and event.server == "A" and event.seconds >= call.called_at
        for event in cluster.trace.events
    )

    server.disk.full = False
    cluster.start()
    assert [live.uid for live in cluster.live()] == ["A", "B", "C"]


@pytest.mark.parametrize("cut", Cut)
def test_a_server_that_dies_at_a_save_returns(cut: Cut) -> None:
    """Before or after: the cluster goes on without it, and with it again."""
    cluster = founded()
    cluster.servers["B"].disk.cut = cut
    write(cluster, "A", "x")
    cluster.run_for(1)
    assert not cluster.servers["B"].up

    cluster.restart("B")
    cluster.run_for(15)

    assert cluster.servers["B"].replica.snapshot.value == "x"


def test_a_server_may_be_killed_while_it_stands_still_in_a_save() -> None:
    """The rest of its event never happens."""
    cluster = founded()
    cluster.stall_at_save("A", 5)
    cluster.time.call_at(cluster.time.now + 2, lambda: cluster.crash("A"))
    call = cluster.submit("A", ("SET", "x"))
    cluster.run_for(1)

    assert not cluster.servers["A"].up
    assert not call.answered
    state = cluster.servers["A"].disk.state
    assert state is not None
    assert state.instance == 1


def test_a_stalled_server_goes_on_by_itself() -> None:
    """Others live on while it stands still in the middle of an event."""
    cluster = founded()
    cluster.stall_at_save("A", 5)
    call = cluster.submit("A", ("SET", "x"))

    assert cluster.time.now > 5
    assert cluster.run_until(lambda: call.answered, limit_seconds=10)


def test_the_trace_holds_what_happened_from_the_call_to_its_return() -> None:
    """The instant of choice is in it, before any server learns of it."""
    cluster = founded()
    write(cluster, "A", "x")
    cluster.crash("C")
    kinds = [event.kind for event in cluster.trace.events]

    assert kinds.index("called") < kinds.index("chosen") < kinds.index("resolved")
    assert kinds.index("resolved") < kinds.index("returned")
    assert kinds[-1] == "crashed"
    chosen = next(event for event in cluster.trace.events if event.kind == "chosen")
    assert isinstance(chosen.fields["acceptors"], list)
    assert len(chosen.fields["acceptors"]) == 2


def test_one_master_at_a_time_is_trusted_and_the_next_follows() -> None:
    """A master answers reads alone; when it is dead another one takes its place."""
    cluster = founded(master=True)
    assert cluster.run_until(lambda: bool(cluster.trusting()), limit_seconds=5)
    (master,) = cluster.trusting()
    write(cluster, master, "x")

    sent_before = sum(event.kind == "sent" for event in cluster.trace.events)
    assert read(cluster, master) == "x"
    assert sum(event.kind == "sent" for event in cluster.trace.events) == sent_before

    cluster.crash(master)
    assert cluster.run_until(lambda: bool(cluster.trusting()), limit_seconds=10)
    assert cluster.trusting() != [master]


def test_a_person_may_end_a_timer_that_runs() -> None:
    """One that does not run is an error that says so."""
    cluster = founded()
    cluster.hurry("A", Timer.SYNC)

    with pytest.raises(LookupError, match="takeover does not run on A"):
        cluster.hurry("A", Timer.TAKEOVER)
    cluster.crash("B")
    with pytest.raises(LookupError, match="sync does not run on B"):
        cluster.hurry("B", Timer.SYNC)


def test_waiting_for_what_never_comes_ends_at_the_limit() -> None:
    """The time is the limit's then, and the answer is no."""
    cluster = founded()
    began_at = cluster.time.now

    assert not cluster.run_until(lambda: False, limit_seconds=3)

    assert cluster.time.now == pytest.approx(began_at + 3)


def test_clocks_differ_and_drift() -> None:
    """No two servers show the same; a rate makes one run ahead."""
    cluster = SimulatedCluster(founded=True, rates={"B": 1.01})
    shown_before = {uid: server.clock.peek() for uid, server in cluster.servers.items()}
    cluster.run_for(100)

    passed = [cluster.servers[uid].clock.peek() - shown_before[uid] for uid in cluster.uids]

    assert len(set(shown_before.values())) == 3
    assert passed == pytest.approx([100, 101, 100])
