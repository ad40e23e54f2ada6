"""Watching the state of a server in the same program."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, Self

from immutables import Map
from typing_extensions import override

from multipaxos.chain.effects import Changes
from multipaxos.client import Change
from multipaxos.embedding.surroundings import Promise, Surroundings
from multipaxos.runtime.change_log import ChangesMissingError, PlacedChange
from multipaxos.runtime.server import Server


class LocalWatch(AsyncIterator[Change]):
    """
    The changes at an embedded server, each once and in order, until it stops.

    State: the number of the next change.
    """

    def __init__(self, server: Server, surroundings: Surroundings, key: str | None) -> None:
        """Begin with the next change."""
        self._server = server
        self._surroundings = surroundings
        self._key = key
        self._log = server.change_log
        self._number = self._log.next_number
        self._waiting: list[Change] = []
        self._promise: Promise[None] | None = None
        self._is_closed = False

    @override
    async def __anext__(self) -> Change:
        """Wait for the next change."""
        while not self._waiting:
            if self._is_closed or self._log.is_closed:
                raise StopAsyncIteration
            self._take()
            if not self._waiting:
                await self._woken()
        return self._waiting.pop(0)

    async def close(self) -> None:
        """Watch no more."""
        self._is_closed = True
        self._log.wake(self, None)
        if self._promise is not None:
            self._promise.keep(None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _take(self) -> None:
        try:
            found = list(self._log.since(self._number))
        except ChangesMissingError:
            self._number = self._log.next_number
            self._waiting.append(_missed(self._server, self._key))
        else:
            self._number += len(found)
            self._waiting += [_plain(change) for change in found if self._key in (None, change.key)]

    async def _woken(self) -> None:
        promise = self._promise = self._surroundings.promise()
        self._log.wake(self, lambda: promise.keep(None))
        try:
            await promise
        finally:
            self._promise = None
            self._log.wake(self, None)


def told(changes: Changes, server: Server) -> Iterator[Change]:
    """Yield what somebody is told of *changes* at *server*."""
    if changes.changes is None:
        yield _missed(server, None)
        return
    for place, (key, value) in enumerate(changes.changes):
        yield Change(link=changes.link, index=place, key=key, value=value)


def _plain(change: PlacedChange) -> Change:
    link, place = change.position
    return Change(link=link, index=place, key=change.key, value=change.value)


def _missed(server: Server, key: str | None) -> Change:
    position = server.change_log.complete_after
    value = _current(server.replica.snapshot.value, key)
    return Change(link=position.link, index=position.place, key=key, value=value, missed=True)


def _current(state: Any, key: str | None) -> Any:
    if key is not None:
        return state.get(key) if isinstance(state, Map) else None
    return state if isinstance(state, str) else None
