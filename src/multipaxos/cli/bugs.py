"""``multipaxos bugs``: the mistakes that can be switched on."""

import dataclasses
import inspect
import json
import textwrap
from collections.abc import Iterator
from typing import Any

import click
from rich.text import Text

from multipaxos.cli.entry import BadInputError
from multipaxos.cli.output import open_console
from multipaxos.cli.parameters import json_option
from multipaxos.invariants.names import RULES
from multipaxos.strategies.broken import BUGS, Bug, Disaster, UnknownBugError, find_bug
from multipaxos.trace.console import ERROR_STYLE

PROSE_WIDTH_MAX = 80
"""Longer lines are hard to read."""

GAP = "  "
TITLES = ("bug", "breaks", "what it does")


@click.command(short_help="List the mistakes that can be switched on, or tell of one.")
@click.argument("name", metavar="[BUG]", required=False)
@json_option
def bugs(name: str | None, as_json: bool) -> None:
    """
    List the mistakes that can be switched on with --bug, or tell the story of BUG.

    Each is a few lines over the correct code: what is wrong, which rule it breaks, where one meets
    it, and which commands find it.
    """
    bug = None if name is None else _bug_of(name)
    if as_json:
        told = list(map(described, BUGS.values())) if bug is None else described(bug)
        click.echo(json.dumps(told))
        return
    console = open_console()
    width = min(console.width, PROSE_WIDTH_MAX)
    for line in table(width) if bug is None else story(bug, width):
        console.print(line)


def _bug_of(name: str) -> Bug:
    try:
        return find_bug(name)
    except UnknownBugError as error:
        text = str(error)
        raise BadInputError(f"{text[:1].upper()}{text[1:]}.") from error


def described(bug: Bug) -> dict[str, Any]:
    """Return all that is known of *bug*, for programs."""
    return {
        "name": bug.name,
        "summary": bug.summary,
        "mistake": bug.mistake,
        "rule": bug.rule,
        "met": bug.met,
        "breaks": list(bug.breaks),
        "master": bug.master,
        "commands": list(bug.commands),
        "not_explored": bug.not_explored,
        "not_simulated": bug.not_simulated,
        "shortest": [dataclasses.asdict(disaster) for disaster in bug.shortest],
        "code": code_of(bug),
    }


# -- the list --------------------------------------------------------------------------------------


def table(width: int) -> Iterator[Text]:
    """Yield the lines of the list, none longer than *width* unless a word is."""
    rows = [(bug.name, numbers_of(bug), bug.summary.rstrip(".")) for bug in BUGS.values()]
    first, second = (max(len(row[column]) for row in (TITLES, *rows)) for column in (0, 1))
    indent = first + second + 2 * len(GAP)
    yield Text(f"{TITLES[0]:<{first}}{GAP}{TITLES[1]:<{second}}{GAP}{TITLES[2]}", style="bold")
    for name, numbers, summary in rows:
        lines = textwrap.wrap(summary, max(20, width - indent))
        yield Text.assemble(
            (f"{name:<{first}}", "bold"), GAP, (f"{numbers:<{second}}", ERROR_STYLE), GAP, lines[0]
        )
        yield from (Text(" " * indent + line) for line in lines[1:])


def numbers_of(bug: Bug) -> str:
    """Return the numbers of the invariants that *bug* breaks: ``I3 I1``."""
    return " ".join(name.split()[0] for name in bug.breaks)


# -- one bug ---------------------------------------------------------------------------------------


def story(bug: Bug, width: int) -> Iterator[Text]:
    """Yield all that there is to say of *bug*, in at most *width* columns, and its code."""
    yield Text.assemble((bug.name, "bold"), f": {bug.summary}")
    for title, paragraphs in (
        ("mistake", [bug.mistake]),
        ("rule", [bug.rule]),
        ("met", [bug.met]),
        ("breaks", [f"{name}: {RULES[name]}" for name in bug.breaks]),
        (
            "found by",
            [*(f"`{command}`" for command in bug.commands), bug.not_explored, bug.not_simulated],
        ),
        ("shortest", [in_words(disaster) for disaster in bug.shortest]),
    ):
        if any(paragraphs):
            yield Text()
            yield from _section(title, paragraphs, width)
    yield Text()
    yield from (Text(line, style="dim") for line in code_of(bug).splitlines())


def in_words(disaster: Disaster) -> str:
    """Return a shortest disaster as a sentence's half."""
    return (
        f"{disaster.steps} steps until {disaster.breaks} breaks, found after "
        f"{disaster.states:,} states"
    )


def _section(title: str, paragraphs: list[str], width: int) -> Iterator[Text]:
    indent = len("shortest") + len(GAP)
    head = f"{title:<{indent}}"
    for paragraph in paragraphs:
        sentence = paragraph[:1].upper() + paragraph[1:]
        for line in textwrap.wrap(sentence, max(20, width - indent), break_on_hyphens=False):
            yield Text.assemble((head, "bold"), line)
            head = " " * indent


def code_of(bug: Bug) -> str:
    """Return the lines that make *bug*, without their docstring; a sentence where there is none."""
    culprit = bug.culprit
    try:
        source = inspect.getsource(culprit)
    except OSError:
        return "The source is not installed here."
    head, quotes, rest = source.partition('    """')
    _, _, body = rest.partition('"""\n')
    return (head + body.lstrip("\n")).rstrip() if quotes else source.rstrip()
