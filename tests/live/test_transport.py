"""Servers that send each other everything over TCP."""

from pathlib import Path

import pytest
from tests.live.cluster import UIDS, running_cluster
from tests.live.test_large_values import value_of

pytestmark = pytest.mark.live

TCP = ["--transport", "tcp"]


@pytest.mark.parametrize("master", [False, True], ids=["plain", "master"])
def test_servers_that_speak_tcp_only_serve_and_survive(tmp_path: Path, *, master: bool) -> None:
    """Killed, started anew, caught up with what is short and what is long: as with datagrams."""
    with running_cluster(tmp_path, master=master, options=TCP) as cluster:
        for uid in UIDS:
            cluster.propose(uid, f"through {uid}")
            assert {cluster.get(reader) for reader in UIDS} == {f"through {uid}"}

        cluster.kill("C")
        cluster.propose("A", value_of("x"))
        last = cluster.propose("B", "while C was down")
        cluster.start("C", options=TCP)
        cluster.wait("C", lambda status: status.get("link", 0) >= last.link)

        assert cluster.status("C")["value"] == "while C was down"
        cluster.propose("C", "after")
        assert {cluster.get(reader) for reader in UIDS} == {"after"}


def test_servers_may_be_changed_over_one_by_one(tmp_path: Path) -> None:
    """One sends datagrams, the others do not: each takes both."""
    with running_cluster(tmp_path, master=False) as cluster:
        for uid in "AB":
            cluster.kill(uid)
            cluster.start(uid, options=TCP)

            cluster.propose(uid, f"through {uid}")

            assert {cluster.get(reader) for reader in UIDS} == {f"through {uid}"}
