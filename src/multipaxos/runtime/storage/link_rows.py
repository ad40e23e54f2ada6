"""The links in the SQLite storage: each is written once, when it is accepted or decided."""

import sqlite3
from dataclasses import dataclass

from composable_paxos import LOWEST
from multipaxos.chain.durable import DecidedLink, DurableState
from multipaxos.chain.effects import Save
from multipaxos.chain.links import Link
from multipaxos.runtime.codec import decode_link, encode_link
from multipaxos.runtime.storage.base import DamagedError
from multipaxos.runtime.storage.checkpoint import fill
from multipaxos.runtime.storage.rows import seal, unseal

HISTORY_BYTES_MAX = 64 * 1024 * 1024
"""The history has fewer links than it may have if those take more room than this."""
SWEPT_TOGETHER = 16
"""So many links are deleted in one save: each alone would change another page, more take long."""


@dataclass(frozen=True, slots=True)
class AcceptedRow:
    """The row of the link in progress: what was accepted there, and may yet be decided."""

    number: int
    link: Link
    text: bytes
    checksum: bytes


class LinkRows:
    """
    The decided links, and the value that was accepted in the instance in progress.

    Most values that are accepted are decided next: their row is there already, and stays. State:
    the *accepted* row; the *newest* decided link; where the oldest row may be, and how many bytes
    all rows take.
    """

    def __init__(self, *, history_max: int) -> None:
        """Begin without rows. *history_max* decided links are kept, and those that are needed."""
        self.history_max = history_max
        self.accepted: AcceptedRow | None = None
        self._newest = -1
        self._oldest = 0
        self._bytes = 0

    # -------------------------------------------------------------------------------------- reading

    def load(self, database: sqlite3.Connection, instance: int) -> None:
        """Take note of what there is; links from *instance* on are not decided."""
        oldest, size = database.execute(
            "SELECT min(number), total(length(text)) FROM links"
        ).fetchone()
        (newest,) = database.execute(
            "SELECT max(number) FROM links WHERE number < ?", (instance,)
        ).fetchone()
        self._oldest = oldest or 0
        self._bytes = int(size)
        self._newest = -1 if newest is None else newest

    def load_accepted(self, database: sqlite3.Connection, number: int) -> AcceptedRow:
        """Return the row of the value that was accepted in instance *number*; DamagedError."""
        rows = _read(database, "WHERE number = ?", (number,))
        if not rows:
            raise DamagedError("the value that it accepted is gone")
        ((_, text),) = rows
        self.accepted = AcceptedRow(number, decode_link(text), text, _seal(number, text))
        return self.accepted

    def between(
        self, database: sqlite3.Connection, since: int, until: int
    ) -> list[tuple[DecidedLink, int]]:
        """
        Return the links from *since* on and before *until*, each with its size in bytes.

        DamagedError unless all of them are there.
        """
        rows = _read(database, "WHERE number >= ? AND number < ? ORDER BY number", (since, until))
        if not fill([number for number, _ in rows], since, until):
            raise DamagedError(f"it needs the links {since} to {until - 1}, and some are gone")
        return [
            (DecidedLink(number=number, link=decode_link(text)), len(text)) for number, text in rows
        ]

    def history(self, database: sqlite3.Connection, count: int) -> list[DecidedLink]:
        """Return the newest *count* decided links of the history, the oldest of them first."""
        rows = _read(
            database,
            "WHERE number > ? AND number <= ? ORDER BY number DESC LIMIT ?",
            (self._newest - self.history_max, self._newest, max(0, count)),
        )
        return [
            DecidedLink(number=number, link=decode_link(text)) for number, text in reversed(rows)
        ]

    # -------------------------------------------------------------------------------------- writing

    def put(self, database: sqlite3.Connection, save: Save) -> list[tuple[Link, int]]:
        """Write what *save* has of links and is not there; return the decided, with their sizes."""
        undecided, links = self.accepted, []
        for decided in save.decided:
            text = encode_link(decided.link)
            links.append((decided.link, len(text)))
            self._newest = max(self._newest, decided.number)
            if undecided is not None and undecided.number == decided.number:
                row, undecided = undecided, None
                if row.text == text:
                    continue
                self._drop(database, row)
            self._put(database, decided.number, text, _seal(decided.number, text))
        accepted = _accepted_row(save.state, undecided)
        if accepted is not undecided:
            # What was accepted and not decided is no link.
            self._drop(database, undecided)
            if accepted is not None:
                self._put(database, accepted.number, accepted.text, accepted.checksum)
        self.accepted = accepted
        return links

    def sweep(self, database: sqlite3.Connection, *, needed_from: int) -> None:
        """Delete links that are too old, some at a time; none from *needed_from* on."""
        is_large = self._bytes > HISTORY_BYTES_MAX
        kept_from = needed_from
        if not is_large:
            kept_from = min(kept_from, self._newest - self.history_max + 1)
        if kept_from - self._oldest < (1 if is_large else SWEPT_TOGETHER):
            return
        swept = database.execute(
            "SELECT number, length(text) FROM links WHERE number < ? ORDER BY number LIMIT ?",
            (kept_from, SWEPT_TOGETHER),
        ).fetchall()
        self._oldest = swept[-1][0] + 1 if len(swept) == SWEPT_TOGETHER else kept_from
        self._bytes -= sum(size for _, size in swept)
        database.execute("DELETE FROM links WHERE number < ?", (self._oldest,))

    def _put(self, database: sqlite3.Connection, number: int, text: bytes, checksum: bytes) -> None:
        self._bytes += len(text)
        database.execute("INSERT OR REPLACE INTO links VALUES (?, ?, ?)", (number, text, checksum))

    def _drop(self, database: sqlite3.Connection, row: AcceptedRow | None) -> None:
        if row is not None:
            self._bytes -= len(row.text)
            database.execute("DELETE FROM links WHERE number = ?", (row.number,))


def _accepted_row(state: DurableState, row: AcceptedRow | None) -> AcceptedRow | None:
    """Return the row for what *state* has accepted: *row* itself, if it is that."""
    if state.acceptor.accepted_id == LOWEST:
        return None
    number, link = state.instance, state.acceptor.accepted_value
    if row is not None and row.number == number and row.link is link:
        return row
    text = encode_link(link)
    if row is not None and row.number == number and row.text == text:
        return row
    return AcceptedRow(number, link, text, _seal(number, text))


def _seal(number: int, text: bytes) -> bytes:
    return seal(("link", number), text)


def _read(
    database: sqlite3.Connection, which: str, parameters: tuple[int, ...]
) -> list[tuple[int, bytes]]:
    """Return number and text of the rows *which* are asked for; DamagedError."""
    query = f"SELECT number, CAST(text AS BLOB), checksum FROM links {which}"  # noqa: S608 - ours
    return [
        (number, unseal(("link", number), text, checksum))
        for number, text, checksum in database.execute(query, parameters)
    ]
