"""``multipaxos diagram``: what it reads, what it refuses and where it writes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from multipaxos.cli import main
from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.trace import TraceEvent, read_trace, write_trace


def draw(*arguments: object) -> Result:
    """Run ``multipaxos diagram`` with *arguments*."""
    return CliRunner().invoke(main, ["diagram", *map(str, arguments)])


def record(path: Path) -> list[TraceEvent]:
    """Write the trace of one update to *path*, and return it."""
    cluster = SimulatedCluster(seed=1, founded=True)
    cluster.start()
    call = cluster.submit("A", ("SET", "hello"))
    cluster.run_until(lambda: call.answered, limit_seconds=10)
    cluster.run_for(0.1)
    write_trace(path, cluster.trace.events)
    return list(read_trace(path))


def as_of(server: str, events: list[TraceEvent], **header: Any) -> list[TraceEvent]:
    """Return what real *server* would have traced of *events*: no network and no choice."""
    (head,) = (event for event in events if event.kind == "trace")
    fields = {**head.fields, "engine": "server", "clock": "boot", **header}
    own = [TraceEvent(seconds=head.seconds, server=server, kind="trace", fields=fields)]
    for event in events:
        if event.server == server and event.kind not in ("trace", "chosen", "dropped"):
            bare = {name: value for name, value in event.fields.items() if name != "id"}
            own.append(
                TraceEvent(
                    seconds=event.seconds + 5000.0, server=server, kind=event.kind, fields=bare
                )
            )
    return own


def test_a_trace_is_drawn_in_80_columns(tmp_path: Path) -> None:
    """In a pipe there is no terminal to ask for its width."""
    record(tmp_path / "run.ndjson")

    result = draw(tmp_path / "run.ndjson")

    assert result.exit_code == 0
    assert 'link 1 is chosen: "hello"' in result.stdout
    assert "# saved first" in result.stdout
    assert "\x1b" not in result.stdout
    assert max(map(len, result.stdout.splitlines())) == 80


def test_traces_of_several_servers_make_one_diagram(tmp_path: Path) -> None:
    """Their times compare; and who chose is found from the votes, before anybody resolves it."""
    events = record(tmp_path / "run.ndjson")
    for server in "ABC":
        write_trace(tmp_path / f"{server}.ndjson", as_of(server, events))

    result = draw(*(tmp_path / f"{server}.ndjson" for server in "ABC"))

    assert result.exit_code == 0
    rows = result.stdout.splitlines()
    (chosen,) = (place for place, row in enumerate(rows) if "is chosen" in row)
    assert not any("link 1 =" in row for row in rows[:chosen])
    assert "?" not in result.stdout
    assert "\n0.0" in result.stdout, "a real server's times count from the trace's first event"


def test_a_server_alone_does_not_know_what_arrived(tmp_path: Path) -> None:
    """A's trace tells what it sent; nobody traced the others."""
    events = record(tmp_path / "run.ndjson")
    write_trace(tmp_path / "A.ndjson", as_of("A", events))

    result = draw(tmp_path / "A.ndjson")

    assert result.exit_code == 0
    assert "Prepare 2.A" in result.stdout
    assert "? not seen to arrive" in result.stdout


@pytest.mark.parametrize(
    "header", [{"clock": "another boot"}, {"cluster": "another"}], ids=["clock", "cluster"]
)
def test_traces_that_do_not_compare_are_refused(tmp_path: Path, header: dict[str, str]) -> None:
    """An order by times of two clocks would be invented."""
    events = record(tmp_path / "run.ndjson")
    write_trace(tmp_path / "A.ndjson", as_of("A", events))
    write_trace(tmp_path / "B.ndjson", as_of("B", events, **header))

    result = draw(tmp_path / "A.ndjson", tmp_path / "B.ndjson")

    assert result.exit_code == 2
    assert "make no diagram together" in result.output


