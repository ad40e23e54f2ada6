"""Random runs of whole clusters: every invariant after every event, then progress in peace."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from multipaxos.simulation.faults import FaultLaw
from multipaxos.simulation.network import CALM, CRUEL, ROUGH, Weather
from multipaxos.simulation.random_run import RandomRun, RunPlan

WEATHERS = {"calm": CALM, "rough": ROUGH, "cruel": CRUEL}


@pytest.mark.parametrize("weather", WEATHERS.values(), ids=WEATHERS.keys())
@pytest.mark.parametrize("master", [False, True], ids=["plain", "master"])
def test_no_fault_breaks_an_invariant(weather: Weather, master: bool) -> None:
    """
    Crashes, lost disks, pauses, partitions, full disks and drifting clocks break nothing.

    Each kind of fault must have happened: a test of nothing would pass as well.
    """
    happened: Counter[str] = Counter()

    for seed in range(12):
        plan = RunPlan(
            seed=seed, master=master, weather=weather, law=FaultLaw(wipe_share=0.4), seconds=45
        )
        happened.update(RandomRun(plan).play())

    faults = ("crash", "wipe", "cut_power", "pause", "stall", "partition", "block", "fill_disk")
    assert all(happened[fault] > 0 for fault in faults), happened
    assert happened["answered"] > 200


@pytest.mark.parametrize("servers", [1, 2, 4, 5])
@pytest.mark.parametrize("master", [False, True], ids=["plain", "master"])
def test_every_size_of_cluster_keeps_the_invariants(servers: int, master: bool) -> None:
    """Majorities of one, two, four and five are no less safe than those of three."""
    for seed in range(3):
        RandomRun(RunPlan(seed=seed, servers=servers, master=master, seconds=40)).play()


def test_many_requests_in_a_short_time_are_all_answered() -> None:
    """Six clients that hardly pause, with a master: every call is answered, each applied once."""
    happened: Counter[str] = Counter()

    for seed in range(3):
        plan = RunPlan(
            seed=seed,
            master=True,
            weather=CALM,
            clients=6,
            client_pause_seconds_max=0.05,
            seconds=8,
        )
        happened.update(RandomRun(plan).play())

    assert happened["answered"] > 500


def test_without_faults_nobody_waits_long() -> None:
    """In calm weather, with one client, every request is answered within a few round trips."""
    law = FaultLaw(
        crash=None,
        power_cut=None,
        pause=None,
        stall=None,
        partition=None,
        one_way=None,
        disk_full=None,
    )
    run = RandomRun(RunPlan(seed=1, founded=True, law=law, weather=CALM, clients=1))

    run.play()

    waits = [
        call.returned_at - call.called_at
        for call in run.cluster.calls.values()
        if call.returned_at is not None
    ]
    assert len(waits) > 50
    assert max(waits) < 0.02


def traced_run() -> RandomRun:
    """Return a run with a trace, played."""
    run = RandomRun(RunPlan(seed=7, master=True, weather=CRUEL, seconds=30, traced=True))
    run.play()
    return run


def test_the_same_seed_gives_the_same_trace() -> None:
    """Two runs of one seed agree to the last byte, another seed's does not."""
    first, again = traced_run(), traced_run()
    other = RandomRun(RunPlan(seed=8, master=True, weather=CRUEL, seconds=30, traced=True))
    other.play()

    assert len(first.cluster.trace.events) > 1000
    assert first.cluster.trace.digest() == again.cluster.trace.digest()
    assert first.cluster.trace.digest() != other.cluster.trace.digest()


@pytest.mark.parametrize("hash_seed", ["1", "4711"])
def test_the_trace_does_not_depend_on_the_hash_seed(hash_seed: str) -> None:
    """Another process, in which Python orders its sets otherwise, writes the same trace."""
    program = (
        "from tests.simulation.test_random_runs import traced_run\n"
        "print(traced_run().cluster.trace.digest())\n"
    )

    output = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout

    assert output.strip() == traced_run().cluster.trace.digest()
