"""A request is applied once, however often and wherever its client asks: counted, not believed."""

import pytest

from multipaxos.chain.dictionary import Dictionary
from multipaxos.chain.effects import Timer
from multipaxos.chain.requests import Chosen, Unknown
from multipaxos.chain.settings import Settings
from multipaxos.composition import compose, strategy_names
from multipaxos.invariants.linearizability import find_violation
from multipaxos.invariants.violation import InvariantViolation
from multipaxos.simulation.calls import ClientCall
from multipaxos.simulation.clients import history_of
from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.simulation.fault_plan import FaultKind, FaultPlan
from multipaxos.simulation.network import ROUGH
from multipaxos.simulation.random_run import RandomRun, RunPlan

INCREMENT = ("INCR", "n")
COUNTERS = "tests.simulation.machines:Counters"


def counted(run: RandomRun) -> tuple[int, int, int]:
    """Return how many increments were acknowledged, how many were made, and how many there are."""
    calls = [call for call in run.cluster.calls.values() if call.command[0] == "INCR"]
    acknowledged = sum(isinstance(call.outcome, Chosen) for call in calls)
    held = run.cluster.invariants.applied.model.prefixes[-1].value
    return acknowledged, len(calls), sum(map(int, held.values()))


@pytest.mark.parametrize("master", [False, True], ids=["plain", "master"])
@pytest.mark.parametrize("sessions", [None, 3], ids=["all remembered", "three remembered"])
def test_what_is_counted_is_what_was_acknowledged(master: bool, sessions: int | None) -> None:
    """
    The sum is that of the acknowledged increments, and of some whose clients were told nothing.

    Servers are killed, cut off and paused, and clocks drift; clients retry through other servers.
    """
    retried = unknown = 0
    for seed in range(12):
        plan = RunPlan(
            seed=seed,
            state=COUNTERS,
            sessions=sessions,
            master=master,
            faults="cruel",
            clients=6,
            rate=6.0,
            reads=0.2,
            seconds=40,
        )
        run = RandomRun(plan)
        retried += run.play().answered_elsewhere

        acknowledged, made, there = counted(run)
        assert acknowledged <= there <= made
        unknown += made - acknowledged

    assert retried > 30
    assert unknown > 30


@pytest.mark.parametrize(
    "kind", [FaultKind.CRASH, FaultKind.PAUSE, FaultKind.PARTITION, FaultKind.CLOCK]
)
def test_a_master_that_fails_has_nothing_done_twice(kind: FaultKind) -> None:
    """One kind of fault at a time, often: each takes mastership away, or endangers it."""
    lost = 0
    for seed in range(4):
        chances = FaultPlan(weather=ROUGH, chances={kind: 0.4}, clock_error=0.9)
        run = RandomRun(
            RunPlan(seed=seed, state=COUNTERS, master=True, rate=4.0, seconds=40, chances=chances)
        )
        result = run.play()
        acknowledged, made, there = counted(run)
        assert acknowledged <= there <= made
        lost += result.answered_elsewhere + result.unknown

    # A clock that errs within what is allowed leaves no client without its answer.
    assert lost > 0 or kind is FaultKind.CLOCK


# -------------------------------------------------------------------------------- by hand


def cluster_of_three(*, bug: str | None = None, sessions_max: int = 256) -> SimulatedCluster:
    """Return a founded cluster of a dictionary, with A as master."""
    cluster = SimulatedCluster(
        founded=True,
        machine=Dictionary(),
        settings=Settings(sessions_max=sessions_max),
        replica_class=compose(strategy_names(master=True), bug=bug),
    )
    cluster.start()
    cluster.run_for(0.01)
    cluster.hurry("A", Timer.ELECTION)
    cluster.run_for(0.1)
    assert cluster.trusting() == ["A"]
    return cluster


def increment_unanswered(cluster: SimulatedCluster) -> ClientCall:
    """Have ann ask A to increment n: it is chosen, and A dies before it can tell her."""
    call = cluster.submit("A", INCREMENT, client="ann")
    chosen = cluster.run_until(
        lambda: call.request_id in cluster.invariants.applied.model.done, limit_seconds=1.0
    )
    assert chosen
    cluster.crash("A")
    assert not call.answered
    return call


def retry_after_failover(bug: str | None) -> tuple[SimulatedCluster, ClientCall]:
    """Let bob increment n through B, and then ann ask B again for what A was asked."""
    cluster = cluster_of_three(bug=bug)
    call = increment_unanswered(cluster)
    cluster.submit("B", INCREMENT, client="bob")
    cluster.run_for(10.0)
    cluster.retry(call, "B")
    cluster.run_for(10.0)
    return cluster, call


def test_a_retry_through_another_server_is_answered_as_the_first_time() -> None:
    """Ann's was the first: she is told 1, though n is 2 by then."""
    cluster, call = retry_after_failover(None)

    assert call.result == 1
    assert cluster.invariants.applied.model.prefixes[-1].value["n"] == "2"
    assert (call.answered_by, call.tried) == ("B", ["A", "B"])


def test_a_retry_that_is_applied_again_is_caught() -> None:
    """I9, at the link that holds it for the second time."""
    with pytest.raises(InvariantViolation, match=r"I9 AppliedOnce at link \d+: "):
        retry_after_failover("retry-without-id")


def retry_after_others(bug: str | None) -> tuple[SimulatedCluster, ClientCall]:
    """Let three others write before ann asks again, where the chain remembers two clients."""
    cluster = cluster_of_three(bug=bug, sessions_max=2)
    call = increment_unanswered(cluster)
    for name in ("bob", "cid", "dan"):
        cluster.submit("B", INCREMENT, client=name)
        cluster.run_for(5.0)
    cluster.retry(call, "B")
    cluster.run_for(5.0)
    return cluster, call


def test_a_retry_of_what_was_forgotten_is_not_applied() -> None:
    """Its client said when it asked first, so the chain knows what it may have forgotten."""
    cluster, call = retry_after_others(None)

    assert isinstance(call.outcome, Unknown)
    assert "may have forgotten it" in call.outcome.reason
    assert cluster.invariants.applied.model.prefixes[-1].value["n"] == "4"
    assert find_violation(history_of(cluster), cluster.machine) == ()


def test_a_retry_that_is_as_old_as_its_newest_try_is_applied_twice() -> None:
    """I9: the bug is in what the server makes of the age, and nowhere else."""
    with pytest.raises(
        InvariantViolation, match=r"request ann/1 was applied in link \d+ and is applied again"
    ):
        retry_after_others("age-of-newest-try")


def test_a_new_request_is_done_though_many_were_forgotten() -> None:
    """Who heard of the newest link is taken for as young as that."""
    cluster = cluster_of_three(sessions_max=2)
    for number, name in enumerate(("ann", "bob", "cid", "dan", "ann")):
        call = cluster.submit("A", INCREMENT, client=name, sequence=1 + number // 4)
        cluster.run_for(1.0)
        assert call.result == number + 1
