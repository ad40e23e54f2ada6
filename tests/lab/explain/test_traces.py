"""Traces from files: of real servers, of an engine, too long, damaged, broken."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.lab.traces import as_servers_write

from multipaxos.cli import main
from multipaxos.errors import MultipaxosError
from multipaxos.lab.explain import Explanation, explain, traces
from multipaxos.lab.explain.traces import read_and_judge
from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.trace import TraceError, TraceEvent, check_trace, write_trace

Told = tuple[list[TraceEvent], Explanation]


@pytest.fixture
def worked() -> list[TraceEvent]:
    """Return the events of a cluster that founded a chain and decided some links."""
    cluster = SimulatedCluster(seed=3)
    cluster.start()
    cluster.run_for(2.0)
    for number in range(5):
        cluster.submit("ABC"[number % 3], ("SET", f"v{number}"))
        cluster.run_for(0.3)
    assert not cluster.unanswered
    return list(cluster.trace.events)


def test_traces_of_several_servers_become_one(worked: list[TraceEvent], tmp_path: Path) -> None:
    """With the instants of choice, which no server could see; nothing is left unexplained."""
    paths = as_servers_write(worked, tmp_path)

    events, title, *_ = read_and_judge(paths)

    assert title == "Cluster test: A, B and C"
    assert list(check_trace(events)) == events
    links: list[Any] = [e.fields["instance"] for e in events if e.kind == "chosen"]
    assert links == sorted(set(links))
    assert len(links) >= 6
    explanation = explain(events)
    assert not explanation.violations
    assert [why for why in explanation.why if why and "breaks the rule" in why[1]] == []
    assert {e.kind for e, w in zip(events, explanation.why, strict=True) if w is None} == {"trace"}
    assert all(message.id is None for message in explanation.messages)


def test_one_server_alone_tells_what_it_can(worked: list[TraceEvent], tmp_path: Path) -> None:
    """What it has counted was chosen; what others had promised to whom is unknown."""
    path = as_servers_write(worked, tmp_path)[1]

    events, *_ = read_and_judge([path])

    explanation = explain(events)
    assert [why for why in explanation.why if why and "breaks the rule" in why[1]] == []
    chosen = [event for event in events if event.kind == "chosen"]
    assert len(chosen) >= 6
    assert "unknown" in {proposal.choice for proposal in explanation.proposals}
    whys = [w for e, w in zip(events, explanation.why, strict=True) if e.kind == "chosen" and w]
    assert all("at this instant at the latest" in paragraph for _, paragraph in whys)


def leave_half_a_line(path: Path) -> None:
    """Append to the trace at *path* what a killed process leaves."""
    with path.open("a", encoding="ascii") as file:
        file.write('{"time": 9.0, "serv')


def test_what_limits_the_judgement_is_remarked(worked: list[TraceEvent], tmp_path: Path) -> None:
    """A missing server, and the half line that a killed one left: it is left out."""
    path = as_servers_write(worked, tmp_path)[1]
    whole = read_and_judge([path])
    leave_half_a_line(path)

    cut = read_and_judge([path])

    assert cut.events == whole.events
    assert any("no trace of A and C" in remark for remark in cut.remarks)
    assert any("B.ndjson is cut off" in remark for remark in cut.remarks)
    assert not any("cut off" in remark for remark in whole.remarks)


def test_half_a_line_of_a_simulation_is_left_out(worked: list[TraceEvent], tmp_path: Path) -> None:
    """As it is of a server: what stands before it is shown."""
    path = tmp_path / "run.ndjson"
    write_trace(path, worked)
    whole = read_and_judge([path])
    leave_half_a_line(path)

    cut = read_and_judge([path])

    assert cut.events == whole.events
    assert any("run.ndjson is cut off" in remark for remark in cut.remarks)


def test_a_broken_rule_is_marked_where_it_shows(
    told: Callable[[str], Told], tmp_path: Path
) -> None:
    """The checkers of `conform` find it; the choices after it are there as well."""
    played, _ = told(
        "bug own-value\npropose A x\ndeliver A->B Prepare, B->A Promise, A->B Accept\ncrash "
        "A\ndrop all\npropose C z\ndeliver C->B Prepare, B->C Promise, C->B Accept, B->C "
        "Accepted\ndeliver all\n"
    )
    paths = as_servers_write(played, tmp_path)

    events, *_ = read_and_judge(paths)

    (place,) = (place for place, event in enumerate(events) if event.kind == "violated")
    assert events[place].fields["name"] == "I4 ValueIsSafe"
    assert events[place - 1].kind in ("accepted", "sent", "saved")
    assert list(check_trace(events)) == events
    (broken,) = explain(events).violations
    assert broken.proposals == ("2.A", "2.C")
    chosen = [(e.fields["instance"], e.fields["proposal_id"]) for e in events if e.kind == "chosen"]
    assert chosen == [(1, "2.A"), (1, "2.C")]


def test_a_trace_of_an_engine_stays_as_it_is(told: Callable[[str], Told], tmp_path: Path) -> None:
    """It has all already; also what broke while it ran."""
    played, _ = told("bug own-value\npropose A x\ndeliver all\n")
    path = tmp_path / "play.trace"
    write_trace(path, played)

    events, title, *_ = read_and_judge([path])

    assert title == "Trace play.trace"
    assert [(event.kind, event.server) for event in events] == [
        (event.kind, event.server) for event in played
    ]


def test_a_violation_that_was_told_is_not_told_twice(
    told: Callable[[str], Told], tmp_path: Path
) -> None:
    """A tolerant run marks it itself."""
    played, _ = told(
        "bug own-value\npropose A x\ndeliver A->B Prepare, B->A Promise, A->B Accept\ncrash "
        "A\ndrop all\npropose C z\ndeliver C->B Prepare, B->C Promise\n"
    )
    path = tmp_path / "play.trace"
    write_trace(path, played)

    events, *_ = read_and_judge([path])

    violated = [event for event in events if event.kind == "violated"]
    assert len(violated) == sum(event.kind == "violated" for event in played) > 0


def test_a_trace_that_is_too_long_gets_a_sentence(
    worked: list[TraceEvent], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says what can be done instead."""
    path = tmp_path / "long.trace"
    write_trace(path, worked)
    monkeypatch.setattr(traces, "EVENTS_MAX", 100)

    with pytest.raises(TraceError, match=r"more than 100 events.*multipaxos diagram.*--from"):
        read_and_judge([path])

    monkeypatch.setattr(traces, "EVENTS_MAX", 10**6)
    monkeypatch.setattr(traces, "BYTES_MAX", 1000)
    with pytest.raises(TraceError, match="more than 1,000 bytes"):
        read_and_judge([path])


