"""The same seed gives the same trace, byte for byte, on every machine and every Python."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from multipaxos.cli.simulated_storage import disks_of
from multipaxos.simulation.random_run import RandomRun, RunPlan

FILE = Path(__file__).with_name("digests.txt")
"""
A line for each run: the SHA-256 of its whole trace, and the command.

After a wanted change of the traces, or of what runs draw: ``pytest --rewrite-digests``.
"""

PLANS = tuple(
    RunPlan(
        seed=seed,
        faults=faults,
        master=master,
        servers=servers,
        storage=storage,
        state=state,
        seconds=30,
        traced=True,
    )
    for seed, faults, master, servers, storage, state in (
        (1, "none", False, 3, "simulated", "register"),
        (1, "none", True, 5, "simulated", "register"),
        (2, "calm", False, 5, "simulated", "register"),
        (2, "calm", True, 3, "simulated", "register"),
        (3, "rough", False, 3, "simulated", "register"),
        (4, "rough", True, 3, "simulated", "register"),
        (5, "rough", True, 5, "simulated", "register"),
        (6, "cruel", False, 3, "simulated", "register"),
        (7, "cruel", True, 3, "simulated", "dictionary"),
        (8, "cruel", True, 5, "simulated", "register"),
        (9, "cruel", True, 3, "json", "register"),
        (10, "rough", False, 5, "json", "dictionary"),
    )
)


def digest(plan: RunPlan) -> str:
    """Return the digest of the trace of *plan*."""
    run = RandomRun(plan, disks=disks_of(plan))
    run.play()
    assert len(run.cluster.trace.events) > 300
    return run.cluster.trace.digest()


def pinned() -> dict[str, str]:
    """Return the digests that the file holds, by command."""
    lines = FILE.read_text(encoding="ascii").splitlines()
    return {command: value for value, _, command in (line.partition(" ") for line in lines)}


def test_every_trace_is_the_one_that_was_pinned(request: pytest.FixtureRequest) -> None:
    """A change shows that something else happens now, or is told otherwise; or chance got in."""
    digests = {plan.command_line(): digest(plan) for plan in PLANS}
    if request.config.getoption("--rewrite-digests"):
        lines = [f"{value} {command}\n" for command, value in digests.items()]
        FILE.write_text("".join(lines), encoding="ascii")

    assert digests == pinned(), "after a wanted change: pytest --rewrite-digests"


def test_the_same_seed_gives_the_same_trace_and_another_does_not() -> None:
    """Within one process, too, where much was drawn before."""
    assert digest(PLANS[8]) == digest(PLANS[8])
    assert digest(PLANS[8]) != digest(PLANS[7])


@pytest.mark.parametrize("hash_seed", ["1", "4711"])
def test_a_trace_does_not_depend_on_the_order_of_sets(hash_seed: str) -> None:
    """Another process, in which Python orders its sets otherwise, writes the same traces."""
    program = (
        "from tests.simulation.test_digests import PLANS, digest\n"
        "for plan in PLANS[4:9]: print(digest(plan), plan.command_line())\n"
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

    assert output.splitlines() == FILE.read_text(encoding="ascii").splitlines()[4:9]
