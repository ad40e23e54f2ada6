"""Each kind of fault really happens, and really does what it says."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.simulation.fault_plan import FaultKind, FaultPlan, Gone
from multipaxos.simulation.faults import Fault, draw_faults
from multipaxos.simulation.mischief import Mischief
from multipaxos.simulation.random_run import RandomRun, RunPlan
from multipaxos.trace import TraceEvent

SIGNS: Mapping[FaultKind, Callable[[TraceEvent], bool]] = {
    FaultKind.CRASH: lambda event: event.kind == "crashed",
    FaultKind.CRASH_IN_SAVE: lambda event: event.kind == "crashed",
    FaultKind.POWER_FAILURE: lambda event: event.kind == "crashed",
    FaultKind.LOST_DISK: lambda event: event.kind == "wiped",
    FaultKind.POWER_CUT: lambda event: event.kind == "crashed",
    FaultKind.FULL_DISK: lambda event: "full" in str(event.fields.get("reason")),
    FaultKind.FAILING_WRITE: lambda event: "the disk" in str(event.fields.get("reason")),
    FaultKind.PAUSE: lambda event: event.kind == "paused",
    FaultKind.STALL: lambda event: event.kind == "paused",
    FaultKind.PARTITION: lambda event: event.kind == "wires",
    FaultKind.ONE_WAY: lambda event: event.kind == "wires",
    FaultKind.BRIDGE: lambda event: event.kind == "wires",
    FaultKind.CLOCK: lambda event: event.kind == "clock rate",
}
"""What each kind leaves in a trace."""


@pytest.mark.parametrize("kind", FaultKind)
def test_a_fault_of_each_kind_happens_and_breaks_nothing(kind: FaultKind) -> None:
    """It is counted, seen in the trace, and mended: every request is answered in the end."""
    chances = FaultPlan(chances={kind: 0.3}, clock_error=1.0)
    run = RandomRun(RunPlan(seed=1, seconds=30, rate=3.0, chances=chances, traced=True))

    result = run.play()

    assert result.happened[kind] > 3
    assert sum(map(SIGNS[kind], run.cluster.trace.events)) > 1
    assert result.answered > 40


def fault_of(kind: FaultKind, **details: Any) -> Fault:
    """Return a fault at 1 s that befalls B of A, B, C for 5 s."""
    fields: dict[str, Any] = {
        "number": 1,
        "at": 1.0,
        "kind": kind,
        "draw": 1,
        "seconds": 5.0,
        "amount": 0.5,
        "companions": (False,) * 9,
    }
    return Fault(**(fields | details))


def cluster_with(*faults: Fault, clock_error: float = 0.0) -> tuple[SimulatedCluster, Mischief]:
    """Return a cluster at link 1 whose mischief has begun."""
    cluster = SimulatedCluster(founded=True)
    mischief = Mischief(cluster, faults, clock_error=clock_error)
    cluster.start()
    mischief.start()
    return cluster, mischief


@pytest.mark.parametrize(
    "kind, blocked",
    [
        (FaultKind.PARTITION, {("B", "A"), ("A", "B"), ("B", "C"), ("C", "B")}),
        (FaultKind.ONE_WAY, {("B", "C")}),
        (FaultKind.BRIDGE, {("A", "C"), ("C", "A")}),
    ],
)
def test_wires_are_cut_and_mended(kind: FaultKind, blocked: set[tuple[str, str]]) -> None:
    """Around B; from B to one other; between the two that B still reaches."""
    cluster, _ = cluster_with(fault_of(kind))

    cluster.run_for(2)
    assert set(cluster.network.wires.blocked) == blocked

    cluster.run_for(5)
    assert not cluster.network.wires.blocked


def test_a_partition_that_ends_does_not_mend_another() -> None:
    """Each is mended after its own time."""
    cluster, _ = cluster_with(
        fault_of(FaultKind.PARTITION, seconds=9.0),
        fault_of(FaultKind.ONE_WAY, number=2, draw=2, seconds=2.0),
    )

    cluster.run_for(4)

    assert set(cluster.network.wires.blocked) == {("B", "A"), ("A", "B"), ("B", "C"), ("C", "B")}


def test_the_disk_of_more_than_a_minority_is_never_lost() -> None:
    """The cluster promises to survive one of three: the second loss does not happen."""
    cluster, mischief = cluster_with(
        fault_of(FaultKind.LOST_DISK),
        fault_of(FaultKind.LOST_DISK, number=2, draw=2, at=1.5),
    )

    cluster.run_for(2)

    assert mischief.happened == {FaultKind.LOST_DISK: 1}
    assert [cluster.servers[uid].disk.life for uid in "ABC"] == [0, 1, 0]


def test_a_server_that_is_down_cannot_crash() -> None:
    """What did not happen is not counted."""
    cluster, mischief = cluster_with(
        fault_of(FaultKind.CRASH), fault_of(FaultKind.CRASH, number=2, at=2.0)
    )

    cluster.run_for(3)
    assert mischief.happened == {FaultKind.CRASH: 1}
    assert not cluster.servers["B"].up

    cluster.run_for(5)
    assert cluster.servers["B"].up


def test_a_power_cut_ends_all_processes_at_once() -> None:
    """All return after a while, from their disks."""
    cluster, _ = cluster_with(fault_of(FaultKind.POWER_CUT))

    cluster.run_for(2)
    assert cluster.live() == []

    cluster.run_for(5)
    assert len(cluster.live()) == 3


def test_a_clock_changes_its_rate_within_the_error() -> None:
    """From the slowest, at an amount of zero, to the fastest."""
    for amount, rate in ((0.0, 0.99), (0.5, 1.0), (1.0, 1.01)):
        cluster, _ = cluster_with(fault_of(FaultKind.CLOCK, amount=amount), clock_error=0.01)
        cluster.run_for(2)
        assert cluster.servers["B"].clock.rate == pytest.approx(rate)


def test_peace_mends_everything() -> None:
    """All servers run, all wires are whole, all disks have room."""
    everything = FaultPlan(chances=dict.fromkeys(FaultKind, 0.5), clock_error=0.01)
    cluster, mischief = cluster_with(*draw_faults(1, everything, 20.0), clock_error=0.01)
    cluster.run_for(20)

    mischief.stop()
    cluster.run_for(15)

    assert len(cluster.live()) == 3
    assert not cluster.network.wires.blocked
    assert not any(server.disk.full for server in cluster.servers.values())
    before = Counter(mischief.happened)
    cluster.run_for(30)
    assert Counter(mischief.happened) == before


@pytest.mark.parametrize("gone", [Gone.DEAD, Gone.CUT_OFF])
def test_a_minority_may_stay_away_and_the_others_go_on(gone: Gone) -> None:
    """Of three servers one is dead, or reaches nobody, for good."""
    cluster, mischief = cluster_with()
    cluster.run_for(1)

    mischief.stop(gone)
    call = cluster.submit("C", ("SET", "x"))

    assert cluster.run_until(lambda: call.answered, limit_seconds=20)
    assert (len(cluster.live()), len(cluster.network.wires.blocked)) == (
        (2, 0) if gone is Gone.DEAD else (3, 4)
    )


def test_who_has_lost_its_memory_is_the_one_that_stays_away() -> None:
    """With a sound one gone and a forgetful one left, nobody could answer."""
    cluster, mischief = cluster_with(fault_of(FaultKind.LOST_DISK, seconds=100.0))
    cluster.run_for(2)

    mischief.stop(Gone.DEAD)

    assert [server.uid for server in cluster.live()] == ["A", "C"]
