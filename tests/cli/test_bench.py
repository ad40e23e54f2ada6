"""``multipaxos bench`` refuses what makes no sense, before it starts anything."""

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from multipaxos.cli import main
from multipaxos.cli.processes import free_ports


def run(*arguments: str) -> Result:
    """Run the benchmark inside this process."""
    return CliRunner().invoke(main, ["bench", *arguments])


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["--clients", "0"], '--clients must be a whole number from 1 to 10000, not "0"'),
        (["--clients", "1,,2"], '--clients must be a whole number from 1 to 10000, not ""'),
        (["--clients", "1;2"], '--clients must be a whole number from 1 to 10000, not "1;2"'),
        (["--clients", ",".join("1" * 30)], "--clients takes at most 20 values, not 30"),
        (["--pipeline", "99999"], "--pipeline must be a whole number from 1 to 10000"),
        (["--servers", "10"], '--servers must be a whole number from 1 to 9, not "10"'),
        (["--value-bytes", "0"], "--value-bytes must be a whole number from 1 to"),
        (["--keys", "many"], '--keys must be a whole number from 1 to 10000000, not "many"'),
        (["--reads", "1.5"], '--reads must be a number from 0 to 1, such as 0.5, not "1.5"'),
        (["--reads", "0,-1"], '--reads must be a number from 0 to 1, such as 0.5, not "-1"'),
        (["--reads", "nan"], "--reads must be a number from 0 to 1"),
        (["--seconds", "0"], "--seconds must be a number of seconds above 0"),
        (["--warm-up", "inf"], "--warm-up must be a number of seconds above 0"),
        (["--processes", "65"], "--processes must be a whole number from 1 to 64"),
        (["--via", "here"], "--via"),
        (["--via", "127.0.0.1:1", "--servers", "3"], "--servers is about servers that are started"),
        (["--via", "127.0.0.1:1", "--setting", "x=1"], "--setting is about servers that are"),
        (["--via", "127.0.0.1:1", "--server-options", "--x"], "--server-options is about servers"),
        (["--via", "127.0.0.1:1", "--data", "here"], "--data is about servers that are started"),
        (["--via", "127.0.0.1:1", "--failover"], "--failover kills a server, and --via names some"),
        (["--failover", "--servers", "3,2"], "--failover needs 3 servers or more: of 2, none may"),
        (["--failover", "--state", "register"], "--failover counts in a dictionary"),
        (["--setting", "lease"], "--setting must be a name and a number, as in lease_seconds=2"),
        (["--setting", "leese_seconds=2"], "Error: --setting: settings.leese_seconds is no known"),
        (["--setting", "lease_seconds=1.2.3"], "--setting must be a name and a number"),
        (["--setting", "lease_seconds=nan"], "--setting must be a name and a number"),
        (["--setting", "lease_seconds=.0"], "--setting: settings.lease_seconds must be above 0"),
        (["--setting", "lease_seconds=1e999"], "--setting: settings.lease_seconds must be above"),
        (["--setting", "lease_seconds=soon"], "--setting must be a name and a number"),
        (["--setting", "lease_seconds=-1"], "Error: --setting: settings.lease_seconds must be"),
        (["--server-options", "'"], "--server-options cannot be taken apart"),
        (["--data", ""], '--data "" names no directory'),
        (["--output", ""], '--output "" names no directory'),
    ],
)
def test_bad_options_are_refused(arguments: list[str], sentence: str) -> None:
    """A sentence, exit code 2, and no server was started."""
    result = run(*arguments)

    assert result.exit_code == 2, result.output
    assert sentence in result.output
    assert "Traceback" not in result.output


def test_a_directory_that_cannot_be_written_is_refused_before_anything_is_measured(
    tmp_path: Path,
) -> None:
    """So is one with the results of somebody else."""
    (tmp_path / "file").touch()
    (tmp_path / "results.json").write_text("{}[", encoding="utf-8")

    blocked = run("--output", str(tmp_path / "file" / "inside"))
    foreign = run("--output", str(tmp_path))

    assert (blocked.exit_code, foreign.exit_code) == (2, 2)
    assert "cannot be written: Not a directory." in blocked.output
    assert "is not the result of a benchmark: it is left as it is" in foreign.output
    assert (tmp_path / "results.json").read_text(encoding="utf-8") == "{}["


def test_servers_that_are_not_there_are_told() -> None:
    """Whoever names some is told which of them cannot be reached."""
    [port] = free_ports(1, socket.SOCK_STREAM)

    result = run("--via", f"127.0.0.1:{port}")

    assert result.exit_code == 1
    assert f"Cannot reach the server at 127.0.0.1:{port}: Connection refused." in result.output
