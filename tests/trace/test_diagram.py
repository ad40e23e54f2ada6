"""The diagrams of small scenarios, held against files that a person has looked at."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from rich.cells import cell_len

from multipaxos.composition import strategy_names
from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.simulation.scenario import Stage
from multipaxos.trace import TraceEvent
from multipaxos.trace.diagram import mermaid, svg, text_diagram

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = {
    "happy path": "01_happy_path",
    "duel": "03_duelling_proposers",
    "delayed accept": "08_delayed_accept",
    "partition of five": "09_partition_of_five",
    "restart": "11a_restart_with_disk",
    "lease": "13_master_election",
    "lease and pause": "15d_lease_and_pause",
}
FORMS = {
    "txt": lambda events: f"{text_diagram(events)}\n",
    "mmd": mermaid,
    "svg": svg,
}


def events_of(name: str) -> list[TraceEvent]:
    """Play the scenario *name* and return its trace."""
    script = (ROOT / f"src/multipaxos/scenarios/{name}.txt").read_text(encoding="utf-8")
    stage = Stage()
    for line in script.partition("\n----\n")[0].splitlines():
        command = line.partition("#")[0].strip()
        if command:
            stage.perform(command)
    return stage.cluster.trace.events


def events_of_values(*values: str) -> list[TraceEvent]:
    """Return the trace of a calm run in which A is asked to set each of *values* in turn."""
    cluster = SimulatedCluster(seed=1, founded=True)
    cluster.start()
    for value in values:
        call = cluster.submit("A", ("SET", value))
        cluster.run_until(lambda call=call: call.answered, limit_seconds=10)  # type: ignore[misc]
    return cluster.trace.events


@pytest.mark.parametrize("form", sorted(FORMS))
@pytest.mark.parametrize("story", sorted(SCENARIOS))
def test_a_diagram_is_the_one_that_was_looked_at(
    story: str, form: str, request: pytest.FixtureRequest
) -> None:
    """
    The same trace gives the same drawing, byte for byte.

    After a wanted change: ``pytest tests/trace --rewrite-diagrams``, and look at the difference.
    """
    name = SCENARIOS[story]
    golden = Path(__file__).parent / "diagrams" / f"{name}.{form}"

    drawn = FORMS[form](events_of(name))

    if request.config.getoption("--rewrite-diagrams", default=False):
        golden.write_text(drawn, encoding="utf-8")
    assert drawn == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [60, 80, 132])
@pytest.mark.parametrize("story", sorted(SCENARIOS))
def test_no_row_is_wider_than_the_terminal(story: str, width: int) -> None:
    """A row that wraps would tear the columns apart."""
    drawn = str(text_diagram(events_of(SCENARIOS[story]), width=width))

    assert max(cell_len(row) for row in drawn.splitlines()) <= width


def test_choice_stands_before_the_first_who_knows_of_it() -> None:
    """The instant of choice is a line of its own, and nobody has resolved the link yet."""
    rows = str(text_diagram(events_of("01_happy_path"))).splitlines()

    (chosen,) = (place for place, row in enumerate(rows) if "is chosen" in row)
    assert rows[chosen].startswith("===")
    assert rows[chosen].endswith("===")
    assert all("link 1 =" not in row for row in rows[:chosen])
    assert any("link 1 =" in row for row in rows[chosen:])


def test_a_late_message_is_drawn_where_it_leaves_and_where_it_ends() -> None:
    """A's request, overtaken by B's whole round, is refused for what B's round promised."""
    rows = str(text_diagram(events_of("08_delayed_accept"))).splitlines()

    left = next(place for place, row in enumerate(rows) if 'Accept 2.A "x" -----~2' in row)
    arrived = next(place for place, row in enumerate(rows) if '2~----- Accept 2.A "x"' in row)
    chosen = next(place for place, row in enumerate(rows) if "is chosen" in row)
    assert left < chosen < arrived
    assert rows[arrived].rstrip(" |").endswith(">!")
    assert "refused: promised 3.B" in rows[arrived + 1]


NASTY = (
    "end",
    "a;b#c%%{x}:y",
    "<script>&amp;</script>",
    "\x1b[31mred",
    "\N{RIGHT-TO-LEFT OVERRIDE}txt",
    "wide \N{CJK UNIFIED IDEOGRAPH-65E5}\N{CJK UNIFIED IDEOGRAPH-672C}",
    "accent e\N{COMBINING ACUTE ACCENT}",
)


