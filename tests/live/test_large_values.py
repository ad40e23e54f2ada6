"""Values that fit no datagram, through real servers."""

import socket
from pathlib import Path
from typing import Any

import hiredis
import pytest
from tests.live.cluster import UIDS, WAIT_SECONDS_MAX, LiveCluster, running_cluster

from multipaxos.cli.processes import wait_until, write_config
from multipaxos.client import Chosen, Refused
from multipaxos.runtime.codec import VALUE_BYTES_DEFAULT

pytestmark = pytest.mark.live

LARGE = 20 * 2**20
SLOW_SECONDS_MAX = 60.0
SLOW = {
    "retransmit_seconds": 5.0,
    "takeover_seconds": 10.0,
    "lease_seconds": 20.0,
    "renewal_head_start_seconds": 10.0,
    "election_seconds_max": 0.2,
}
"""A link with so much takes seconds on a busy machine."""


def value_of(letter: str) -> str:
    """Return the largest value that is taken."""
    return letter * (VALUE_BYTES_DEFAULT - len('""'))


@pytest.mark.parametrize("master", [False, True], ids=["plain", "master"])
def test_value_of_a_mebibyte_is_read_at_every_server(tmp_path: Path, *, master: bool) -> None:
    """It is set through any server; nothing of it is refused or lost for its size."""
    with running_cluster(tmp_path, master=master) as cluster:
        for uid in UIDS:
            cluster.propose(uid, value_of(uid))

            assert {cluster.get(reader) for reader in UIDS} == {value_of(uid)}
        assert all(
            not set(cluster.status(uid)["refused_by_reason"]) & {"unsendable", "malformed"}
            for uid in UIDS
        )


@pytest.mark.parametrize("has_memory", [True, False], ids=["down", "without memory"])
def test_server_that_missed_large_values_catches_up(tmp_path: Path, *, has_memory: bool) -> None:
    """It was down meanwhile, or has even lost its state: one long message brings it up to date."""
    with running_cluster(tmp_path, master=False) as cluster:
        cluster.propose("A", "before")
        cluster.kill("C")
        if not has_memory:
            for path in cluster.state_directory.glob("C*"):
                path.unlink()
        for letter in "xyz":
            last = cluster.propose("A", value_of(letter))

        cluster.start("C")
        cluster.wait("C", lambda status: status.get("link", 0) >= last.link)

        assert cluster.status("C")["value"] == value_of("z")
        assert cluster.get("C") == value_of("z")


@pytest.mark.parametrize("master", [False, True], ids=["plain", "master"])
def test_a_value_of_many_megabytes_is_taken_where_it_is_configured(
    tmp_path: Path, *, master: bool
) -> None:
    """As large as the configuration says, and no larger; a small value has its way after it."""
    cluster = LiveCluster(tmp_path, master=master)
    write_config(cluster.config_path, cluster.config, SLOW)
    with cluster.config_path.open("a") as config:
        config.write(f"[limits]\nvalue_bytes_max = {LARGE}\n")
    value = "x" * (LARGE - len('""'))
    try:
        cluster.start(*UIDS, options=["--quiet"])
        with cluster.client("A") as client:
            outcome = client.propose(value, timeout_seconds=SLOW_SECONDS_MAX)
            assert isinstance(outcome, Chosen), outcome
            refused = client.propose(value + "x", timeout_seconds=SLOW_SECONDS_MAX)
            assert isinstance(refused, Refused)
            assert "the value is too large" in refused.reason
        for uid in UIDS:
            with cluster.client(uid) as client:
                read = client.get(timeout_seconds=SLOW_SECONDS_MAX)
                assert isinstance(read, Chosen), read
                assert read.result == value
        cluster.propose("B", "small")
        assert {cluster.get(uid) for uid in UIDS} == {"small"}
    finally:
        cluster.end()


def test_server_that_lost_a_large_dictionary_fetches_it_in_parts(tmp_path: Path) -> None:
    """It has lost its state, and the others were started anew: only a snapshot can help."""
    keys = [f"key-{number}" for number in range(4_000)]
    dictionary = ["--state", "dictionary", "--quiet"]
    cluster = LiveCluster(tmp_path, master=True)
    try:
        cluster.start(*UIDS, options=dictionary)
        for begin in range(0, len(keys), 500):
            pairs = [text for key in keys[begin : begin + 500] for text in (key, key * 100)]
            assert ask(cluster, "A", "MSET", *pairs) is not None
        cluster.kill(*UIDS)
        for path in cluster.state_directory.glob("C*"):
            path.unlink()
        cluster.start("A", "B", options=dictionary)
        assert ask(cluster, "A", "SET", "one", "more") is not None
        trace = tmp_path / "C.jsonl"

        cluster.start("C", options=[*dictionary, "--trace", str(trace)])
        assert ask(cluster, "C", "DBSIZE") == len(keys) + 1
        cluster.wait("C", lambda status: status.get("link", 0) > 0)
        found = wait_until(
            lambda: '"kind": "caught up"' in trace.read_text(), seconds=WAIT_SECONDS_MAX
        )

        assert found
        assert trace.read_text().count('"type": "SnapshotPart"') > 2
        assert ask(cluster, "C", "GET", keys[-1]) == keys[-1].encode().decode() * 100
    finally:
        cluster.end()


def test_server_that_was_down_catches_up_with_a_state_of_many_megabytes(tmp_path: Path) -> None:
    """A dictionary may be much larger than any of its values; it travels whole."""
    keys = [f"key-{number}" for number in range(10)]
    dictionary = ["--state", "dictionary"]
    cluster = LiveCluster(tmp_path, master=False)
    try:
        cluster.start(*UIDS, options=dictionary)
        for key in keys[:2]:
            assert ask(cluster, "B", "SET", key, "before") is not None
        cluster.kill("C")
        for key in keys:
            assert ask(cluster, "A", "SET", key, value_of(key[-1])) is not None
        last = cluster.status("A")["link"]

        cluster.start("C", options=dictionary)
        cluster.wait("C", lambda status: status.get("link", 0) >= last)
        cluster.kill("A")
        values = [ask(cluster, "C", "GET", key) for key in keys]

        assert values == [value_of(key[-1]) for key in keys]
    finally:
        cluster.end()


def ask(cluster: LiveCluster, uid: str, *request: str) -> Any:
    """Return what *uid* replies to *request*."""
    own = cluster.config.servers[uid].client
    reader = hiredis.Reader(encoding="utf-8")
    with socket.create_connection((own.host, own.port), timeout=WAIT_SECONDS_MAX) as connection:
        connection.sendall(hiredis.pack_command(request))  # type: ignore[arg-type]
        while (reply := reader.gets()) is False:
            piece = connection.recv(2**16)
            assert piece, "the connection was closed"
            reader.feed(piece)
    assert not isinstance(reply, hiredis.ReplyError), reply
    return reply
