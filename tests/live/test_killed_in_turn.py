"""Counting while servers are killed in turn: nothing acknowledged is lost, nothing done twice."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from tests.live.cluster import UIDS, WAIT_SECONDS_MAX, LiveCluster

from multipaxos import Value, connect

pytestmark = pytest.mark.live

CLIENTS = 8
PATIENCE_SECONDS = 60.0


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LiveCluster]:
    """Three servers with master leases that keep a dictionary."""
    cluster = LiveCluster(tmp_path, master=True)
    try:
        start(cluster, *UIDS)
        # Who comes too late to found the chain sits links out: until it votes, none may be killed.
        for uid in UIDS:
            cluster.wait(
                uid,
                lambda status: status.get("phase") == "serving" and bool(status.get("chain")),
            )
        yield cluster
    finally:
        cluster.end()


def start(cluster: LiveCluster, *uids: str) -> None:
    """Start servers of a dictionary."""
    cluster.start(*uids, options=["--state", "dictionary", "--quiet"])


class Counting:
    """Clients that count, each in a thread of its own, until they are told to stop."""

    def __init__(self, count: Callable[[int, "Counting"], None]) -> None:
        """Begin: *count* is one client's life."""
        self.sums: list[int] = []
        self.asked: list[int] = []
        self.stopped = threading.Event()
        self.failures: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._live, args=(count, number)) for number in range(CLIENTS)
        ]
        for thread in self._threads:
            thread.start()

    def _live(self, count: Callable[[int, "Counting"], None], number: int) -> None:
        try:
            count(number, self)
        except BaseException as failure:  # noqa: BLE001 - the test tells of it
            self.failures.append(failure)

    def wait_for_more(self) -> None:
        """Wait until each client, on the average, got a few more sums."""
        goal = len(self.sums) + 3 * CLIENTS
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while len(self.sums) < goal:
            assert time.monotonic() < give_up_at, "the counting stands still"
            assert not self.failures, self.failures
            time.sleep(0.02)

    def end(self) -> None:
        """Stop all clients, and wait for them."""
        self.stopped.set()
        for thread in self._threads:
            thread.join()
        assert not self.failures, self.failures


def kill_in_turn(cluster: LiveCluster, counting: Counting) -> None:
    """Kill each server twice with kill -9, the master among them, while the counting goes on."""
    counting.wait_for_more()
    for uid in (*UIDS, *UIDS):
        cluster.kill(uid)
        counting.wait_for_more()
        start(cluster, uid)
        cluster.wait(uid, lambda status: status.get("phase") == "serving")
    counting.wait_for_more()


def test_the_library_counts_each_once(cluster: LiveCluster) -> None:
    """Its clients notice nothing: every count is done once, and every sum is told to one."""

    def count(_: int, counting: Counting) -> None:
        value: Value
        with connect(cluster.addresses, timeout_seconds=PATIENCE_SECONDS) as value:
            while not counting.stopped.is_set():
                counting.sums.append(value.increment("n"))

    counting = Counting(count)
    try:
        kill_in_turn(cluster, counting)
    finally:
        counting.end()

    with connect(cluster.addresses, timeout_seconds=WAIT_SECONDS_MAX) as value:
        assert value.get("n") == str(len(counting.sums))
    assert sorted(counting.sums) == list(range(1, len(counting.sums) + 1))


def test_redis_py_loses_no_count_that_was_acknowledged(cluster: LiveCluster) -> None:
    """Its requests have no id: one that failed may be done. But no sum is told twice, or lost."""
    servers = [server.client for server in cluster.config.servers.values()]

    def count(number: int, counting: Counting) -> None:
        place = number
        while not counting.stopped.is_set():
            own = servers[place % len(servers)]
            place += 1
            with (
                redis.Redis(
                    host=own.host, port=own.port, socket_timeout=5.0, retry=Retry(NoBackoff(), 0)
                ) as client,
                contextlib.suppress(redis.RedisError),
            ):
                client.ping()
                while not counting.stopped.is_set():
                    counting.asked.append(number)
                    counting.sums.append(client.incr("n"))

    counting = Counting(count)
    try:
        kill_in_turn(cluster, counting)
    finally:
        counting.end()

    with connect(cluster.addresses, timeout_seconds=WAIT_SECONDS_MAX) as value:
        total = int(value.get("n") or "0")
    assert len(set(counting.sums)) == len(counting.sums)
    assert max(counting.sums) <= total
    assert len(counting.sums) <= total <= len(counting.asked)
