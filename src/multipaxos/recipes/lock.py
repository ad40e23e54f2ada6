"""
A replicated lock with a fencing token, for threads and for asyncio; the rules are in lock_rules.

>>> with Lock(value, key="printer", lease_seconds=10) as token:
...     print("print this, under token", token)
print this, under token 1

What the lock protects, here the printer, refuses a lower token than it has seen.
"""

import asyncio
import secrets
import time
from typing import Any, Generic, Protocol, TypeVar

from multipaxos.client.following import follow, follow_async
from multipaxos.errors import MultipaxosError
from multipaxos.recipes import lock_rules
from multipaxos.recipes.lock_rules import (
    CompareAndSet,
    Grant,
    Look,
    Read,
    Rule,
    Sleep,
    Terms,
    Wish,
)

NEVER = float("inf")
_BOOT_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", None)


def now_seconds() -> float:
    """Return the seconds since the machine booted; where the system counts it, asleep or not."""
    # A holder whose machine slept must know, when it wakes, that its time is over.
    return time.monotonic() if _BOOT_CLOCK is None else time.clock_gettime(_BOOT_CLOCK)


class LockLostError(MultipaxosError):
    """The lock is not held, or no longer; the message says why."""


class BlockingText(Protocol):
    """A value as :func:`multipaxos.connect` gives it; with a *key* before the rest, of that key."""

    def get(self, *key: str) -> str | None:
        """Return the text."""

    def compare_and_set(self, *arguments: Any) -> bool:
        """Set the text if it is as expected."""


class AsyncText(Protocol):
    """A value as :func:`multipaxos.connect_async` gives it."""

    async def get(self, *key: str) -> str | None:
        """Return the text."""

    async def compare_and_set(self, *arguments: Any) -> bool:
        """Set the text if it is as expected."""


V = TypeVar("V", BlockingText, AsyncText)


class _Holding(Generic[V]):
    """
    What both locks know: the terms, where the text is kept, and what is held.

    State: the *grant*, None while the lock is not held.
    """

    def __init__(
        self,
        value: V,
        *,
        key: str | None = None,
        lease_seconds: float = 10.0,
        clock_rate_error: float = 0.01,
    ) -> None:
        """Hold nothing yet. ValueError for a lease that does not last."""
        if not 0 < lease_seconds < NEVER:
            raise ValueError(f"lease_seconds must be above 0, not {lease_seconds!r}")
        self.terms = Terms(lease_seconds=lease_seconds, clock_rate_error=clock_rate_error)
        self.grant: Grant | None = None
        self._value: V = value
        self._key = () if key is None else (key,)

    @property
    def token(self) -> int:
        """The fencing token of what is held; LockLostError if nothing is."""
        return self._held().record.token

    @property
    def seconds_left(self) -> float:
        """For how long the lock is still held; zero or less if it is not."""
        return 0.0 if self.grant is None else self.grant.until - now_seconds()

    def _acquiring(self, timeout_seconds: float | None) -> Rule:
        give_up_at = NEVER if timeout_seconds is None else now_seconds() + timeout_seconds
        return lock_rules.acquire(secrets.token_hex(8), self.terms, give_up_at=give_up_at)

    def _renewing(self) -> Rule:
        return lock_rules.renew(self._held().record, self.terms)

    def _releasing(self) -> Rule:
        grant, self.grant = self._held(), None
        return lock_rules.release(grant.record)

    def _held(self) -> Grant:
        if self.grant is None:
            raise LockLostError("the lock is not held: acquire it first")
        return self.grant

    def _tell_if_lost(self, error: type[BaseException] | None, *, is_lost: bool) -> None:
        if is_lost and error is None:
            raise LockLostError(
                "the lock's time was up before the work under it was done: renew it in time, or "
                "take longer leases"
            )

    def _take(self, grant: Grant | None) -> None:
        self.grant = grant
        if grant is None:
            raise LockLostError("the lock was lost: its time was up before it was renewed")


class Lock(_Holding[BlockingText]):
    """
    A lock for threads, kept in *value*: in a register, or in a dictionary at *key*.

    Whoever holds it must :meth:`renew` it before *lease_seconds* are over, or lose it. One object
    is one candidate: threads that compete have one each.
    """

    def acquire(self, *, timeout_seconds: float | None = None) -> bool:
        """Wait until the lock is held, *timeout_seconds* at most; tell whether it is."""
        self.grant = follow(self._acquiring(timeout_seconds), self._fulfil)
        return self.grant is not None

    def renew(self) -> None:
        """Hold it for a whole lease from now on; LockLostError if somebody else has it."""
        self._take(follow(self._renewing(), self._fulfil))

    def release(self) -> None:
        """Let others have it. If that fails, they have it when its time is up."""
        follow(self._releasing(), self._fulfil)

    def __enter__(self) -> int:
        self.acquire()
        return self.token

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        is_lost = self.seconds_left <= 0
        if self.grant is not None:
            self.release()
        self._tell_if_lost(error, is_lost=is_lost)

    def _fulfil(self, wish: Wish) -> object:
        match wish:
            case Read():
                return self._value.get(*self._key)
            case CompareAndSet(expected=expected, new=new):
                return self._value.compare_and_set(*self._key, expected, new)
            case Look():
                return now_seconds()
            case Sleep(seconds=seconds):
                time.sleep(seconds)
                return None


class AsyncLock(_Holding[AsyncText]):
    """The same lock for asyncio: *value* comes from :func:`multipaxos.connect_async`."""

    async def acquire(self, *, timeout_seconds: float | None = None) -> bool:
        """Wait until the lock is held, *timeout_seconds* at most; tell whether it is."""
        self.grant = await follow_async(self._acquiring(timeout_seconds), self._fulfil)
        return self.grant is not None

    async def renew(self) -> None:
        """Hold it for a whole lease from now on; LockLostError if somebody else has it."""
        self._take(await follow_async(self._renewing(), self._fulfil))

    async def release(self) -> None:
        """Let others have it. If that fails, they have it when its time is up."""
        await follow_async(self._releasing(), self._fulfil)

    async def __aenter__(self) -> int:
        await self.acquire()
        return self.token

    async def __aexit__(self, error: type[BaseException] | None, *_: object) -> None:
        is_lost = self.seconds_left <= 0
        if self.grant is not None:
            await self.release()
        self._tell_if_lost(error, is_lost=is_lost)

    async def _fulfil(self, wish: Wish) -> object:
        match wish:
            case Read():
                return await self._value.get(*self._key)
            case CompareAndSet(expected=expected, new=new):
                return await self._value.compare_and_set(*self._key, expected, new)
            case Look():
                return now_seconds()
            case Sleep(seconds=seconds):
                await asyncio.sleep(seconds)
                return None
