"""
Bugs that need the one right order of events: played by hand, as a person would show them.

That random runs find the bugs, tests/simulation/test_bugs_found.py says.
"""

from collections.abc import Sequence

import pytest

from multipaxos.chain.dictionary import Dictionary
from multipaxos.chain.effects import Timer
from multipaxos.chain.state_machine import Command, StateMachine
from multipaxos.composition import compose, strategy_names
from multipaxos.invariants.linearizability import Operation, find_violation
from multipaxos.invariants.violation import InvariantViolation
from multipaxos.simulation.clients import history_of
from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.simulation.fault_plan import FaultKind, FaultPlan
from multipaxos.simulation.network import ROUGH, Weather
from multipaxos.simulation.random_run import RandomRun, RunPlan

SLOW = Weather(loss=0.02, detour=0.3, detour_seconds_max=1.5)
"""A network in which news may be more than a second late."""


def cluster_with(
    bug: str | None,
    *,
    manual: bool = False,
    machine: StateMachine | None = None,
    without: Sequence[str] = (),
) -> SimulatedCluster:
    """Return a cluster of masters that all have *bug*, before it starts."""
    replica_class = compose(strategy_names(master=True, without=without), bug=bug)
    return SimulatedCluster(
        founded=True, manual=manual, replica_class=replica_class, machine=machine
    )


def pass_on(cluster: SimulatedCluster, *letters: str) -> None:
    """Deliver held messages by hand, each written as ``A->B Prepare``."""
    for letter in letters:
        route, kind = letter.split()
        sender, receiver = route.split("->")
        cluster.manual.deliver(cluster.manual.find(sender, receiver, kind))


def learn_of_the_election_late(bug: str | None) -> None:
    """Let the news of A's election reach A a second later than B and C, and then nothing more."""
    # B and C can know before A only where acceptances are told to all.
    cluster = cluster_with(bug, manual=True, without=["brevity"])
    cluster.start()
    cluster.manual.held.clear()
    cluster.hurry("A", Timer.ELECTION)
    pass_on(cluster, "A->B Prepare", "B->A Promise", "A->B Accept", "A->C Accept")
    pass_on(cluster, "B->C Accepted", "C->B Accepted")
    cluster.run_for(0.9)
    pass_on(cluster, "B->A Accepted")
    assert cluster.trusting() == ["A"]
    cluster.is_manual = False
    cluster.partition("A", "BC")
    cluster.run_for(10)


def test_a_lease_counted_from_learning_is_caught() -> None:
    """I10: two masters at one instant, when the news of an election was late."""
    with pytest.raises(InvariantViolation, match=r"I10 OneReader: A and [BC]"):
        learn_of_the_election_late("lease-from-learning")

    learn_of_the_election_late(None)


def lead_by_a(cluster: SimulatedCluster, *, write: Command = ("SET", "x")) -> None:
    """Let A become master, and have x written through it."""
    cluster.start()
    cluster.run_for(0.01)
    cluster.hurry("A", Timer.ELECTION)
    cluster.submit("A", write)
    cluster.run_for(0.1)
    assert cluster.trusting() == ["A"]


def restart_all_but_a(bug: str | None) -> None:
    """Cut A, the master, off, and restart the two others at once."""
    cluster = cluster_with(bug)
    lead_by_a(cluster)
    cluster.partition("A", "BC")
    for uid in "BC":
        cluster.crash(uid)
        cluster.restart(uid)
    cluster.run_for(10)


def test_a_lease_that_a_restart_ends_is_caught() -> None:
    """I10: after a restart nobody bids, or helps a rival, for one full lease."""
    with pytest.raises(InvariantViolation, match=r"I10 OneReader: A and [BC]"):
        restart_all_but_a("lease-not-waited-out")

    restart_all_but_a(None)


def cut_the_asking_master_off(bug: str | None) -> None:
    """Cut A, the master, off before it asks for the renewal of its lease."""
    cluster = cluster_with(bug)
    lead_by_a(cluster)
    cluster.partition("A", "BC")
    cluster.run_for(10)


def test_a_lease_that_asking_extends_is_caught() -> None:
    """I10: a renewal that nobody hears of extends nothing."""
    with pytest.raises(InvariantViolation, match=r"I10 OneReader: A and [BC]"):
        cut_the_asking_master_off("lease-from-asking")

    cut_the_asking_master_off(None)


def read_from_a_paused_master(bug: str | None) -> tuple[Operation, ...]:
    """Pause A, the master; have y written through the next one; ask A; let it go on and answer."""
    cluster = cluster_with(bug)
    lead_by_a(cluster)
    cluster.pause("A")
    cluster.partition("A", "BC")
    cluster.run_for(5)
    cluster.submit("B", ("SET", "y"))
    cluster.run_for(1)
    cluster.submit("A", ("GET",))
    cluster.resume("A")
    cluster.heal()
    cluster.run_for(10)
    assert not cluster.unanswered
    return find_violation(history_of(cluster))


def test_a_read_without_a_second_look_at_the_clock_is_caught() -> None:
    """I11: a master that was paused must not answer with what was overwritten meanwhile."""
    (stale,) = read_from_a_paused_master("no-second-look")

    assert (stale.command, stale.result) == (("GET",), "x")
    assert read_from_a_paused_master(None) == ()


def read_keys_from_a_slow_master(bug: str | None) -> tuple[Operation, ...]:
    """
    Let the clock of A, the master, fall behind; have a key added through the next one; ask both.

    A was paused while its lease ended, and looks at its clock only before it reads.
    """
    cluster = cluster_with(bug, machine=Dictionary())
    lead_by_a(cluster, write=("MSET", "k", "1", "l", "x"))
    cluster.set_clock_rate("A", 0.99)
    cluster.set_clock_rate("B", 1.01)
    cluster.pause("A")
    cluster.partition("A", "BC")
    cluster.run_for(5)
    cluster.submit("B", ("INCR", "k"))
    cluster.submit("C", ("APPEND", "m", "new"))
    cluster.run_for(1)
    cluster.submit("B", ("KEYS", "*"))
    cluster.submit("A", ("MGET", "k", "l", "m"))
    cluster.resume("A")
    cluster.heal()
    cluster.run_for(10)
    assert not cluster.unanswered
    return find_violation(history_of(cluster), cluster.machine)


def test_a_stale_read_of_several_keys_is_caught() -> None:
    """I11, for a dictionary: with clocks that drift apart, and a pause between look and read."""
    (stale,) = read_keys_from_a_slow_master("no-second-look")

    assert (stale.command[0], stale.result) == ("MGET", ("1", "x", None))
    assert read_keys_from_a_slow_master(None) == ()


def test_a_violation_says_what_happened_where_and_to_whom() -> None:
    """The message names the invariant, the link, the servers and the values."""
    with pytest.raises(InvariantViolation) as caught:
        RandomRun(RunPlan(seed=0, bug="resolved-at-once")).play()

    violation = caught.value
    assert str(violation).startswith(f"I7 ResolvedMeansChosen at link {violation.link}: ")
    assert any(f" {uid} " in f" {violation} " for uid in "ABC")


def test_the_correct_servers_pass_in_hard_times() -> None:
    """Crashes, partitions, lost disks and late news by themselves violate nothing."""
    faults = (
        {FaultKind.CRASH: 0.5, FaultKind.PARTITION: 0.2},
        {FaultKind.LOST_DISK: 0.25},
    )
    for seed in range(5):
        for chances in faults:
            for weather in (ROUGH, SLOW):
                plan = FaultPlan(weather=weather, chances=chances)
                RandomRun(RunPlan(seed=seed, master=True, chances=plan)).play()
