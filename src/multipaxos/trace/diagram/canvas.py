"""One row of a diagram in a terminal: characters and styles by column."""

from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

from rich.cells import cell_len
from rich.text import Text


def cells_of(text: str) -> list[str]:
    """
    Return *text* by columns of a terminal.

    A wide character takes two, of which the second is empty; one without width of its own shares
    the column before.
    """
    cells: list[str] = []
    for character in text:
        width = cell_len(character)
        if width == 0 and cells:
            cells[-1] += character
        elif width > 0:
            cells += [character, *[""] * (width - 1)]
    return cells


def shortened(text: str, width: int) -> str:
    """Return *text* in at most *width* columns, with dots where it is cut."""
    cells = cells_of(text)
    if len(cells) <= width:
        return text
    return "".join(cells[: max(0, width - len(_DOTS))]) + _DOTS[: max(0, width)]


_DOTS = "..."


@dataclass(slots=True)
class Row:
    """A row of *width* columns, blank at first."""

    width: int
    _cells: list[str] = field(init=False)
    _styles: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self._cells = [" "] * self.width
        self._styles = [""] * self.width

    def write(self, column: int, text: str, style: str = "") -> None:
        """Put *text* at *column* and what follows; what does not fit is left out."""
        for place, cell in enumerate(cells_of(text), start=column):
            if 0 <= place < self.width:
                self._cells[place] = cell
                self._styles[place] = style

    def line(self) -> Text:
        """Return the row with its styles, without blanks at its end."""
        line = Text()
        cells = zip(self._cells, self._styles, strict=True)
        for style, group in groupby(cells, key=itemgetter(1)):
            line.append("".join(cell for cell, _ in group), style or None)
        line.rstrip()
        return line
