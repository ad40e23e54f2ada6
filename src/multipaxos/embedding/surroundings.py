"""Where an embedded server runs: under asyncio, or under Twisted's reactor."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Generator
from typing import Any, Generic, Protocol, TypeVar

from twisted.internet.defer import Deferred

from multipaxos.errors import MultipaxosError

A = TypeVar("A")

_reactors: dict[asyncio.AbstractEventLoop, Any] = {}
"""The reactors that were made, by their loops; those of loops that are closed go with the next."""


class NotRunningError(MultipaxosError):
    """The embedded server does not run, or not here; the message says why."""


class Promise(Protocol[A]):
    """What can be awaited once, and kept once."""

    def __await__(self) -> Generator[Any, Any, A]:
        """Wait for the result."""

    def keep(self, result: A) -> None:
        """Give the *result*; a second one, or one that nobody waits for any more, is ignored."""


class Surroundings:
    """
    The *reactor* that a server runs on, and the kind of thing that its callers can await.

    Under asyncio, Twisted's sockets and timers run on asyncio's own loop, through a reactor that is
    made for it and is never run by itself. Elsewhere it is Twisted's installed reactor.
    """

    def __init__(self, reactor: Any = None) -> None:
        """
        Look whether this is a task of asyncio, or a callback of Twisted.

        A *reactor* that is given is taken instead.
        """
        self._loop = _loop_of_this_task() if reactor is None else None
        self._thread = threading.get_ident()
        if reactor is not None:
            self.reactor = reactor
        elif self._loop is not None:
            self.reactor = _reactor_on(self._loop)
        else:
            from twisted.internet import reactor as installed  # noqa: PLC0415 - it installs one

            self.reactor = installed

    def check_thread(self) -> None:
        """Raise NotRunningError if this is not the thread of the loop: nothing is done then."""
        if threading.get_ident() != self._thread:
            raise NotRunningError(
                "the server runs in another thread: hand the call to its loop, with "
                "asyncio.run_coroutine_threadsafe or, under Twisted, reactor.callFromThread"
            )

    def promise(self) -> "Promise[Any]":
        """Return what the caller can await here."""
        return _DeferredPromise() if self._loop is None else _FuturePromise(self._loop)

    def later(self, seconds: float, action: Callable[[], object]) -> Any:
        """Call *action* in *seconds*; return what can cancel that."""
        return self.reactor.callLater(seconds, action)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        promise = self.promise()
        self.later(seconds, lambda: promise.keep(None))
        await promise


class _FuturePromise(Generic[A]):
    """A promise for tasks of asyncio."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._future: asyncio.Future[A] = loop.create_future()

    def __await__(self) -> Generator[Any, Any, A]:
        return self._future.__await__()

    def keep(self, result: A) -> None:
        if not self._future.done():
            self._future.set_result(result)


class _DeferredPromise(Generic[A]):
    """A promise for coroutines that Twisted drives."""

    def __init__(self) -> None:
        self._deferred: Deferred[A] = Deferred()

    def __await__(self) -> Generator[Any, Any, A]:
        awaitable: Awaitable[A] = self._deferred
        return awaitable.__await__()

    def keep(self, result: A) -> None:
        if not self._deferred.called:
            self._deferred.callback(result)


def _loop_of_this_task() -> asyncio.AbstractEventLoop | None:
    # Twisted's reactor may itself run on asyncio's loop; its callbacks are no tasks.
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return None
    return None if asyncio.current_task() is None else loop


def _reactor_on(loop: asyncio.AbstractEventLoop) -> Any:
    from twisted.internet.asyncioreactor import AsyncioSelectorReactor  # noqa: PLC0415 - not always

    for other in [each for each in _reactors if each.is_closed()]:
        _close(_reactors.pop(other))
    if loop not in _reactors:
        _reactors[loop] = AsyncioSelectorReactor(loop)
    return _reactors[loop]


def _close(reactor: Any) -> None:
    # What wakes it when another thread calls has two descriptors, which nobody else closes.
    for waker in tuple(reactor._internalReaders):  # noqa: SLF001 - Twisted has no other way
        reactor._internalReaders.discard(waker)  # noqa: SLF001
        waker.connectionLost(None)