def test_values_mean_nothing_to_the_terminal() -> None:
    """What a terminal would obey is drawn as an escape; wide characters keep the columns."""
    rows = str(text_diagram(events_of_values(*NASTY))).splitlines()

    assert all(row.isprintable() for row in rows)
    assert max(map(cell_len, rows)) <= 80
    wide = [row for row in rows if "wide" in row and row.endswith(("|", "#"))]
    assert wide
    assert {cell_len(row) for row in wide} == {79}


def test_values_mean_nothing_to_mermaid() -> None:
    """Its words, signs and comments come as entities: each line has one of four forms."""
    for line in mermaid(events_of_values(*NASTY)).splitlines()[1:]:
        head, colon, words = line.strip().partition(": ")
        if colon:
            assert head.split()[0] in ("Note", head), line
            bare = "".join(part.partition(";")[2] for part in f";{words}".split("#"))
            assert not set(bare) & set("#;:%<>{}[]`\\"), line
        else:
            assert head.startswith(("participant server", "actor client")), line


def test_values_mean_nothing_to_svg() -> None:
    """It is well-formed whatever is in a value, and holds no script."""
    tree = ET.fromstring(svg(events_of_values(*NASTY)))  # noqa: S314 - our own output

    kinds = {element.tag.rpartition("}")[2] for element in tree.iter()}
    assert kinds <= {"svg", "title", "style", "line", "polygon", "path", "rect", "text"}
    assert any("<script>" in (element.text or "") for element in tree.iter())


def test_a_quiet_minute_takes_a_line() -> None:
    """Renewals of a lease and greetings, for a minute: one line says how many there were."""
    cluster = SimulatedCluster(seed=7, founded=True, strategies=strategy_names(master=True))
    cluster.start()
    cluster.run_for(60.0)

    rows = str(text_diagram(cluster.trace.events)).splitlines()

    assert len(rows) < 40
    assert any(" messages of " in row and "renewals" in row for row in rows)
    assert len(str(text_diagram(cluster.trace.events, collapsed=False)).splitlines()) > 300


def test_one_link_of_a_run_can_be_drawn() -> None:
    """With its call and its answer, and without the messages of any other."""
    drawn = str(text_diagram(events_of_values("one", "two", "three"), link=2))

    assert 'set "two"' in drawn
    assert "ok, link 2" in drawn
    assert "link 2 is chosen" in drawn
    assert "one" not in drawn
    assert "three" not in drawn


def test_a_stretch_of_time_can_be_drawn() -> None:
    """What happened before still shows in the lifelines: a server that is down stays down."""
    cluster = SimulatedCluster(seed=1, founded=True)
    cluster.start()
    cluster.run_for(1.0)
    cluster.crash("C")
    cluster.run_for(1.0)
    cluster.submit("A", ("SET", "x"))
    cluster.run_for(1.0)

    rows = str(text_diagram(cluster.trace.events, since=2.0, until=2.9)).splitlines()

    assert "crashes" not in "\n".join(rows)
    call = next(row for row in rows if 'set "x"' in row)
    assert call.count("|") == 2


def chosen(value: str, acceptors: list[str], proposal_id: str) -> TraceEvent:
    """Return the instant at which *value* is chosen for link 1."""
    fields = {
        "instance": 1,
        "proposal_id": proposal_id,
        "value": value,
        "acceptors": acceptors,
    }
    return TraceEvent(seconds=0.0, server="A", kind="chosen", fields=fields)


def test_a_second_choice_is_cried_out() -> None:
    """Another value for a link that has one; the same value again, by more servers, is none."""
    events = [
        chosen("x", ["A", "B"], "2.A"),
        chosen("x", ["B", "C"], "3.A"),
        chosen("y", ["B", "C"], "4.C"),
    ]

    rows = [row.strip("=! ") for row in str(text_diagram(events)).splitlines()[1:]]

    assert rows == [
        'link 1 is chosen: "x" (A and B have accepted 2.A)',
        'link 1 is chosen: "x" (B and C have accepted 3.A)',
        'link 1 is chosen AGAIN, as "y" (B and C have accepted 4.C)',
    ]


def test_an_empty_trace_gives_an_empty_diagram() -> None:
    """Engines may draw whatever little they have."""
    assert str(text_diagram([])) == ""
    assert mermaid([]) == "sequenceDiagram\n"
    assert svg([]).startswith("<svg")


def test_a_broken_invariant_is_a_line_across_the_diagram() -> None:
    """Of a server that is wrong on purpose: where it broke, and which one."""
    stage = Stage()
    stage.perform("bug forgetful-acceptor")
    stage.perform("propose A x")

    assert "! I8 SavedBeforeSent is broken !" in text_diagram(stage.events)
    assert "I8 SavedBeforeSent is broken" in svg(stage.events)
    assert "I8 SavedBeforeSent is broken" in mermaid(stage.events)
