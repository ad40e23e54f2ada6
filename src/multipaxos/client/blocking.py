"""The blocking shell: performs the core's steps over a socket, in the thread that asks."""

import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeAlias, TypeVar

import hiredis

from multipaxos.client.errors import (
    ClosedError,
    NoReplyError,
    NotReachableError,
    ProtocolError,
)
from multipaxos.client.following import follow
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

Connect: TypeAlias = Callable[[Endpoint, float], socket.socket]
"""Opens a socket to an endpoint within some seconds; OSError if that fails."""

RECEIVE_BYTES = 65_536
INCOMPLETE = object()
"""What the parser answers while a reply is not complete."""


class BlockingShell:
    """
    Performs steps over one connection at a time.

    One thread runs steps at a time; any may close the shell, which ends what runs. State: the
    socket, if there is one, and whether the shell is closed, which is for good.
    """

    def __init__(
        self,
        connect: Connect = socket.create_connection,
        *,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin without a connection. *seconds* is the clock of the steps' deadlines."""
        self._connect = connect
        self._seconds = seconds
        self._socket: socket.socket | None = None
        self._reader = hiredis.Reader(notEnoughData=INCOMPLETE)
        self._is_closed = threading.Event()
        self._running = threading.Lock()

    def run(self, steps: Steps[A]) -> A:
        """Perform *steps* and return what they lead to."""
        with self._running:
            try:
                return follow(steps, self._perform)
            finally:
                if self._is_closed.is_set():
                    self._discard()

    def __del__(self) -> None:
        """Close the connection of a watch that was left without closing it."""
        self._discard()

    def close(self) -> None:
        """Close for good; what runs in another thread meets a closed connection."""
        self._is_closed.set()
        connected = self._socket
        if connected is not None:
            # This wakes a thread that waits for a reply. To close is up to that thread: the number
            # of a closed socket may be another file's in the next moment.
            with suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)
        if self._running.acquire(blocking=False):
            self._discard()
            self._running.release()

    def abandon(self) -> None:
        """Let go of the connection without ending it: it is another process's, too."""
        self._discard()

    def _perform(self, step: Step) -> Any:  # noqa: PLR0911 - a case for each step
        match step:
            case Open(server=server, deadline=deadline):
                return self._open(server, deadline)
            case IsOpen():
                return self._is_open()
            case Send(request=request, deadline=deadline):
                return self._send(request, deadline)
            case Receive(deadline=deadline):
                return self._receive(deadline)
            case Close():
                return self._discard()
            case Pause(seconds=seconds):
                return self._is_closed.wait(seconds)
            case Elsewhere(steps=steps):
                other = BlockingShell(self._connect, seconds=self._seconds)
                try:
                    return other.run(steps)
                finally:
                    other.close()

    def _open(self, server: Endpoint, deadline: float) -> None:
        self._discard()
        if self._is_closed.is_set():
            raise ClosedError("this client is closed")
        try:
            opened = self._connect(server, self._seconds_until(deadline))
        except (OSError, UnicodeError) as error:
            raise NotReachableError(reason_of(error)) from error
        # A request leaves in one piece and waits for its reply: nothing is gained by delaying it.
        with suppress(OSError):
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = opened
        self._reader = hiredis.Reader(notEnoughData=INCOMPLETE)
        if self._is_closed.is_set():
            # Closed while it was being opened: whoever closed saw no socket to shut down.
            self._discard()
            raise ClosedError("this client is closed")

    def _is_open(self) -> bool:
        if self._socket is None:
            return False
        # Between requests nothing arrives but the news that the server closed its end.
        waiting = select.poll()
        waiting.register(self._socket, select.POLLIN)
        is_silent = not waiting.poll(0)
        if not is_silent:
            self._discard()
        return is_silent

    def _send(self, request: bytes, deadline: float) -> None:
        try:
            connected = self._connected()
            connected.settimeout(self._seconds_until(deadline))
        except OSError as error:
            raise NotReachableError(reason_of(error)) from error
        try:
            connected.sendall(request)
        except OSError as error:
            self._discard()
            raise NoReplyError(reason_of(error)) from error

    def _receive(self, deadline: float) -> Any:
        try:
            while (reply := self._reader.gets()) is INCOMPLETE:
                connected = self._connected()
                connected.settimeout(self._seconds_until(deadline))
                received = connected.recv(RECEIVE_BYTES)
                if not received:
                    raise ConnectionResetError(0, "the server closed the connection")
                self._reader.feed(received)
        except OSError as error:
            self._discard()
            raise NoReplyError(reason_of(error)) from error
        except hiredis.ProtocolError as error:
            self._discard()
            raise ProtocolError(f"what answers speaks another protocol: {error}") from error
        return reply

    def _connected(self) -> socket.socket:
        if self._socket is None:
            raise ConnectionResetError(0, "the connection is closed")
        return self._socket

    def _discard(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _seconds_until(self, deadline: float) -> float:
        seconds = deadline - self._seconds()
        if seconds <= 0:
            raise TimeoutError(0, "no answer in time")
        return seconds


def reason_of(error: Exception) -> str:
    """Return what *error* means, for people."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
