"""``multipaxos simulate``: whole clusters in virtual time, each run from a seed."""

import os
import re
import sys
from dataclasses import replace
from random import SystemRandom
from typing import TYPE_CHECKING, Any

import click
from typing_extensions import override

from multipaxos.chain.settings import Settings
from multipaxos.cli.entry import BadInputError
from multipaxos.cli.output import open_console
from multipaxos.cli.parameters import FilePath, Seconds, StateKind, WholeNumber
from multipaxos.cli.processes import interrupt_at_end
from multipaxos.composition import (
    INDISPENSABLE,
    STRATEGIES,
    UnknownStrategyError,
    strategy_names,
)
from multipaxos.simulation.fault_plan import LEVELS, PARTS
from multipaxos.simulation.faults import SERVERS_MAX
from multipaxos.simulation.plan import (
    CLIENTS_MAX,
    SESSIONS_MAX,
    STORAGES,
    PlanError,
    RunPlan,
    parse_numbers,
)
from multipaxos.strategies.broken import Bug, UnknownBugError, find_bug
from multipaxos.trace import printable

if TYPE_CHECKING:
    # What a campaign needs is imported when one is asked for, so that --help stays quick.
    from multipaxos.simulation.campaign import CampaignPlan

SEED_MAX = 999_999_999
RUNS_MAX = 999_999_999
JOBS_MAX = 256
RATE_MAX = 10_000.0
BUG_RUNS = 2_000
"""Without a seed, so many runs are drawn to find a bug."""


class Rate(click.ParamType[float]):
    """A number of requests a second."""

    name = "rate"

    @override
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        text = str(value)
        if re.fullmatch(r"[0-9]{0,9}\.?[0-9]{1,9}", text) and 0 < float(text) <= RATE_MAX:
            return float(text)
        raise BadInputError(
            f"--rate must be a number of requests a second above 0 and at most {RATE_MAX:.0f}, "
            f'not "{printable(text, length_max=40)}"'
        )


class Numbers(click.ParamType[tuple[int, ...]]):
    """Some of a run's faults or requests, by number."""

    name = "numbers"

    @override
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        try:
            return parse_numbers(str(value))
        except PlanError as error:
            text = str(error)
            raise BadInputError(f"{text[:1].upper()}{text[1:]}.") from error


@click.command(short_help="Run whole clusters in virtual time, under faults from a seed.")
@click.option("--seed", metavar="S", type=WholeNumber(0, SEED_MAX), help="What all is drawn from.")
@click.option(
    "--servers",
    metavar="N",
    type=WholeNumber(1, SERVERS_MAX),
    help=f"How many servers, 1 to {SERVERS_MAX}; without it 3, in a campaign 3 and 5.",
)
@click.option("--seconds", metavar="T", type=Seconds(), help="How long the faults last: 60 s.")
@click.option(
    "--faults", type=click.Choice(LEVELS), help="How bad it gets: rough, in a campaign all."
)
@click.option("--master", is_flag=True, help="Let the servers seek master leases.")
@click.option(
    "--without", metavar="STRATEGY", multiple=True, help="Leave a strategy out, to see it missed."
)
@click.option(
    "--state",
    metavar="KIND",
    type=StateKind(),
    help="What is replicated: register, which is the default, dictionary, or package.module:Class.",
)
@click.option(
    "--sessions",
    metavar="N",
    type=WholeNumber(1, SESSIONS_MAX),
    help=f"How many clients the chain remembers: {Settings().sessions_max}.",
)
@click.option("--bug", metavar="NAME", help="Switch a mistake on; multipaxos bugs lists them.")
@click.option(
    "--storage",
    type=click.Choice(STORAGES),
    default="simulated",
    show_default=True,
    help="How the state is kept.",
)
@click.option("--founded", is_flag=True, help="Begin with a chain that was founded before.")
@click.option(
    "--rate", metavar="R", type=Rate(), help="Requests a second: 1, in a campaign several."
)
@click.option(
    "--clients",
    metavar="N",
    type=WholeNumber(1, CLIENTS_MAX),
    default=3,
    show_default=True,
    help="How many clients.",
)
@click.option("--keep-faults", metavar="LIST", type=Numbers(), help="Only these faults: 1-3,7.")
@click.option("--keep-requests", metavar="LIST", type=Numbers(), help="Only these requests.")
@click.option(
    "--switch-off", type=click.Choice(PARTS), multiple=True, help="Leave a kind of chance out."
)
@click.option(
    "--trace",
    metavar="FILE",
    type=FilePath(what="file", dir_okay=False),
    help="Write everything that happens to FILE, one JSON object a line.",
)
@click.option(
    "--runs", metavar="N", type=WholeNumber(1, RUNS_MAX), help="Play a campaign of N runs."
)
@click.option(
    "--jobs",
    metavar="J",
    type=WholeNumber(1, JOBS_MAX),
    help="Play a campaign in J processes; without it in as many as there are processors.",
)
@click.option("--dask", metavar="ADDRESS", help="Play a campaign on the Dask cluster there.")
def simulate(**options: Any) -> None:
    """
    Run a whole cluster with its clients in virtual time, under faults that are drawn from a seed.

    First come faults, in which no invariant may break; then peace, in which every request must be
    answered. The same seed gives the same run. With --runs, a campaign: many runs over all faults
    and strategies. Where an invariant breaks, the run is made smaller and drawn as a diagram.

    Exit code 0: nothing broke. Exit code 1: an invariant broke, or a campaign saw too little.
    """
    from multipaxos.cli.simulate_campaign import simulate_many
    from multipaxos.cli.simulate_report import Page
    from multipaxos.cli.simulate_run import simulate_one

    _refuse_contradictions(options)
    bug = _find_bug(options["bug"])
    seed, is_drawn = options["seed"], options["seed"] is None
    if is_drawn:
        seed = SystemRandom().randrange(SEED_MAX + 1)
    page = Page(open_console())
    searches = bug is not None and is_drawn and options["trace"] is None
    if options["runs"] is None and not searches:
        sys.exit(simulate_one(page, _run_plan(seed, bug, options), options["trace"]))
    interrupt_at_end()
    plan = _campaign_plan(seed, bug, options)
    jobs = options["jobs"] or _processors()
    sys.exit(simulate_many(page, plan, jobs=jobs, dask=options["dask"]))


