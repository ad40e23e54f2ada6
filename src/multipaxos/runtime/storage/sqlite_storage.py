"""The state in an SQLite database: one small transaction a save."""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from typing_extensions import override

from multipaxos.chain.durable import DecidedLink, DurableState
from multipaxos.chain.effects import Save
from multipaxos.chain.ledger import replay
from multipaxos.runtime.codec import (
    decode_link,
    decode_snapshot,
    decode_votes,
    encode_link,
    encode_snapshot,
    encode_votes,
)
from multipaxos.runtime.storage.base import (
    Contents,
    DamagedError,
    FileStorage,
    Identity,
    check,
    checksum,
    refuse_other_format,
)
from multipaxos.runtime.storage.checkpoint import Checkpoint, fill, lead_there

SCHEMA = """
    CREATE TABLE identity (
        format INTEGER NOT NULL, cluster TEXT NOT NULL, uid TEXT NOT NULL,
        machine_kind TEXT NOT NULL, file TEXT NOT NULL
    );
    CREATE TABLE state (
        part TEXT PRIMARY KEY, saves INTEGER NOT NULL, instance INTEGER NOT NULL,
        sessions_max INTEGER NOT NULL, text BLOB NOT NULL, checksum TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE links (
        number INTEGER PRIMARY KEY, text BLOB NOT NULL, checksum TEXT NOT NULL
    );
"""
COMPANIONS = ("-wal", "-journal")
"""Files that SQLite keeps beside a database: they hold a part of what was saved."""
DAMAGE = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
"""What SQLite reports when the file is not what we wrote: SQLITE_ERROR is a missing table."""


