"""Traces in files: those of several servers become one."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import merge
from operator import attrgetter
from pathlib import Path
from typing import Any

from multipaxos.trace.events import TraceEvent
from multipaxos.trace.file import read_trace
from multipaxos.trace.schema import TraceError

COMPARED = {"cluster": "they are of different clusters", "clock": "their clocks do not compare"}


def read_traces(paths: Sequence[Path]) -> list[TraceEvent]:
    """
    Return the events of the traces at *paths*, one of each server, in the order of their time.

    Where no engine saw all servers, the instants of choice are added. Raises TraceError, with a
    sentence, for what is no trace and for traces whose times do not compare; OSError for a file
    that cannot be read.
    """
    traces = [list(read_trace(path)) for path in paths]
    if len(traces) == 1:
        (events,) = traces
    else:
        _check_that_they_compare(paths, traces)
        events = list(merge(*traces, key=attrgetter("seconds")))
    return list(with_choices(events))


def _check_that_they_compare(paths: Sequence[Path], traces: Sequence[Sequence[TraceEvent]]) -> None:
    for field, problem in COMPARED.items():
        first: object = None
        for path, trace in zip(paths, traces, strict=True):
            for header in (event.fields for event in trace if event.kind == "trace"):
                first = header[field] if first is None else first
                if header[field] != first:
                    raise TraceError(
                        f"{paths[0]} and {path} make no diagram together: {problem} "
                        f"({first!r} and {header[field]!r}); draw them one by one"
                    )


def with_choices(events: Sequence[TraceEvent]) -> Iterator[TraceEvent]:
    """
    Yield *events*; where nobody told the instants of choice, with those that the votes give.

    A link is chosen when a majority of its cluster has accepted one proposal.
    """
    if any(event.kind == "chosen" for event in events):
        yield from events
        return
    majority = _majority(event.fields for event in events if event.kind == "trace")
    accepted_by: dict[tuple[Any, ...], dict[str, None]] = {}
    chosen: set[Any] = set()
    for event in events:
        yield event
        if event.kind != "accepted":
            continue
        instance, proposal_id = event.fields["instance"], event.fields["proposal_id"]
        acceptors = accepted_by.setdefault((instance, proposal_id), {})
        acceptors[event.server] = None
        if len(acceptors) == majority and instance not in chosen:
            chosen.add(instance)
            yield TraceEvent(
                seconds=event.seconds,
                server=event.server,
                kind="chosen",
                fields={
                    "instance": instance,
                    "proposal_id": proposal_id,
                    "value": event.fields["value"],
                    "acceptors": sorted(acceptors),
                },
            )


def _majority(headers: Iterable[Mapping[str, Any]]) -> int:
    sizes = Counter(len(header["servers"]) for header in headers)
    return max(sizes) // 2 + 1
