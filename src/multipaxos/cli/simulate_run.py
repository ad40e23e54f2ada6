"""One simulated run, from its plan to its exit code."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from multipaxos.cli.entry import EXIT_FAILED, BadInputError, FailedError
from multipaxos.cli.simulate_report import (
    Page,
    tell_command,
    tell_disaster,
    tell_plan,
    tell_result,
    tell_violation,
)
from multipaxos.cli.simulated_storage import disks_of
from multipaxos.invariants.violation import InvariantViolation
from multipaxos.simulation.plan import RunPlan
from multipaxos.simulation.random_run import RandomRun
from multipaxos.simulation.shrink import shrink
from multipaxos.simulation.statistics import Counting
from multipaxos.trace import write_trace


def simulate_one(page: Page, plan: RunPlan, trace: Path | None) -> int:
    """Run *plan*, print what came of it, and return the exit code."""
    if trace is not None:
        check_replaceable(trace)
    tell_plan(page, plan)
    counting = Counting()
    run = RandomRun(
        replace(plan, traced=trace is not None),
        observers=(counting,),
        disks=disks_of(plan),
    )
    violation: InvariantViolation | None = None
    try:
        result = run.play()
    except InvariantViolation as error:
        violation, result = error, run.result()
    if trace is not None:
        _write(trace, run)
    if violation is not None:
        tell_violation(page, violation)
        tell_smallest(page, plan, violation)
        return EXIT_FAILED
    tell_result(page, plan, result, counting.result(run.cluster.invariants.chosen, result))
    if plan.bug is not None:
        page.say()
        page.say(
            f"The bug {plan.bug} did no harm in this run; without --seed, runs are drawn until "
            "it does."
        )
    return 0


def tell_smallest(page: Page, plan: RunPlan, violation: InvariantViolation) -> None:
    """Make the run smaller, and print what is left as a diagram, and how to repeat it."""
    smallest = plan

    def tell_attempt(attempts: int, smaller: RunPlan) -> None:
        nonlocal smallest
        smallest = smaller
        status.update(
            f"making it smaller: {attempts} runs, {len(smaller.fault_schedule())} faults and "
            f"{len(smaller.request_schedule())} requests are left"
        )

    # Whoever is tired of waiting gets the smallest run so far.
    with suppress(KeyboardInterrupt), _shrinking() as status:
        smallest = shrink(plan, violation, play=play_plan, on_attempt=tell_attempt)
    tell_disaster(page, smallest, plan)
    tell_command(page, smallest)


def play_plan(plan: RunPlan) -> InvariantViolation | None:
    """Return what a run of *plan* violates, if it does; on the disks that it names."""
    try:
        RandomRun(replace(plan, traced=False), disks=disks_of(plan)).play()
    except InvariantViolation as violation:
        return violation
    return None


class _Status:
    """A line on standard error that says what goes on; nothing where nobody watches."""

    def __init__(self, console: Console) -> None:
        self._status = console.status("making it smaller") if console.is_terminal else None

    def start(self) -> None:
        if self._status is not None:
            self._status.start()

    def update(self, text: str) -> None:
        if self._status is not None:
            self._status.update(text)

    def stop(self) -> None:
        if self._status is not None:
            self._status.stop()


@contextmanager
def _shrinking() -> Iterator[_Status]:
    status = _Status(Console(stderr=True, highlight=False))
    status.start()
    try:
        yield status
    finally:
        status.stop()


def check_replaceable(path: Path) -> None:
    """Refuse a *path* that cannot be written, or holds anything but the trace of a simulation."""
    try:
        if path.exists() and path.stat().st_size > 0 and not _is_simulation(path):
            raise BadInputError(
                f"{path} exists and is not the trace of a simulation: it is left as it is. "
                "Name another file."
            )
        with path.open("a"):
            pass
    except OSError as error:
        raise BadInputError(f"{path} cannot be written: {error.strerror}.") from error


def _is_simulation(path: Path) -> bool:
    with path.open(encoding="ascii", errors="replace") as file:
        line = file.readline()
    try:
        header = json.loads(line)
        return bool(header["kind"] == "trace" and header["engine"] == "simulation")
    except (ValueError, KeyError, TypeError):
        return False


def _write(path: Path, run: RandomRun) -> None:
    try:
        write_trace(path, run.cluster.trace.events)
    except OSError as error:
        raise FailedError(f"The trace could not be written to {path}: {error.strerror}.") from error
