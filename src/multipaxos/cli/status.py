"""``multipaxos status``: how the servers are."""

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from multipaxos.cli.entry import EXIT_FAILED
from multipaxos.cli.output import open_console
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
from multipaxos.trace.console import ERROR_STYLE, SERVES_STYLE, WAITS_STYLE, uid_style

COLUMNS = ("server", "state", "link", "value", "master", "lease", "promised", "accepted")
GAP = 2
VALUE_WIDTH_MIN = 10
"""With less room for a value than this, the table gives way to paragraphs."""


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
        console = open_console()
        for line in lines_of(found, console.width):
            console.print(line)
    if all(isinstance(answer, ClientError) for answer in found.values()):
        context.exit(EXIT_FAILED)


def ask_all(config: Config, timeout_seconds: float) -> dict[str, dict[str, Any] | ClientError]:
    """Return each server's status, or why it gave none, by uid; all are asked at once."""
    expected = identities(config)
    servers = endpoints(config, None)

    def ask(endpoint: Endpoint) -> dict[str, Any] | ClientError:
        try:
            with Client(
                [endpoint], password=config.client_password, identities=expected
            ) as connection:
                return connection.status(timeout_seconds=timeout_seconds)
        except ClientError as error:
            return error

    with ThreadPoolExecutor(max_workers=len(servers)) as threads:
        return dict(zip(servers, threads.map(ask, servers.values()), strict=True))


def _for_programs(answer: dict[str, Any] | ClientError) -> dict[str, Any]:
    if isinstance(answer, ClientError):
        return {"reachable": False, "reason": str(answer)}
    return {"reachable": True, **answer}


def lines_of(found: Mapping[str, dict[str, Any] | ClientError], width: int) -> list[Text]:
    """Return what is *found* as a table, or as paragraphs if *width* columns are too few for it."""
    return _table(found, width) or list(_paragraphs(found, width))


# -- as a table, where there is room ---------------------------------------------------------------


def _table(found: Mapping[str, dict[str, Any] | ClientError], width: int) -> list[Text]:
    """Return the lines of a table, none if it does not fit into *width* columns."""
    rows = [
        [_name(uid), *_cells(answer)]
        for uid, answer in found.items()
        if not isinstance(answer, ClientError)
    ]
    titles = [Text(title, style="bold") for title in COLUMNS]
    widths = [max(each.cell_len for each in column) for column in zip(titles, *rows, strict=True)]
    value = COLUMNS.index("value")
    gaps = GAP * (len(widths) - 1)
    left = width - gaps - sum(widths) + widths[value]
    if left < min(widths[value], VALUE_WIDTH_MIN):
        return []
    widths[value] = min(widths[value], left)
    lines = [_row(titles, widths)] if rows else []
    answered = iter(rows)
    for uid, answer in found.items():
        if isinstance(answer, ClientError):
            name = _name(uid)
            name.pad_right(max(0, len(COLUMNS[0]) - name.cell_len) + GAP)
            line = Text.assemble(name, (_why_not(answer), ERROR_STYLE))
            line.truncate(width, overflow="ellipsis")
            lines.append(line)
        else:
            lines.append(_row(next(answered), widths))
    return lines


def _row(cells: Sequence[Text], widths: Sequence[int]) -> Text:
    line = Text()
    for cell, width in zip(cells, widths, strict=True):
        shown = cell.copy()
        shown.truncate(width, overflow="ellipsis", pad=True)
        line.append_text(shown)
        line.append(" " * GAP)
    line.rstrip()
    return line


def _cells(answer: Mapping[str, Any]) -> list[Text]:
    lease = answer["lease"]
    return [
        _phase(answer),
        Text(str(answer["link"]) if answer["link"] >= 0 else "-"),
        Text(_value(answer)),
        Text(printable(answer["master"] or "-")),
        Text(f"{lease['kind']} {lease['seconds_left']:.1f} s" if lease else "-"),
        Text(answer["promised"] or "-"),
        Text(answer["accepted"] or "-"),
    ]


# -- as paragraphs, on a narrow screen -------------------------------------------------------------


def _paragraphs(found: Mapping[str, dict[str, Any] | ClientError], width: int) -> Iterator[Text]:
    """Yield some lines on each server, none of them longer than *width*."""
    for uid, answer in found.items():
        indent = " " * (len(uid) + GAP)
        head = Text.assemble(_name(uid), " " * GAP)
        if isinstance(answer, ClientError):
            said = textwrap.wrap(_why_not(answer), max(20, width - len(indent)))
            yield Text.assemble(head, (said[0], ERROR_STYLE))
            yield from (Text(indent + line, style=ERROR_STYLE) for line in said[1:])
            continue
        yield Text.assemble(head, _phase(answer))
        lease = answer["lease"]
        is_lease = f", lease {lease['kind']} {lease['seconds_left']:.1f} s" if lease else ""
        value = Text(f"{indent}link {answer['link']}, {_value(answer)}")
        value.truncate(width, overflow="ellipsis")
        yield value
        yield Text(f"{indent}master {printable(answer['master'] or '-')}{is_lease}")
        yield Text(
            f"{indent}promised {answer['promised'] or '-'}, accepted {answer['accepted'] or '-'}"
        )


# -- in words --------------------------------------------------------------------------------------


def _name(uid: str) -> Text:
    return Text(uid, style=uid_style(uid))


def _phase(answer: Mapping[str, Any]) -> Text:
    style = SERVES_STYLE if answer["phase"] == "serving" else WAITS_STYLE
    return Text(printable(answer["phase"]), style=style)


def _value(answer: Mapping[str, Any]) -> str:
    return "-" if answer["value"] is None else f'"{printable(answer["value"])}"'


def _why_not(error: ClientError) -> str:
    said = "another cluster's" if isinstance(error, OtherServerError) else "not reachable"
    return f"{said}: {printable(str(error))}"
