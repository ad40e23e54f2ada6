"""
Merging the traces of several servers into one order in which everything may have happened.

Each file keeps its order, and a message arrives after it was sent. Where the clocks are the same,
the rest goes by time; where they are not, that is all that is known.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from multipaxos.chain.events import EventKind
from multipaxos.invariants.conformance.source import Line, Source, content

SAID: frozenset[str] = frozenset({"chosen", *(kind.value for kind in EventKind)})
"""What a server says of itself in one breath with a save, before anything leaves."""


@dataclass(slots=True)
class _Reader:
    """How far one source is read: the lines up to *place* are merged."""

    lines: list[Line]
    place: int = 0

    @property
    def head(self) -> Line:
        return self.lines[self.place]

    @property
    def is_done(self) -> bool:
        return self.place >= len(self.lines)


class Merge:
    """
    One order of all lines of the *sources*.

    State: how often each message has left so far, and how often it will altogether; how many
    *arrivals* were told, and how many of them without a departure (*unsent*), or before it.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        """Begin before the first line of each."""
        self.readers = [_Reader(source.lines) for source in sources]
        self.arrivals = 0
        self.unsent: list[Line] = []
        self.tellers = {uid for source in sources for uid in source.tellers}
        self._has_left: set[str] = set()
        self._will_leave = Counter(
            content(line)
            for source in sources
            for line in source.lines
            if line.event.kind == "sent"
        )
        self._began: dict[str, float] = {}
        for source in sources:
            for line in source.lines:
                began = self._began.setdefault(line.clock, line.event.seconds)
                self._began[line.clock] = min(began, line.event.seconds)

    @property
    def clocks(self) -> tuple[str, ...]:
        """The clocks by which the lines were timed."""
        return tuple(self._began)

    def lines(self) -> Iterator[Line]:
        """Yield all lines, in one order; what a server does and says at once stays together."""
        waiting = [reader for reader in self.readers if not reader.is_done]
        while waiting:
            ready = [reader for reader in waiting if self._may_come(reader.head)] or waiting
            reader = min(ready, key=self._key)
            yield self._take(reader)
            while not reader.is_done and reader.head.event.kind in SAID:
                yield self._take(reader)
            waiting = [reader for reader in waiting if not reader.is_done]

    def _key(self, reader: _Reader) -> float:
        line = reader.head
        if len(self._began) == 1:
            return line.event.seconds
        return line.event.seconds - self._began[line.clock]

    def _may_come(self, line: Line) -> bool:
        if line.event.kind != "delivered":
            return True
        key = content(line)
        return key in self._has_left or not self._will_leave[key]

    def _take(self, reader: _Reader) -> Line:
        line = reader.head
        reader.place += 1
        if line.event.kind == "sent":
            self._has_left.add(content(line))
        elif line.event.kind == "delivered":
            self.arrivals += 1
            is_told = line.event.fields["sender"] in self.tellers
            if is_told and content(line) not in self._has_left:
                self.unsent.append(line)
        return line