class SqliteStorage(FileStorage):
    """
    One table row for the votes, one for a snapshot, and one for each link.

    A link saves itself, not the state that it leads to: the snapshot is that of an earlier link, a
    *checkpoint*, and is brought up to date when the state is loaded, by applying the links since
    then (as any log-structured store; Lampson and Sturgis 1976). It is written anew when those take
    more bytes than itself, so that writing it costs as much again as writing the links; and where
    links were skipped in a catch-up.

    The database runs in WAL mode with ``synchronous=FULL``: a commit returns when it is on disk.
    The first save makes the whole database under another name and then renames it, so that a
    database without a state is never seen, whenever the process ends. What was committed since the
    last checkpoint is in ``<uid>.sqlite3-wal``, which is as much a part of the state.
    """

    kind = "sqlite"

    def __init__(self, directory: Path, **arguments: Any) -> None:
        super().__init__(directory, **arguments)
        self._database: sqlite3.Connection | None = None
        self._checkpoint = Checkpoint()

    # -------------------------------------------------------------------------------------- reading

    @override
    def _read(self) -> Contents | None:
        if not self.path.exists():
            self._refuse_remains()
            return None
        if self.path.stat().st_size == 0:
            # SQLite takes an empty file for a new database.
            raise DamagedError("it is empty")
        self._sync_all_files()
        try:
            self._database = _connect(self.path)
            contents = self._read_contents(self._database)
            _make_durable(self._database)
        except sqlite3.Error as error:
            if error.sqlite_errorcode & 0xFF in DAMAGE:
                raise DamagedError(str(error)) from error
            raise
        return contents

    def _sync_all_files(self) -> None:
        # Before SQLite opens them: closing a file here would end the locks that it holds there.
        # A process that died in its commit may have left one that others can read and a power cut
        # can take back. Nobody may act upon it before it is durable.
        for path in (self.path, *(self.path.with_name(self.path.name + c) for c in COMPANIONS)):
            if path.exists():
                self.files.sync(path)
        self.files.sync_directory(self.path.parent)

    def _refuse_remains(self) -> None:
        for companion in COMPANIONS:
            remains = self.path.with_name(self.path.name + companion)
            if remains.exists():
                raise DamagedError(
                    f"it is missing, while {remains.name}, which belongs to it, is there (move "
                    "that away, too)"
                )

    def _read_contents(self, database: sqlite3.Connection) -> Contents:
        (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise DamagedError(str(verdict))
        identity = _read_identity(database, self.path)
        rows = {
            part: (saves, instance, sessions_max, check(text, expected))
            for part, saves, instance, sessions_max, text, expected in database.execute(
                "SELECT part, CAST(saves AS INTEGER), CAST(instance AS INTEGER), "
                "CAST(sessions_max AS INTEGER), CAST(text AS BLOB), checksum FROM state"
            )
        }
        if rows.keys() != {"votes", "snapshot"}:
            raise DamagedError("a part of the state is missing")
        _, since, sessions_max, snapshot = rows["snapshot"]
        saves, until, _, votes = rows["votes"]
        links = self._read_links(database, since, until)
        self._checkpoint = Checkpoint(
            instance=since,
            size=len(snapshot),
            links_size=sum(len(text) for _, text in links),
            is_outdated=sessions_max != self.sessions_max,
        )
        newest = replay(
            decode_snapshot(snapshot),
            [DecidedLink(number=number, link=decode_link(text)) for number, text in links],
            machine=self.machine,
            # As many as were remembered when these links were applied first.
            sessions_max=sessions_max,
        )
        return Contents(identity=identity, saves=saves, state=decode_votes(votes, newest))

    def _read_links(
        self, database: sqlite3.Connection, since: int, until: int
    ) -> list[tuple[int, bytes]]:
        """Return the links from *since* on and before *until*, which must all be there."""
        links = [
            (number, check(text, expected))
            for number, text, expected in database.execute(
                "SELECT number, CAST(text AS BLOB), checksum FROM links "
                "WHERE number >= ? AND number < ? ORDER BY number",
                (since, until),
            )
        ]
        if not fill([number for number, _ in links], since, until):
            raise DamagedError(f"it needs the links {since} to {until - 1}, and some are gone")
        return links

    @override
    def _newest_links(self, count: int) -> list[DecidedLink]:
        if self._database is None:
            return []
        rows = self._database.execute(
            "SELECT number, CAST(text AS BLOB), checksum FROM links ORDER BY number DESC LIMIT ?",
            (max(0, min(count, self.history_max)),),
        ).fetchall()
        return [
            DecidedLink(number=number, link=decode_link(check(text, expected)))
            for number, text, expected in reversed(rows)
        ]

    # -------------------------------------------------------------------------------------- writing

    @override
    def _write(self, save: Save, before: DurableState | None, saves: int) -> None:
        if self._database is None:
            self._create(save, saves)
            self._database = _connect(self.path)
            _make_durable(self._database)
        else:
            self._write_changes(self._database, save, before, saves)

    def _create(self, save: Save, saves: int) -> None:
        new = self.path.with_name(self.path.name + ".new")
        for leftover in (new, *(new.with_name(new.name + end) for end in COMPANIONS)):
            with suppress(FileNotFoundError):
                leftover.unlink()
        os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(sqlite3.connect(new, isolation_level=None)) as database:
            database.execute("PRAGMA synchronous = FULL")
            database.executescript(SCHEMA)
            identity = self.identity
            database.execute(
                "INSERT INTO identity VALUES (?, ?, ?, ?, ?)",
                (
                    identity.format,
                    identity.cluster,
                    identity.uid,
                    identity.machine_kind,
                    identity.file,
                ),
            )
            self._write_changes(database, save, None, saves)
        self.files.sync(new)
        self.files.rename(new, self.path)
        self.files.sync_directory(self.path.parent)

    def _write_changes(
        self, database: sqlite3.Connection, save: Save, before: DurableState | None, saves: int
    ) -> None:
        state = save.state
        database.execute("BEGIN IMMEDIATE")
        try:
            links = [(decided.number, encode_link(decided.link)) for decided in save.decided]
            checkpoint = self._checkpoint.after(links)
            if checkpoint.is_due or not lead_there(save, before):
                text = encode_snapshot(state.snapshot)
                checkpoint = Checkpoint(instance=state.instance, size=len(text))
                self._put_part(database, "snapshot", saves, state.instance, text)
            self._put_part(database, "votes", saves, state.instance, encode_votes(state))
            self._put_links(database, links, keep_from=checkpoint.instance)
            database.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                database.execute("ROLLBACK")
            raise
        self._checkpoint = checkpoint

    def _put_part(
        self, database: sqlite3.Connection, part: str, saves: int, instance: int, text: bytes
    ) -> None:
        row = (part, saves, instance, self.sessions_max, text, checksum(text))
        database.execute("INSERT OR REPLACE INTO state VALUES (?, ?, ?, ?, ?, ?)", row)

    def _put_links(
        self, database: sqlite3.Connection, links: Sequence[tuple[int, bytes]], *, keep_from: int
    ) -> None:
        """Append *links*; forget those that are too old, and not needed after a checkpoint."""
        rows = [(number, text, checksum(text)) for number, text in links]
        database.executemany("INSERT OR REPLACE INTO links VALUES (?, ?, ?)", rows)
        if links:
            database.execute(
                "DELETE FROM links WHERE number < ? "
                "AND number <= (SELECT max(number) FROM links) - ?",
                (keep_from, self.history_max),
            )

    @override
    def _close_file(self) -> None:
        database, self._database = self._database, None
        if database is not None:
            with suppress(sqlite3.Error):  # What was committed is safe, closed or not.
                database.close()


def _connect(path: Path) -> sqlite3.Connection:
    # mode=rw: never make a new database in the place of one that somebody just removed.
    uri = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(uri, uri=True, isolation_level=None)


def _make_durable(database: sqlite3.Connection) -> None:
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("PRAGMA fullfsync = ON")  # For macOS, where fsync alone is not enough.


def _read_identity(database: sqlite3.Connection, path: Path) -> Identity:
    rows = database.execute("SELECT format FROM identity").fetchall()
    if len(rows) != 1 or not isinstance(rows[0][0], int):
        raise DamagedError("it does not say whose state it is")
    refuse_other_format(rows[0][0], path)
    found, cluster, uid, machine_kind, file = database.execute(
        "SELECT format, cluster, uid, machine_kind, file FROM identity"
    ).fetchone()
    return Identity(
        format=found,
        cluster=str(cluster),
        uid=str(uid),
        machine_kind=str(machine_kind),
        file=str(file),
    )
