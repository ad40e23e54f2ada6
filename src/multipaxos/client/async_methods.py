"""The methods of a replicated value for those who await; all but one of them are sugar."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from typing import TypeVar, overload

from multipaxos.chain.requests import Outcome
from multipaxos.client import calls
from multipaxos.client.calls import Call

A = TypeVar("A")


class AsyncMethods(ABC):
    """
    Turns :meth:`execute` into methods with results, and its outcomes into errors.

    Without a key they are for a register, with one for a dictionary. All may raise RefusedError,
    CommandError and UnknownOutcomeError, and what else :meth:`execute` does.
    """

    @abstractmethod
    async def execute(self, *command: str) -> Outcome:
        """Return what became of any *command*, as a value, whatever it is."""

    # -- one value, or one key ---------------------------------------------------------------------

    @overload
    async def set(self, value: str, /) -> bool: ...

    @overload
    async def set(self, key: str, value: str, /, *, nx: bool = False, xx: bool = False) -> bool: ...

    async def set(self, *arguments: str, nx: bool = False, xx: bool = False) -> bool:
        """Set the value, or that of a key; tell whether it was done. See :meth:`Value.set`."""
        return await self._call(calls.set_value(*arguments, nx=nx, xx=xx))

    async def get(self, *key: str) -> str | None:
        """Return the value, or that of a *key*; None if there is none."""
        return await self._call(calls.get(*key))

    @overload
    async def compare_and_set(self, expected: str | None, new: str, /) -> bool: ...

    @overload
    async def compare_and_set(self, key: str, expected: str | None, new: str, /) -> bool: ...

    async def compare_and_set(self, *arguments: str | None) -> bool:
        """Set the value, or that of a key, to *new* if it is as *expected*; tell whether it was."""
        return await self._call(calls.compare_and_set(*arguments))

    # -- a dictionary ------------------------------------------------------------------------------

    async def delete(self, *keys: str) -> int:
        """Delete *keys*; return how many there were."""
        return await self._call(calls.delete(*keys))

    async def exists(self, *keys: str) -> int:
        """Return how many of *keys* there are; one named twice counts twice."""
        return await self._call(calls.exists(*keys))

    async def increment(self, key: str, amount: int = 1) -> int:
        """Add *amount* to the whole number at *key*, 0 if there is none; return the sum."""
        return await self._call(calls.increment(key, amount))

    async def append(self, key: str, text: str) -> int:
        """Append *text* to what is at *key*; return the length of that now."""
        return await self._call(calls.append(key, text))

    async def set_many(self, texts: Mapping[str, str]) -> None:
        """Set all these keys at once: nobody sees some of them set and others not."""
        await self._call(calls.set_many(texts))

    async def get_many(self, *keys: str) -> list[str | None]:
        """Return what is at *keys* at one moment, None where there is nothing."""
        return await self._call(calls.get_many(*keys))

    async def keys(self, pattern: str = "*") -> list[str]:
        """Return the keys that match *pattern*: ``*``, ``?``, ``[abc]``, as in Redis."""
        return await self._call(calls.keys(pattern))

    async def scan(self, pattern: str = "*") -> AsyncIterator[str]:
        """Yield the keys that match *pattern*, some at a time. See :meth:`Value.scan`."""
        cursor = ""
        while cursor != calls.SCAN_END:
            cursor, found = await self._call(calls.scan(cursor or calls.SCAN_END, pattern))
            for key in found:
                yield key

    async def size(self) -> int:
        """Return how many keys there are."""
        return await self._call(calls.size())

    async def _call(self, call: Call[A]) -> A:
        return call.answer(await self.execute(*call.command))
