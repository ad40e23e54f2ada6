"""``multipaxos lab``: what it opens, what it refuses, and what it writes."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.lab.pages import Parsed, use_pages

from multipaxos.cli import lab as command
from multipaxos.cli import main
from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.trace import write_trace

SCRIPT = "# A run of two\npropose A <b>x\ndeliver all\n"


@pytest.fixture(autouse=True)
def small_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the page be a small one."""
    use_pages(monkeypatch)


def lab(*arguments: object) -> Result:
    """Run ``multipaxos lab`` with *arguments*."""
    return CliRunner().invoke(main, ["lab", *map(str, arguments)])


def saved(path: Path) -> Any:
    """Return the run in the page at *path*."""
    return json.loads(Parsed(path.read_text(encoding="utf-8")).scripts[0][1])


@pytest.fixture
def taken_port() -> Iterator[int]:
    """Return a port on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_script_is_saved_as_a_page(tmp_path: Path) -> None:
    """Without a server or a browser."""
    (tmp_path / "mine.txt").write_text(SCRIPT, encoding="utf-8")

    result = lab("--script", tmp_path / "mine.txt", "--save", tmp_path / "run.html")

    assert result.output == f"Wrote {tmp_path / 'run.html'}: open it with a browser.\n"
    run = saved(tmp_path / "run.html")
    assert run["title"] == "A run of two"
    assert run["script"] == SCRIPT
    assert run["decisions"][0]["value"] == '"<b>x"'


def test_a_scenario_file_with_its_golden_trace_is_a_script(tmp_path: Path) -> None:
    """What `Copy as scenario` gave is opened again."""
    (tmp_path / "mine.txt").write_text(f"{SCRIPT}----\n> propose A x\n", encoding="utf-8")

    lab("--script", tmp_path / "mine.txt", "--save", tmp_path / "run.html")

    assert saved(tmp_path / "run.html")["decisions"]


def test_without_a_trace_and_a_script_the_first_scenario_is_saved(tmp_path: Path) -> None:
    """It is what the lab opens with."""
    lab("--save", tmp_path / "run.html")

    assert saved(tmp_path / "run.html")["scenario"]["name"] == "01_happy_path"


def test_a_trace_is_saved_as_a_page(tmp_path: Path) -> None:
    """It has no script, and nobody can change it."""
    cluster = SimulatedCluster(seed=1, founded=True)
    cluster.start()
    call = cluster.submit("A", ("SET", "hello"))
    cluster.run_until(lambda: call.answered, limit_seconds=10)
    write_trace(tmp_path / "run.ndjson", cluster.trace.events)

    result = lab(tmp_path / "run.ndjson", "--save", tmp_path / "run.html")

    assert result.exit_code == 0, result.output
    run = saved(tmp_path / "run.html")
    assert (run["source"], run["script"]) == ("trace", "")
    assert run["decisions"][0]["value"] == '"hello"'


@pytest.mark.parametrize(
    "content, sentence",
    [
        (b"jump\n", "mine.txt, line 1, jump: 'jump' is no command"),
        (b"\0" * 1000, r"mine.txt, line 1, \x00\x00\x00"),
        (b"\xff\xfe", "mine.txt is no script: it is not text in UTF-8."),
        (b"seed 1\n" * 3000, "mine.txt, a script has at most 2,000 lines, and this one 3,000."),
        (b"x" * 2001, "mine.txt, line 1: a line has at most 2,000 characters."),
    ],
)
def test_what_is_no_script_gets_a_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    """And nothing is written."""
    (tmp_path / "mine.txt").write_bytes(content)

    result = lab("--script", tmp_path / "mine.txt", "--save", tmp_path / "run.html")

    assert result.exit_code == 2
    assert sentence in result.output
    assert not (tmp_path / "run.html").exists()


def test_a_script_is_not_overwritten_by_its_page(tmp_path: Path) -> None:
    """A slip of the hand must not cost what somebody wrote."""
    (tmp_path / "mine.txt").write_text(SCRIPT, encoding="utf-8")

    result = lab("--script", tmp_path / "mine.txt", "--save", tmp_path / "mine.txt")

    assert result.exit_code == 2
    assert "--save would overwrite" in result.output
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == SCRIPT


def test_of_an_endless_file_so_much_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as a device."""
    monkeypatch.setattr(command, "SCRIPT_BYTES_MAX", 1000)

    result = lab("--script", "/dev/zero")

    assert result.exit_code == 2
    assert result.output == "Error: /dev/zero is no script: it has more than 1,000 bytes.\n"


@pytest.mark.parametrize("text", ["", "no trace\n", '{"kind": "trace"}\n', "[" * 100_000])
def test_what_is_no_trace_gets_a_sentence(tmp_path: Path, text: str) -> None:
    """Whatever stands in it."""
    (tmp_path / "run.ndjson").write_text(text, encoding="utf-8")

    result = lab(tmp_path / "run.ndjson")

    assert result.exit_code == 2
    assert result.output.startswith("Error: This cannot be shown: ")
    assert not result.output.endswith("..\n")


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["none.ndjson"], "none.ndjson cannot be read: No such file or directory."),
        (["--script", "none.txt"], "none.txt cannot be read: No such file or directory."),
        (["none.ndjson", "--script", "none.txt"], "two runs: name one of them."),
        (["--port", "70000"], "--port"),
        (["--port", "x"], "--port"),
        (["--save", ""], "names no file: leave it out, or name one."),
        (["--save", "run.html", "--port", "7800"], "--port is about a page that is served"),
        (["--save", "run.html", "--no-browser"], "--no-browser is about a page that is served"),
    ],
)
def test_what_makes_no_sense_gets_a_sentence(arguments: list[str], sentence: str) -> None:
    """Before anything is played or listened on."""
    result = lab(*arguments)

    assert result.exit_code == 2
    assert sentence in result.output
    assert "Traceback" not in result.output


def test_a_page_that_cannot_be_written_gets_a_sentence(tmp_path: Path) -> None:
    """It was played in vain, and nothing else is wrong."""
    result = lab("--save", tmp_path / "none" / "run.html")

    assert result.exit_code == 1
    assert "none/run.html cannot be written: No such file or directory." in result.output


def test_a_port_that_is_taken_gets_a_sentence(taken_port: int) -> None:
    """Which says what to do."""
    result = lab("--no-browser", "--port", taken_port)

    assert result.exit_code == 1
    assert f"cannot listen on port {taken_port} of 127.0.0.1: Address already in use." in (
        result.output
    )
    assert "--port 0" in result.output
