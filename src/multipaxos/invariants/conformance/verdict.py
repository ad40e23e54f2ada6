"""The judgement on the traces of a cluster: what was checked, what could not be, what is wrong."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from multipaxos.chain.links import Link
from multipaxos.chain.pipelines import inner
from multipaxos.chain.register import Register
from multipaxos.chain.settings import Settings
from multipaxos.chain.state_machine import StateMachine
from multipaxos.invariants.conformance.combined import Combined, told
from multipaxos.invariants.conformance.feed import Feed
from multipaxos.invariants.conformance.gaps import find_gaps
from multipaxos.invariants.conformance.kind import machine_of
from multipaxos.invariants.conformance.merge import Merge
from multipaxos.invariants.conformance.source import Line, Source, read_sources
from multipaxos.invariants.linearizability import History, check_linearizable
from multipaxos.invariants.names import (
    ACCEPTED_WITHIN_PROMISE,
    AGREEMENT,
    APPLIED_ONCE,
    LINEARIZABLE,
    NAMES,
    ONE_READER,
    ONE_VALUE_PER_NUMBER,
    PROGRESS,
    PROMISE_KEPT,
    QUORUMS_INTERSECT,
    RESOLVED_MEANS_CHOSEN,
    SAVED_BEFORE_SENT,
    VALUE_IS_SAFE,
)
from multipaxos.invariants.quorums import in_words
from multipaxos.invariants.violation import InvariantViolation
from multipaxos.trace import TraceEvent

LINES_SHOWN = 12


@dataclass(slots=True)
class Verdict:
    """
    What was found.

    How many *events*, *links* and *calls* there were. *seen* says of each invariant what it was
    held against, *not_judged* why it was not; *remarks* what limits the rest. With a *violation*
    comes the *evidence*: lines that tell of it. The *history* is what the clients saw of the
    *machine*, *merged* all events in one order, of which the first *violated_at* were enough to
    find the violation.
    """

    servers: tuple[str, ...]
    files: int
    machine: StateMachine
    events: int = 0
    links: int = 0
    calls: int = 0
    seen: dict[str, str] = field(default_factory=dict)
    not_judged: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    violation: InvariantViolation | None = None
    evidence: list[str] = field(default_factory=list)
    history: History = ()
    merged: list[TraceEvent] = field(default_factory=list)
    violated_at: int = 0

    @property
    def judged(self) -> tuple[str, ...]:
        """The invariants that were checked."""
        return tuple(name for name in NAMES if name not in self.not_judged)


def judge(
    paths: Sequence[Path],
    *,
    machine: StateMachine | None = None,
    on_progress: Callable[[int], None] = lambda _events: None,
) -> Verdict:
    """
    Judge the traces at *paths*: all of one cluster, one file for each server, or one for all.

    They tell of which kind the state machine is; a *machine* of a kind that is not built in must be
    given. Raises BadTracesError where they cannot be judged at all. *on_progress* hears of each
    thousandth event.
    """
    sources = read_sources(paths)
    return _Judge(sources, machine_of(sources, machine)).run(on_progress)


class _Judge:
    """One judgement; all state is the *verdict* and what feeds it."""

    def __init__(self, sources: Sequence[Source], machine: StateMachine) -> None:
        self.sources = sources
        self.machine = machine
        servers = tuple(dict.fromkeys(uid for source in sources for uid in source.servers))
        self.gaps = find_gaps(sources, servers)
        self.merge = Merge(sources)
        self.verdict = Verdict(servers=servers, files=len(sources), machine=machine)
        self.combined = Combined(sources, self.merge.clocks, servers)
        self.feed = Feed(
            servers,
            self.gaps,
            machine=machine,
            sessions_max=_sessions_max(sources),
            on_chosen=self.combined.choose,
        )
        self.is_whole = self.gaps.first_link in (0, 1)
        if self.gaps.first_link == 1:
            # Link 0 gives the chain its name, and changes nothing.
            self.feed.invariants.applied.begin_after_founding()
        self._limit()

    def run(self, on_progress: Callable[[int], None]) -> Verdict:
        verdict, feed = self.verdict, self.feed
        try:
            self._check_quorums()
            for line in self.merge.lines():
                verdict.events += 1
                self.combined.add(line)
                if verdict.violation is None:
                    self._take(line)
                if verdict.events % 1000 == 0:
                    on_progress(verdict.events)
            if verdict.violation is None:
                feed.finish()
        except InvariantViolation as violation:
            self._violated(violation)
        verdict.merged = self.combined.events
        verdict.history = feed.calls.history(self._links())
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
        unseen = self.feed.calls.unseen(self._links(), begins_anew=self.is_whole)
        try:
            check_linearizable([*self.verdict.history, *unseen], self.machine)
        except InvariantViolation as violation:
            self.feed.line = None
            self._violated(violation)

    def _links(self) -> dict[int, Link]:
        return {number: link.value for number, link in self.feed.invariants.chosen.items()}

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
                f"There is no trace of {missing}: what is not seen of "
                f"{'its' if len(gaps.missing) == 1 else 'their'} votes is believed, so a "
                "broken rule may go unnoticed; what is reported is broken all the same."
            )
        if not self.is_whole:
            if not isinstance(inner(self.machine), Register):
                verdict.not_judged.setdefault(LINEARIZABLE, "the state at the beginning is unknown")
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
        verdict.seen = self._seen()
        if merge.unsent:
            verdict.remarks.append(
                f"{len(merge.unsent)} of {merge.arrivals} messages arrived that their senders' "
                f"traces do not show as sent before, first {merge.unsent[0].place}."
            )
        if self.feed.calls.open_count:
            verdict.remarks.append(
                f"{count(self.feed.calls.open_count, 'call')} had no answer when the traces end."
            )

    def _seen(self) -> dict[str, str]:
        happened, invariants = self.feed.happened, self.feed.invariants
        records = invariants.votes.records.values()
        saves = count(happened["saved"], "save")
        resolved = count(happened["resolved"], "link") + " resolved"
        answers = count(self.feed.calls.returns, "answer")
        return {
            AGREEMENT: count(self.verdict.links, "link") + " chosen",
            ONE_VALUE_PER_NUMBER: count(
                sum(b.value is not None for r in records for b in r.ballots.values()), "number"
            ),
            PROMISE_KEPT: saves,
            VALUE_IS_SAFE: count(
                sum(b.is_asked for r in records for b in r.ballots.values()), "request"
            )
            + " to accept",
            ACCEPTED_WITHIN_PROMISE: saves,
            QUORUMS_INTERSECT: f"quorums of {count(len(self.verdict.servers), 'server')}",
            RESOLVED_MEANS_CHOSEN: resolved,
            SAVED_BEFORE_SENT: count(happened["sent"], "message") + f" and {answers}",
            APPLIED_ONCE: f"{resolved}, {count(happened['caught up'], 'catch-up')}, {answers}",
            ONE_READER: count(happened["lease began"], "lease"),
            LINEARIZABLE: count(self.verdict.calls, "call"),
        }

    # -- evidence ----------------------------------------------------------------------------------

    def _violated(self, violation: InvariantViolation) -> None:
        self.verdict.violation = violation
        self.verdict.violated_at = len(self.combined.events)
        here = self.feed.line
        lines = [here] if here is not None else []
        lines += self._lines_of(violation)
        places = dict.fromkeys(f"{line.place}: {told(line.event)}" for line in lines)
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


def count(number: int, what: str) -> str:
    """Write *number* and *what* as people do: ``1 link``, ``2 links``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _sessions_max(sources: Sequence[Source]) -> int:
    for source in sources:
        about = source.lines[0].event.fields["about"]
        if isinstance(about, dict) and isinstance(about.get("sessions_max"), int):
            return int(about["sessions_max"])
    return Settings().sessions_max
