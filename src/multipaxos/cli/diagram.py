"""``multipaxos diagram``: the space-time diagram of a trace."""

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from typing_extensions import override

from multipaxos.cli.entry import BadInputError, FailedError
from multipaxos.cli.output import open_console
from multipaxos.cli.parameters import (
    SHOWN_LENGTH_MAX,
    FilePath,
    WholeNumber,
    refuse_overwriting,
    shown_name,
)
from multipaxos.trace import TraceError, TraceEvent, printable

if TYPE_CHECKING:
    # What draws is imported when something is drawn, so that other commands start quickly.
    from multipaxos.trace.diagram import Scene

WIDTH_IN_A_PIPE = 80
WIDTH_MIN, WIDTH_MAX = 60, 400
LINK_MAX = 999_999_999


class Instant(click.ParamType[float]):
    """A moment of a trace: seconds, 0 or more."""

    name = "seconds"

    @override
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if 0 <= seconds < math.inf:
            return seconds
        name = shown_name(param, "a moment")
        shown = printable(str(value), length_max=SHOWN_LENGTH_MAX)
        raise BadInputError(f'{name} must be a number of seconds, 0 or more, not "{shown}"')


@click.command(short_help="Draw the space-time diagram of a trace.")
@click.argument(
    "paths",
    metavar="TRACE...",
    type=FilePath(what="trace", dir_okay=False),
    nargs=-1,
    required=True,
)
@click.option("--from", "since", metavar="S", type=Instant(), help="Begin at S seconds.")
@click.option("--until", metavar="S", type=Instant(), help="End at S seconds.")
@click.option(
    "--link", metavar="N", type=WholeNumber(0, LINK_MAX), help="Show what concerns link N only."
)
@click.option("--all", "is_whole", is_flag=True, help="Draw routine and repetitions, too.")
@click.option(
    "--width",
    metavar="N",
    type=WholeNumber(WIDTH_MIN, WIDTH_MAX),
    help="Columns to use; by default those of the terminal, in a pipe 80.",
)
@click.option(
    "--mermaid",
    "mermaid_path",
    metavar="FILE",
    type=FilePath(what="file", dir_okay=False),
    help="Write it to FILE as a Mermaid sequence diagram.",
)
@click.option(
    "--svg",
    "svg_path",
    metavar="FILE",
    type=FilePath(what="file", dir_okay=False),
    help="Write it to FILE as SVG, for light and dark.",
)
def diagram(
    paths: tuple[Path, ...],
    since: float | None,
    until: float | None,
    link: int | None,
    is_whole: bool,
    width: int | None,
    mermaid_path: Path | None,
    svg_path: Path | None,
) -> None:
    """
    Draw the space-time diagram of TRACE, which a server, a simulation or an exploration wrote.

    Time runs down, and each server has a column. Traces of several servers of one machine make one
    diagram. What only repeats itself is told in one line.
    """
    from multipaxos.trace.diagram import collapse, draw_mermaid, draw_svg, select, stage

    if since is not None and until is not None and until < since:
        raise BadInputError("What is to be drawn ends before it begins: see --from and --until.")
    if len({path.resolve() for path in paths}) < len(paths):
        raise BadInputError("One of the traces is given twice: give one file for each server.")
    refuse_overwriting({"--mermaid": mermaid_path, "--svg": svg_path}, paths)
    scene = select(stage(_read(paths)), since=since, until=until, link=link)
    if not scene.steps:
        raise BadInputError(
            "There is nothing to draw: nothing of the trace falls into what was asked for."
        )
    if not is_whole:
        scene = collapse(scene)
    if mermaid_path is not None:
        _write(mermaid_path, draw_mermaid(scene))
    if svg_path is not None:
        _write(svg_path, draw_svg(scene))
    if mermaid_path is None and svg_path is None:
        _print(scene, width)


def _read(paths: Sequence[Path]) -> list[TraceEvent]:
    from multipaxos.trace.diagram import read_traces

    try:
        return read_traces(paths)
    except TraceError as error:
        raise BadInputError(f"This cannot be drawn: {error}.") from error
    except OSError as error:
        raise BadInputError(f"{error.filename} cannot be read: {error.strerror}.") from error


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FailedError(f"{path} cannot be written: {error.strerror}.") from error
    click.echo(f"wrote {path}")


def _print(scene: "Scene", width: int | None) -> None:
    from multipaxos.trace.diagram import draw_text, legend

    console = open_console()
    if width is None:
        width = console.width if sys.stdout.isatty() else WIDTH_IN_A_PIPE
    console.print(draw_text(scene, width=min(width, WIDTH_MAX)))
    console.print(legend(scene))
