"""Whatever a person types: a sentence and an exit code, never a traceback."""

import os
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from multipaxos.cli import main
from multipaxos.cli.processes import loopback_servers, write_config
from multipaxos.runtime.config import Config


@pytest.fixture(scope="module")
def config_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Describe a cluster of which no server runs."""
    path = tmp_path_factory.mktemp("config") / "cluster.toml"
    write_config(path, Config(cluster="main", servers=loopback_servers(["A", "B"])))
    return path


def run(*arguments: str | Path) -> Result:
    """Run a command inside this process."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


COMMANDS = (
    "cas",
    "client",
    "cluster",
    "delete",
    "demo",
    "execute",
    "get",
    "history",
    "server",
    "set",
    "shell",
    "status",
    "watch",
)


def test_help_lists_all_commands() -> None:
    """``multipaxos --help`` names each command, and each explains itself."""
    listed = run("--help")
    assert listed.exit_code == 0
    for command in COMMANDS:
        assert f"\n  {command} " in listed.output
        assert run(command, "--help").exit_code == 0


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["server", "A", "--transport", "udp"], "'udp' is not one of 'auto', 'tcp'"),
        (["cluster", "--transport", ""], "'' is not one of 'auto', 'tcp'"),
        (["client", "X", "v"], 'There is no server "X" in the cluster: it has A, B, C'),
        (["server", "X"], 'There is no server "X" in the cluster: it has A, B, C'),
        (["get", "--via", "X"], 'There is no server "X" in the cluster: it has A, B, C'),
        (["history", "X"], 'There is no server "X" in the cluster: it has A, B, C'),
        (["client", "A", "nul\0"], "The value contains a NUL character"),
        (["client", "A", "\udcff"], "The value is not UTF-8 text"),
        (["client", "A", "x" * 2**21], "it takes 2097154 bytes in a message"),
        (["client", "A", "v", "--timeout", "0"], "--timeout must be a number of seconds above 0"),
        (["client", "A", "v", "--timeout", "-1"], "a number of seconds above 0"),
        (["client", "A", "v", "--timeout", "nan"], "a number of seconds above 0"),
        (["client", "A", "v", "--timeout", "inf"], "a number of seconds above 0"),
        (["client", "A", "v", "--timeout", "soon"], "a number of seconds above 0"),
        (["get", "--timeout", "0"], "a number of seconds above 0"),
        (["status", "--timeout", "nan"], "a number of seconds above 0"),
        (["status", "--config", "/nowhere.toml"], "cannot read /nowhere.toml"),
        (["history", "--count", "0"], 'number from 1 to 100000, not "0"'),
        (["history", "--count", "abc"], 'number from 1 to 100000, not "abc"'),
        (["history", "--count", "9" * 5000], "9... (5000 characters)"),
        (
            ["get", "--via", "x" * 5000],
            'There is no server "' + "x" * 40 + '... (5000 characters)"',
        ),
        (["client", "", "v"], 'There is no server "" in the cluster'),
        (["get", "--config", ""], '--config "" names no file'),
        (["server", "A", "--data", ""], '--data "" names no directory'),
        (["cluster", "--data", ""], '--data "" names no directory'),
        (["server", "A", "--trace", ""], '--trace "" names no file'),
        (["server", "A", "--metrics", "9101"], '--metrics must be "host:port"'),
        (["server", "A", "--metrics", "0.0.0.0:9101"], "--metrics must name one address"),
        (["server", "A", "--without", "luck"], 'no strategy "luck". These can be left out: reads'),
        (["server", "A", "--without", "rejoin"], "'rejoin' cannot be left out"),
        (["server", "A", "--storage", "paper"], "'paper' is not one of"),
        (["server", "A", "--data", __file__], "is a file"),
        (["cluster", "--servers", "10"], "number from 1 to 9"),
        (["cluster", "--servers", "0"], "number from 1 to 9"),
        (["cluster", "--port", "7900"], "add --lab, or leave --port out"),
        (["cluster", "--port", "0"], "add --lab, or leave --port out"),
        (["cluster", "--no-browser"], "add --lab, or leave --no-browser out"),
        (["client", "A"], "Missing argument"),
        (["client"], "Missing argument"),
        (["get", "--via", "A,,B"], 'There is no server "" in the cluster'),
        (["get", "--via", "h:x"], "an address in --via must be"),
        (["get", "k", "l"], "unexpected extra argument"),
        (["get", "--password-file", "/nowhere"], "--password-file: cannot read /nowhere"),
        (["set"], "Missing argument '[KEY] VALUE'"),
        (["set", "a", "b", "c"], "set takes VALUE, or KEY and VALUE; 3 given"),
        (["set", "v", "--nx"], "--nx and --xx are about a key"),
        (["set", "k", "v", "--nx", "--xx"], "--nx and --xx exclude each other"),
        (["set", "-5"], "A value that begins with a dash goes behind a --"),
        (["set", "\udcff"], "The value is not UTF-8 text"),
        (["set", "k", "x" * 2**21], "it takes 2097154 bytes in a message"),
        (["cas", "new"], "cas takes EXPECTED and NEW, or KEY, EXPECTED and NEW; 1 given"),
        (["cas", "a", "b", "c", "d"], "4 given"),
        (["cas", "a", "b", "c", "--absent"], "cas --absent takes NEW, or KEY and NEW; 3"),
        (["delete"], "Missing argument 'KEY...'"),
        (["execute"], "Missing argument"),
        (["watch", "--count", "0"], "--count must be a whole number from 1 to"),
        (["shell", "--timeout", "0"], "a number of seconds above 0"),
        (["fly"], "No such command"),
    ],
)
def test_bad_input_is_refused_with_a_sentence(arguments: list[str], sentence: str) -> None:
    """Exit code 2, and what is wrong."""
    result = run(*arguments)

    assert sentence.lower() in result.output.lower()
    assert result.exit_code == 2
    assert isinstance(result.exception, SystemExit)


