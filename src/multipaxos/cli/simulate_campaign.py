"""A campaign of simulated runs: who plays them, how it goes, what it comes to."""

import time
from collections.abc import Generator
from contextlib import closing
from functools import partial
from itertools import islice
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from multipaxos.cli.entry import EXIT_FAILED, EXIT_INTERRUPTED, BadInputError, FailedError
from multipaxos.cli.simulate_report import (
    Page,
    tell_command,
    tell_sometimes,
    tell_speed,
    tell_tally,
    tell_violation,
)
from multipaxos.cli.simulate_run import tell_smallest
from multipaxos.cli.simulated_storage import disks_of
from multipaxos.simulation.campaign import (
    CampaignPlan,
    CampaignRun,
    RunReport,
    Tally,
    in_order,
    play,
)
from multipaxos.simulation.campaign_dask import ClusterError, ClusterLostError, reports_of_cluster
from multipaxos.simulation.campaign_workers import WorkerLostError, Workers
from multipaxos.trace.console import AMBER, GREEN, RED

RUNS_ALONE = 5
"""So many runs with a bug are played in this process before others are started."""

work = partial(play, disks_of=disks_of)
"""What is done with each run, here or in another process."""


def simulate_many(page: Page, plan: CampaignPlan, *, jobs: int, dask: str | None) -> int:
    """Play the runs of *plan*, print what they came to, and return the exit code."""
    runs = "1 run" if plan.runs == 1 else f"{plan.runs:,} runs"
    page.say(f"campaign of seed {plan.seed}: {runs}", style="bold")
    page.say()
    began = time.monotonic()
    tally, failed, interrupted = _play_all(page, plan, jobs=jobs, dask=dask)
    seconds = time.monotonic() - began
    if failed is not None:
        return _tell_failure(page, tally, failed, seconds)
    tell_tally(page, tally)
    if interrupted:
        tell_speed(page, tally.total, seconds)
        page.say()
        page.say(
            f"Interrupted after {tally.total.runs:,} of {runs}: no invariant was broken so far.",
            style=f"bold {AMBER}",
        )
        return EXIT_INTERRUPTED
    has_all = tell_sometimes(page, plan, tally.total)
    tell_speed(page, tally.total, seconds)
    page.say()
    if plan.pattern.bug is not None:
        page.say(f"The bug {plan.pattern.bug} did no harm in {runs}.", style=f"bold {AMBER}")
    else:
        page.say(f"No invariant was broken in {runs}.", style=f"bold {GREEN if has_all else AMBER}")
    return 0 if has_all else EXIT_FAILED


def _play_all(
    page: Page, plan: CampaignPlan, *, jobs: int, dask: str | None
) -> tuple[Tally, RunReport | None, bool]:
    """Play until the end, a failure or Ctrl+C; return the sums, the failure, and whether it was."""
    tally = Tally()
    try:
        with (
            closing(_reports(plan, jobs=jobs, dask=dask)) as reports,
            _Bar(plan.runs) as bar,
        ):
            for report in in_order(reports):
                tally.add(report)
                bar.advance(tally)
                if report.failed:
                    return tally, report, False
    except KeyboardInterrupt:
        return tally, None, True
    except ClusterError as error:
        raise BadInputError(f"{_sentence(error)}.") from error
    except (WorkerLostError, ClusterLostError) as error:
        tell_tally(page, tally)
        page.say()
        raise FailedError(f"{_sentence(error)}.") from error
    return tally, None, False


def _reports(
    plan: CampaignPlan, *, jobs: int, dask: str | None
) -> Generator[RunReport, None, None]:
    """Yield the reports of all runs, as they come."""
    runs = plan.all_runs()
    if dask is not None:
        yield from reports_of_cluster(dask, work, runs)
        return
    # Most bugs show in the first runs, before other processes would have started.
    alone = plan.runs if jobs == 1 else RUNS_ALONE if plan.pattern.bug is not None else 0
    yield from map(work, islice(runs, alone))
    if alone < plan.runs:
        workers: Workers[CampaignRun, RunReport] = Workers(work, min(jobs, plan.runs - alone))
        with closing(workers):
            yield from workers.reports(runs)


def _tell_failure(page: Page, tally: Tally, failed: RunReport, seconds: float) -> int:
    run = failed.run
    if run.plan.bug is None:
        # Who looks for a bug does not ask what else was covered.
        tell_tally(page, tally)
        tell_speed(page, tally.total, seconds)
        page.say()
    page.say(f"Run {run.number + 1}, of seed {run.plan.seed}, went wrong.", style=f"bold {RED}")
    if failed.violation is not None:
        tell_violation(page, failed.violation)
        tell_smallest(page, run.plan, failed.violation)
    else:
        assert failed.fault is not None
        page.say("It ended with a fault in the program:")
        page.console.print(failed.fault.rstrip())
        tell_command(page, run.plan)
    return EXIT_FAILED


class _Bar:
    """The progress bar, on standard error; none where that is no terminal."""

    def __init__(self, runs: int) -> None:
        console = Console(stderr=True, highlight=False)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[speed]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("runs", total=runs, speed="")
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def advance(self, tally: Tally) -> None:
        """Show that one more run is done."""
        speed = tally.total.seconds / max(1e-3, time.monotonic() - self._began)
        self._progress.update(self._task, completed=tally.total.runs, speed=f"{speed:,.0f} s/s")


def _sentence(error: Exception) -> str:
    text = str(error)
    return text[:1].upper() + text[1:]
