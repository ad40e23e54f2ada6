"""The replicated value as an object for asyncio; its methods are those of the blocking one."""

import json
import time
from collections.abc import AsyncIterator, Callable, Generator, Mapping, Sequence
from typing import Any, Self, TypeVar

from typing_extensions import override

from multipaxos.chain.requests import Outcome
from multipaxos.client import calls
from multipaxos.client.async_methods import AsyncMethods
from multipaxos.client.asynchronous import AsyncShell, ConnectStreams, connect_streams
from multipaxos.client.calls import StaleValue
from multipaxos.client.errors import ClosedError
from multipaxos.client.lanes import Lane, Lanes
from multipaxos.client.servers import Servers, check_name, check_timeout, parse_addresses
from multipaxos.client.steps import Endpoint, Steps
from multipaxos.client.talk import Identity, Talk
from multipaxos.client.value import TIMEOUT_SECONDS
from multipaxos.client.watching import Change, Watching, newest_link
from multipaxos.client.wire import pack

A = TypeVar("A")


def connect_async(
    addresses: str | Sequence[str],
    *,
    timeout_seconds: float = TIMEOUT_SECONDS,
    password: str | None = None,
    name: str = "client",
    identities: Mapping[Endpoint, Identity] | None = None,
    open_streams: ConnectStreams = connect_streams,
) -> "Connecting":
    """
    Return what connects when it is awaited, or entered; see :func:`multipaxos.connect`.

    >>> async def main():
    ...     async with connect_async("127.0.0.1:7001,127.0.0.1:7002") as value:
    ...         await value.set("hello")
    ...         return await value.get()
    >>> asyncio.run(main())
    'hello'
    """
    seconds = time.monotonic
    lanes = Lanes(
        name=check_name(name),
        servers=Servers(parse_addresses(addresses)),
        password=password,
        seconds=seconds,
        make_shell=lambda: AsyncShell(open_streams, seconds=seconds),
        identities=identities,
    )
    return Connecting(AsyncValue(lanes, timeout_seconds=check_timeout(timeout_seconds)))


class Connecting:
    """An :class:`AsyncValue` that is still to connect: ``await`` it, or use ``async with``."""

    def __init__(self, value: "AsyncValue") -> None:
        """Begin for *value*, which has not met a server yet."""
        self._value = value

    def __await__(self) -> Generator[Any, Any, "AsyncValue"]:
        """Connect; NotReachableError or AuthenticationError if that fails."""
        return self._connect().__await__()

    async def __aenter__(self) -> "AsyncValue":
        return await self

    async def __aexit__(self, *_: object) -> None:
        await self._value.close()

    async def _connect(self) -> "AsyncValue":
        try:
            await self._value.meet()
        except BaseException:
            await self._value.close()
            raise
        return self._value


class AsyncValue(AsyncMethods):
    """
    A replicated value for the tasks of one loop: the twin of :class:`multipaxos.Value`.

    A task that is cancelled in a call leaves its outcome unknown.
    """

    def __init__(self, lanes: Lanes[AsyncShell], *, timeout_seconds: float) -> None:
        """Begin without a connection. Use :func:`connect_async`."""
        self.timeout_seconds = timeout_seconds
        self._lanes = lanes

    # -- anything ----------------------------------------------------------------------------------

    @override
    async def execute(self, *command: str) -> Outcome:
        """Return what became of any *command*, as a value, whatever it is."""
        return await self._run(lambda talk, deadline: talk.execute(command, deadline=deadline))

    async def stale_get(self, *key: str) -> StaleValue:
        """Return what one server has at once, without asking the others: it may be out of date."""
        packed = pack("MULTIPAXOS", "STALE", *calls.stale_command(*key))
        return calls.stale_value(
            *await self._run(lambda talk, deadline: talk.question(packed, deadline=deadline))
        )

    async def status(self) -> dict[str, Any]:
        """Return how the server is that this client asks now, as ``multipaxos status`` shows it."""
        packed = pack("MULTIPAXOS", "STATUS")
        _, reply = await self._run(lambda talk, deadline: talk.question(packed, deadline=deadline))
        found: dict[str, Any] = json.loads(calls.text_of(reply))
        return found

    def watch(self, key: str | None = None) -> "AsyncWatch":
        """
        Return an iterator over all changes, of *key* or of everything.

        It begins when it is entered (``async with``), or else with the first step of its iteration;
        see :meth:`Value.watch` for the rest.

        >>> async def main():
        ...     async with connect_async("127.0.0.1:7001") as value, value.watch() as changes:
        ...         await value.set("hello")
        ...         async for change in changes:
        ...             return change.value
        >>> asyncio.run(main())
        'hello'
        """
        return AsyncWatch(self._lanes, key=key, timeout_seconds=self.timeout_seconds)

    async def meet(self) -> None:
        """Greet a server; NotReachableError if none answers, as other errors may be."""
        await self._run(lambda talk, deadline: talk.meet(deadline=deadline))

    async def close(self) -> None:
        """Close all connections, for good, and end the watches; what is under way goes on."""
        self._lanes.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # -- own affairs -------------------------------------------------------------------------------

    async def _run(self, steps_of: Callable[[Talk, float], Steps[A]]) -> A:
        deadline = self._lanes.seconds() + self.timeout_seconds
        lane = self._lanes.take()
        try:
            return await lane.shell.run(steps_of(lane.talk, deadline))
        finally:
            # Also after a cancellation: see the blocking value.
            self._lanes.put_back(lane)


class AsyncWatch(AsyncIterator[Change]):
    """
    The changes of a watch, each once and in order. One task iterates; any may close it.

    State: a lane of its own, and the position, once it has begun.
    """

    def __init__(
        self, lanes: Lanes[AsyncShell], *, key: str | None, timeout_seconds: float
    ) -> None:
        """Ask nobody yet. Use :meth:`AsyncValue.watch`."""
        self._lanes = lanes
        self._lane: Lane[AsyncShell] = lanes.make()
        self._key = key
        self._timeout_seconds = timeout_seconds
        self._watching: Watching | None = None

    @override
    async def __anext__(self) -> Change:
        """Wait for the next change; the iteration ends when the watch, or its client, is closed."""
        try:
            watching = await self._begin()
            return await self._lane.shell.run(watching.next_change())
        except ClosedError:
            raise StopAsyncIteration from None

    async def close(self) -> None:
        """End the watch."""
        self._lanes.drop(self._lane)

    async def __aenter__(self) -> Self:
        await self._begin()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _begin(self) -> Watching:
        if self._watching is None:
            talk = self._lane.talk
            deadline = talk.seconds() + self._timeout_seconds
            link = await self._lane.shell.run(newest_link(talk, self._key, deadline=deadline))
            self._watching = Watching(talk, self._lanes.make_talk(), link=link, key=self._key)
        return self._watching
