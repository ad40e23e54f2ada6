"""The trace as a file: one JSON object a line, to be read by a program or with ``grep``."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from multipaxos.trace.events import TraceEvent


class FileSink:
    """
    Appends each event to a file as one line of JSON.

    A file that cannot be written any more ends the trace with a sentence on standard error, not the
    server: the trace is no part of what the server promises.
    """

    def __init__(self, path: Path) -> None:
        """Open *path* to append to it. Raises OSError if that is not possible."""
        self.path = path
        self._file = path.open("a", encoding="ascii", buffering=1)

    def write(self, event: TraceEvent) -> None:
        """Append *event*; after the first failure do nothing."""
        if self._file.closed:
            return
        try:
            self._file.write(format_line(event) + "\n")
        except OSError as error:
            sys.stderr.write(f"The trace ends here: {self.path} cannot be written: {error}\n")
            self.close()

    def close(self) -> None:
        """Close the file."""
        try:
            self._file.close()
        except OSError:
            # What was not written by now will not be; the file counts as closed all the same.
            assert self._file.closed


def format_line(event: TraceEvent) -> str:
    """Return *event* as a JSON object on one line of ASCII, without the line's end."""
    reserved = {"time": round(event.seconds, 6), "server": event.server, "kind": event.kind}
    assert reserved.keys().isdisjoint(event.fields), "a field may not hide time, server or kind"
    return json.dumps({**reserved, **event.fields})


def parse_line(line: str) -> TraceEvent:
    """Return the event that :func:`format_line` wrote. Raises ValueError for any other line."""
    try:
        fields = json.loads(line)
        seconds, server, kind = (fields.pop(name) for name in ("time", "server", "kind"))
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        msg = f"not a trace event: {line[:80]!r}"
        raise ValueError(msg) from error
    return TraceEvent(seconds=seconds, server=server, kind=kind, fields=fields)


def read_trace(path: Path) -> Iterator[TraceEvent]:
    """
    Yield the events of the file at *path*, in the order in which they were written.

    A server that is killed may leave half a line: a last line without its end is left out.
    """
    with path.open(encoding="ascii") as lines:
        for line in lines:
            if line.endswith("\n"):
                yield parse_line(line)
