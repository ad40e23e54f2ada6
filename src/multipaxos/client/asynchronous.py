"""The shell for asyncio: performs the core's steps over streams, in the task that asks."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar

import hiredis

from multipaxos.client.blocking import INCOMPLETE, RECEIVE_BYTES, reason_of
from multipaxos.client.errors import (
    ClosedError,
    NoReplyError,
    NotReachableError,
    ProtocolError,
)
from multipaxos.client.following import follow_async
from multipaxos.client.steps import (
    Close,
    Elsewhere,
    Endpoint,
    IsOpen,
    Open,
    Pause,
    Receive,
    Send,
    Step,
    Steps,
)

A = TypeVar("A")

Streams: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]
ConnectStreams: TypeAlias = Callable[[Endpoint], Awaitable[Streams]]
"""Opens streams to an endpoint; OSError if that fails."""


async def connect_streams(server: Endpoint) -> Streams:
    """Open streams to *server*."""
    host, port = server
    return await asyncio.open_connection(host, port)


class AsyncShell:
    """
    Performs steps over one connection at a time.

    One task runs steps at a time; any may close the shell, which ends what runs. State: the
    streams, if there are any, and whether the shell is closed, which is for good.
    """

    def __init__(
        self,
        connect: ConnectStreams = connect_streams,
        *,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin without a connection. *seconds* is the clock of the steps' deadlines."""
        self._connect = connect
        self._seconds = seconds
        self._streams: Streams | None = None
        self._parser = hiredis.Reader(notEnoughData=INCOMPLETE)
        self._closed = asyncio.Event()
        self._running = asyncio.Lock()

    async def run(self, steps: Steps[A]) -> A:
        """Perform *steps* and return what they lead to."""
        async with self._running:
            return await follow_async(steps, self._perform)

    def close(self) -> None:
        """Close for good; what runs in another task meets a closed connection."""
        self._closed.set()
        self._discard()

    def abandon(self) -> None:
        """Let go of the connection without ending it: it is another process's, too."""
        self._streams = None

    async def _perform(self, step: Step) -> Any:  # noqa: PLR0911 - a case for each step
        match step:
            case Open(server=server, deadline=deadline):
                return await self._open(server, deadline)
            case IsOpen():
                return self._is_open()
            case Send(request=request, deadline=deadline):
                return await self._send(request, deadline)
            case Receive(deadline=deadline):
                return await self._receive(deadline)
            case Close():
                return self._discard()
            case Pause(seconds=seconds):
                return await self._pause(seconds)
            case Elsewhere(steps=steps):
                other = AsyncShell(self._connect, seconds=self._seconds)
                try:
                    return await other.run(steps)
                finally:
                    other.close()

    async def _open(self, server: Endpoint, deadline: float) -> None:
        self._discard()
        if self._closed.is_set():
            raise ClosedError("this client is closed")
        try:
            async with asyncio.timeout(deadline - self._seconds()):
                streams = await self._connect(server)
        except (OSError, UnicodeError) as error:
            raise NotReachableError(reason_of(error)) from error
        self._streams = streams
        self._parser = hiredis.Reader(notEnoughData=INCOMPLETE)
        if self._closed.is_set():
            # Closed while it was being opened.
            self._discard()
            raise ClosedError("this client is closed")

    def _is_open(self) -> bool:
        if self._streams is None:
            return False
        reader, writer = self._streams
        return not (reader.at_eof() or writer.is_closing())

    async def _send(self, request: bytes, deadline: float) -> None:
        try:
            _, writer = self._connected()
            if self._seconds() >= deadline:
                raise TimeoutError(0, "no answer in time")
        except OSError as error:
            raise NotReachableError(reason_of(error)) from error
        try:
            writer.write(request)
            async with asyncio.timeout(deadline - self._seconds()):
                await writer.drain()
        except OSError as error:
            self._discard()
            raise NoReplyError(reason_of(error)) from error

    async def _receive(self, deadline: float) -> Any:
        try:
            while (reply := self._parser.gets()) is INCOMPLETE:
                reader, _ = self._connected()
                async with asyncio.timeout(deadline - self._seconds()):
                    received = await reader.read(RECEIVE_BYTES)
                if not received:
                    raise ConnectionResetError(0, "the server closed the connection")
                self._parser.feed(received)
        except OSError as error:
            self._discard()
            raise NoReplyError(reason_of(error)) from error
        except hiredis.ProtocolError as error:
            self._discard()
            raise ProtocolError(f"what answers speaks another protocol: {error}") from error
        return reply

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closed.wait()
        except TimeoutError:
            return

    def _connected(self) -> Streams:
        if self._streams is None:
            raise ConnectionResetError(0, "the connection is closed")
        return self._streams

    def _discard(self) -> None:
        if self._streams is not None:
            _, writer = self._streams
            self._streams = None
            writer.close()
