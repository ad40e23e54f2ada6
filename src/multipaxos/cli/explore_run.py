"""What ``multipaxos explore`` does with a case, and what it prints."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import click
from rich.console import Console
from rich.status import Status
from rich.text import Text

from multipaxos.cli.entry import EXIT_FAILED, EXIT_INTERRUPTED, BadInputError, FailedError
from multipaxos.cli.processes import interrupt_at_end
from multipaxos.cli.simulate_report import Page
from multipaxos.exploration.case import Case
from multipaxos.exploration.engine import explore
from multipaxos.exploration.result import Exploration, Progress
from multipaxos.exploration.role_bounds import BoundsError
from multipaxos.exploration.workers import WorkerLostError
from multipaxos.invariants.names import RULES
from multipaxos.strategies.broken import Bug
from multipaxos.trace import TraceEvent, write_trace
from multipaxos.trace.console import AMBER, GREEN, RED
from multipaxos.trace.diagram import text_diagram

WIDTH = 80


def explore_case(
    console: Console,
    case: Case,
    bug: Bug | None,
    *,
    jobs: int,
    states_max: int | None,
    path: Path | None,
) -> int:
    """Explore *case*, print how it went and what it came to, and return the exit code."""
    page = Page(console)
    if path is not None:
        check_replaceable(path)
    interrupt_at_end()
    _tell_case(page, case, bug)
    if case.warning:
        click.echo(case.warning, err=True)
    try:
        with _Line() as line:
            found = explore(case.model, jobs=jobs, states_max=states_max, on_progress=line.show)
    except (WorkerLostError, BoundsError) as error:
        text = str(error)
        raise FailedError(f"{text[:1].upper()}{text[1:]}.") from error
    _tell_counts(page, found)
    page.say()
    if found.violation is None:
        return _tell_safety(page, found, bug)
    _tell_disaster(page, case, found, path)
    return EXIT_FAILED


def check_replaceable(path: Path) -> None:
    """Refuse a *path* that cannot be written, or holds anything but the trace of an exploration."""
    try:
        is_there = path.exists() and path.stat().st_size > 0
        path.open("ab").close()
        is_ours = not is_there or _is_trace_of_exploration(path)
    except OSError as error:
        raise BadInputError(f"{path} cannot be written: {error.strerror}.") from error
    if not is_ours:
        raise BadInputError(
            f"{path} exists and is not the trace of an exploration: it is left as it is. "
            "Name another file."
        )


def _is_trace_of_exploration(path: Path) -> bool:
    with path.open(encoding="ascii", errors="surrogateescape") as lines:
        try:
            header = json.loads(lines.readline())
            return bool(header["kind"] == "trace" and header["engine"] == "exploration")
        except (ValueError, TypeError, LookupError):
            return False


# -- before and after ------------------------------------------------------------------------------


def _tell_case(page: Page, case: Case, bug: Bug | None) -> None:
    page.say(case.title, style="bold")
    page.label("bounds", ", ".join(f"{name} {number}" for name, number in case.bounds.items()))
    if bug is not None:
        page.label("bug", f"{bug.name}: {bug.summary}", style=AMBER)


def _tell_counts(page: Page, found: Exploration[Any, Any]) -> None:
    page.label("states", f"{found.states:,} distinct")
    page.label("transitions", f"{found.transitions:,}")
    page.label("depth", f"{found.depth} states on the longest of the shortest paths")
    page.label("speed", f"{found.states_per_second:,.0f} states/s, {found.seconds:.1f} s in all")
    page.label("memory", f"{found.bytes_per_state:.0f} bytes a state")


def _tell_safety(page: Page, found: Exploration[Any, Any], bug: Bug | None) -> int:
    if found.interrupted:
        page.say("Interrupted: no invariant broke in what was covered so far.", f"bold {AMBER}")
        return EXIT_INTERRUPTED
    if not found.complete:
        page.say(
            "Stopped at the number of states that was given: no invariant broke in what was "
            "covered, and there is more.",
            style=f"bold {AMBER}",
        )
        return 0
    if bug is not None:
        page.say(
            f"Complete, and the bug {bug.name} did no harm within these bounds.", f"bold {AMBER}"
        )
    else:
        page.say("Complete: no invariant breaks within these bounds.", style=f"bold {GREEN}")
    for name in found.missing:
        page.say(f"It never happened that {name}: these bounds show less than they could.", AMBER)
    return 0


def _tell_disaster(page: Page, case: Case, found: Exploration[Any, Any], path: Path | None) -> None:
    violation = found.violation
    assert violation is not None
    steps = "1 step" if len(found.path) == 1 else f"{len(found.path)} steps"
    at = "" if violation.link is None else f" at link {violation.link}"
    page.say(f"{violation.name} is broken{at}, after {steps}.", style=f"bold {RED}")
    page.label("the rule", RULES.get(violation.name, ""))
    page.label("what happened", violation.explanation)
    for broken in case.on_the_way(found):
        if broken.violation.name != violation.name:
            page.label(f"at step {broken.step}", str(broken.violation))
    events = case.tell(found)
    if path is not None:
        _write(events, path)
    page.say()
    width = page.console.width if sys.stdout.isatty() else WIDTH
    page.console.print(text_diagram(events, width=width))
    if path is not None:
        page.say()
        page.say(f"wrote {path}")


def _write(events: Sequence[TraceEvent], path: Path) -> None:
    try:
        write_trace(path, events)
    except OSError as error:
        raise FailedError(f"{path} cannot be written: {error.strerror}.") from error


# -- while it runs ---------------------------------------------------------------------------------


class _Line:
    """A line about how far it is, on standard error; none where that is no terminal."""

    def __init__(self) -> None:
        console = Console(stderr=True, highlight=False)
        self._status = Status("", console=console) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def show(self, progress: Progress) -> None:
        """Show *progress*."""
        if self._status is not None:
            self._status.update(
                Text(
                    f"{progress.states:,} states, depth {progress.depth}, "
                    f"{progress.states_per_second:,.0f} states/s, "
                    f"{progress.memory_bytes / 1e6:,.0f} MB"
                )
            )