def test_files_are_written_instead(tmp_path: Path) -> None:
    """Mermaid and SVG at once, and nothing is printed but where they are."""
    record(tmp_path / "run.ndjson")

    result = draw(
        tmp_path / "run.ndjson", "--mermaid", tmp_path / "run.mmd", "--svg", tmp_path / "run.svg"
    )

    assert result.exit_code == 0
    assert result.stdout == f"wrote {tmp_path / 'run.mmd'}\nwrote {tmp_path / 'run.svg'}\n"
    assert (tmp_path / "run.mmd").read_text(encoding="utf-8").startswith("sequenceDiagram\n")
    assert (tmp_path / "run.svg").read_text(encoding="utf-8").startswith("<svg ")


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Exit code 1: what was asked for did not happen."""
    record(tmp_path / "run.ndjson")

    result = draw(tmp_path / "run.ndjson", "--svg", tmp_path / "missing" / "run.svg")

    assert result.exit_code == 1
    assert "cannot be written" in result.output


def other_version(text: str) -> str:
    """Return the trace *text* as one of version 99."""
    head, end, rest = text.partition("\n")
    return json.dumps({**json.loads(head), "version": 99}) + end + rest


SPOILT: dict[str, tuple[Callable[[str], str], str]] = {
    "empty": (lambda _: "", "it is empty"),
    "cut off": (lambda text: text[:-10], "cut off"),
    "no trace": (lambda _: "hello\n", "not a trace event"),
    "binary": (lambda text: f"\x00{text}", "not a trace event"),
    "other version": (other_version, "version 99"),
    "no header": (lambda text: text.partition("\n")[2], "a trace begins with"),
    "unknown kind": (lambda text: text.replace('"sent"', '"shouted"'), "no kind of event"),
    "no message": (lambda text: text.replace('"Prepare"', '"Suggest"'), "not a message"),
}


@pytest.mark.parametrize("how", sorted(SPOILT))
def test_what_is_no_trace_is_refused_with_a_sentence(tmp_path: Path, how: str) -> None:
    """Each names the file and says what is wrong with it: exit code 2."""
    path = tmp_path / "run.ndjson"
    record(path)
    spoil, says = SPOILT[how]
    path.write_text(spoil(path.read_text(encoding="ascii")), encoding="ascii")

    result = draw(path)

    assert result.exit_code == 2
    assert "run.ndjson" in result.output
    assert says in result.output
    assert len(result.output.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments, says",
    [
        (["missing.ndjson"], "missing.ndjson cannot be read"),
        (["."], "is a directory"),
        ([""], 'Error: TRACE "" names no trace'),
        (["run.ndjson", "--link", "77"], "nothing to draw"),
        (["run.ndjson", "--from", "1e9"], "nothing to draw"),
        (["run.ndjson", "--from", "nan"], "Error: --from must be a number of seconds"),
        (["run.ndjson", "--until", "soon"], "Error: --until must be a number of seconds"),
        (["run.ndjson", "./run.ndjson"], "One of the traces is given twice"),
        (["run.ndjson", "--svg", "./run.ndjson"], "--svg would overwrite run.ndjson, which is to"),
        (["run.ndjson", "--mermaid", "run.ndjson"], "--mermaid would overwrite run.ndjson, which"),
        (
            ["run.ndjson", "--svg", "x", "--mermaid", "x"],
            "--svg would overwrite x, which --mermaid",
        ),
        (["run.ndjson", "--from", "2", "--until", "1"], "ends before it begins"),
        (["run.ndjson", "--width", "3"], "from 60 to 400"),
        (["run.ndjson", "--link", "-1"], "must be a whole number"),
        ([], "Missing argument"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    """Exit code 2, and the sentence says what is wrong."""
    monkeypatch.chdir(tmp_path)
    record(Path("run.ndjson"))

    result = draw(*arguments)

    assert result.exit_code == 2
    assert says in result.output
    assert not Path("x").exists()
    assert Path("run.ndjson").read_text(encoding="ascii").startswith("{")
