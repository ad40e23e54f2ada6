"""
What the traces do not hold: the votes of servers that are missing, or that nobody wrote down.

A process that is killed may have saved a state and not have traced it. It has told nobody, either:
so what is missing is at most what it did between two saves that are in the trace.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from multipaxos.invariants.conformance.source import Line, Source

ENDED = "stopped"
"""
After this the process has saved nothing untold. One that was killed may have; so may one that
halted, for its last save failed, and may have reached the disk all the same.
"""

ALIVE = frozenset({"sent", "delivered", "timer set", "timer cancelled", "timer fired", "answered"})
"""Only a process that lives tells these: all that it said with its newest save is told before."""


@dataclass(slots=True)
class Gaps:
    """
    On which links which server may have voted unseen.

    *missing* servers have no trace: on all. *ranges* are half open, by server. *first_link* is the
    lowest one that any save tells of. A process that *may_know_more* at its start, by the place of
    its ``started``, may have on its disk what the trace lacks.
    """

    missing: tuple[str, ...] = ()
    ranges: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    first_link: int | None = None
    may_know_more: set[str] = field(default_factory=set)

    def begin_at(self, link: int) -> None:
        """Note that a save tells of *link*."""
        if self.first_link is None or link < self.first_link:
            self.first_link = link

    def unseen(self, bits: Mapping[str, int], link: int) -> int:
        """Return who may have voted on *link* unseen, as a set of *bits*."""
        found = 0
        for uid in self.missing:
            found |= bits[uid]
        for uid, ranges in self.ranges.items():
            if any(start <= link < end for start, end in ranges):
                found |= bits[uid]
        return found


def find_gaps(sources: Sequence[Source], servers: Sequence[str]) -> Gaps:
    """Find what the traces of *sources* do not hold of the votes of *servers*."""
    told = {uid: source for source in sources for uid in source.tellers}
    gaps = Gaps(missing=tuple(uid for uid in servers if uid not in told))
    histories = {
        uid: [line for line in source.lines if line.event.server == uid]
        for uid, source in told.items()
    }
    is_older = any(_begins_with_memory(lines) for lines in histories.values())
    for uid, lines in histories.items():
        _find_of_server(gaps, uid, lines, is_older=is_older)
    return gaps


def _begins_with_memory(lines: Sequence[Line]) -> bool:
    starts = [line.event for line in lines if line.event.kind == "started"]
    return bool(starts) and bool(starts[0].fields["memory"])


def _find_of_server(gaps: Gaps, uid: str, lines: Sequence[Line], *, is_older: bool) -> None:
    """
    Look at each start of a process: what may lie between the saves around it.

    Of a chain that *is_older* than the traces, earlier lives may have voted, too.
    """
    newest = _Newest()
    gap_from: int | None = 0 if is_older else None
    has_ended = False
    for line in lines:
        event = line.event
        if event.kind == ENDED:
            has_ended = True
        elif event.kind == "started":
            if not has_ended:
                gap_from = _gap_at(line, gaps, newest, gap_from)
            has_ended = False
        elif event.kind == "saved":
            newest = _Newest.of(event.fields)
            gaps.begin_at(newest.lowest)
            if gap_from is not None:
                gaps.ranges.setdefault(uid, []).append((gap_from, newest.highest))
                gap_from = None
        elif event.kind in ALIVE:
            newest.is_complete = True
    if newest.is_there and not newest.is_complete:
        # What it has closed with that save, it may have voted in it, too.
        gaps.ranges.setdefault(uid, []).append((newest.lowest, newest.highest))


def _gap_at(line: Line, gaps: Gaps, newest: "_Newest", gap_from: int | None) -> int | None:
    """Return from which link on a process that starts after a kill may have voted unseen."""
    memory = bool(line.event.fields["memory"])
    if memory:
        gaps.may_know_more.add(line.place)
    return newest.unsure_from if memory or newest.is_there else gap_from


@dataclass(slots=True)
class _Newest:
    """
    The newest save: the *lowest* link it deals with, the *highest* below which it may vote unseen.

    It *is complete* once something follows that is not said in the same breath: otherwise a part of
    what was said with it may have been cut off.
    """

    lowest: int = 0
    highest: int = 0
    is_there: bool = False
    is_complete: bool = False

    @property
    def unsure_from(self) -> int:
        return self.highest if self.is_complete else self.lowest

    @classmethod
    def of(cls, saved: Mapping[str, object]) -> "_Newest":
        instance = _count(saved["instance"])
        decided: list[Mapping[str, object]] = saved["decided"]  # type: ignore[assignment]
        lowest = min([instance, *(_count(link["number"]) for link in decided)])
        return cls(lowest, max(instance, _count(saved["votes_from"])), is_there=True)


def _count(value: object) -> int:
    assert isinstance(value, int), "the schema was checked"
    return value
