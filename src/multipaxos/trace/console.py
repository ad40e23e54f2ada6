"""The trace on a terminal: one line an event, for someone who watches the servers talk."""

import textwrap
from collections.abc import Callable
from typing import Any, TextIO

from rich.console import Console
from rich.text import Text
from typing_extensions import override

from multipaxos.trace.events import TraceEvent
from multipaxos.trace.text import (
    describe_link,
    describe_message,
    how_resolved,
    printable,
    why_refused,
)

BLUE, ORANGE, GREEN, PURPLE, AMBER, RED, VIOLET, SKY = (
    "#007bc1",
    "#c25600",
    "#008662",
    "#bc4e8b",
    "#9d6c00",
    "#dc343e",
    "#8a5fd0",
    "#007fa3",
)
"""Each stands out from white as much as from black; their hues are ones that most eyes tell."""

ERROR_STYLE, SERVES_STYLE, WAITS_STYLE = RED, GREEN, AMBER

STYLES = {
    "Prepare": AMBER,
    "Promise": AMBER,
    "Accept": SKY,
    "Accepted": SKY,
    "Nack": RED,
    "refused": RED,
    "datagram refused": RED,
    "round lost": RED,
    "resolved": f"bold {GREEN}",
    "learned": f"bold {GREEN}",
    "caught up": GREEN,
    "founded": GREEN,
    "rejoined": GREEN,
    "lease began": VIOLET,
    "lease ended": VIOLET,
    "foreign lease": VIOLET,
    "takeover": VIOLET,
    "waiting": f"bold {AMBER}",
}
"""Colours by kind of event and type of message; all else is dim."""

UID_STYLES = (BLUE, ORANGE, GREEN, PURPLE, AMBER)

TRAFFIC = frozenset({"sent", "delivered", "refused", "datagram refused"})
"""Kinds of which a repetition, while nothing else happens, is told as a number."""
STACK_INDENT = 4
STACK_NAME_WIDTH = 20
STACK_WIDTH_MIN = 40
REMEMBERED_MAX = 100
REMINDER_SECONDS = 10.0
REMINDER_SECONDS_MAX = 300.0

HIDDEN = frozenset(
    {
        "trace",
        "started",
        "stopped",
        "timer set",
        "timer cancelled",
        "timer fired",
        "saved",
        "promised",
        "accepted",
        "called",
        "returned",
        "answered",
        "halted",
        "dropped",
        "duplicated",
    }
)
"""
Kinds that the file has and the console has not: each is the reason or the echo of another, and why
a server halts it says itself, as its last words.
"""


class _PipeConsole(Console):
    @override
    def on_broken_pipe(self) -> None:
        """Report it like any other failed write, where rich would end the process."""
        raise BrokenPipeError


class ConsoleSink:
    """
    Prints traffic and what comes of it, coloured on a terminal and plain in a pipe.

    When nothing can be printed any more (the pipe is closed, the disk behind it full) it tells
    *on_closed* why, once, and prints no more.

    State: which lines stand there since something last came of the traffic; how many repetitions of
    them were not printed, and when that is told.
    """

    def __init__(self, stream: TextIO, on_closed: Callable[[OSError], None]) -> None:
        """Print to *stream*."""
        # Lines are not wrapped: a terminal does that itself, and a pipe must get whole lines.
        self.console: Console = _PipeConsole(
            file=stream, highlight=False, markup=False, emoji=False, soft_wrap=True
        )
        self._on_closed = on_closed
        self._open = True
        self._shown: set[str] = set()
        self._repeated = 0
        self._reminder_pause = REMINDER_SECONDS
        self._remind_at = 0.0

    def write(self, event: TraceEvent) -> None:
        """
        Print *event*, unless its kind is for the file only.

        Traffic that only repeats what stands there already, while nothing comes of it, is counted.
        The number is printed before the next new line, and at growing intervals.
        """
        if event.kind in HIDDEN:
            return
        line = line_of(event)
        if line.plain in self._shown:
            self._count_repetition(event)
            return
        self._tell_repetitions(event.server)
        self._reminder_pause = REMINDER_SECONDS
        if event.kind not in TRAFFIC and not _is_state_of_waiting(event):
            self._shown.clear()
        if len(self._shown) < REMEMBERED_MAX:
            self._shown.add(line.plain)
        self.print(line)

    def _count_repetition(self, event: TraceEvent) -> None:
        if self._repeated == 0:
            self._remind_at = event.seconds + self._reminder_pause
        self._repeated += 1
        if event.seconds >= self._remind_at:
            self._tell_repetitions(event.server)
            self._reminder_pause = min(2 * self._reminder_pause, REMINDER_SECONDS_MAX)

    def _tell_repetitions(self, server: str) -> None:
        if self._repeated == 0:
            return
        times = "one line" if self._repeated == 1 else f"{self._repeated} lines"
        said = Text(f"  ... the same again: {times} not shown", style="dim")
        self._repeated = 0
        self.print(Text.assemble((printable(server), uid_style(server)), said))

    def print(self, text: Text) -> None:
        """Print one line."""
        if not self._open:
            return
        try:
            self.console.print(text)
        except OSError as error:
            self._open = False
            self._on_closed(error)

    def close(self) -> None:
        """Do nothing: the stream belongs to whoever opened it."""


