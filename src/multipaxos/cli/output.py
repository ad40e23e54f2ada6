"""Standard output as the commands use it: coloured on a terminal, plain in a pipe."""

import sys

from rich.console import Console
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
