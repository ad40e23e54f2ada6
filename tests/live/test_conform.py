"""The traces of real servers, killed and started again, are held against the invariants."""

import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.live.cluster import UIDS, LiveCluster
from typing_extensions import override

from multipaxos.client import Chosen, Client
from multipaxos.trace import check_trace, parse_line

pytestmark = pytest.mark.live


def conform(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run ``multipaxos conform``."""
    command = [sys.executable, "-m", "multipaxos", "conform", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


class TracedCluster(LiveCluster):
    """Three servers, each with a trace of its own."""

    def trace(self, uid: str) -> Path:
        """Return the file of *uid*."""
        return self.directory / f"{uid}.ndjson"

    @override
    def start(self, *uids: str, options: Sequence[str] = ()) -> None:
        """Start servers that trace."""
        for uid in uids:
            super().start(uid, options=[*options, "--quiet", "--trace", str(self.trace(uid))])


def work(client: Client, name: str, count: int) -> None:
    """Write and read by turns; a write that nobody answers is left as it is."""
    for number in range(count):
        client.propose(f"{name}-{number}", timeout_seconds=10.0)
        client.get(timeout_seconds=10.0)


@pytest.mark.parametrize("master", [False, True], ids=["plain", "master"])
def test_killed_servers_and_their_clients_keep_every_invariant(
    tmp_path: Path, *, master: bool
) -> None:
    """Each server is killed and started again under load; then the traces are judged."""
    cluster = TracedCluster(tmp_path, master=master)
    try:
        cluster.start(*UIDS)
        cluster.wait_until_all_vote()
        clients = [cluster.client(*UIDS[i:], *UIDS[:i]) for i in range(len(UIDS))]
        working = [
            threading.Thread(target=work, args=(client, f"c{number}", 12))
            for number, client in enumerate(clients)
        ]
        for thread in working:
            thread.start()
        for uid in UIDS:
            assert isinstance(cluster.propose(next(u for u in UIDS if u != uid), uid), Chosen)
            cluster.kill(uid)
            cluster.propose(next(u for u in UIDS if u != uid), f"without {uid}")
            cluster.start(uid)
        for thread in working:
            thread.join()
        for client in clients:
            client.close()
    finally:
        cluster.end()

    merged = tmp_path / "merged.ndjson"
    judged = conform(
        *map(cluster.trace, UIDS), "--merge", merged, "--edn", tmp_path / "history.edn"
    )

    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert "I11 Linearizable          holds" in judged.stdout
    assert "I10 OneReader             holds" in judged.stdout
    assert judged.stdout.count("not judged") == 1, judged.stdout
    events = [parse_line(line) for line in merged.read_text(encoding="ascii").splitlines()]
    assert list(check_trace(events)) == events
    assert sum(event.kind == "chosen" for event in events) > 30
    assert ":type :invoke, :f :read" in (tmp_path / "history.edn").read_text(encoding="ascii")
    again = conform(merged)
    assert again.returncode == 0, again.stdout


def test_pipelines_of_clients_are_judged_as_one_operation(tmp_path: Path) -> None:
    """They went through the chain together: nobody's command may lie between their commands."""
    cluster = TracedCluster(tmp_path, master=True)
    try:
        cluster.start(*UIDS)
        cluster.propose("A", "first")
        sent = [
            threading.Thread(target=pipelined, args=(cluster, uid, number))
            for number, uid in enumerate([*UIDS, *UIDS])
        ]
        for thread in sent:
            thread.start()
        for thread in sent:
            thread.join()
    finally:
        cluster.end()

    judged = conform(*map(cluster.trace, UIDS), "--edn", tmp_path / "history.edn")

    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert "I11 Linearizable          holds" in judged.stdout
    assert "I9 AppliedOnce            holds" in judged.stdout
    told = [line for uid in UIDS for line in cluster.trace(uid).read_text().splitlines()]
    called = [parse_line(line).fields for line in told if '"kind": "called"' in line]
    assert {"pipeline", "reads"} <= {fields["operation"] for fields in called}
    assert ":f :pipeline" in (tmp_path / "history.edn").read_text(encoding="ascii")


def pipelined(cluster: LiveCluster, uid: str, number: int) -> None:
    """Send ten pipelines of writes and reads, one after the other, and then one of reads."""
    address = cluster.config.servers[uid].client
    with socket.create_connection((address.host, address.port), timeout=30) as connection:
        received = connection.makefile("rb")
        for turn in range(10):
            value = f"{number}-{turn}"
            connection.sendall(f"SET {value}\r\nGET\r\nCAS {value} {value}!\r\nGET\r\n".encode())
            replies = [received.readline() for _ in range(6)]
            assert replies[0] == replies[3] == b"+OK\r\n", replies
            assert replies[2] == f"{value}\r\n".encode()
            assert replies[5] == f"{value}!\r\n".encode()
        connection.sendall(b"GET\r\nGET\r\n")
        replies = [received.readline() for _ in range(4)]
        assert replies[1] == replies[3]


def test_without_one_trace_the_verdict_says_what_it_is_worth(tmp_path: Path) -> None:
    """A missing server is named, and what it may have voted is believed."""
    cluster = TracedCluster(tmp_path, master=False)
    try:
        cluster.start(*UIDS)
        cluster.propose("A", "x")
        cluster.propose("B", "y")
    finally:
        cluster.end()

    judged = conform(cluster.trace("A"), cluster.trace("C"))

    assert judged.returncode == 0, judged.stdout
    assert "There is no trace of B" in judged.stdout
