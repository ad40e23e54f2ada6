"""The client library with real servers: failover, retries, watches."""

import asyncio
import threading
from pathlib import Path

import pytest
from tests.live.cluster import UIDS, WAIT_SECONDS_MAX, LiveCluster, keeping

from multipaxos import Value, connect, connect_async
from multipaxos.cli.processes import wait_until
from multipaxos.client import Chosen, StaleValue

pytestmark = pytest.mark.live

THREADS = 4
INCREMENTS = 40


def _connect(cluster: LiveCluster) -> Value:
    return connect(cluster.addresses, timeout_seconds=WAIT_SECONDS_MAX)


def _wait_for_master(cluster: LiveCluster) -> str:
    """Return who holds a master's lease, as soon as somebody does."""
    found: list[str] = []

    def find() -> bool:
        for uid in UIDS:
            lease = cluster.status(uid).get("lease")
            if lease and lease["kind"] == "held":
                found.append(uid)
        return bool(found)

    assert wait_until(find, seconds=WAIT_SECONDS_MAX)
    return found[0]


def test_register_is_set_read_and_compared(tmp_path: Path) -> None:
    """The methods of a register do what they say, and the outcomes have links."""
    with keeping(tmp_path, "register") as cluster, _connect(cluster) as value:
        assert value.get() is None
        assert value.compare_and_set(None, "first")
        assert not value.compare_and_set(None, "second")
        assert value.set("hé")
        outcome = value.execute("GET")
        stale = value.stale_get()

        assert isinstance(outcome, Chosen)
        assert outcome.result == "hé"
        assert isinstance(stale, StaleValue)
        assert stale.server in cluster.addresses
        assert value.status()["uid"] in UIDS


def test_dictionary_is_used_through_its_methods(tmp_path: Path) -> None:
    """The methods of a dictionary do what they say."""
    with keeping(tmp_path, "dictionary") as cluster, _connect(cluster) as value:
        assert value.set("k", "v", nx=True)
        assert not value.set("k", "w", nx=True)
        value.set_many({"a:1": "1", "a:2": "2"})
        assert value.get_many("k", "a:1", "none") == ["v", "1", None]
        assert sorted(value.keys("a:*")) == sorted(value.scan("a:*")) == ["a:1", "a:2"]
        assert value.increment("a:1", 41) == 42
        assert value.append("k", "w") == 2
        assert value.exists("k", "none") == 1
        assert value.delete("k", "none") == 1
        assert value.size() == 2


def test_threads_notice_nothing_when_the_master_is_killed(tmp_path: Path) -> None:
    """
    Under load from several threads the master dies: every request is done, and once.

    An increment that was lost, or was done twice by a retry, would show in the sum.
    """
    with keeping(tmp_path, "dictionary") as cluster, _connect(cluster) as value:
        value.set("n", "0")
        master = _wait_for_master(cluster)
        sums: list[int] = []
        halfway = threading.Event()

        def increment() -> None:
            for _ in range(INCREMENTS):
                sums.append(value.increment("n"))
                if len(sums) >= THREADS * INCREMENTS // 2:
                    halfway.set()

        threads = [threading.Thread(target=increment) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        assert halfway.wait(WAIT_SECONDS_MAX)
        cluster.kill(master)
        for thread in threads:
            thread.join()

        assert sorted(sums) == list(range(1, THREADS * INCREMENTS + 1))
        assert value.get("n") == str(THREADS * INCREMENTS)


def test_watch_sees_each_value_once_through_a_failover(tmp_path: Path) -> None:
    """The server that tells the changes is killed: the watch goes on, in order, without a gap."""
    with keeping(tmp_path, "register") as cluster, _connect(cluster) as value:
        value.set("before")
        changes = value.watch()
        seen: list[str | None] = []
        half = threading.Event()

        def follow() -> None:
            for change in changes:
                assert not change.missed
                seen.append(change.value)
                if len(seen) == 10:
                    half.set()
                if len(seen) == 20:
                    return

        thread = threading.Thread(target=follow)
        thread.start()
        for number in range(10):
            value.set(str(number))
        assert half.wait(WAIT_SECONDS_MAX)
        # The first server in the list is the one that is watched.
        cluster.kill("A")
        for number in range(10, 20):
            value.set(str(number))
        thread.join(WAIT_SECONDS_MAX)
        changes.close()

        assert seen == [str(number) for number in range(20)]


def test_tasks_do_what_threads_do(tmp_path: Path) -> None:
    """The twin for asyncio goes through a failover, with a watch beside it."""

    async def main(cluster: LiveCluster) -> tuple[list[int], list[str | None]]:
        seen: list[str | None] = []
        async with (
            connect_async(cluster.addresses, timeout_seconds=WAIT_SECONDS_MAX) as value,
            value.watch("n") as changes,
        ):
            before = [await value.increment("n") for _ in range(5)]
            await asyncio.to_thread(cluster.kill, "A")
            after = await asyncio.gather(*(value.increment("n") for _ in range(5)))
            async for change in changes:
                seen.append(change.value)
                if len(seen) == 10:
                    break
        return [*before, *sorted(after)], seen

    with keeping(tmp_path, "dictionary") as cluster:
        sums, seen = asyncio.run(main(cluster))

    assert sums == list(range(1, 11))
    assert seen == [str(number) for number in range(1, 11)]
