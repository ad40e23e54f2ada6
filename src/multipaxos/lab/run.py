"""
A run as plain data: all that a page needs to draw, explain and change it.

docs/reference/lab.md lists the fields.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from multipaxos.chain.effects import Timer
from multipaxos.invariants.names import RULES
from multipaxos.lab.explain import Explanation, explain
from multipaxos.lab.judging import judged_of
from multipaxos.lab.play import Played
from multipaxos.lab.trusted import with_what_is_trusted
from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.trace import TraceEvent
from multipaxos.trace.file import plain_event

VERSION = 1
"""The version of this form; it grows with every change that a page must know of."""

Run: TypeAlias = dict[str, Any]


def run_of(played: Played) -> Run:
    """Return the run that was *played*."""
    stage = played.stage
    explanation = explain(stage.events)
    run = _run(stage.events, explanation, title=title_of(played.script), source="script")
    under_way = {stage.hand.number(envelope) for envelope in stage.hand.on_their_way()}
    run["messages"] = [m for m in run["messages"] if m["ended"] is not None or m["id"] in under_way]
    return run | {
        "script": played.script,
        "manual": stage.cluster.is_manual,
        "judged": judged_of(stage.cluster),
        "marks": _marks(played),
        "end": {"time": stage.cluster.time.now, "timers": _running(stage.cluster)},
    }


def run_of_trace(
    events: Sequence[TraceEvent],
    *,
    title: str,
    judged: Sequence[str] = (),
    remarks: Sequence[str] = (),
    source: str = "trace",
) -> Run:
    """
    Return the run that a trace tells of: nobody can change it.

    *judged* are the invariants that it was held against, *remarks* what limits that judgement.
    """
    run = _run(events, explain(events), title=title, source=source)
    return run | {"judged": list(judged), "remarks": list(remarks)}


def title_of(script: str) -> str:
    """Return the first line of the comment at the top of *script*."""
    first = script.lstrip().partition("\n")[0]
    return first.lstrip("#").strip().rstrip(".") if first.startswith("#") else "A run of your own"


def _run(events: Sequence[TraceEvent], explanation: Explanation, *, title: str, source: str) -> Run:
    header = next(event for event in events if event.kind == "trace")
    servers: Any = header.fields["servers"]
    names = [event.server for event in events if event.server]
    calls = [str(event.fields["client"]) for event in events if event.kind == "called"]
    explained = explanation.plain()
    return {
        "version": VERSION,
        "title": title,
        "script": "",
        "source": source,
        "servers": list(dict.fromkeys([*servers, *names])),
        "clients": list(dict.fromkeys(calls)),
        "manual": False,
        "events": [plain_event(event) for event in with_what_is_trusted(events)],
        "marks": [],
        "judged": [],
        "remarks": [],
        "invariants": [{"name": name, "rule": rule} for name, rule in RULES.items()],
        "end": {"time": events[-1].seconds, "timers": {}},
        "totals": _totals(events, explained),
        "scenario": None,
        **explained,
    }


def _marks(played: Played) -> list[Mapping[str, object]]:
    """Return where each command ended that was no setting."""
    ends = {step.line: step.events for step in played.stage.steps_taken}
    return [
        {"events": ends[place], "command": line.command, "caption": line.caption}
        for place, line in enumerate(played.lines)
        if place in ends
    ]


def _running(cluster: SimulatedCluster) -> dict[str, list[str]]:
    """Return the timers that run, by server: those that may be fired."""
    return {
        server.uid: [
            timer.value
            for timer in Timer
            if server.driver is not None and server.driver.seconds_left(timer) > 0
        ]
        for server in cluster.servers.values()
    }


def _totals(events: Sequence[TraceEvent], explained: Mapping[str, Any]) -> dict[str, object]:
    """Return the counts by which two runs are compared."""
    sent: list[Any] = [event.fields for event in events if event.kind == "sent"]
    rounds = {
        (fields["instance"], fields["message"]["proposal_id"])
        for fields in sent
        if fields["message"]["type"] in ("Prepare", "Accept")
    }
    won = {(decision["link"], decision["proposal"]) for decision in explained["decisions"]}
    return {
        "messages": len(sent),
        "lost": sum(event.kind == "dropped" for event in events),
        "rounds": len(rounds),
        "wasted_rounds": len(rounds - won),
        "decisions": len({decision["link"] for decision in explained["decisions"]}),
        "seconds": round(events[-1].seconds - events[0].seconds, 6),
    }
