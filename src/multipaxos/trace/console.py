"""The trace on a terminal: one line an event, for someone who watches the servers talk."""

from collections.abc import Callable
from typing import Any, TextIO

from rich.console import Console
from rich.text import Text
from typing_extensions import override

from multipaxos.trace.events import TraceEvent
from multipaxos.trace.text import describe_link, describe_message, printable

STYLES = {
    "Prepare": "yellow",
    "Promise": "yellow",
    "Accept": "cyan",
    "Accepted": "cyan",
    "Nack": "red",
    "refused": "red",
    "datagram refused": "red",
    "round lost": "red",
    "resolved": "bold green",
    "caught up": "green",
    "founded": "green",
    "rejoined": "green",
    "lease began": "magenta",
    "lease ended": "magenta",
    "foreign lease": "magenta",
    "takeover": "magenta",
    "waiting": "bold yellow",
}
"""Colours by kind of event and type of message; all else is dim."""

UID_STYLES = ("bright_blue", "bright_magenta", "bright_yellow", "bright_cyan", "bright_green")

HIDDEN = frozenset(
    {"timer set", "timer fired", "saved", "promised", "accepted", "answered", "halted"}
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
    """

    def __init__(self, stream: TextIO, on_closed: Callable[[OSError], None]) -> None:
        """Print to *stream*."""
        # Lines are not wrapped: a terminal does that itself, and a pipe must get whole lines.
        self.console = _PipeConsole(
            file=stream, highlight=False, markup=False, emoji=False, soft_wrap=True
        )
        self._on_closed = on_closed
        self._open = True

    def write(self, event: TraceEvent) -> None:
        """Print *event*, unless its kind is for the file only."""
        if event.kind not in HIDDEN:
            self.print(line_of(event))

    def print(self, text: Text, *, is_cut: bool = False) -> None:
        """Print one line; on a terminal, what of it does not fit may be cut."""
        if not self._open:
            return
        try:
            if is_cut and self.console.is_terminal:
                self.console.print(text, soft_wrap=False, no_wrap=True, overflow="ellipsis")
            else:
                self.console.print(text)
        except OSError as error:
            self._open = False
            self._on_closed(error)

    def close(self) -> None:
        """Do nothing: the stream belongs to whoever opened it."""


def uid_style(uid: str) -> str:
    """Return the colour of server *uid*: the same everywhere, and different for neighbours."""
    return UID_STYLES[sum(uid.encode(errors="replace")) % len(UID_STYLES)]


def line_of(event: TraceEvent) -> Text:
    """Return the line that shows *event*."""
    fields: Any = event.fields
    line = Text.assemble((printable(event.server), uid_style(event.server)))
    match event.kind:
        case "sent" | "received":
            there = event.kind == "sent"
            other = fields["receiver"] if there else fields["sender"]
            line.append(" -> " if there else " <- ", style="dim")
            line.append(printable(other), style=uid_style(other))
            line.append(f"  link {fields['instance']}  ", style="dim")
            style = STYLES.get(fields["message"]["type"], "dim")
            line.append(describe_message(fields["message"]), style=style)
        case "resolved":
            line.append(f"  {_describe_resolution(fields)}", style=STYLES["resolved"])
        case "refused":
            message = describe_message(fields["message"])
            text = f"  refuses {message} of {printable(fields['sender'])}: {fields['text']}"
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
    acceptors = ", ".join(printable(uid) for uid in fields["acceptors"])
    chosen = describe_link(fields["link"])
    return f"link {fields['instance']} = {chosen}  (accepted by {acceptors})"
