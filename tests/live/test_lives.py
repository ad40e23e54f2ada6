"""A server's start and end: clean, refused, or without its memory."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.live.cluster import UIDS, WAIT_SECONDS_MAX, LiveCluster, running_cluster

from multipaxos.cli.processes import ServerProcess, wait_until
from multipaxos.trace import TraceEvent, read_trace

pytestmark = pytest.mark.live


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_a_server_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    """SIGTERM and SIGINT end a server with exit code 0, and its state can be used again."""
    cluster = LiveCluster(tmp_path, master=False)
    try:
        cluster.start("A")

        # Ctrl+C reaches a server and its parent, which passes it on: one signal may be two.
        os.kill(cluster.processes["A"].pid, number)
        os.kill(cluster.processes["A"].pid, number)

        assert wait_until(
            lambda: cluster.processes["A"].exit_code is not None, seconds=WAIT_SECONDS_MAX
        )
        assert cluster.processes["A"].exit_code == 0
        cluster.start("A")
    finally:
        cluster.end()


def test_second_process_on_one_state_is_refused(tmp_path: Path) -> None:
    """Two processes never share a state: the second one ends with a sentence."""
    with running_cluster(tmp_path, master=False) as cluster:
        second = ServerProcess("A", cluster.options)
        cluster.started.append(second)

        assert wait_until(lambda: second.exit_code is not None, seconds=WAIT_SECONDS_MAX)

        assert second.exit_code == 2
        assert "the same server runs already" in second.lines[-1]
        cluster.propose("A", "the first one goes on")


def test_port_in_use_is_refused(tmp_path: Path) -> None:
    """A server whose port is taken ends with a sentence that names the address."""
    with running_cluster(tmp_path, master=False) as cluster:
        options = ["--config", str(cluster.config_path), "--data", str(tmp_path / "other")]
        second = ServerProcess("A", options)
        cluster.started.append(second)

        assert wait_until(lambda: second.exit_code is not None, seconds=WAIT_SECONDS_MAX)

        assert second.exit_code == 2
        peer = cluster.config.servers["A"].peer
        assert second.lines[-1].startswith(f"Server A stops: cannot listen on UDP {peer}: ")
        assert not any("listens:" in line for line in second.lines)


@pytest.mark.parametrize("storage", ["sqlite", "json"])
def test_server_without_its_state_rejoins(tmp_path: Path, storage: str) -> None:
    """A server whose state is gone asks the others and sits out what it may have forgotten."""
    with running_cluster(tmp_path, master=False, storage=storage) as cluster:
        cluster.propose("A", "before")
        assert cluster.processes["C"].terminate() == 0
        for path in cluster.state_directory.glob("C.*"):
            path.unlink()
        cluster.start("C")

        cluster.wait("C", lambda status: status.get("phase") == "serving")

        assert any("has no memory of its votes" in line for line in cluster.processes["C"].lines)
        assert cluster.get("C") == "before"
        # It votes again: with B dead, nothing could be chosen without it.
        cluster.kill("B")
        cluster.propose("A", "after")


def test_damaged_state_stops_the_start(tmp_path: Path) -> None:
    """A damaged state is no missing state: the server ends with a sentence and votes on nothing."""
    with running_cluster(tmp_path, master=False, storage="json") as cluster:
        cluster.propose("A", "value")
        cluster.kill("C")
        path = cluster.state_directory / "C.json"
        path.write_bytes(path.read_bytes().replace(b"value", b"valve"))

        process = ServerProcess("C", cluster.options)
        cluster.started.append(process)
        assert wait_until(lambda: process.exit_code is not None, seconds=WAIT_SECONDS_MAX)

        assert process.exit_code == 2
        assert "is damaged" in process.lines[-1]


FULL_DISK = """
from multipaxos.cli import main
from multipaxos.runtime.ports import StorageError
from multipaxos.runtime.storage import SqliteStorage

def save(self, save):
    raise StorageError("the disk is full")

SqliteStorage.save = save
main()
"""
FAULT = """
from multipaxos.cli import main
from multipaxos.runtime.server import Server

