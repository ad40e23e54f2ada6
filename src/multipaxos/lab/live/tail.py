"""The end of a trace that is still being written."""

from pathlib import Path

from multipaxos.trace import TraceError, TraceEvent, check_event, parse_line

BLOCK_BYTES_MAX = 4 * 2**20
"""So much is read at once: the rest is there the next time."""


class TraceTail:
    """
    Reads what a server appends to its trace.

    State: how far the file at *path* is *read*, and the beginning of a line whose end is missing.
    """

    def __init__(self, path: Path) -> None:
        """Begin at the file's beginning; it need not exist yet."""
        self.path = path
        self.read = 0
        self._half = b""

    def new_events(self) -> list[TraceEvent]:
        """Return the events of the lines that are new; what is no event is left out."""
        try:
            with self.path.open("rb") as file:
                file.seek(self.read)
                block = file.read(BLOCK_BYTES_MAX)
        except FileNotFoundError:
            return []
        self.read += len(block)
        *lines, self._half = (self._half + block).split(b"\n")
        return [event for line in lines if (event := _event(line)) is not None]


def _event(line: bytes) -> TraceEvent | None:
    try:
        event = parse_line(line.decode("ascii"))
        check_event(event)
    except (TraceError, UnicodeDecodeError):
        # A process that is killed may leave half a line, behind which its next life goes on.
        return None
    return event
