"""The value for asyncio over connected sockets: tasks, watches, cancellation, closing."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import pytest
from tests.client.cluster import DROP, HANG, LOSE, A, B, C, SocketCluster

from multipaxos import AsyncValue, Value, connect_async
from multipaxos.chain.dictionary import Dictionary
from multipaxos.chain.state_machine import StateMachine
from multipaxos.client import (
    AuthenticationError,
    BadArgumentError,
    Change,
    ClosedError,
    CommandError,
    NotReachableError,
    StaleValue,
    Unknown,
)
from multipaxos.client.async_value import Connecting
from multipaxos.client.asynchronous import Streams
from multipaxos.client.steps import Endpoint

T = TypeVar("T")

ADDRESSES = "a:1,b:2,c:3"


def _connecting(cluster: SocketCluster, **options: Any) -> Connecting:
    async def open_streams(server: Endpoint) -> Streams:
        return await asyncio.open_connection(sock=cluster.connect(server))

    return connect_async(ADDRESSES, open_streams=open_streams, **options)


def run(
    main: Callable[[SocketCluster, AsyncValue], Coroutine[Any, Any, T]],
    machine: StateMachine | None = None,
) -> T:
    """Run *main* with a cluster and the value that it keeps."""
    cluster = SocketCluster(A, B, C, machine=machine)

    async def connect_and_run() -> T:
        async with _connecting(cluster) as value:
            return await main(cluster, value)

    try:
        return asyncio.run(connect_and_run())
    finally:
        cluster.end()


def test_register_is_set_and_read() -> None:
    """The methods without a key are those of a register."""

    async def main(_: SocketCluster, value: AsyncValue) -> None:
        assert await value.get() is None
        assert await value.set("hé")
        assert await value.compare_and_set("hé", "y")
        assert await value.get() == "y"
        assert await value.stale_get() == StaleValue(value="y", link=4, server="a:1")
        assert (await value.status())["uid"] == "a"
        with pytest.raises(CommandError, match="unknown command"):
            await value.increment("n")

    run(main)


def test_dictionary_has_the_methods_with_keys() -> None:
    """The methods with keys are those of a dictionary."""

    async def main(_: SocketCluster, value: AsyncValue) -> None:
        assert await value.set("k", "v", nx=True)
        await value.set_many({"a:1": "1", "a:2": "2"})
        assert await value.get_many("a:1", "none") == ["1", None]
        assert sorted(await value.keys("a:*")) == ["a:1", "a:2"]
        assert sorted([key async for key in value.scan("a:*")]) == ["a:1", "a:2"]
        assert await value.size() == 3
        assert await value.exists("k") == 1
        assert await value.append("k", "v") == 2
        assert await value.increment("a:1") == 2
        assert await value.delete("k") == 1

    run(main, Dictionary())


def test_methods_are_those_of_the_blocking_value() -> None:
    """Whoever knows one knows the other: names and parameters are the same."""
    for name, method in inspect.getmembers(Value, inspect.isfunction):
        if not name.startswith("_"):
            twin = getattr(AsyncValue, name)
            assert inspect.signature(twin).parameters.keys() == (
                inspect.signature(method).parameters.keys()
            )


def test_lost_connection_is_not_seen() -> None:
    """A request whose server dies with it is done once, through another."""

    async def main(cluster: SocketCluster, value: AsyncValue) -> None:
        cluster.servers[A].plans.append(LOSE)
        cluster.servers[B].plans.append(DROP)

        assert await value.set("x")
        assert len(list(cluster.changes())) == 1

    run(main)


def test_tasks_share_a_value() -> None:
    """Each request in flight has a name of its own, so none is taken for another's repetition."""

    async def main(_: SocketCluster, value: AsyncValue) -> str | None:
        await asyncio.gather(*(value.increment("n") for _ in range(100)))
        return await value.get("n")

    assert run(main, Dictionary()) == "100"


def test_hung_server_is_left_in_time() -> None:
    """A server that says nothing takes its share of the time, and no more."""

    async def main(cluster: SocketCluster, _: AsyncValue) -> object:
        cluster.servers[A].is_hung = True
        async with _connecting(cluster, timeout_seconds=0.3) as value:
            return await value.set("x")

    assert run(main)