Server.status = lambda self: 1 / 0
main()
"""


@pytest.mark.parametrize(
    "program, sentences",
    [
        (FULL_DISK, ["Server A stops: the disk is full"]),
        (FAULT, ["ZeroDivisionError: division by zero", "met a fault in its own program"]),
    ],
    ids=["full disk", "fault"],
)
def test_server_that_cannot_go_on_stops_with_a_sentence(
    tmp_path: Path, program: str, sentences: list[str]
) -> None:
    """A state that cannot be saved, or a fault, ends the server: it says nothing more to anyone."""
    cluster = LiveCluster(tmp_path, master=False)
    failing = ServerProcess("A", cluster.options, program=(sys.executable, "-c", program))
    try:
        cluster.start("B", "C")

        assert wait_until(
            lambda: cluster.status("A") == {} and failing.exit_code is not None,
            seconds=WAIT_SECONDS_MAX,
        )

        assert failing.exit_code == 1
        for sentence in sentences:
            assert any(sentence in line for line in failing.lines), failing.lines
        cluster.propose("B", "without A")
    finally:
        failing.kill()
        cluster.end()


def test_server_halts_with_one_sentence_that_names_its_state(tmp_path: Path) -> None:
    """The last words are said once, and say where the state lies."""
    cluster = LiveCluster(tmp_path, master=False)
    program = (
        "from multipaxos.cli import main\n"
        "from multipaxos.chain.replicated_value import BaseReplicatedValue\n"
        "BaseReplicatedValue.timeout = lambda self, timer: self.halt('It is over.')\n"
        "main()\n"
    )
    halting = ServerProcess("A", cluster.options, program=(sys.executable, "-c", program))
    try:
        assert wait_until(lambda: halting.exit_code is not None, seconds=WAIT_SECONDS_MAX)
        halting.kill()

        path = cluster.state_directory / "A.sqlite3"
        (line,) = [line for line in halting.lines if "It is over." in line]
        assert line == f"Server A stops: It is over. (Its state: {path}, as sqlite.)"
        assert halting.exit_code == 1
    finally:
        halting.kill()


def test_server_whose_output_is_full_does_not_end_as_if_all_were_well(tmp_path: Path) -> None:
    """A full disk behind the output ends the server with a sentence and exit code 1."""
    cluster = LiveCluster(tmp_path, master=False)
    with Path("/dev/full").open("w") as full:
        server = subprocess.run(
            [sys.executable, "-m", "multipaxos", "server", "A", *cluster.options],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=WAIT_SECONDS_MAX,
            check=False,
        )

    assert server.returncode == 1
    assert server.stderr == (
        "Server A stops: its output cannot be written: No space left on device.\n"
    )


def test_server_ends_when_nobody_reads_its_output(tmp_path: Path) -> None:
    """``multipaxos server A | head`` ends as programs in a pipe do, and says why."""
    cluster = LiveCluster(tmp_path, master=False)
    command = [sys.executable, "-m", "multipaxos", "server", "A", *cluster.options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        process.stdout.readline()
        process.stdout.close()

        assert process.wait(WAIT_SECONDS_MAX) == 128 + signal.SIGPIPE
        assert process.stderr.read() == "Server A stops: nobody reads its output any more.\n"
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_trace_file_tells_what_the_console_does(tmp_path: Path) -> None:
    """With --quiet and --trace, the console stays silent and the file has each event."""
    cluster = LiveCluster(tmp_path, master=False)
    trace = tmp_path / "shared.trace"
    try:
        cluster.start(*UIDS, options=["--quiet", "--trace", str(trace)])
        link = cluster.propose("A", "traced").link
        resolved = f'"kind": "resolved", "instance": {link},'
        assert wait_until(
            lambda: resolved in trace.read_text(encoding="ascii"), seconds=WAIT_SECONDS_MAX
        )
        assert not any("->" in line for line in cluster.processes["A"].lines)
    finally:
        cluster.end()

    promised: dict[tuple[str, object], int] = {}
    for event in read_trace(trace):
        if event.kind == "saved":
            number = int(str(event.fields["promised"]).partition(".")[0])
            before = promised.setdefault((event.server, event.fields["instance"]), 0)
            assert number >= before, "a promise went down"
            promised[event.server, event.fields["instance"]] = number
    assert promised


def test_trace_tells_the_life_of_a_server_and_what_its_clients_were_told(tmp_path: Path) -> None:
    """From the header to the stop, in the form that the schema has; and so for the next life."""
    cluster = LiveCluster(tmp_path, master=False)
    path = tmp_path / "A.trace"
    try:
        for _ in range(2):
            cluster.start("A", options=["--trace", str(path)])
            own = cluster.config.servers["A"]
            with socket.socket(type=socket.SOCK_DGRAM) as stranger:
                stranger.sendto(b"no message", (own.peer.host, own.peer.port))
            with socket.create_connection((own.client.host, own.client.port)) as client:
                client.sendall(b"*1\r\n$3\r\nGET\r\n")
                assert wait_until(
                    lambda: (
                        "waits for word" in "".join(cluster.processes["A"].lines)
                        and '"called"' in path.read_text(encoding="ascii").rpartition('"trace"')[2]
                    ),
                    seconds=WAIT_SECONDS_MAX,
                )
                cluster.processes["A"].terminate()
    finally:
        cluster.end()

    lives = [list[TraceEvent]()]
    for event in read_trace(path):
        if event.kind == "trace":
            lives.append([])
        lives[-1].append(event)
    first, *middle, last = lives.pop()
    assert (first.fields["engine"], last.kind) == ("server", "stopped")
    assert lives[1][0].fields["clock"] == first.fields["clock"]
    assert middle[0].kind == "started"
    assert {"datagram refused", "called", "returned"} <= {event.kind for event in middle}
    (returned,) = (event.fields for event in middle if event.kind == "returned")
    assert (returned["operation"], returned["status"]) == ("get", "unknown")
