"""``multipaxos status``: how the servers are."""

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from multipaxos.chain.register import Register
from multipaxos.cli.entry import EXIT_FAILED
from multipaxos.cli.output import open_console
from multipaxos.cli.parameters import (
    config_option,
    json_option,
    password_option,
    read_config,
    timeout_option,
)
from multipaxos.cli.reaching import Reach, Server, find_servers
from multipaxos.client import Client, ClientError, OtherServerError
from multipaxos.trace import printable
from multipaxos.trace.console import ERROR_STYLE, SERVES_STYLE, WAITS_STYLE, uid_style

COLUMNS = ("server", "state", "link", "value", "master", "lease", "promised", "accepted")
GAP = 2
VALUE_WIDTH_MIN = 10
"""With less room for a value than this, the table gives way to paragraphs."""


@click.command(short_help="Show how each server is.")
@timeout_option(2.0)
@json_option
@password_option
@config_option
@click.pass_context
def status(
    context: click.Context,
    timeout_seconds: float,
    as_json: bool,
    password_path: Path | None,
    config_path: Path | None,
) -> None:
    """
    Show each server's link, value, master, lease and proposal numbers.

    "promised" and "accepted" are about the link in progress, the one after "link".

    Exit code 0: at least one server answered. Exit code 1: none did.
    """
    config = read_config(config_path, password_path)
    servers = find_servers(config, None)
    found = ask_all(Reach(config=config, servers=servers, timeout_seconds=timeout_seconds))
    if as_json:
        click.echo(json.dumps(json_of(found)))
    else:
        console = open_console()
        for line in lines_of(found, console.width):
            console.print(line)
    if all(isinstance(answer, ClientError) for answer in found.values()):
        context.exit(EXIT_FAILED)


def ask_all(reach: Reach) -> dict[str, dict[str, Any] | ClientError]:
    """Return each server's status, or why it gave none, by name; all are asked at once."""

    def ask(server: Server) -> dict[str, Any] | ClientError:
        try:
            with Client(
                [server.endpoint],
                identities=reach.identities,
                password=reach.config.client_password,
            ) as connection:
                return connection.status(timeout_seconds=reach.timeout_seconds)
        except ClientError as error:
            return error

    with ThreadPoolExecutor(max_workers=len(reach.servers)) as threads:
        return dict(zip(reach.servers, threads.map(ask, reach.servers.values()), strict=True))


def json_of(found: Mapping[str, dict[str, Any] | ClientError]) -> dict[str, dict[str, Any]]:
    """Return what is *found* for programs."""
    return {uid: _for_programs(answer) for uid, answer in found.items()}


def _for_programs(answer: dict[str, Any] | ClientError) -> dict[str, Any]:
    if isinstance(answer, ClientError):
        return {"reachable": False, "reason": str(answer)}
    return {"reachable": True, **answer}


def lines_of(found: Mapping[str, dict[str, Any] | ClientError], width: int) -> list[Text]:
    """Return what is *found* as a table, or as paragraphs if *width* columns are too few for it."""
    lines = _table(found, width) or list(_paragraphs(found, width))
    return [*lines, *_warning(found, width)]


# -- as a table, where there is room ---------------------------------------------------------------


def _table(found: Mapping[str, dict[str, Any] | ClientError], width: int) -> list[Text]:
    """Return the lines of a table, none if it does not fit into *width* columns."""
    rows = [
        [_name(uid), *_cells(answer)]
        for uid, answer in found.items()
        if not isinstance(answer, ClientError)
    ]
    titles = [Text(title, style="bold") for title in COLUMNS]
    titles[COLUMNS.index("value")] = Text(_kind(found), style="bold")
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
        value = Text(f"{indent}link {answer['link']}, {_kind(found)}: {_value(answer)}")
        value.truncate(width, overflow="ellipsis")
        yield value
        yield Text(f"{indent}master {printable(answer['master'] or '-')}{is_lease}")
        yield Text(
            f"{indent}promised {answer['promised'] or '-'}, accepted {answer['accepted'] or '-'}"
        )


def _warning(found: Mapping[str, dict[str, Any] | ClientError], width: int) -> Iterator[Text]:
    """Yield who may lose messages on purpose, if anybody may."""
    faulty = [
        printable(uid)
        for uid, answer in found.items()
        if not isinstance(answer, ClientError) and answer.get("fault_layer", "off") != "off"
    ]
    if faulty:
        said = f"Started for the lab: {', '.join(faulty)}. Messages may be lost there on purpose."
        yield from (Text(line, style=WAITS_STYLE) for line in textwrap.wrap(said, max(20, width)))


# -- in words --------------------------------------------------------------------------------------


def _name(uid: str) -> Text:
    return Text(uid, style=uid_style(uid))


def _phase(answer: Mapping[str, Any]) -> Text:
    style = SERVES_STYLE if answer["phase"] == "serving" else WAITS_STYLE
    return Text(printable(answer["phase"]), style=style)


def _kind(found: Mapping[str, dict[str, Any] | ClientError]) -> str:
    """Return what kind of value the servers keep, if all that say so say the same."""
    kinds = {each.get("state") for each in found.values() if not isinstance(each, ClientError)}
    kind = kinds.pop() if len(kinds) == 1 else None
    return printable(kind) if isinstance(kind, str) else "value"


def _value(answer: Mapping[str, Any]) -> str:
    if answer["value"] is None:
        return "-"
    shown = printable(answer["value"])
    # What is no text is told in words: how many keys there are.
    return f'"{shown}"' if answer.get("state") == Register.kind else shown


def _why_not(error: ClientError) -> str:
    said = "another cluster's" if isinstance(error, OtherServerError) else "not reachable"
    return f"{said}: {printable(str(error))}"
