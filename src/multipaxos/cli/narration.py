"""How a story is told on a terminal: numbered steps, explanations, excerpts, findings."""

import textwrap
import time
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from multipaxos.trace.console import GREEN, RED, SKY

WIDTH_MAX = 80
INDENT = 4
EXCERPT_LINES_MAX = 12


class Narrator:
    """Tells a story on *console*; knows when it began."""

    def __init__(self, console: Console) -> None:
        """Begin the story now."""
        self.console = console
        self._began = time.monotonic()

    @property
    def has_colour(self) -> bool:
        """Tell whether colours can be seen."""
        return self.console.is_terminal and not self.console.no_color

    def title(self, text: str) -> None:
        """Head the story."""
        self.console.print(Text(text, style="bold"))

    def step(self, number: int, title: str) -> None:
        """Begin a step."""
        self.console.print()
        self.console.print(Text.assemble((f"{number:>2}", f"bold {SKY}"), "  ", (title, "bold")))

    def say(self, text: str) -> None:
        """Explain what happens, and why."""
        self._print_wrapped(text)

    def excerpt(self, lines: Sequence[Text]) -> None:
        """Show *lines* of a server's output; of many, the first."""
        shown = lines[:EXCERPT_LINES_MAX]
        for line in shown:
            indented = Text.assemble(" " * (INDENT + 2), line)
            indented.truncate(self._width, overflow="ellipsis")
            self.console.print(indented)
        if len(lines) > len(shown):
            rest = f"... and {len(lines) - len(shown)} more lines"
            self.console.print(Text(" " * (INDENT + 2) + rest, style="dim"))

    def found(self, text: str) -> None:
        """Tell what was verified."""
        self._print_wrapped(text, style=GREEN, mark="ok  ")

    def failed(self, text: str) -> None:
        """Tell what could not be verified."""
        self._print_wrapped(text, style=f"bold {RED}")

    def end(self, text: str) -> None:
        """Close the story, with the time that it took."""
        seconds = time.monotonic() - self._began
        self.console.print()
        self.console.print(Text(f"{text} ({seconds:.0f} seconds)", style=f"bold {GREEN}"))

    @property
    def _width(self) -> int:
        return min(self.console.width, WIDTH_MAX)

    def _print_wrapped(self, text: str, *, style: str = "", mark: str = "") -> None:
        lines = textwrap.wrap(text, self._width - INDENT - len(mark))
        for place, line in enumerate(lines):
            shown = mark if place == 0 else " " * len(mark)
            self.console.print(Text.assemble(" " * INDENT, (shown, f"bold {style}"), (line, style)))
