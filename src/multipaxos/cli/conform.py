"""``multipaxos conform``: hold the traces of a cluster against the invariants."""

import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click
from rich.text import Text

from multipaxos.cli.entry import EXIT_FAILED, BadInputError, FailedError
from multipaxos.cli.output import open_console
from multipaxos.cli.parameters import FilePath, StateKind, refuse_overwriting
from multipaxos.invariants.conformance import BadTracesError, Verdict, judge
from multipaxos.invariants.conformance.verdict import count
from multipaxos.invariants.linearizability import (
    NotExpressibleError,
    edn_lines,
    porcupine_lines,
)
from multipaxos.invariants.names import NAMES
from multipaxos.invariants.quorums import in_words
from multipaxos.machines import find_machine
from multipaxos.trace import printable, write_trace
from multipaxos.trace.console import ERROR_STYLE, SERVES_STYLE, WAITS_STYLE

NAME_WIDTH = max(map(len, NAMES)) + 2
STATE_WIDTH = 14
WIDTH = 80

Lines = Callable[[], Iterator[str]]


def _file_option(name: str, parameter: str, text: str) -> Callable[..., Callable[..., None]]:
    return click.option(
        name, parameter, metavar="FILE", type=FilePath(what="file", dir_okay=False), help=text
    )


@click.command(short_help="Hold the traces of a cluster against the invariants.")
@click.argument(
    "paths",
    metavar="TRACE...",
    type=FilePath(what="trace", dir_okay=False),
    nargs=-1,
    required=True,
)
@click.option(
    "--state",
    metavar="KIND",
    type=StateKind(),
    help="What is replicated, if the traces do not say so: package.module:Class of your own.",
)
@_file_option("--merge", "merge_path", "Write all events in one order, with the choices, to FILE.")
@_file_option("--edn", "edn_path", "Write what the clients saw to FILE, as Jepsen does.")
@_file_option("--porcupine", "porcupine_path", "Write it to FILE as a log for Porcupine.")
@click.pass_context
def conform(
    context: click.Context,
    paths: tuple[Path, ...],
    state: str | None,
    merge_path: Path | None,
    edn_path: Path | None,
    porcupine_path: Path | None,
) -> None:
    """
    Hold the traces of a cluster against the invariants.

    TRACE is the file of one server, of which all are given, or the one of a simulation.

    Exit code 0: all that could be judged holds. Exit code 1: an invariant is broken. Exit code 2:
    the traces cannot be judged.
    """
    outputs = {"--merge": merge_path, "--edn": edn_path, "--porcupine": porcupine_path}
    refuse_overwriting(outputs, paths)
    verdict = _judge(paths, state)
    if merge_path is not None:
        _write(merge_path, lambda: write_trace(merge_path, verdict.merged))
    if edn_path is not None:
        _write_lines(edn_path, edn_lines(verdict.history, verdict.machine))
    if porcupine_path is not None:
        _write_lines(porcupine_path, porcupine_lines(verdict.history, verdict.machine))
    console = open_console()
    for line in lines_of(verdict):
        console.print(line)
    if verdict.violation is not None:
        context.exit(EXIT_FAILED)


def _judge(paths: tuple[Path, ...], state: str | None) -> Verdict:
    if len({path.resolve() for path in paths}) < len(paths):
        raise BadInputError("One of the traces is given twice: give one file for each server.")
    is_watched = sys.stderr.isatty()

    def tell(events: int) -> None:
        if is_watched:
            click.echo(f"\r{events} events", nl=False, err=True)

    try:
        machine = None if state is None else find_machine(state)
        return judge(paths, machine=machine, on_progress=tell)
    except BadTracesError as error:
        raise BadInputError(printable(str(error))) from error
    finally:
        if is_watched:
            click.echo("\r\x1b[K", nl=False, err=True)


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    try:
        text = "".join(f"{line}\n" for line in lines)
    except NotExpressibleError as error:
        raise BadInputError(f"{error}.") from error
    _write(path, lambda: path.write_text(text, encoding="utf-8"))


def _write(path: Path, write: Callable[[], object]) -> None:
    try:
        write()
    except OSError as error:
        raise FailedError(f"{path} cannot be written: {error.strerror}.") from error


def lines_of(verdict: Verdict) -> Iterator[Text]:
    """Yield the lines that tell *verdict*: a table, what limits it, and what is broken."""
    files = "1 trace" if verdict.files == 1 else f"{verdict.files} traces"
    yield Text(
        f"{files} of {in_words(verdict.servers)}: {count(verdict.events, 'event')}, "
        f"{count(verdict.links, 'link')} chosen, {count(verdict.calls, 'call')}"
    )
    broken = None if verdict.violation is None else verdict.violation.name
    for name in NAMES:
        yield _row(verdict, name, broken)
    for remark in verdict.remarks:
        yield from _wrapped(remark, style="dim")
    if verdict.violation is not None:
        yield from _explained(verdict)


def _row(verdict: Verdict, name: str, broken: str | None) -> Text:
    row = Text(f"{name:<{NAME_WIDTH}}")
    if name == broken:
        row.append(f"{'broken':<{STATE_WIDTH}}", style=f"bold {ERROR_STYLE}")
    elif name in verdict.not_judged:
        row.append(f"{'not judged':<{STATE_WIDTH}}", style=WAITS_STYLE)
        row.append(verdict.not_judged[name])
        return row
    elif broken is not None:
        row.append(f"{'holds so far':<{STATE_WIDTH}}")
    else:
        row.append(f"{'holds':<{STATE_WIDTH}}", style=SERVES_STYLE)
    row.append(verdict.seen[name], style="dim")
    return row


def _explained(verdict: Verdict) -> Iterator[Text]:
    violation = verdict.violation
    assert violation is not None, "there is something to explain"
    yield Text("")
    yield from _wrapped(printable(str(violation)), style=ERROR_STYLE)
    for line in verdict.evidence:
        yield Text(f"  {printable(line)}")


def _wrapped(sentence: str, style: str) -> Iterator[Text]:
    for line in textwrap.wrap(sentence, WIDTH, break_long_words=False, break_on_hyphens=False):
        yield Text(line, style=style)