@pytest.mark.parametrize(
    "content",
    ["", "no trace\n", '{"time": 0.0, "server": "", "kind": "sent"}\n', "[" * 100_000 + "\n"],
)
def test_what_is_no_trace_gets_a_sentence(content: str, tmp_path: Path) -> None:
    """Not a traceback."""
    path = tmp_path / "odd"
    path.write_text(content, encoding="ascii")

    with pytest.raises(MultipaxosError) as caught:
        read_and_judge([path])

    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there_gets_a_sentence(tmp_path: Path) -> None:
    """With its name."""
    with pytest.raises(TraceError, match=r"absent.* cannot be read"):
        read_and_judge([tmp_path / "absent"])


def test_an_exploration_ends_with_what_it_broke(tmp_path: Path) -> None:
    """Its steps are no seconds; its lowest number belongs to nobody."""
    path = tmp_path / "found.trace"
    result = CliRunner().invoke(main, ["explore", "--bug", "own-value", "--trace", str(path)])
    assert path.exists(), result.output

    events, title, *_ = read_and_judge([path])

    assert title == "Trace found.trace"
    assert events[-1].kind == "violated"
    explanation = explain(events)
    assert {proposal.choice for proposal in explanation.proposals} <= {"free", "bound"}
    broken = [why[0] for why in explanation.why if why and "breaks the rule" in why[1]]
    assert set(broken) == {"bug own-value"}
