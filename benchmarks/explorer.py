"""
How fast the explorer is: ``python benchmarks/explorer.py``.

Each model is explored completely, in a fresh process and on one core: distinct states a second, and
the bytes that a state takes: as the explorer counts them, and as the process grows. The published
models are those of the tests; the last rows are the real roles.
"""

import argparse
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.exploration.lamport import LamportPaxos, LamportVoting
from tests.exploration.stateright import StaterightPaxos

from multipaxos.exploration.engine import explore
from multipaxos.exploration.model import Model
from multipaxos.exploration.role_bounds import RoleBounds
from multipaxos.exploration.roles import RolesModel

MODELS: dict[str, Callable[[], Model[Any, Any]]] = {
    "Lamport's Paxos, ballots 0-1": lambda: LamportPaxos(ballots=2),
    "Lamport's Paxos, ballots 0-2": lambda: LamportPaxos(ballots=3),
    "Lamport's Voting, ballots 0-2": lambda: LamportVoting(ballots=3),
    "Stateright's Paxos, 2 clients": lambda: StaterightPaxos(clients=2),
    "roles, 2 proposers": lambda: RolesModel(RoleBounds(crashes=0)),
    "roles, 2 proposers, 1 crash": lambda: RolesModel(RoleBounds()),
    "roles, 2 proposers, 2 crashes": lambda: RolesModel(RoleBounds(crashes=2)),
}

TARGET_SPEED = 40_000
TARGET_BYTES = 300
"""For the second row: distinct states a second on one core, and bytes a state."""

KIBIBYTE = 1024


class Measurement(NamedTuple):
    """What came of one exploration."""

    states: int
    transitions: int
    seconds: float
    bytes_counted: float
    bytes_grown: float


def measure(name: str, repeat: int) -> Measurement:
    """Explore the model *name* in this process, the best of *repeat* times."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    best: Measurement | None = None
    for _ in range(repeat):
        began = time.process_time()
        found = explore(MODELS[name]())
        seconds = time.process_time() - began
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * KIBIBYTE
        assert found.complete, name
        if best is None or seconds < best.seconds:
            best = Measurement(
                found.states,
                found.transitions,
                seconds,
                found.bytes_per_state,
                # Later repetitions find the memory of the first.
                grown / found.states if best is None else best.bytes_grown,
            )
    assert best is not None
    return best


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3, help="take the best of so many runs")
    options = parser.parse_args()
    if options.repeat < 1:
        parser.error("--repeat must be 1 or more")
    table = Table(title="complete explorations on one core; bytes a state", box=None)
    for title in ("model", "states", "transitions", "states/s", "bytes", "process"):
        table.add_column(title, justify="left" if title == "model" else "right", no_wrap=True)
    context = multiprocessing.get_context("spawn")
    for name in MODELS:
        with context.Pool(1) as pool:
            found = pool.apply(measure, (name, options.repeat))
        table.add_row(
            name,
            f"{found.states:,}",
            f"{found.transitions:,}",
            f"{found.states / found.seconds:,.0f}",
            f"{found.bytes_counted:.0f}",
            f"{found.bytes_grown:.0f}",
        )
    console = Console(file=sys.stdout)
    console.print(table)
    console.print(
        f"wanted of the second row: {TARGET_SPEED:,} states/s, fewer than {TARGET_BYTES} bytes"
    )


if __name__ == "__main__":
    main()
