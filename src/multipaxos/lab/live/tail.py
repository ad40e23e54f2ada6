"""The end of a trace that is still being written."""

from pathlib import Path

from multipaxos.trace import TraceError, TraceEvent, check_event, parse_line

BLOCK_BYTES_MAX = 4 * 2**20
"""So much is read at once: the rest is there the next time."""


class TraceTail:
    """
    Reads what a server appends to its trace.

    State: how far the file at *path* is *read*, which is always the end of a line: what a killed
    process left of one, its next life cuts off.
    """

    def __init__(self, path: Path) -> None:
        """Begin at the file's beginning; it need not exist yet."""
        self.path = path
        self.read = 0

    def new_events(self) -> list[TraceEvent]:
        """Return the events of the lines that are new; what is no event is left out."""
        try:
            with self.path.open("rb") as file:
                file.seek(self.read)
                block = file.read(BLOCK_BYTES_MAX)
                # A line may be longer than a block; it is read as a whole.
                while b"\n" not in block and (more := file.read(BLOCK_BYTES_MAX)):
                    block += more
        except FileNotFoundError:
            return []
        *lines, half = block.split(b"\n")
        self.read += len(block) - len(half)
        return [event for line in lines if (event := _event(line)) is not None]


def _event(line: bytes) -> TraceEvent | None:
    try:
        event = parse_line(line.decode("ascii"))
        check_event(event)
    except (TraceError, UnicodeDecodeError):
        # Whatever else stands in the file cannot be shown.
        return None
    return event
