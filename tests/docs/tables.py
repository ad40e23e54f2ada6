"""The tables of the documents."""

from collections.abc import Sequence


def rows(text: str, head: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the rows of all tables in *text* that have the columns *head*; there must be one."""
    found: list[tuple[str, ...]] = []
    is_inside = is_found = False
    for line in text.splitlines():
        cells = _cells(line)
        if cells == tuple(head):
            is_inside = is_found = True
        elif not line.startswith("|"):
            is_inside = False
        elif is_inside and set("".join(cells)) != {"-"}:
            assert len(cells) == len(head), line
            found.append(cells)
    assert is_found, f"there is no table with the columns {', '.join(head)}"
    return found


def _cells(line: str) -> tuple[str, ...]:
    if not line.startswith("|"):
        return ()
    # A bar inside a cell is written \| as Markdown wants it.
    parts = line.strip().strip("|").replace(r"\|", "\0").split("|")
    return tuple(part.strip().replace("\0", "|") for part in parts)
