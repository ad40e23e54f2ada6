"""What all servers of a running cluster do, in one order, the newest of it kept."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from operator import attrgetter

from multipaxos.lab.live.tail import TraceTail
from multipaxos.trace import TraceEvent

KEPT_MAX = 20_000
SETTLE_SECONDS = 0.15
"""An event may reach its file so much later than it happened; younger ones wait for each other."""


class Stream:
    """
    Merges the traces of one machine's servers by time; each event has a number.

    State: the newest events, at most KEPT_MAX; how many there *were* altogether; those that *wait*,
    for an older one may still come; and the newest header.
    """

    def __init__(self, tails: Sequence[TraceTail], *, seconds: Callable[[], float]) -> None:
        """Read *tails*; *seconds* is the clock that their times are of."""
        self.header: TraceEvent | None = None
        self.were = 0
        self._tails = tuple(tails)
        self._seconds = seconds
        self._kept: deque[TraceEvent] = deque(maxlen=KEPT_MAX)
        self._wait: list[TraceEvent] = []

    def note(self, kind: str, server: str, fields: Mapping[str, object]) -> None:
        """Add what no server tells, such as its own death: it happened now."""
        event = TraceEvent(seconds=self._seconds(), server=server, kind=kind, fields=fields)
        self._wait.append(event)

    def look(self) -> None:
        """Take what is new in the files."""
        for tail in self._tails:
            self._wait += tail.new_events()
        # Stable: what one server wrote at one instant stays in its order.
        self._wait.sort(key=attrgetter("seconds"))
        settled = self._seconds() - SETTLE_SECONDS
        count = sum(event.seconds <= settled for event in self._wait)
        for event in self._wait[:count]:
            if event.kind == "trace":
                self.header = event
            self._kept.append(event)
        self.were += count
        del self._wait[:count]

    @property
    def oldest(self) -> int:
        """The number of the oldest event that is kept."""
        return self.were - len(self._kept)

    def between(self, since: int, until: int) -> list[TraceEvent]:
        """Return the events that are kept, from number *since* up to, not with, *until*."""
        first = max(0, since - self.oldest)
        last = max(first, until - self.oldest)
        return list(islice(self._kept, first, last))
