"""Random runs of whole clusters: every invariant after every event, then progress in peace."""

from collections import Counter

import pytest
from typing_extensions import override

from multipaxos.chain.effects import Outbox
from multipaxos.chain.messages import Envelope
from multipaxos.invariants.violation import InvariantViolation
from multipaxos.simulation.fault_plan import FaultKind, FaultPlan, Gone
from multipaxos.simulation.observation import ClusterObserver
from multipaxos.simulation.random_run import RandomRun, RunPlan
from multipaxos.simulation.weather import CALM


@pytest.mark.parametrize("faults", ["rough", "cruel"])
@pytest.mark.parametrize("master", [False, True], ids=["plain", "master"])
def test_no_fault_breaks_an_invariant(faults: str, master: bool) -> None:
    """
    Crashes, lost disks, pauses, partitions, failing disks and drifting clocks break nothing.

    Each kind of fault must have happened: a test of nothing would pass as well.
    """
    happened: Counter[str] = Counter()
    answered = 0

    for seed in range(12):
        result = RandomRun(RunPlan(seed=seed, master=master, faults=faults, seconds=45)).play()
        happened.update(result.happened)
        answered += result.answered

    assert set(happened) == set(FaultKind)
    assert answered > 120


@pytest.mark.parametrize("state", ["dictionary", "tests.simulation.machines:Bids"])
@pytest.mark.parametrize("sessions", [None, 2])
def test_no_fault_breaks_an_invariant_of_any_state(state: str, sessions: int | None) -> None:
    """Whatever is replicated, and however many clients the chain remembers."""
    answered = elsewhere = local = 0

    for seed in range(12):
        plan = RunPlan(
            seed=seed,
            state=state,
            sessions=sessions,
            master=seed % 2 == 0,
            faults="cruel",
            rate=2.0,
            seconds=45,
        )
        result = RandomRun(plan).play()
        answered += result.answered
        elsewhere += result.answered_elsewhere
        local += result.local_reads

    assert answered > 200
    assert min(elsewhere, local) > 20


@pytest.mark.parametrize("servers", [1, 2, 4, 5])
@pytest.mark.parametrize("master", [False, True], ids=["plain", "master"])
def test_every_size_of_cluster_keeps_the_invariants(servers: int, master: bool) -> None:
    """Majorities of one, two, four and five are no less safe than those of three."""
    for seed in range(3):
        RandomRun(RunPlan(seed=seed, servers=servers, master=master, seconds=40)).play()


@pytest.mark.parametrize("without", ["forwarding", "sync", "reads"])
def test_a_strategy_that_is_left_out_is_not_needed_for_safety(without: str) -> None:
    """Without the one that brings news, not every request need be answered."""
    for seed in range(3):
        plan = RunPlan(seed=seed, faults="cruel", master=True, without=(without,), seconds=30)
        RandomRun(plan).play()


def test_many_requests_in_a_short_time_are_all_answered() -> None:
    """Six clients that hardly pause, with a master: every call is answered, each applied once."""
    plan = RunPlan(seed=1, master=True, faults="calm", clients=6, rate=150.0, seconds=8)

    result = RandomRun(plan).play()

    assert result.answered == result.requests
    assert result.answered > 600


def test_without_faults_nobody_waits_long() -> None:
    """In calm weather, with one client, every request is answered within a few round trips."""
    run = RandomRun(RunPlan(seed=1, founded=True, faults="calm", clients=1))

    run.play()

    waits = [
        call.returned_at - call.called_at
        for call in run.cluster.calls.values()
        if call.returned_at is not None
    ]
    assert len(waits) > 40
    assert max(waits) < 0.02


@pytest.mark.parametrize("gone", [Gone.DEAD, Gone.CUT_OFF])
def test_every_request_is_answered_while_a_minority_stays_away(gone: Gone) -> None:
    """I12 is demanded of the majority that healed."""
    for seed in range(4):
        chances = FaultPlan(weather=CALM, chances=dict.fromkeys(FaultKind, 0.05), gone=gone)
        run = RandomRun(RunPlan(seed=seed, servers=5, seconds=20, chances=chances))
        run.play()
        assert all(call.answered for call in run.cluster.calls.values())


def test_a_majority_that_never_heals_breaks_progress() -> None:
    """I12: the check itself can fail, and names the requests."""
    run = RandomRun(RunPlan(seed=1, faults="calm", seconds=10, founded=True))
    run.cluster.time.call_at(5.0, lambda: run.cluster.partition("A", "B", "C"))
    run.mischief.stop = lambda *_: None  # type: ignore[method-assign]

    with pytest.raises(InvariantViolation, match=r"I12 Progress: .*client-\d/\d"):
        run.play()

    assert run.result().answered > 0


class Counts(ClusterObserver):
    """Counts two things, and overrides nothing else."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.seen: Counter[str] = Counter()

    @override
    def delivered(self, envelope: Envelope) -> None:
        """Count an arrival."""
        self.seen[type(envelope.message).__name__] += 1

    @override
    def saved(self, outbox: Outbox) -> None:
        """Count a save."""
        assert outbox.save is not None
        self.seen["saves"] += 1

    @override
    def dropped(self, envelope: Envelope, reason: str) -> None:
        """Count a loss."""
        self.seen[f"{reason}"] += 1


@pytest.mark.parametrize("traced", [False, True])
def test_observers_see_a_run_with_a_trace_and_without_one(traced: bool) -> None:
    """And change nothing of it."""
    counts = Counts()
    plan = RunPlan(seed=4, seconds=20, traced=traced)

    result = RandomRun(plan, observers=(counts,)).play()

    assert counts.seen["Accepted"] > 20
    assert counts.seen["saves"] > 20
    assert counts.seen["lost"] + counts.seen["partition"] + counts.seen["receiver is down"] > 0
    assert result == RandomRun(plan).play()
    messages = sum(n for name, n in counts.seen.items() if name[0].isupper())
    assert abs(messages - result.delivered) < 20
