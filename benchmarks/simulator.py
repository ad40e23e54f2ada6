"""
How fast the simulator is: ``python benchmarks/simulator.py``.

Three servers, calm, one core. Simulated seconds per real second at one request a second; delivered
messages per real second at a rate at which the clients always wait for an answer. Every invariant
is checked, as always; and each run is repeated with the trace on, to see what that costs.
"""

import argparse
import sys
import time
from dataclasses import dataclass, replace

from rich.console import Console
from rich.table import Table

from multipaxos.simulation.plan import RunPlan
from multipaxos.simulation.random_run import RandomRun, RunResult

IDLE = RunPlan(seed=1, faults="calm", founded=True, rate=1.0, seconds=600.0)
BUSY = RunPlan(seed=1, faults="calm", founded=True, rate=1000.0, clients=8, seconds=20.0)

TARGETS = {"one request a second": 1_000, "saturated": 40_000}
"""Simulated seconds, and delivered messages, per real second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What came of a run, and the processor time that it took, the best of several times."""

    result: RunResult
    seconds: float


def measure(plan: RunPlan, *, repeat: int) -> Measurement:
    """Play *plan* *repeat* times."""
    best: Measurement | None = None
    for _ in range(repeat):
        run = RandomRun(plan)
        began = time.process_time()
        result = run.play()
        seconds = time.process_time() - began
        if best is None or seconds < best.seconds:
            best = Measurement(result=result, seconds=seconds)
    assert best is not None
    return best


def rows(*, repeat: int, share: float) -> list[tuple[str, ...]]:
    """Measure everything; *share* of the usual length."""
    found: list[tuple[str, ...]] = []
    for load, usual in (("one request a second", IDLE), ("saturated", BUSY)):
        for master in (False, True):
            plan = replace(usual, master=master, seconds=usual.seconds * share)
            plain = measure(plan, repeat=repeat)
            traced = measure(replace(plan, traced=True), repeat=repeat)
            found.append(
                (
                    load,
                    "master" if master else "plain",
                    f"{plain.result.seconds / plain.seconds:,.0f}",
                    f"{plain.result.delivered / plain.seconds:,.0f}",
                    f"{plain.result.answered / plain.seconds:,.0f}",
                    f"{traced.seconds / plain.seconds:.1f}",
                )
            )
    return found


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3, help="take the best of so many runs")
    parser.add_argument("--share", type=float, default=1.0, help="of the usual length")
    options = parser.parse_args()
    if options.repeat < 1 or not 0 < options.share <= 1:
        parser.error("--repeat must be 1 or more, --share above 0 and at most 1")
    table = Table(title="three servers, calm, per real second on one core", box=None)
    for name in ("load", "servers", "simulated s", "messages", "requests", "trace costs x"):
        table.add_column(name, justify="left" if name in {"load", "servers"} else "right")
    for row in rows(repeat=options.repeat, share=options.share):
        table.add_row(*row)
    console = Console(file=sys.stdout)
    console.print(table)
    console.print(
        f"wanted: {TARGETS['one request a second']:,} simulated s at one request a second, "
        f"{TARGETS['saturated']:,} messages at any rate"
    )


if __name__ == "__main__":
    main()
