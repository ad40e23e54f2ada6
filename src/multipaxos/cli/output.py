"""Standard output as the commands use it: coloured on a terminal, plain in a pipe."""

import sys

from rich.console import Console
from rich.table import Table
from typing_extensions import override

PIPE_WIDTH = 200


class _Output(Console):
    @override
    def on_broken_pipe(self) -> None:
        """Report it like any other failed write, where rich would end the process."""
        raise BrokenPipeError


def open_console() -> Console:
    """Return standard output: neither markup nor emoji codes in values mean anything to it."""
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    return _Output(
        file=sys.stdout, highlight=False, markup=False, emoji=False, width=width, soft_wrap=True
    )


def print_table(table: Table) -> None:
    """Print *table*, in a pipe without blanks at the ends of lines."""
    console = open_console()
    if console.is_terminal:
        console.print(table)
        return
    with console.capture() as capture:
        console.print(table)
    for line in capture.get().splitlines():
        print(line.rstrip())


def make_table(*columns: str) -> Table:
    """Return an empty table without lines: what is copied from it, or cut out of it, is clean."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=True, overflow="ellipsis")
    return table
