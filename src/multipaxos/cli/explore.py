"""``multipaxos explore``: every order of events of a small run."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from multipaxos.cli.entry import BadInputError
from multipaxos.cli.output import open_console
from multipaxos.cli.parameters import FilePath, WholeNumber
from multipaxos.exploration.case import Case
from multipaxos.strategies.broken import Bug, UnknownBugError, find_bug

JOBS_MAX = 64
STATES_MAX = 999_999_999
MODELS = ("roles", "chain")
BOUND_MAX = 99
ROLES_ONLY = {"values"}
CHAIN_ONLY = {"links", "writes", "reads", "swaps", "retries", "firings", "master", "elected"}

F = TypeVar("F", bound=Callable[..., Any])


def _bound(name: str, text: str) -> Callable[[F], F]:
    return click.option(f"--{name}", metavar="N", type=WholeNumber(0, BOUND_MAX), help=text)


@click.command(short_help="Explore every order of events of a small run.")
@click.option(
    "--model",
    type=click.Choice(MODELS),
    help="One decision by the bare roles, or a chain of links with masters: roles.",
)
@_bound("servers", "How many servers: 3.")
@_bound("proposers", "How many of them propose: 2.")
@_bound("values", "How many values clients ask for: 2.")
@_bound("rounds", "How many rounds each proposer begins at most: 1.")
@_bound("crashes", "How many crashes there are at most, each with a restart: 1; chain: 0.")
@_bound("links", "Chain: how many links are decided: 2.")
@_bound("writes", "Chain: how many values clients write: 1.")
@_bound("reads", "Chain: how often clients read: 0.")
@_bound("swaps", "Chain: how many clients set a value only if there is none: 0.")
@_bound("retries", "Chain: how often clients ask again, elsewhere: 0.")
@_bound("firings", "Chain: how often servers act of their own accord: no limit.")
@click.option("--master", is_flag=True, help="Chain: seek mastership, and use it.")
@click.option("--elected", is_flag=True, help="Chain: begin with an elected master.")
@click.option("--bug", metavar="NAME", help="Switch a mistake on; multipaxos bugs lists them.")
@click.option(
    "--jobs",
    metavar="J",
    type=WholeNumber(1, JOBS_MAX),
    default=1,
    show_default=True,
    help="How many processes share the states.",
)
@click.option(
    "--states-max",
    metavar="N",
    type=WholeNumber(1, STATES_MAX),
    help="Stop after so many states, although there are more.",
)
@click.option(
    "--trace",
    "trace_path",
    metavar="FILE",
    type=FilePath(what="file", dir_okay=False),
    help="Write the run that breaks an invariant to FILE, one JSON object a line.",
)
def explore(
    model: str | None,
    bug: str | None,
    jobs: int,
    states_max: int | None,
    trace_path: Path | None,
    master: bool,
    elected: bool,
    **bounds: int | None,
) -> None:
    """
    Explore every order of deliveries, losses, duplications, timeouts and restarts of a small run.

    The servers are the real ones. The search is breadth first, so where an invariant breaks, no
    shorter run breaks it; that run is drawn as a diagram.

    Exit code 0: nothing broke. Exit code 1: an invariant broke.
    """
    from multipaxos.cli.explore_run import explore_case

    given = {name: number for name, number in bounds.items() if number is not None}
    given |= {name: 1 for name, on in (("master", master), ("elected", elected)) if on}
    found = None if bug is None else _find_bug(bug)
    case = _case(model, given, found)
    if jobs > 1 and case.jobs_max == 1:
        raise BadInputError("The chain is explored by one process: leave --jobs out.")
    page = open_console()
    sys.exit(explore_case(page, case, found, jobs=jobs, states_max=states_max, path=trace_path))


def _find_bug(name: str) -> Bug:
    try:
        bug = find_bug(name)
    except UnknownBugError as error:
        raise BadInputError(_sentence(error)) from error
    if bug.not_explored:
        raise BadInputError(f"The bug {name} is not found this way: {bug.not_explored}")
    return bug


def _case(model: str | None, given: dict[str, int], bug: Bug | None) -> Case:
    if bug is not None:
        if model not in (None, bug.model):
            raise BadInputError(
                f"The bug {bug.name} shows in the model {bug.model} only: leave --model out."
            )
        model = bug.model
    wrong = given.keys() & (ROLES_ONLY if model == "chain" else CHAIN_ONLY)
    if wrong:
        other = "leave it out" if model == "chain" else "add --model chain"
        raise BadInputError(f"--{min(wrong)} is no bound of the {model or 'roles'} model: {other}.")
    try:
        return _case_of(model or "roles")(given, bug)
    except ValueError as error:
        raise BadInputError(_sentence(error)) from error


def _case_of(model: str) -> Callable[[Mapping[str, int], Bug | None], Case]:
    if model == "chain":
        from multipaxos.exploration.chain_case import chain_case

        return chain_case
    from multipaxos.exploration.role_case import role_case

    return role_case


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
