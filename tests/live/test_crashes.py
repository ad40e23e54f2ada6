"""Real servers are killed and started again: nothing that was acknowledged is lost."""

import threading
from pathlib import Path

import pytest
from tests.live.cluster import UIDS, LiveCluster, running_cluster

from multipaxos.client import Chosen, Refused

pytestmark = pytest.mark.live
plain_and_master = pytest.mark.parametrize("master", [False, True], ids=["plain", "master"])


@plain_and_master
def test_every_server_sets_and_gets(tmp_path: Path, *, master: bool) -> None:
    """A value set through any server is read through every server."""
    with running_cluster(tmp_path, master=master) as cluster:
        for uid in UIDS:
            cluster.propose(uid, f"from {uid}")

            assert {cluster.get(reader) for reader in UIDS} == {f"from {uid}"}


@pytest.mark.parametrize("storage", ["sqlite", "json"])
@plain_and_master
def test_killed_server_returns_and_catches_up(
    tmp_path: Path, *, master: bool, storage: str
) -> None:
    """The others go on without a killed server; it keeps its votes and learns what it missed."""
    with running_cluster(tmp_path, master=master, storage=storage) as cluster:
        cluster.propose("B", "before")
        cluster.wait_until_all_vote()
        cluster.kill("A")
        during = cluster.propose("B", "during")
        assert cluster.get("C") == "during"
        cluster.start("A")

        cluster.wait("A", lambda status: status.get("link", 0) >= during.link)

        assert cluster.get("A") == "during"
        assert not any("no memory" in line for line in cluster.processes["A"].lines)


@pytest.mark.parametrize("storage", ["sqlite", "json"])
@plain_and_master
def test_value_survives_the_death_of_all(tmp_path: Path, *, master: bool, storage: str) -> None:
    """All servers are killed at once; started again, they have the value and take the next."""
    with running_cluster(tmp_path, master=master, storage=storage) as cluster:
        first = cluster.propose("A", "survivor")
        cluster.kill(*UIDS)
        cluster.start(*UIDS)

        assert {cluster.get(uid) for uid in UIDS} == {"survivor"}
        assert cluster.propose("C", "next").link > first.link


def test_master_leases_can_be_switched_on_and_off(tmp_path: Path) -> None:
    """A chain goes on when its servers are started with --master, and without it again."""
    cluster = LiveCluster(tmp_path, master=False)
    try:
        for number, options in enumerate([[], ["--master"], []]):
            cluster.start(*UIDS, options=options)
            cluster.propose("A", f"run {number}")
            assert {cluster.get(uid) for uid in UIDS} == {f"run {number}"}
            assert [cluster.processes[uid].terminate() for uid in UIDS] == [0, 0, 0]
    finally:
        cluster.end()


def test_another_master_takes_over(tmp_path: Path) -> None:
    """When the master is killed, another is elected once its lease is over."""
    with running_cluster(tmp_path, master=True) as cluster:
        cluster.propose("A", "old")
        cluster.wait("A", lambda status: bool(status.get("lease")))
        cluster.wait_until_all_vote()
        old = cluster.status("A")["master"]
        cluster.kill(old)
        other = next(uid for uid in UIDS if uid != old)

        cluster.wait(other, lambda status: status["master"] not in (None, old))

        assert cluster.get(other) == "old"
        cluster.propose(other, "new")


@plain_and_master
def test_restart_under_load_loses_nothing(tmp_path: Path, *, master: bool) -> None:
    """While clients write, a server is killed and started: each acknowledged value has its link."""
    with running_cluster(tmp_path, master=master) as cluster:
        acknowledged: list[tuple[int, str]] = []
        unexpected: list[object] = []
        stop = threading.Event()

        def write(uid: str, writer: int) -> None:
            with cluster.client(uid) as client:
                number = 0
                while not stop.is_set():
                    value = f"{writer}-{number}"
                    outcome = client.propose(value, timeout_seconds=10)
                    if isinstance(outcome, Chosen):
                        acknowledged.append((outcome.link, value))
                    elif isinstance(outcome, Refused):
                        unexpected.append(outcome)
                    number += 1

        writers = [
            threading.Thread(target=write, args=(uid, writer))
            for writer, uid in enumerate(["A", "A", "B", "B"])
        ]
        for thread in writers:
            thread.start()
        try:
            _wait_for_more(cluster, acknowledged, 20)
            cluster.wait_until_all_vote()
            cluster.kill("C")
            _wait_for_more(cluster, acknowledged, 20)
            cluster.start("C")
            _wait_for_more(cluster, acknowledged, 20)
        finally:
            stop.set()
            for thread in writers:
                thread.join()

        assert not unexpected
        newest = max(link for link, _ in acknowledged)
        for uid in UIDS:
            cluster.wait(uid, lambda status: status["link"] >= newest)
        _assert_all_in_history(cluster, acknowledged)


def _wait_for_more(cluster: LiveCluster, acknowledged: list[tuple[int, str]], count: int) -> None:
    target = len(acknowledged) + count
    cluster.wait("A", lambda _: len(acknowledged) >= target)


def _assert_all_in_history(cluster: LiveCluster, acknowledged: list[tuple[int, str]]) -> None:
    found: dict[str, list[int]] = {}
    agreed: dict[int, object] = {}
    for uid in UIDS:
        for link in cluster.history(uid):
            assert agreed.setdefault(link.number, link.holds) == link.holds, link.number
    for number, holds in agreed.items():
        assert isinstance(holds, dict)
        for update in holds.get("updates", ()):
            if update["command"][0] == "SET":
                found.setdefault(update["command"][1], []).append(number)
    for number, value in acknowledged:
        assert found.get(value) == [number], f"{value} is in {found.get(value)}, not in {number}"
    last_set = max(number for numbers in found.values() for number in numbers)
    # A link may hold several: the last of them stays.
    *_, newest = (value for value, numbers in found.items() if last_set in numbers)
    assert {cluster.get(uid) for uid in UIDS} == {newest}
