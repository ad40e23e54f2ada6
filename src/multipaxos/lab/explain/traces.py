"""Traces from files, of real servers too: read, merged, and judged before they are shown."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from multipaxos.invariants.conformance import Verdict, judge
from multipaxos.invariants.names import NAMES
from multipaxos.invariants.violation import InvariantViolation
from multipaxos.lab.explain.past import CHOICES_MAX
from multipaxos.lab.explain.words import joined, name
from multipaxos.trace import TraceError, TraceEvent, read_trace
from multipaxos.trace.diagram.reading import with_choices

EVENTS_MAX = 200_000
BYTES_MAX = 256 * 2**20
BLOCK_BYTES = 2**20

TOO_LONG = (
    "more than a page can show. Give a shorter trace: of fewer servers, or of a run that was "
    "stopped earlier. `multipaxos diagram TRACE --from SECONDS --until SECONDS` draws a part of a "
    "long one, and `multipaxos conform` judges all of it."
)


class JudgedTrace(NamedTuple):
    """
    The *events* of one run, its *title*, and the names of the invariants that were *judged*.

    *remarks* are sentences that say what limits the judgement.
    """

    events: list[TraceEvent]
    title: str
    judged: tuple[str, ...]
    remarks: tuple[str, ...]


def read_and_judge(paths: Sequence[Path]) -> JudgedTrace:
    """
    Return the events of the traces at *paths* in one order, a title, what was judged, and remarks.

    They are of one cluster: one file for each server, or one for all. Where the rules of the
    protocol are broken, a ``violated`` event stands behind the one that shows it; where no engine
    told the instants of choice, those that the votes give are added; where these are not seen, one
    stands before the first server that says it has counted them. Half a line, which a killed
    process leaves at the end, is left out; a remark says so.

    Raises MultipaxosError, with a sentence: TraceError for what is no trace or too long to be
    shown, BadTracesError for traces that do not belong together.
    """
    try:
        return _read_and_judge(paths)
    except OSError as error:
        # An error of the disk, while the file is read, does not name it.
        where = error.filename or ", ".join(map(str, paths))
        raise TraceError(f"{where} cannot be read: {error.strerror}.") from error


def _read_and_judge(paths: Sequence[Path]) -> JudgedTrace:
    _check_length(paths)
    header = next(read_trace(paths[0])).fields
    if header["engine"] == "exploration":
        # Its states were judged while they were explored.
        events = _with_its_end(list(with_choices(list(read_trace(paths[0])))))
        return JudgedTrace(events, _title(paths, header), (), ())
    verdict = judge(paths)
    if len(paths) == 1 and header["engine"] != "server":
        events = _judged(list(read_trace(paths[0], leaves_out_half_line=True)), verdict)
    else:
        events = list(_with_known_choices(_judged(verdict.merged, verdict)))
    return JudgedTrace(events, _title(paths, header), verdict.judged, tuple(verdict.remarks))


def _with_its_end(events: list[TraceEvent]) -> list[TraceEvent]:
    """Return *events* with what an exploration says of its last state, which they lead to."""
    about: Any = events[0].fields["about"]
    broken = about.get("broken")
    if broken not in NAMES or any(event.kind == "violated" for event in events):
        return events
    explanation = "the last step breaks it, and none of the shorter ways that were explored does"
    violation = InvariantViolation(broken, None, explanation)
    return [*events, _told(violation, seconds=events[-1].seconds)]


def _told(violation: InvariantViolation, *, seconds: float) -> TraceEvent:
    return TraceEvent(
        seconds=seconds,
        server="",
        kind="violated",
        fields={
            "name": violation.name,
            "link": violation.link,
            "explanation": violation.explanation,
            "text": str(violation),
        },
    )


def _check_length(paths: Sequence[Path]) -> None:
    """Raise TraceError if the traces are longer than anybody can look at."""
    lines = characters = 0
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                characters += len(block)
                lines += block.count(b"\n")
                if lines > EVENTS_MAX:
                    raise TraceError(f"There are more than {EVENTS_MAX:,} events: {TOO_LONG}")
                if characters > BYTES_MAX:
                    raise TraceError(f"There are more than {BYTES_MAX:,} bytes: {TOO_LONG}")


def _title(paths: Sequence[Path], header: Mapping[str, Any]) -> str:
    if header["engine"] == "server":
        return f"Cluster {name(header['cluster'])}: {joined(header['servers'])}"
    return f"Trace {name(paths[0].name)}"


def _judged(events: Sequence[TraceEvent], verdict: Verdict) -> list[TraceEvent]:
    """Return *events* with the violation of *verdict* and the choices that it did not come to."""
    violation = verdict.violation
    told = any(event.kind == "violated" for event in events)
    if violation is None or told:
        return list(events)
    place = min(verdict.violated_at, len(events))
    broken = _told(violation, seconds=events[place - 1].seconds)
    return list(_with_later_choices([*events[:place], broken, *events[place:]]))


def _with_later_choices(events: Sequence[TraceEvent]) -> Iterator[TraceEvent]:
    """Yield *events*, with the choices after a violation, from where on nobody judged."""
    told = {_proposal(event) for event in events if event.kind == "chosen"}
    values: dict[object, list[object]] = {}
    votes: dict[object, dict[str, None]] = {}
    majority = len(_servers(events)) // 2 + 1
    for event in events:
        yield event
        if event.kind not in ("chosen", "accepted"):
            continue
        held, value = values.setdefault(event.fields["instance"], []), event.fields["value"]
        acceptors = votes.setdefault(_proposal(event), {})
        acceptors[event.server] = None
        if event.kind == "chosen":
            held.append(value)
        elif len(acceptors) == majority and _proposal(event) not in told and _is_new(value, held):
            # A second value for one link is the disaster that the reader should see.
            held.append(value)
            yield _choice(event, value=value, acceptors=sorted(acceptors))


def _is_new(value: object, held: Sequence[object]) -> bool:
    return len(held) < CHOICES_MAX and value not in held


def _proposal(event: TraceEvent) -> tuple[object, object]:
    return event.fields["instance"], event.fields["proposal_id"]


def _servers(events: Sequence[TraceEvent]) -> Sequence[str]:
    servers: Any = events[0].fields["servers"]
    return list(servers)


def _choice(event: TraceEvent, *, value: object, acceptors: object) -> TraceEvent:
    """Return a choice of *value* at the instant of *event*, under the number that it tells of."""
    fields = {
        "instance": event.fields["instance"],
        "proposal_id": event.fields["proposal_id"],
        "value": value,
        "acceptors": acceptors,
    }
    return TraceEvent(seconds=event.seconds, server=event.server, kind="chosen", fields=fields)


def _with_known_choices(events: Sequence[TraceEvent]) -> Iterator[TraceEvent]:
    """Yield *events*, with a choice where a server counted votes that the traces do not show."""
    known = {event.fields["instance"] for event in events if event.kind == "chosen"}
    for event in events:
        link = event.fields.get("instance")
        if event.kind == "resolved" and event.fields["acceptors"] and link not in known:
            known.add(link)
            yield _choice(event, value=event.fields["link"], acceptors=event.fields["acceptors"])
        yield event