def _processors() -> int:
    # Not every system tells which of its processors this process may use.
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def _refuse_contradictions(options: dict[str, Any]) -> None:
    def refuse(option: str, why: str) -> None:
        if options[option.removeprefix("--").replace("-", "_")] not in (None, ()):
            raise BadInputError(f"{option} {why}")

    if options["runs"] is None:
        refuse("--dask", "is for a campaign: give --runs, too.")
        if options["bug"] is None or options["seed"] is not None:
            refuse("--jobs", "is for a campaign: give --runs, too.")
    else:
        for option in ("--trace", "--keep-faults", "--keep-requests", "--switch-off"):
            refuse(option, "is for a single run: leave --runs out.")
    if options["dask"] is not None:
        refuse("--jobs", "says how many processes there are here, and --dask plays them elsewhere.")
        if not options["dask"]:
            raise BadInputError('--dask "" names no cluster: write HOST:PORT of its scheduler.')
    if options["seed"] is None:
        for option in ("--keep-faults", "--keep-requests"):
            refuse(option, "names faults or requests of a seed: give --seed, too.")
    _check_strategies(options["without"])


def _check_strategies(without: tuple[str, ...]) -> None:
    for name in without:
        if name not in STRATEGIES:
            removable = ", ".join(known for known in STRATEGIES if known not in INDISPENSABLE)
            raise BadInputError(
                f'There is no strategy "{printable(name, length_max=40)}". '
                f"These can be left out: {removable}."
            )
    try:
        strategy_names(master=True, without=without)
    except UnknownStrategyError as error:
        raise BadInputError(f"Strategy {error}.") from error


def _find_bug(name: str | None) -> Bug | None:
    if name is None:
        return None
    try:
        bug = find_bug(name)
    except UnknownBugError as error:
        text = str(error)
        raise BadInputError(f"{text[:1].upper()}{text[1:]}.") from error
    if bug.not_simulated:
        raise BadInputError(f"The bug {name} is not found this way: {bug.not_simulated}")
    return bug


def _run_plan(seed: int, bug: Bug | None, options: dict[str, Any]) -> RunPlan:
    """Return the plan of a run: what was said, else what shows the bug soon, else the usual."""
    said = {
        name: options[name]
        for name in (
            "servers",
            "seconds",
            "faults",
            "rate",
            "without",
            "state",
            "sessions",
            "bug",
            "storage",
            "clients",
            "keep_faults",
            "keep_requests",
            "switch_off",
        )
        if options[name] is not None
    }
    renamed = {
        "keep_faults": "kept_faults",
        "keep_requests": "kept_requests",
        "switch_off": "switched_off",
    }
    given: dict[str, Any] = {renamed.get(name, name): value for name, value in said.items()}
    given["master"] = options["master"] or (bug is not None and bug.master)
    given["founded"] = options["founded"]
    # A command that names a seed says all that differs from a usual run.
    searches = bug is not None and options["seed"] is None and options["runs"] is None
    usual: dict[str, Any] = dict(bug.plan) if bug is not None and searches else {}
    try:
        return RunPlan(seed=seed, **{**usual, **given})
    except PlanError as error:
        text = str(error)
        raise BadInputError(f"{text[:1].upper()}{text[1:]}.") from error


def _campaign_plan(seed: int, bug: Bug | None, options: dict[str, Any]) -> "CampaignPlan":
    """Return a campaign over all that no option settles; to find a bug, over seeds only."""
    from multipaxos.simulation.campaign import COMBINATIONS, RATES, CampaignPlan, Combination

    pattern = _run_plan(seed, bug, options)
    if options["runs"] is None:
        stack = Combination(servers=pattern.servers, master=pattern.master, without=pattern.without)
        return CampaignPlan(
            seed=seed,
            runs=BUG_RUNS,
            levels=(pattern.faults,),
            combinations=(stack,),
            rates=(pattern.rate,),
            pattern=pattern,
        )
    combinations = [each for each in COMBINATIONS if each.master or not pattern.master]
    if options["without"]:
        combinations = [replace(each, without=options["without"]) for each in combinations]
    if options["servers"] is not None:
        combinations = [replace(each, servers=pattern.servers) for each in combinations]
    return CampaignPlan(
        seed=seed,
        runs=options["runs"],
        levels=LEVELS if options["faults"] is None else (pattern.faults,),
        combinations=tuple(dict.fromkeys(combinations)),
        rates=RATES if options["rate"] is None else (pattern.rate,),
        pattern=pattern,
    )