def test_config_with_a_mistake_is_refused(tmp_path: Path) -> None:
    """A mistake in the configuration gets a sentence naming the file and the key."""
    path = tmp_path / "cluster.toml"
    path.write_text('cluster = "main"\n[servers.A]\npeer = "nowhere"\nclient = "h:1"\n')

    for command in ["get"], ["status"], ["history"], ["client", "A", "v"], ["server", "A"]:
        result = run(*command, "--config", path)
        assert result.exit_code == 2
        assert str(path) in result.output
        assert "servers.A.peer" in result.output


@pytest.mark.parametrize(
    "content, sentence",
    [
        (b"cluster = main", "Error: The file low.toml is not TOML: "),
        (b"cluster = '\xff'", "Error: The file low.toml is not UTF-8: "),
        (b"", "Error: In low.toml: cluster is missing: "),
        (None, "Error: Cannot read low.toml: Is a directory"),
    ],
)
def test_a_file_keeps_its_name_in_an_error(
    content: bytes | None, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sentence begins with a capital letter, and a file with its own."""
    monkeypatch.chdir(tmp_path)
    if content is None:
        Path("low.toml").mkdir()
    else:
        Path("low.toml").write_bytes(content)

    assert run("status", "--config", "low.toml").output.startswith(sentence)


@pytest.mark.parametrize(
    "name, sentence",
    [
        ("json:loads", "Error: What json:loads names is no subclass of multipaxos.StateMachine."),
        ("json:JSON", "Error: Module json has no class JSON."),
        ("nowhere:Mine", "Error: Cannot import nowhere: No module named 'nowhere'."),
    ],
)
def test_a_class_keeps_its_name_in_an_error(name: str, sentence: str) -> None:
    """A Python name with another first letter is another name."""
    result = run("server", "A", "--state", name)

    assert result.output.splitlines()[-1] == sentence
    assert result.exit_code == 2


def test_config_may_begin_with_a_byte_order_mark(config_path: Path, tmp_path: Path) -> None:
    """Some editors begin a UTF-8 file with a mark; it is no mistake."""
    path = tmp_path / "marked.toml"
    path.write_bytes(b"\xef\xbb\xbf" + config_path.read_bytes())

    assert "Connection refused" in run("get", "--config", path, "--timeout", "0.2").output


def test_servers_and_config_contradict_each_other(config_path: Path) -> None:
    """The configuration says how many servers there are."""
    result = run("cluster", "--servers", "3", "--config", config_path)
    assert result.exit_code == 2
    assert "leave --servers out" in result.output


@pytest.mark.parametrize(
    "command",
    [
        ["client", "A", "v"],
        ["client", "A", "v", "--no-wait"],
        ["history", "A"],
        ["get", "--timeout", "0.2"],
        ["get", "--stale", "--timeout", "0.2"],
        ["set", "v", "--timeout", "0.2"],
        ["watch", "--timeout", "0.2"],
        ["shell", "--timeout", "0.2"],
    ],
)
def test_unreachable_server_is_told(config_path: Path, command: list[str]) -> None:
    """Without a server: exit code 1 and which address did not answer."""
    result = run(*command, "--config", config_path)

    assert result.exit_code == 1
    assert "Connection refused" in result.output
    if command[0] == "client":
        assert "Nothing was sent" in result.output
    elif command[0] != "history":
        assert "nothing was done" in result.output


def test_status_without_servers(config_path: Path) -> None:
    """With no server reachable the table says so for each, and the exit code is 1."""
    result = run("status", "--config", config_path)
    assert result.exit_code == 1
    assert result.output.count("not reachable") == 2
    assert run("status", "--config", config_path, "--json").output.count('"reachable": false') == 2


# -- processes -------------------------------------------------------------------------------------


def run_process(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "multipaxos", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_server_refuses_a_data_directory_that_cannot_be(config_path: Path) -> None:
    """A state that cannot be kept stops the start with a sentence that names the directory."""
    result = run_process("server", "A", "--config", config_path, "--data", "/dev/null/state")

    assert result.returncode == 2
    assert "/dev/null/state" in result.stderr
    assert "--data" in result.stderr
    assert "Traceback" not in result.stderr


def test_server_refuses_a_trace_that_cannot_be(config_path: Path, tmp_path: Path) -> None:
    """A trace that cannot be written stops the start, not the trace alone."""
    trace = "/dev/null/trace"
    result = run_process(
        "server", "A", "--config", config_path, "--data", tmp_path, "--trace", trace
    )

    assert result.returncode == 2
    assert f"cannot write the trace to {trace}" in result.stderr
    assert "Traceback" not in result.stderr


def run_in_shell(command: str) -> subprocess.CompletedProcess[str]:
    """Run a shell's line in which ``multipaxos`` stands for the program."""
    program = f'multipaxos() {{ {shlex.quote(sys.executable)} -m multipaxos "$@"; }}; {command}'
    return subprocess.run(
        ["/bin/sh", "-c", program],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize(
    "command",
    ["status", "get", "set v", "shell", "client A v", "cluster", "demo", "server A", "--help"],
)
def test_closed_output_is_refused_before_anything_is_done(command: str) -> None:
    """``>&-`` leaves nothing to print to: a sentence, and exit code 2."""
    result = run_in_shell(f"multipaxos {command} >&-")

    assert result.stderr.startswith("Standard output is closed, so nothing was done")
    assert result.returncode == 2
    assert run_in_shell(f"multipaxos {command} >&- 2>&-").returncode == 2


@pytest.mark.parametrize("command", ["status", "status --json", "--help", "cluster --quiet"])
def test_full_output_is_told(config_path: Path, command: str, tmp_path: Path) -> None:
    """A full disk behind the output: a sentence and exit code 1, no traceback."""
    options = "" if command == "--help" else f"--config {config_path}"
    options += f" --data {tmp_path}" * command.startswith("cluster")
    result = run_in_shell(f"multipaxos {command} {options} > /dev/full")

    assert result.returncode == 1
    assert result.stderr.endswith("could not be printed: No space left on device.\n")
    assert "Traceback" not in result.stderr


def test_value_that_was_chosen_is_not_told_as_failed_when_it_cannot_be_printed(
    tmp_path: Path,
) -> None:
    """The write was done; only the line about it is lost, and the sentence says so."""
    config = Config(cluster="main", servers=loopback_servers(["A"]))
    path = tmp_path / "cluster.toml"
    write_config(path, config)
    own = config.servers["A"].client
    with socket.create_server((own.host, own.port)) as server:
        process = subprocess.Popen(
            [sys.executable, "-m", "multipaxos", "client", "A", "v", "--config", str(path)],
            stdout=os.open("/dev/full", os.O_WRONLY),
            stderr=subprocess.PIPE,
            text=True,
        )
        connection, _ = server.accept()
        with connection:
            assert connection.recv(1000)
            connection.sendall(b":5\r\n*2\r\n:5\r\n$4\r\ntrue\r\n")
            _, error = process.communicate(timeout=30)

    assert process.returncode == 1
    assert error == (
        "The value was chosen, in link 5. This could not be printed: No space left on device.\n"
    )


def test_commands_end_quietly_when_nobody_reads() -> None:
    """``multipaxos ... | head`` gives no traceback, and exit code 141."""
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run(
        [sys.executable, "-m", "multipaxos", "--help"],
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=30,
        check=False,
    )
    os.close(writer)

    assert result.stderr == b""
    assert result.returncode == 141


def test_interrupted_write_is_unknown(tmp_path: Path) -> None:
    """Ctrl+C while a command waits: exit code 130, and a sentence that says what is not known."""
    config = Config(cluster="main", servers=loopback_servers(["A"]))
    path = tmp_path / "cluster.toml"
    write_config(path, config)
    own = config.servers["A"].client
    with socket.create_server((own.host, own.port)) as silent:
        process = subprocess.Popen(
            [sys.executable, "-m", "multipaxos", "client", "A", "v", "--config", str(path)],
            stderr=subprocess.PIPE,
            text=True,
            # Who is run in the background ignores SIGINT, and so would its child.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )
        connection, _ = silent.accept()
        with connection:
            assert connection.recv(1000)
            process.send_signal(signal.SIGINT)
            _, error = process.communicate(timeout=30)

    assert process.returncode == 130
    assert error.startswith("stopped before the outcome was known: what was to be changed may be")
    assert error.count("\n") == 1
