"""``multipaxos lab``: runs in the browser, to be stepped through and changed by hand."""

import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from multipaxos.cli.entry import BadInputError, FailedError
from multipaxos.cli.parameters import FilePath, WholeNumber

if TYPE_CHECKING:
    from multipaxos.lab.run import Run

PORT = 7800
PORT_MAX = 65535
BYTES_MAX = 500_000_000
"""Larger traces are not read: a page could not hold them."""


@click.command(short_help="See runs in the browser, step by step, and change them.")
@click.argument(
    "paths", metavar="[TRACE...]", type=FilePath(what="trace", dir_okay=False), nargs=-1
)
@click.option(
    "--port",
    metavar="N",
    type=WholeNumber(0, PORT_MAX),
    default=PORT,
    help=f"Listen on this port of 127.0.0.1; without it {PORT}. 0 finds a free one.",
)
@click.option("--no-browser", is_flag=True, help="Print the link, and open no browser.")
@click.option(
    "--script",
    "script_path",
    metavar="FILE",
    type=FilePath(what="script", dir_okay=False),
    help="Play the script, or scenario, in FILE.",
)
@click.option(
    "--save",
    "save_path",
    metavar="FILE",
    type=FilePath(what="file", dir_okay=False),
    help="Write the run to FILE, as one HTML page that needs no server, and end.",
)
def lab(
    paths: tuple[str, ...],
    port: int,
    no_browser: bool,
    script_path: str | None,
    save_path: str | None,
) -> None:
    """
    See runs in the browser, step by step, and change them by hand.

    Begins with the run of TRACE, which a server, a simulation or an exploration wrote, or several
    servers of one cluster; without one, with the first of the scenarios. Runs until Ctrl+C, and
    answers this machine only.
    """
    if paths and script_path is not None:
        raise BadInputError("A trace and a script are two runs: name one of them.")
    opened = _opened([Path(path) for path in paths], script_path)
    if save_path is not None:
        _save(opened, Path(save_path))
        return
    _serve(opened, port, opens_browser=not no_browser)


def _opened(paths: Sequence[Path], script_path: str | None) -> "Run | None":
    if script_path is not None:
        return _run_of_script(Path(script_path))
    return _run_of_traces(paths) if paths else None


def _run_of_script(path: Path) -> "Run":
    from multipaxos.lab.play import ScriptError, play
    from multipaxos.lab.run import run_of

    try:
        return run_of(play(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise BadInputError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"{path} is no script: it is not text in UTF-8.") from error
    except ScriptError as error:
        raise BadInputError(f"{path}, {error}.") from error


def _run_of_traces(paths: Sequence[Path]) -> "Run":
    from multipaxos.lab.explain.traces import read_and_judge
    from multipaxos.lab.run import run_of_trace
    from multipaxos.trace import TraceError

    try:
        for path in paths:
            if path.stat().st_size > BYTES_MAX:
                raise BadInputError(
                    f"{path} is too large for a page. Draw a part of it with: "
                    "multipaxos diagram --from S --until S."
                )
        events, title = read_and_judge(paths)
        return run_of_trace(events, title=title)
    except OSError as error:
        raise BadInputError(f"{error.filename} cannot be read: {error.strerror}.") from error
    except TraceError as error:
        raise BadInputError(f"This cannot be shown: {error}.") from error


def _save(run: "Run | None", path: Path) -> None:
    from multipaxos.lab.export import page_of
    from multipaxos.lab.web.service import Service

    if run is None:
        run = Service().first()
    try:
        path.write_text(page_of(run), encoding="utf-8")
    except OSError as error:
        raise FailedError(f"{path} cannot be written: {error.strerror}.") from error
    click.echo(f"wrote {path}")


def _serve(opened: "Run | None", port: int, *, opens_browser: bool) -> None:
    from twisted.internet import reactor
    from twisted.internet.error import CannotListenError

    from multipaxos.lab.web.port import LabPort, why_not_listening
    from multipaxos.lab.web.service import Service

    loop: Any = reactor
    try:
        listening = LabPort(Service(opened=opened), reactor=loop, port=port)
    except CannotListenError as error:
        raise FailedError(why_not_listening(error, port)) from error
    click.echo(f"The lab is at {listening.link}")
    click.echo("Ctrl+C ends it.")
    sys.stdout.flush()
    if opens_browser:
        loop.callInThread(webbrowser.open, listening.link)
    loop.addSystemEventTrigger("before", "shutdown", listening.close)
    loop.run()
