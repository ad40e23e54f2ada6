"""The judgement on the traces of a cluster: what was checked, what could not be, what is wrong."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from multipaxos.chain.settings import Settings
from multipaxos.invariants.cluster import ChosenLink
from multipaxos.invariants.conformance.feed import Feed
from multipaxos.invariants.conformance.gaps import find_gaps
from multipaxos.invariants.conformance.merge import Merge
from multipaxos.invariants.conformance.source import Line, Source, read_sources
from multipaxos.invariants.linearizability import History, check_linearizable
from multipaxos.invariants.names import (
    LINEARIZABLE,
    NAMES,
    ONE_READER,
    PROGRESS,
    QUORUMS_INTERSECT,
)
from multipaxos.invariants.quorums import in_words
from multipaxos.invariants.violation import InvariantViolation
from multipaxos.trace import TraceEvent, plain

LINES_SHOWN = 12


@dataclass(slots=True)
class Verdict:
    """
    What was found.

    How many *events*, *links* and *calls* there were. *not_judged* says of an invariant why it was
    not checked; *remarks* what limits the rest. With a *violation* come the *evidence*, lines that
    tell of it. The *history* is what the clients saw, *merged* all events in one order.
    """

    servers: tuple[str, ...]
    files: int
    events: int = 0
    links: int = 0
    calls: int = 0
    not_judged: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    violation: InvariantViolation | None = None
    evidence: list[str] = field(default_factory=list)
    history: History = ()
    merged: list[TraceEvent] = field(default_factory=list)

    @property
    def judged(self) -> tuple[str, ...]:
        """The invariants that were checked."""
        return tuple(name for name in NAMES if name not in self.not_judged)


def judge(
    paths: Sequence[Path], *, on_progress: Callable[[int], None] = lambda _events: None
) -> Verdict:
    """
    Judge the traces at *paths*: all of one cluster, one file for each server, or one for all.

    Raises BadTracesError where they cannot be judged at all. *on_progress* hears of each thousandth
    event.
    """
    return _Judge(read_sources(paths)).run(on_progress)


class _Judge:
    """One judgement; all state is the *verdict* and what feeds it."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = sources
        servers = tuple(dict.fromkeys(uid for source in sources for uid in source.servers))
        self.gaps = find_gaps(sources, servers)
        self.merge = Merge(sources)
        self.verdict = Verdict(servers=servers, files=len(sources))
        self.feed = Feed(
            servers,
            self.gaps,
            sessions_max=_sessions_max(sources),
            on_chosen=self._note_choice,
        )
        self._adds_choices = False
        self.is_whole = self.gaps.first_link in (0, 1)
        if self.gaps.first_link == 1:
            # Link 0 gives the chain its name, and changes nothing.
            self.feed.invariants.applied.begin_after_founding()
        self._limit()

    def run(self, on_progress: Callable[[int], None]) -> Verdict:
        verdict, feed = self.verdict, self.feed
        verdict.merged.append(self._header())
        is_told = any(line.event.kind == "chosen" for s in self.sources for line in s.lines)
        self._adds_choices = not is_told
        try:
            self._check_quorums()
            for line in self.merge.lines():
                verdict.events += 1
                if line.event.kind != "trace":
                    verdict.merged.append(self._event(line))
                if verdict.violation is None:
                    self._take(line)
                if verdict.events % 1000 == 0:
                    on_progress(verdict.events)
            if verdict.violation is None:
                feed.finish()
        except InvariantViolation as violation:
            self._violated(violation)
        verdict.history = feed.calls.history()
        if verdict.violation is None and LINEARIZABLE not in verdict.not_judged:
            self._check_history()
        self._count()
        return verdict

    def _take(self, line: Line) -> None:
        try:
            self.feed.take(line)
        except InvariantViolation as violation:
            self._violated(violation)

    def _check_quorums(self) -> None:
        quorums = self.feed.invariants.quorums
        for source in self.sources:
            for line in source.lines:
                if line.event.kind == "trace":
                    self.feed.line = line
                    self.feed.use_quorums(line)
                    quorums.check()
        self.feed.line = None

    def _check_history(self) -> None:
        chosen = self.feed.invariants.chosen
        unseen = self.feed.calls.unseen(
            [chosen[link].value for link in sorted(chosen)], begins_anew=self.is_whole
        )
        try:
            check_linearizable([*self.verdict.history, *unseen])
        except InvariantViolation as violation:
            self.feed.line = None
            self._violated(violation)

    # -- what limits the judgement -----------------------------------------------------------------

    def _limit(self) -> None:
        verdict, gaps = self.verdict, self.gaps
        verdict.not_judged[PROGRESS] = "a trace does not tell when faults stop"
        if len(self.merge.clocks) > 1:
            timed = f"the events were timed by {len(self.merge.clocks)} clocks"
            verdict.not_judged[ONE_READER] = f"{timed}, which do not compare"
            verdict.not_judged[LINEARIZABLE] = f"{timed}, which do not compare"
            verdict.remarks.append(
                f"The events were timed by {len(self.merge.clocks)} clocks (machines, or boots of "
                "one): only what caused what is known of their order."
            )
        if gaps.missing:
            missing = in_words(gaps.missing)
            verdict.remarks.append(
                f"There is no trace of {missing}: what is not seen of its votes is believed, so a "
                "broken rule may go unnoticed; what is reported is broken all the same."
            )
        if not self.is_whole:
            begins = "no link" if gaps.first_link is None else f"link {gaps.first_link}"
            verdict.remarks.append(
                f"The traces begin at {begins}: what the chain amounted to before is not known, "
                "and values are compared only from there on."
            )
        cut = [source.path for source in self.sources if source.is_cut]
        if cut:
            verdict.remarks.append(
                f"The last line of {in_words([str(path) for path in cut])} is cut off, as a killed "
                "process leaves it: it was left out."
            )

    def _count(self) -> None:
        verdict, merge = self.verdict, self.merge
        verdict.links = len(self.feed.invariants.chosen)
        verdict.calls = len(self.feed.calls.lines)
        if merge.unsent:
            verdict.remarks.append(
                f"{len(merge.unsent)} of {merge.arrivals} messages arrived that their senders' "
                f"traces do not show as sent before, first {merge.unsent[0].place}."
            )
        if self.feed.calls.open_count:
            verdict.remarks.append(
                f"{self.feed.calls.open_count} calls were open when the traces end."
            )

    # -- evidence ----------------------------------------------------------------------------------

    def _violated(self, violation: InvariantViolation) -> None:
        self.verdict.violation = violation
        here = self.feed.line
        lines = [here] if here is not None else []
        lines += self._lines_of(violation)
        places = dict.fromkeys(f"{line.place}: {_told(line.event)}" for line in lines)
        self.verdict.evidence = list(places)[:LINES_SHOWN]

    def _lines_of(self, violation: InvariantViolation) -> list[Line]:
        if violation.name == ONE_READER:
            return list(self.feed.leases.values())
        if violation.name == QUORUMS_INTERSECT and violation.link is None:
            return [source.lines[0] for source in self.sources]
        if violation.name == LINEARIZABLE:
            named = self.feed.calls.lines
            said = violation.explanation.split()
            return [line for request in named if request in said for line in named[request]]
        if violation.link is None:
            return []
        return self.feed.by_link.get(violation.link, [])

    # -- the merged trace --------------------------------------------------------------------------

    def _header(self) -> TraceEvent:
        first = self.sources[0]
        clocks = self.merge.clocks
        begin = min((line.event.seconds for s in self.sources for line in s.lines), default=0.0)
        fields = {
            **first.lines[0].event.fields,
            "servers": list(self.verdict.servers),
            "clock": clocks[0] if len(clocks) == 1 else "order of causes",
            "about": {"merged": [str(source.path) for source in self.sources]},
        }
        seconds = begin if len(clocks) == 1 else 0.0
        return TraceEvent(seconds=seconds, server="", kind="trace", fields=fields)

    def _event(self, line: Line) -> TraceEvent:
        event = line.event
        if len(self.merge.clocks) == 1:
            return event
        # Without a common clock an event's time is its place in the order.
        return TraceEvent(
            seconds=float(self.verdict.events),
            server=event.server,
            kind=event.kind,
            fields=event.fields,
        )

    def _note_choice(self, chosen: ChosenLink) -> None:
        if not self._adds_choices:
            return
        fields = {
            "instance": chosen.link,
            "proposal_id": plain(chosen.proposal_id),
            "value": plain(chosen.value),
            "acceptors": list(chosen.acceptors),
        }
        # The save that made the quorum is complete when the next line comes, which is listed.
        merged = self.verdict.merged
        place = len(merged)
        while place > 1 and merged[place - 1].kind != "saved":
            place -= 1
        saved = merged[place - 1]
        choice = TraceEvent(
            seconds=saved.seconds, server=chosen.acceptors[-1], kind="chosen", fields=fields
        )
        merged.insert(place, choice)


def _told(event: TraceEvent) -> str:
    said = event.fields.get("text") or event.kind
    if event.kind == "saved":
        fields = event.fields
        said = (
            f"saved link {fields['instance']}, promised {fields['promised']}, accepted "
            f"{fields['accepted']}"
        )
    elif event.kind in ("called", "returned"):
        fields = event.fields
        arguments: list[object] = fields["arguments"]  # type: ignore[assignment]
        shown = " ".join([str(fields["operation"]), *(f'"{a}"' for a in arguments)])
        told = "" if event.kind == "called" else f": {fields['status']} {fields['result']!r}"
        said = f"{event.kind} {fields['request']} {shown}{told}"
    elif event.kind == "lease began":
        said = f"trusts a lease from {event.fields['from']} until {event.fields['until']}"
    return f"{event.server or 'the trace'} {said} at {event.seconds:.6f} s"


def _sessions_max(sources: Sequence[Source]) -> int:
    for source in sources:
        about = source.lines[0].event.fields["about"]
        if isinstance(about, dict) and isinstance(about.get("sessions_max"), int):
            return int(about["sessions_max"])
    return Settings().sessions_max
