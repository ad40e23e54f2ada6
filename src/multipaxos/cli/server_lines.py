"""What several servers print, on one output: each line with the name of its server."""

import signal
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.text import Text

from multipaxos.cli.processes import ServerProcess
from multipaxos.trace.console import RED, uid_style

GAP = "  "


def start_on(
    console: Console,
    uid: str,
    arguments: Sequence[str],
    *,
    on_line: Callable[[Text], None],
    listens: bool = False,
) -> ServerProcess:
    """Start a server; *on_line* gets its lines, each with its name, to be shown on *console*."""

    def named(line: Text) -> Text:
        # Traffic begins with the server's name already.
        return line if line.plain.startswith(f"{uid} ") else _with_name(uid, line)

    return ServerProcess(
        uid,
        arguments,
        on_line=lambda line: on_line(named(line)),
        colour=console.is_terminal and not console.no_color,
        width=console.width - len(uid) - len(GAP),
        listens=listens,
    )


def end_of(uid: str, exit_code: int) -> Text:
    """Return the line that says how the process of *uid* ended."""
    said = (
        f"was killed by {signal.Signals(-exit_code).name}"
        if exit_code < 0
        else f"ended with exit code {exit_code}"
    )
    return _with_name(uid, Text(said, style=f"bold {RED}"))


def _with_name(uid: str, line: Text) -> Text:
    return Text.assemble((uid, uid_style(uid)), GAP, line)