def stack_lines(description: str, console: Console) -> list[Text]:
    """Return the strategies of *description* for *console*: whole lines, wrapped on a terminal."""
    shown = [Text("  strategies, outermost first:", style="dim")]
    for line in description.splitlines():
        parts = [line]
        if console.is_terminal:
            name, _, says = line.partition(" ")
            head = f"{name:<{STACK_NAME_WIDTH}} "
            width = max(STACK_WIDTH_MIN, console.width - STACK_INDENT)
            parts = textwrap.wrap(head + says.strip(), width, subsequent_indent=" " * len(head))
        shown += [Text(" " * STACK_INDENT + part, style="dim") for part in parts]
    return shown


def uid_style(uid: str) -> str:
    """Return the colour of server *uid*: the same everywhere, and different for neighbours."""
    return UID_STYLES[sum(uid.encode(errors="replace")) % len(UID_STYLES)]


def _is_state_of_waiting(event: TraceEvent) -> bool:
    # It is said again and again, and nothing comes of it.
    return event.kind in ("waiting", "round lost")


def line_of(event: TraceEvent) -> Text:
    """Return the line that shows *event*."""
    fields: Any = event.fields
    line = Text.assemble((printable(event.server), uid_style(event.server)))
    match event.kind:
        case "sent" | "delivered":
            there = event.kind == "sent"
            other = fields["receiver"] if there else fields["sender"]
            line.append(" -> " if there else " <- ", style="dim")
            line.append(printable(other), style=uid_style(other))
            line.append(f"  link {fields['instance']}  ", style="dim")
            style = STYLES.get(fields["message"]["type"], "dim")
            line.append(describe_message(fields["message"]), style=style)
        case "resolved":
            line.append(f"  {_describe_resolution(fields)}", style=STYLES["resolved"])
        case "learned":
            told_by = printable(fields["told_by"])
            said = (
                f"link {fields['instance']} = {describe_link(fields['link'])}  (told by {told_by})"
            )
            line.append(f"  {said}", style=STYLES[event.kind])
        case "refused":
            message = describe_message(fields["message"])
            text = f"  refuses {message} of {printable(fields['sender'])}: {why_refused(fields)}"
            line.append(text, style=STYLES[event.kind])
        case "datagram refused":
            reason = printable(fields["reason"], length_max=200)
            text = f"  refused what came from {printable(fields['address'])}: {reason}"
            line.append(text, style=STYLES[event.kind])
        case _:
            said = fields.get("text") or fields.get("reason") or event.kind
            line.append(f"  {printable(str(said))}", style=STYLES.get(event.kind, "dim"))
    return line


def _describe_resolution(fields: Any) -> str:
    chosen = describe_link(fields["link"])
    return f"link {fields['instance']} = {chosen}  ({how_resolved(fields)})"
