"""``multipaxos history``: the decided links."""

import json
import time
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import click

from multipaxos.cli.asking import ask_in_turn
from multipaxos.cli.parameters import (
    WholeNumber,
    config_option,
    json_option,
    password_option,
    read_config,
    timeout_option,
)
from multipaxos.client import Client, HistoryLink
from multipaxos.trace import describe_link

LINKS_MAX = 100_000


@click.command(short_help="Show the newest decided links.")
@click.argument("uid", metavar="[SERVER]", required=False)
@click.option(
    "--count",
    metavar="N",
    type=WholeNumber(1, LINKS_MAX),
    default=20,
    show_default=True,
    help="How many lines to show, the newest ones; with --json, how many links.",
)
@timeout_option(5.0)
@json_option
@password_option
@config_option
def history(
    uid: str | None,
    count: int,
    timeout_seconds: float,
    as_json: bool,
    password_path: Path | None,
    config_path: Path | None,
) -> None:
    """
    Show the newest decided links that SERVER keeps, or the first server that answers.

    A server that was away has only the links that it learned itself: of those that it skipped it
    took over what they amount to. A master's lease and its renewals in a row share a line.
    """

    def ask(client: Client, share_seconds: float) -> list[HistoryLink]:
        deadline = time.monotonic() + share_seconds
        asked = count
        while True:
            links = client.history(asked, timeout_seconds=max(0.0, deadline - time.monotonic()))
            is_enough = as_json or len(lines_of(links)) >= count
            if is_enough or len(links) < asked or asked == LINKS_MAX:
                return links
            # Most of them were renewals of a lease, which share a line: there may be room for more.
            asked = min(4 * asked, LINKS_MAX)

    config = read_config(config_path, password_path)
    links = ask_in_turn(config, uid, timeout_seconds, ask, what="No history could be read")
    if as_json:
        click.echo(json.dumps([{"link": link.number, "holds": link.holds} for link in links]))
        return
    for line in lines_of(links)[-count:]:
        click.echo(line)
    if not links:
        click.echo("no link is decided yet", err=True)


def lines_of(links: Sequence[HistoryLink]) -> list[str]:
    """Return a line for each of *links*, for a master's renewals in a row, and for each gap."""
    lines = []
    expected: int | None = None
    for _, group in groupby(links, key=_Run()):
        run = list(group)
        first, last = run[0].number, run[-1].number
        if expected is not None and first != expected:
            skipped = _numbers(expected, first - 1)
            lines.append(f"{skipped}  not learned one by one here: caught up")
        renewed = len(run) - 1
        times = "once" if renewed == 1 else f"{renewed} times"
        said = describe_link(run[0].holds) + (f", renewed {times}" if renewed else "")
        lines.append(f"{_numbers(first, last)}  {said}")
        expected = last + 1
    return lines


class _Run:
    """
    Numbers the runs: a link belongs to the one before if it renews the same master's lease.

    State: the link before, and the number of its run.
    """

    def __init__(self) -> None:
        self._before: HistoryLink | None = None
        self._number = 0

    def __call__(self, link: HistoryLink) -> int:
        before, self._before = self._before, link
        if before is None or not _renews(link, before):
            self._number += 1
        return self._number


def _renews(link: HistoryLink, before: HistoryLink) -> bool:
    return (
        link.holds["type"] == before.holds["type"] == "NewMaster"
        and link.number == before.number + 1
        and describe_link(link.holds) == describe_link(before.holds)
    )


def _numbers(first: int, last: int) -> str:
    return f"link {first}" if first == last else f"links {first} to {last}"
