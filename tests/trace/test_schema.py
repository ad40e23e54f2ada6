"""The schema of the trace: what it lets pass, and what it says of the rest."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.trace import KINDS, TraceError, TraceEvent, check_event, check_trace, read_trace
from multipaxos.trace.file import format_line


def header(**fields: Any) -> TraceEvent:
    """Return the header of a trace, with these *fields* instead of the right ones."""
    return TraceEvent(
        seconds=0.0,
        server="",
        kind="trace",
        fields={
            "version": 3,
            "engine": "simulation",
            "cluster": "main",
            "servers": ["A"],
            "clock": "virtual",
            "about": {},
            **fields,
        },
    )


def event(kind: str, **fields: Any) -> TraceEvent:
    """Return an event of server A."""
    return TraceEvent(seconds=1.0, server="A", kind=kind, fields=fields)


TIMER_SET = event("timer set", timer="sync", after=1.5)


@pytest.fixture(scope="module")
def events() -> list[TraceEvent]:
    """Return a trace as the simulator writes it."""
    cluster = SimulatedCluster()
    cluster.start()
    cluster.run_for(1.0)
    cluster.submit("A", ("SET", "x"))
    cluster.run_for(1.0)
    return cluster.trace.events


def one_of_each(events: list[TraceEvent]) -> Iterator[TraceEvent]:
    """Yield the first event of each kind."""
    met: set[str] = set()
    for each in events:
        if each.kind not in met:
            met.add(each.kind)
            yield each


def test_what_an_engine_writes_passes(events: list[TraceEvent]) -> None:
    """The check yields what it has checked, unchanged and in order."""
    assert list(check_trace(iter(events))) == events
    assert len(events) > 50


def test_no_field_may_be_missing(events: list[TraceEvent]) -> None:
    """A reader may rely on each field of a kind, except on those that are marked."""
    for each in one_of_each(events):
        for name in each.fields:
            rest = {other: value for other, value in each.fields.items() if other != name}
            if name in KINDS[each.kind]:
                with pytest.raises(TraceError, match=f"without its field '{name}'"):
                    check_event(replace(each, fields=rest))
            else:
                check_event(replace(each, fields=rest))


def test_no_field_may_hold_something_else(events: list[TraceEvent]) -> None:
    """Where a reader expects a name, a number or a message, there is one."""
    strange = object()
    for each in one_of_each(events):
        for name in each.fields:
            held = KINDS[each.kind].get(name, KINDS[each.kind].get(f"{name}?"))
            if held != "plain":
                with pytest.raises(TraceError, match=f"field '{name}' of '{each.kind}' is not "):
                    check_event(replace(each, fields={**each.fields, name: strange}))


def refused(reason: str, **fields: object) -> TraceEvent:
    """Return a refusal for *reason*."""
    message = {"type": "Prepare", "proposal_id": "1.A"}
    said = {"instance": 1, "text": "", "sender": "A", "message": message, "reason": reason}
    return event("refused", **{**said, **fields})


@pytest.mark.parametrize(
    "strange, sentence",
    [
        (event("sung"), "'sung' is no kind of event"),
        (event("crashed", cause="x"), "'crashed' has no field 'cause'"),
        (event("timer set", timer="sync"), "'timer set' without its field 'after'"),
        (event("timer set", timer="sync", after=True), "'after' of 'timer set' is not a number"),
        (event("clock rate", rate="1"), "'rate' of 'clock rate' is not a number"),
        (event("started", memory=1), "'memory' of 'started' is not true or false"),
        (event("disk", fault="wet"), "is not one of full, mended"),
        (event("wires", blocked=[["A", "B", "C"]]), "is not a list of pairs of names"),
        (event("wires", blocked=[["A", 1]]), "is not a list of pairs of names"),
        (refused("promised"), "'refused' for 'promised' without its field 'promised_id'"),
        (refused("ahead", promised_id="2.A"), "'refused' for 'ahead' without its field 'asked'"),
        (
            refused("promised", promised_id="2.A", message={"type": "OtherChain"}),
            "'refused' for 'promised' is about a message without a proposal",
        ),
        (replace(TIMER_SET, seconds="now"), "an event's time is a number of seconds"),  # type: ignore[arg-type]
        (replace(TIMER_SET, seconds=True), "an event's time is a number of seconds"),
        (replace(TIMER_SET, server=None), "an event's server and its kind are texts"),  # type: ignore[arg-type]
        (replace(TIMER_SET, kind=["sent"]), "an event's server and its kind are texts"),  # type: ignore[arg-type]
        (header(version=2), "it is a trace of version 2; this program reads version 3"),
        (header(version=True), "it is a trace of version True; this program reads version 3"),
        (header(engine="toy"), "is not one of server, simulation, scenario, exploration"),
        (header(servers="ABC"), "'servers' of 'trace' is not a list of names"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence_with_its_place(
    strange: TraceEvent, sentence: str
) -> None:
    """The person who has the file is told where to look."""
    with pytest.raises(TraceError, match=f"^line 3: .*{sentence}"):
        list(check_trace([header(), TIMER_SET, strange]))


def test_a_trace_begins_with_its_header() -> None:
    """Without its version nothing could be said of what follows."""
    with pytest.raises(TraceError, match=r"^line 1: a trace begins with an event of kind 'trace'"):
        list(check_trace([TIMER_SET]))


def test_a_trace_is_not_empty() -> None:
    """No run leaves nothing at all."""
    with pytest.raises(TraceError, match="it is empty"):
        list(check_trace([]))


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("", "it is empty"),
        ("{}\n", "line 1: not a trace event"),
        (f"{format_line(header())}\n\n", "line 2: not a trace event: ''"),
        (f"{format_line(header())}\n{format_line(TIMER_SET)}", "line 2: the line is cut off"),
        (f"{format_line(header())}\n\xe4\n", "line 2: not a trace event"),
        (f"{format_line(header())}\n\x00\x00\n", "line 2: not a trace event"),
        (f"{format_line(header(version=7))}\n", "line 1: it is a trace of version 7"),
        (f"{format_line(header())}\n" + '{"time": NaN, "server": "", "kind": "crashed"}\n', "time"),
        (f"{format_line(header())}\n" + "[" * 100_000 + "\n", "line 2: not a trace event"),
        (f"{format_line(header())}\n" + "9" * 5000 + "\n", "line 2: not a trace event"),
    ],
)
def test_a_damaged_file_is_refused_with_its_name_and_the_line(
    tmp_path: Path, text: str, sentence: str
) -> None:
    """Whatever stands in the file: one error, which is a sentence."""
    path = tmp_path / "trace"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(TraceError, match=sentence) as error:
        list(read_trace(path))

    assert str(error.value).startswith(f"{path}, ")
    assert "\n" not in str(error.value)


def test_what_stands_before_the_damage_can_be_read(tmp_path: Path) -> None:
    """A reader that wants it has it before the error comes."""
    path = tmp_path / "trace"
    path.write_text(f"{format_line(header())}\n{format_line(TIMER_SET)}\n{{", encoding="ascii")
    found: list[TraceEvent] = []

    # A list keeps what was read before the error.
    with pytest.raises(TraceError):
        found.extend(read_trace(path))

    assert found == [header(), TIMER_SET]
