"""``multipaxos lab``: runs in the browser, to be stepped through and changed by hand."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from multipaxos.cli.entry import BadInputError, FailedError
from multipaxos.cli.lab_page import open_lab
from multipaxos.cli.parameters import FilePath, WholeNumber, refuse_overwriting, refuse_page_options
from multipaxos.errors import MultipaxosError

if TYPE_CHECKING:
    from multipaxos.lab.run import Run

PORT = 7800
PORT_MAX = 65535
SCRIPT_BYTES_MAX = 16_000_000
"""Of a larger file nothing is read: no script is as long, with its golden trace."""


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
    paths: tuple[Path, ...],
    port: int,
    no_browser: bool,
    script_path: Path | None,
    save_path: Path | None,
) -> None:
    """
    See runs in the browser, step by step, and change them by hand.

    Begins with the run of TRACE, which a server, a simulation or an exploration wrote, or several
    servers of one cluster; without one, with the first of the scenarios. Runs until Ctrl+C, and
    answers this machine only.
    """
    if paths and script_path is not None:
        raise BadInputError("A trace and a script are two runs: name one of them.")
    if save_path is not None:
        refuse_page_options(
            "{option} is about a page that is served, and --save writes one to a file: leave one "
            "of them out."
        )
        refuse_overwriting({"--save": save_path}, paths if script_path is None else [script_path])
    opened = _opened(paths, script_path)
    if save_path is not None:
        _save(opened, save_path)
        return
    _serve(opened, port, opens_browser=not no_browser)


def _opened(paths: Sequence[Path], script_path: Path | None) -> "Run | None":
    if script_path is not None:
        return _run_of_script(script_path)
    return _run_of_traces(paths) if paths else None


def _run_of_script(path: Path) -> "Run":
    from multipaxos.lab.play import ScriptError, play
    from multipaxos.lab.run import run_of

    try:
        return run_of(play(_read_script(path)))
    except OSError as error:
        raise BadInputError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"{path} is no script: it is not text in UTF-8.") from error
    except ScriptError as error:
        raise BadInputError(_sentence(f"{path}, {error}")) from error


def _read_script(path: Path) -> str:
    with path.open("rb") as file:
        read = file.read(SCRIPT_BYTES_MAX + 1)
    if len(read) > SCRIPT_BYTES_MAX:
        raise BadInputError(f"{path} is no script: it has more than {SCRIPT_BYTES_MAX:,} bytes.")
    return read.decode("utf-8")


def _run_of_traces(paths: Sequence[Path]) -> "Run":
    from multipaxos.lab.explain.traces import read_and_judge
    from multipaxos.lab.run import run_of_trace

    try:
        events, title, judged, remarks = read_and_judge(paths)
        return run_of_trace(events, title=title, judged=judged, remarks=remarks)
    except MultipaxosError as error:
        raise BadInputError(_sentence(f"This cannot be shown: {error}")) from error


def _sentence(text: str) -> str:
    return f"{text.removesuffix('.')}."


def _save(run: "Run | None", path: Path) -> None:
    from multipaxos.lab.export import page_of
    from multipaxos.lab.web.service import Service

    page = page_of(Service().first() if run is None else run)
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise FailedError(f"{path} cannot be written: {error.strerror}.") from error
    click.echo(f"Wrote {path}: open it with a browser.")


def _serve(opened: "Run | None", port: int, *, opens_browser: bool) -> None:
    from multipaxos.lab.web.service import Service

    service = Service(opened=opened)
    open_lab(service, port, opens_browser=opens_browser, notice="Ctrl+C ends it.").run()
