"""
The entries of a keyed state, as a log of blocks in the SQLite storage.

A checkpoint appends blocks with the entries that changed, and changes no block that is there: a
table with a row for each key would have to touch as many pages as keys changed, which takes some
thirty times as many bytes. What the log holds of an entry before its newest value is garbage. When
it may be as much as the rest, all entries are appended again, some with each checkpoint, and the
blocks from before are deleted (Rosenblum and Ousterhout, The Design and Implementation of a
Log-Structured File System, 1992; the copying collectors of garbage do the same).
"""

import gc
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import inf
from typing import Any, TypeAlias

import msgspec
from immutables import Map

from multipaxos.chain.state_machine import State, freeze, is_same, thaw
from multipaxos.runtime.codec import MalformedDatagramError
from multipaxos.runtime.storage.base import DamagedError
from multipaxos.runtime.storage.rows import seal, unseal

BLOCK_BYTES = 64 * 1024
"""A block ends with the entry that makes it larger."""
GARBAGE_BYTES_MIN = 1024 * 1024
"""Less garbage is not worth the work."""
SWEPT_TOGETHER = 16
"""No more blocks are deleted with one checkpoint: it would take long."""

ABSENT: Any = object()

_Item: TypeAlias = tuple[str, State]
"""A key and what is there, ABSENT if nothing is."""


class _Block(msgspec.Struct, forbid_unknown_fields=True):
    """``{"set":{"key":"value"},"gone":["another key"]}``; what comes later in the log counts."""

    set: dict[str, Any]
    gone: list[str]


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Block)


class Blocks:
    """
    The log, and what it amounts to.

    State: the *entries* on disk; the blocks that count, those *since* one number and before *until*
    another, and where the *oldest* may be that does not; how many bytes those that count take, and
    about how many of these are no garbage; while all entries are appended again, the keys that are
    *left*, the number at which that began, and the bytes of then.
    """

    def __init__(self) -> None:
        """Begin without a block."""
        self.entries: Map[str, State] = Map()
        self.since = 0
        self.until = 0
        self._oldest = 0
        self._bytes = 0
        self._bytes_alive = 0
        self._left: Iterator[str] | None = None
        self._began_at = 0
        self._bytes_before = 0

    def load(self, database: sqlite3.Connection, since: int, until: int) -> None:
        """Read the blocks from *since* on and before *until*, none if equal; DamagedError."""
        self.since, self.until = since, until
        (oldest,) = database.execute("SELECT min(number) FROM blocks").fetchone()
        self._oldest = since if oldest is None else oldest
        entries: Any = Map[str, State]().mutate()
        count = 0
        with _no_garbage_collection():
            for block, size in _read(database, since, until):
                self._bytes += size
                count += len(block.set) + len(block.gone)
                entries.update(_frozen(block.set))
                for key in block.gone:
                    entries.pop(key, None)
            self.entries = entries.finish()
        self._bytes_alive = self._bytes * len(self.entries) // max(1, count)

    def bring_to(
        self, database: sqlite3.Connection, now: Map[str, State], keys: Sequence[str] | None
    ) -> None:
        """
        Make the log amount to *now*, which differs from :attr:`entries` in *keys* at most.

        With None for *keys*, all are looked at.
        """
        then, self.entries = self.entries, now
        appended, count = self._append(database, _differing(then, now, keys))
        # What is new makes no garbage.
        self._bytes_alive += appended * max(0, len(now) - len(then)) // max(1, count)
        self._tidy(database, 2 * appended + BLOCK_BYTES)
        self._sweep(database)

    def _tidy(self, database: sqlite3.Connection, bytes_max: int) -> None:
        """Append entries again that are not new, of *bytes_max* bytes, if there is garbage."""
        if self._left is None:
            if self._bytes <= 2 * self._bytes_alive + GARBAGE_BYTES_MIN:
                return
            self._left = iter(self.entries)
            self._began_at, self._bytes_before = self.until, self._bytes
        now = self.entries
        left = ((key, value) for key in self._left if (value := now.get(key, ABSENT)) is not ABSENT)
        appended, _ = self._append(database, left, bytes_max)
        if appended < bytes_max:
            # All that was there when this began has been appended since, and so has what changed.
            self._left = None
            self.since = self._began_at
            self._bytes -= self._bytes_before
            self._bytes_alive = self._bytes

    def _sweep(self, database: sqlite3.Connection) -> None:
        if self._oldest < self.since:
            self._oldest = min(self._oldest + SWEPT_TOGETHER, self.since)
            database.execute("DELETE FROM blocks WHERE number < ?", (self._oldest,))

    def _append(
        self, database: sqlite3.Connection, items: Iterator[_Item], bytes_max: float = inf
    ) -> tuple[int, int]:
        """Append *items*, up to *bytes_max* bytes; return the bytes and the count."""
        appended = count = 0
        while appended < bytes_max:
            block = _compose(items)
            if not block.set and not block.gone:
                break
            text = _encode(block)
            row = (self.until, text, seal(("block", self.until), text))
            database.execute("INSERT INTO blocks VALUES (?, ?, ?)", row)
            self.until += 1
            appended += len(text)
            count += len(block.set) + len(block.gone)
        self._bytes += appended
        return appended, count


def _compose(items: Iterator[_Item]) -> _Block:
    """Return a block with the next *items*."""
    entries: dict[str, Any] = {}
    gone: list[str] = []
    size = 0
    for key, value in items:
        if value is ABSENT:
            gone.append(key)
        elif type(value) is str:
            entries[key] = value
            size += len(value)
        else:
            text = _encode(thaw(value))
            entries[key] = msgspec.Raw(text)
            size += len(text)
        size += len(key)
        if size >= BLOCK_BYTES:
            break
    return _Block(set=entries, gone=gone)


def _differing(
    then: Map[str, State], now: Map[str, State], keys: Sequence[str] | None
) -> Iterator[_Item]:
    """Return the entries that differ; those of *keys* only, unless others must differ, too."""
    if keys is not None:
        changed, grown = [], 0
        for key in keys:
            before, after = then.get(key, ABSENT), now.get(key, ABSENT)
            if before is not after:
                changed.append((key, after))
                grown += (before is ABSENT) - (after is ABSENT)
        if len(then) + grown == len(now):
            return iter(changed)
    return _all_differing(then, now)


def _all_differing(then: Map[str, State], now: Map[str, State]) -> Iterator[_Item]:
    for key, after in now.items():
        before = then.get(key, ABSENT)
        if before is not after and not is_same(before, after):
            yield key, after
    for key in then:
        if key not in now:
            yield key, ABSENT


def _read(database: sqlite3.Connection, since: int, until: int) -> Iterator[tuple[_Block, int]]:
    expected = since
    for number, found, checksum in database.execute(
        "SELECT number, CAST(text AS BLOB), checksum FROM blocks "
        "WHERE number >= ? AND number < ? ORDER BY number",
        (since, until),
    ):
        text = unseal(("block", expected), found, checksum)
        try:
            yield _decoder.decode(text), len(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise DamagedError(str(error)) from error
        expected = number + 1
    if expected != until:
        raise DamagedError("entries of the state are gone")


def _encode(value: object) -> bytes:
    try:
        return _encoder.encode(value)
    except (UnicodeEncodeError, OverflowError) as error:
        raise MalformedDatagramError(str(error)) from error


def _frozen(entries: dict[str, Any]) -> dict[str, State]:
    if all(type(value) is str for value in entries.values()):
        return entries
    return {key: freeze(value) for key, value in entries.items()}


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Let Python not look for cycles again and again while there are only more and more objects."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
