"""The trace as a file: one JSON object a line, to be read by a program or with ``grep``."""

import errno
import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from multipaxos.trace.events import DECIMALS, TraceEvent
from multipaxos.trace.schema import TraceError, check_trace


class FileSink:
    """
    Appends each event to a file as one line of JSON.

    A file that cannot be written any more ends the trace with a sentence on standard error, not the
    server: the trace is no part of what the server promises.
    """

    def __init__(self, path: Path) -> None:
        """
        Open *path* to append to it. Raises OSError if that is not possible, or no trace is there.

        What a killed process left of a line is cut off: nothing could be read behind it.
        """
        self.path = path
        if path.is_file():
            _cut_half_line(path)
        # One write a line: a process that is killed leaves a half line hardly ever, and lines of
        # several processes that share a file do not mix.
        self._file = path.open("ab", buffering=0)

    def write(self, event: TraceEvent) -> None:
        """Append *event*; after the first failure do nothing."""
        if self._file.closed:
            return
        try:
            line = format_line(event).encode("ascii") + b"\n"
            written = self._file.write(line)
            if written < len(line):
                # The disk took what it had room for: the next attempt says what is wrong.
                self._file.write(line[written:])
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
    return json.dumps(plain_event(event))


def plain_event(event: TraceEvent) -> dict[str, object]:
    """Return *event* as the object that stands for it in a file."""
    reserved = {"time": round(event.seconds, DECIMALS), "server": event.server, "kind": event.kind}
    assert reserved.keys().isdisjoint(event.fields), "a field may not hide time, server or kind"
    return {**reserved, **event.fields}


def parse_line(line: str) -> TraceEvent:
    """
    Return the event that :func:`format_line` wrote.

    Raises :class:`~multipaxos.trace.schema.TraceError` for any other line. Whether the event is one
    of this version, :func:`~multipaxos.trace.schema.check_event` tells.
    """
    try:
        fields = json.loads(line)
        seconds, server, kind = (fields.pop(name) for name in ("time", "server", "kind"))
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        shown = line.rstrip("\n")
        raise TraceError(f"not a trace event: {shown[:80]!r}") from error
    return TraceEvent(seconds=seconds, server=server, kind=kind, fields=fields)


def write_trace(path: Path, events: Iterable[TraceEvent]) -> None:
    """Write *events* to a new file at *path*, in place of one that is there. Raises OSError."""
    with path.open("w", encoding="ascii") as file:
        file.writelines(f"{format_line(event)}\n" for event in events)


def read_trace(path: Path, *, leaves_out_half_line: bool = False) -> Iterator[TraceEvent]:
    """
    Yield the events of the file at *path*, in the order in which they were written, each checked.

    Raises TraceError, with a sentence that names the file and the line, for a trace of another
    version, one that is damaged, and one that is cut off, unless *leaves_out_half_line*; OSError if
    the file cannot be read.
    """
    with path.open(encoding="ascii", errors="surrogateescape") as lines:
        whole = (line for line in lines if line.endswith("\n")) if leaves_out_half_line else lines
        try:
            yield from check_trace(_parse_lines(whole))
        except TraceError as error:
            raise TraceError(f"{path}, {error}") from error


def _parse_lines(lines: Iterable[str]) -> Iterator[TraceEvent]:
    for place, line in enumerate(lines, start=1):
        if not line.endswith("\n"):
            raise TraceError(
                f"line {place}: the line is cut off; without it, what stands before can be read"
            )
        try:
            event = parse_line(line)
        except TraceError as error:
            raise TraceError(f"line {place}: {error}") from error
        yield event


def _cut_half_line(path: Path) -> None:
    with path.open("r+b") as file:
        if not _LINE_BEGINS.startswith(file.read(len(_LINE_BEGINS))):
            raise FileExistsError(errno.EEXIST, "something else than a trace is there", str(path))
        end = whole = file.seek(0, os.SEEK_END)
        while whole > 0:
            start = max(0, whole - _BLOCK_BYTES)
            file.seek(start)
            line_end = file.read(whole - start).rfind(b"\n")
            if line_end >= 0:
                whole = start + line_end + 1
                break
            whole = start
        if whole < end:
            file.truncate(whole)


_BLOCK_BYTES = 65_536
_LINE_BEGINS = b'{"time": '
