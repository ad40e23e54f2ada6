"""A script, played: whatever it says, it ends soon, or with a sentence."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from multipaxos.errors import MultipaxosError
from multipaxos.invariants.violation import InvariantViolation
from multipaxos.lab.judging import check_calls
from multipaxos.simulation.clock import TooManyStepsError
from multipaxos.simulation.manual_network import NoSuchMessageError
from multipaxos.simulation.scenario import command_of, script_in
from multipaxos.simulation.stage import BadCommandError, Stage
from multipaxos.trace import printable

LINES_MAX = 2_000
LINE_LENGTH_MAX = 2_000
EVENTS_MAX = 30_000
STEPS_MAX = 60_000
PLAY_SECONDS_MAX = 15.0
SHOWN_LENGTH_MAX = 60


class ScriptError(MultipaxosError, ValueError):
    """A script cannot be played; the message is a sentence, with the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A *command* of a script: its *number*, from 1, and the comment above it, its *caption*."""

    number: int
    command: str
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """
    A run: the *script*, the lines of it that were performed, and the *stage* on which they were.

    Each command that the stage has performed is one of *lines*, in the same order.
    """

    script: str
    lines: tuple[Line, ...]
    stage: Stage


def play(script: str, *, clock: Callable[[], float] = time.monotonic) -> Played:
    """
    Play *script* and judge what its clients saw.

    Raises ScriptError for what cannot be performed, and for what is too long or takes too long: by
    *clock*, PLAY_SECONDS_MAX.
    """
    return judged(play_unjudged(script, clock=clock))


def play_unjudged(script: str, *, clock: Callable[[], float] = time.monotonic) -> Played:
    """Play *script*, which may go on. Raises as :func:`play` does."""
    lines = read_lines(script)
    ends_at = clock() + PLAY_SECONDS_MAX
    stage = Stage(tolerant=True, on_step=lambda: _check_length(stage, clock, ends_at))
    for line in lines:
        _perform(stage, line)
    try:
        stage.begin()
    except BadCommandError as error:
        # There are settings only, and they do not go together.
        raise _refused(lines[-1], error) from error
    return Played(script=script, lines=lines, stage=stage)


def go_on(played: Played, command: str) -> Played:
    """
    Perform one more *command* at the end of the run that was *played*, which it becomes.

    It must be an unjudged one: what the clients saw is judged once, at the very end. Raises as
    :func:`play` does.
    """
    script = f"{played.script.rstrip()}\n{command}\n"
    line = Line(number=len(script.splitlines()), command=command, caption="")
    _perform(played.stage, line)
    return Played(script=script, lines=(*played.lines, line), stage=played.stage)


def judged(played: Played) -> Played:
    """Judge what the clients saw in the run that was *played*, which is over, and return it."""
    cluster = played.stage.cluster
    cluster.invariants.judge(lambda: check_calls(cluster))
    return played


def read_lines(script: str) -> tuple[Line, ...]:
    """Return the commands of *script*, up to its golden trace. Raises ScriptError."""
    if len(script) > LINES_MAX * LINE_LENGTH_MAX:
        raise ScriptError(f"a script has at most {LINES_MAX * LINE_LENGTH_MAX:,} characters")
    texts = script_in(script).splitlines()
    if len(texts) > LINES_MAX:
        raise ScriptError(f"a script has at most {LINES_MAX:,} lines, and this one {len(texts):,}")
    lines: list[Line] = []
    comments: list[str] = []
    for number, text in enumerate(texts, start=1):
        if len(text) > LINE_LENGTH_MAX:
            raise ScriptError(f"line {number}: a line has at most {LINE_LENGTH_MAX:,} characters")
        command = command_of(text)
        if command:
            # The comment at the top tells of the whole script.
            lines.append(Line(number=number, command=command, caption=" ".join(comments)))
            comments = []
        elif text.startswith("#") and (lines or not _is_top(texts, number)):
            comments.append(text.lstrip("#").strip())
    return tuple(lines)


def _is_top(texts: list[str], number: int) -> bool:
    """Tell whether line *number* belongs to the comment that the script begins with."""
    return all(text.startswith("#") for text in texts[:number])


def _perform(stage: Stage, line: Line) -> None:
    try:
        stage.perform(line.command)
    except (BadCommandError, NoSuchMessageError) as error:
        raise _refused(line, error) from error
    except TooManyStepsError as error:
        raise _too_long(line, f"more than {STEPS_MAX:,} things happen") from error
    except _TooLongError as error:
        raise _too_long(line, str(error)) from error
    except InvariantViolation as violation:
        # One that breaks where no event of a server can tell it, such as a disk that lies.
        stage.cluster.invariants.on_violation(violation)
    if stage.begun:
        stage.cluster.time.steps_max = STEPS_MAX


class _TooLongError(Exception):
    """A run becomes too long, for this reason."""


def _check_length(stage: Stage, clock: Callable[[], float], ends_at: float) -> None:
    if len(stage.events) > EVENTS_MAX:
        raise _TooLongError(f"its trace has more than {EVENTS_MAX:,} events")
    if clock() > ends_at:
        raise _TooLongError(f"playing it takes more than {PLAY_SECONDS_MAX:g} s")


def _too_long(line: Line, why: str) -> ScriptError:
    return _refused(
        line,
        f"the run is too long for the lab: {why}. Let less time pass, or less happen; `multipaxos "
        "simulate` plays longer ones",
    )


def _refused(line: Line, why: object) -> ScriptError:
    return ScriptError(f"line {line.number}, {_shown(line.command)}: {why}")


def _shown(command: str) -> str:
    shown = printable(command[:SHOWN_LENGTH_MAX])
    return shown if len(command) <= SHOWN_LENGTH_MAX else f"{shown}..."
