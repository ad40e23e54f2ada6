"""``multipaxos history``: the decided links."""

import json
from pathlib import Path

import click

from multipaxos.cli.asking import ask_in_turn
from multipaxos.cli.parameters import (
    WholeNumber,
    config_option,
    json_option,
    read_config,
    timeout_option,
)
from multipaxos.client import Client, HistoryLink
from multipaxos.trace import describe_link


@click.command(short_help="Show the newest decided links.")
@click.argument("uid", metavar="[SERVER]", required=False)
@click.option(
    "--count",
    metavar="N",
    type=WholeNumber(1, 100_000),
    default=20,
    show_default=True,
    help="How many links to show, the newest ones.",
)
@timeout_option(5.0)
@json_option
@config_option
def history(
    uid: str | None, count: int, timeout_seconds: float, as_json: bool, config_path: Path | None
) -> None:
    """
    Show the newest decided links that SERVER keeps, or the first server that answers.

    A server that was away has only the links that it learned itself: of those that it skipped it
    took over what they amount to.
    """

    def ask(connection: Client, share_seconds: float) -> list[HistoryLink]:
        return connection.history(count, timeout_seconds=share_seconds)

    config = read_config(config_path)
    links = ask_in_turn(config, uid, timeout_seconds, ask, what="No history could be read")
    if as_json:
        click.echo(json.dumps([{"link": link.number, "holds": link.holds} for link in links]))
        return
    for link in links:
        click.echo(f"link {link.number}  {describe_link(link.holds)}")
    if not links:
        click.echo("no link is decided yet", err=True)
