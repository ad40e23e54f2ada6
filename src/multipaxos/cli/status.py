"""``multipaxos status``: how the servers are."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from multipaxos.cli.entry import EXIT_FAILED
from multipaxos.cli.output import make_table, print_table
from multipaxos.cli.parameters import (
    config_option,
    endpoints,
    identities,
    json_option,
    read_config,
    timeout_option,
)
from multipaxos.client import Client, ClientError, Endpoint, OtherServerError
from multipaxos.runtime.config import Config
from multipaxos.trace import printable
from multipaxos.trace.console import uid_style

VALUE_LENGTH_MAX = 10
"""Leaves the table of servers that serve 80 columns wide."""


@click.command(short_help="Show how each server is.")
@timeout_option(2.0)
@json_option
@config_option
@click.pass_context
def status(
    context: click.Context, timeout_seconds: float, as_json: bool, config_path: Path | None
) -> None:
    """
    Show each server's link, value, master, lease and proposal numbers.

    "promised" and "accepted" are about the link in progress, the one after "link".

    Exit code 0: at least one server answered. Exit code 1: none did.
    """
    config = read_config(config_path)
    found = ask_all(config, timeout_seconds)
    if as_json:
        click.echo(json.dumps({uid: _for_programs(answer) for uid, answer in found.items()}))
    else:
        _print_table(found)
    if all(isinstance(answer, ClientError) for answer in found.values()):
        context.exit(EXIT_FAILED)


def ask_all(config: Config, timeout_seconds: float) -> dict[str, dict[str, Any] | ClientError]:
    """Return each server's status, or why it gave none, by uid; all are asked at once."""
    expected = identities(config)
    servers = endpoints(config, None)

    def ask(endpoint: Endpoint) -> dict[str, Any] | ClientError:
        try:
            with Client([endpoint], identities=expected) as connection:
                return connection.status(timeout_seconds=timeout_seconds)
        except ClientError as error:
            return error

    with ThreadPoolExecutor(max_workers=len(servers)) as threads:
        return dict(zip(servers, threads.map(ask, servers.values()), strict=True))


def _for_programs(answer: dict[str, Any] | ClientError) -> dict[str, Any]:
    if isinstance(answer, ClientError):
        return {"reachable": False, "reason": str(answer)}
    return {"reachable": True, **answer}


def _print_table(found: Mapping[str, dict[str, Any] | ClientError]) -> None:
    table = make_table(
        "server", "state", "link", "value", "master", "lease", "promised", "accepted"
    )
    for uid, answer in found.items():
        name = Text(uid, style=uid_style(uid))
        if isinstance(answer, ClientError):
            is_other = isinstance(answer, OtherServerError)
            said = "another cluster's" if is_other else "not reachable"
            table.add_row(name, Text(said, style="red"))
        else:
            table.add_row(name, *_cells(answer))
    print_table(table)


def _cells(answer: Mapping[str, Any]) -> list[Any]:
    serves = answer["phase"] == "serving"
    lease = answer["lease"]
    return [
        Text(printable(answer["phase"]), style="green" if serves else "yellow"),
        str(answer["link"]) if answer["link"] >= 0 else "-",
        _shortened(answer["value"]),
        printable(answer["master"] or "-"),
        f"{lease['kind']} {lease['seconds_left']:.1f} s" if lease else "-",
        answer["promised"] or "-",
        answer["accepted"] or "-",
    ]


def _shortened(value: str | None) -> str:
    if value is None:
        return "-"
    shown = f'"{printable(value[:VALUE_LENGTH_MAX])}"'
    if len(shown) <= VALUE_LENGTH_MAX and len(value) <= VALUE_LENGTH_MAX:
        return shown
    return f'{shown[: VALUE_LENGTH_MAX - 2]}…"'