def test_cancelled_request_leaves_a_connection_that_is_not_used_again() -> None:
    """The reply that comes late is nobody's: the next request has a connection of its own."""

    async def main(cluster: SocketCluster, value: AsyncValue) -> object:
        cluster.servers[A].plans.append(HANG)
        task = asyncio.create_task(value.set("x"))
        await _asked(cluster)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        await value.set("y")
        return cluster.servers[A].proposals()[-1][1]

    assert run(main) == "2"


def test_connect_tells_at_once_what_is_wrong() -> None:
    """A wrong address, time or password is found where it is written, or awaited."""

    async def main(cluster: SocketCluster, _: AsyncValue) -> None:
        with pytest.raises(BadArgumentError):
            connect_async("a")
        with pytest.raises(BadArgumentError):
            connect_async("a:1", timeout_seconds=-1)
        cluster.servers[A].password = "secret"
        with pytest.raises(AuthenticationError):
            await _connecting(cluster, password="wrong")
        for server in cluster.servers.values():
            server.is_down = True
        with pytest.raises(NotReachableError, match="Connection refused"):
            await _connecting(cluster, timeout_seconds=0.05)

    run(main)


def test_value_can_be_awaited() -> None:
    """Instead of a block, await gives the value; whoever does that closes it."""

    async def main(cluster: SocketCluster, _: AsyncValue) -> bool:
        value = await _connecting(cluster)
        async with value:
            return await value.set("x")

    assert run(main)


def test_watch_begins_when_it_is_entered() -> None:
    """What is set inside the block is told, what was set before is not."""

    async def main(_: SocketCluster, value: AsyncValue) -> Change:
        await value.set("before")
        async with value.watch() as changes:
            await value.set("x")
            return await anext(changes)

    assert run(main) == Change(link=3, index=0, key=None, value="x")


def test_watch_goes_on_at_another_server() -> None:
    """When the server that told of the changes dies, another one does."""

    async def main(cluster: SocketCluster, value: AsyncValue) -> list[str | None]:
        async with value.watch() as changes:
            await value.set("x")
            first = await anext(changes)
            cluster.kill(A)
            await value.set("y")
            return [first.value, (await anext(changes)).value]

    assert run(main) == ["x", "y"]


@pytest.mark.parametrize("what", ["watch", "value"])
def test_close_from_another_task_ends_a_watch(what: str) -> None:
    """A loop over changes ends when the watch, or the whole value, is closed."""

    async def main(_: SocketCluster, value: AsyncValue) -> list[str | None]:
        async with value.watch() as changes:
            await value.set("x")
            seen: list[str | None] = []
            first = asyncio.Event()

            async def follow() -> None:
                async for change in changes:
                    seen.append(change.value)
                    first.set()

            task = asyncio.create_task(follow())
            await first.wait()
            await (changes if what == "watch" else value).close()
            await task
            return seen

    assert run(main) == ["x"]


def test_cancelled_step_of_a_watch_loses_no_change() -> None:
    """Whoever stops waiting for a change can wait again."""

    async def main(_: SocketCluster, value: AsyncValue) -> str | None:
        async with value.watch() as changes:
            task = asyncio.create_task(anext(changes))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await value.set("x")
            told: str | None = (await anext(changes)).value
            return told

    assert run(main) == "x"


def test_closed_value_asks_nobody() -> None:
    """After close every call is an error."""

    async def main(_: SocketCluster, value: AsyncValue) -> None:
        await value.close()
        with pytest.raises(ClosedError):
            await value.set("x")

    run(main)


def test_request_under_way_is_unknown_when_its_value_is_closed() -> None:
    """A request that was sent may be chosen, closed or not."""

    async def main(cluster: SocketCluster, value: AsyncValue) -> object:
        cluster.servers[A].is_hung = True
        task: asyncio.Task[object] = asyncio.create_task(_as_object(value.execute("SET", "x")))
        await _asked(cluster)
        await value.close()
        return await task

    assert isinstance(run(main), Unknown)


async def _as_object(answer: Awaitable[object]) -> object:
    return await answer


async def _asked(cluster: SocketCluster) -> None:
    """Wait until a server was asked something: its threads tell nobody."""
    while not cluster.servers[A].proposals():  # noqa: ASYNC110
        await asyncio.sleep(0)
