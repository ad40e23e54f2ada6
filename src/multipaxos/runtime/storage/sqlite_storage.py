"""The state in an SQLite database: one small transaction a save."""

import os
import sqlite3
from binascii import crc32
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from typing_extensions import override

from composable_paxos import LOWEST, AcceptorState
from multipaxos.chain.durable import DecidedLink, DurableState, Snapshot
from multipaxos.chain.effects import Save
from multipaxos.chain.ledger import replay
from multipaxos.runtime.codec import (
    decode_snapshot,
    decode_votes,
    encode_snapshot,
    encode_votes,
)
from multipaxos.runtime.storage.base import Contents, DamagedError, FileStorage
from multipaxos.runtime.storage.blocks import Blocks
from multipaxos.runtime.storage.checkpoint import Checkpoint, entries_of, keys_named, lead_there
from multipaxos.runtime.storage.link_rows import LinkRows
from multipaxos.runtime.storage.rows import (
    SCHEMA,
    check_votes,
    only_row,
    put_identity,
    put_votes,
    read_identity,
    read_votes,
    seal,
    unseal,
)

COMPANIONS = ("-wal", "-journal")
"""Files that SQLite keeps beside a database: they hold a part of what was saved."""
DAMAGE = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
"""What SQLite reports when the file is not what we wrote: SQLITE_ERROR is a missing table."""
LOG_PAGES = 1000
"""When its log has so many pages, SQLite moves them into the database."""
LOG_BYTES_MAX = 16 * 1024 * 1024
"""A log that was longer is cut, once it is moved."""


class SqliteStorage(FileStorage):
    """
    A row for each link, one for the votes, one for the snapshot, and blocks of entries.

    A link is written once, when its value is accepted; that it is decided, the number of the link
    in progress says. It saves itself, not the state that it leads to: that on disk is of an earlier
    link, a *checkpoint*, and is brought up to date when the state is loaded, by applying the links
    since then (as any log-structured store; Lampson and Sturgis 1976). A new checkpoint is written
    when those take more room; and where links were skipped in a catch-up. Of a keyed state it has
    the entries that changed.

    The database runs in WAL mode with ``synchronous=FULL``: a commit returns when it is on disk.
    What was committed last is in ``<uid>.sqlite3-wal``, which is as much a part of the state. The
    first save makes the whole database under another name and then renames it, so that a
    database without a state is never seen, whenever the process ends. There is one connection, in
    one thread: the database has no other reader or writer to agree with.

    State beyond the base class's: what the tables hold, as far as the next save asks for it. A save
    that fails leaves that wrong; but then nothing is saved any more.
    """

    kind = "sqlite"

    def __init__(self, directory: Path, **arguments: Any) -> None:
        super().__init__(directory, **arguments)
        self._database: sqlite3.Connection | None = None
        self._begin()

    def _begin(self) -> None:
        self._checkpoint = Checkpoint(uid=self.identity.uid, is_keyed=self.machine.is_keyed)
        self._links = LinkRows(history_max=self.history_max)
        self._blocks = Blocks()
        self._life: tuple[object, ...] = ()
        self._life_checksum = b""

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
            self._make_durable(self._database)
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
        self._begin()
        identity = read_identity(database, self.path)
        text, self._life_checksum = only_row(
            database, "SELECT CAST(text AS BLOB), checksum FROM life"
        )
        life = unseal(("life",), text, self._life_checksum)
        votes, checksum = read_votes(database)
        accepted = None
        if votes.accepted_id != LOWEST:
            accepted = self._links.load_accepted(database, votes.instance)
        check_votes(votes, self._checksums_with_votes(), checksum)
        self._links.load(database, votes.instance)
        state = replace(
            decode_votes(life, self._read_snapshot(database, votes.instance)),
            instance=votes.instance,
            acceptor=votes.acceptor(None if accepted is None else accepted.link),
        )
        self._life = _life_of(state)
        return Contents(identity=identity, saves=votes.saves, state=state)

    def _read_snapshot(self, database: sqlite3.Connection, until: int) -> Snapshot:
        """Return what the links before *until* amount to: the checkpoint, and those since then."""
        *facts, text, checksum = only_row(
            database,
            "SELECT instance, sessions_max, blocks_from, blocks_until, CAST(text AS BLOB), "
            "checksum FROM snapshot",
        )
        snapshot = decode_snapshot(unseal(("snapshot", *facts), text, checksum))
        since, sessions_max, blocks_from, blocks_until = facts
        is_keyed = blocks_from is not None
        self._blocks.load(database, blocks_from if is_keyed else blocks_until, blocks_until)
        if is_keyed:
            snapshot = replace(snapshot, value=self._blocks.entries)
        links = self._links.between(database, since, until)
        self._checkpoint.renew(since, len(text))
        for decided, size in links:
            self._checkpoint.follow(decided.link, size)
        self._checkpoint.is_outdated = sessions_max != self.sessions_max
        return replay(
            snapshot,
            [decided for decided, _ in links],
            machine=self.machine,
            # As many as were remembered when these links were applied first.
            sessions_max=sessions_max,
        )

    @override
    def _newest_links(self, count: int) -> list[DecidedLink]:
        return [] if self._database is None else self._links.history(self._database, count)

    # -------------------------------------------------------------------------------------- writing

    @override
    def _write(self, save: Save, before: DurableState | None, saves: int) -> None:
        if self._database is None:
            self._create(save, saves)
            self._database = _connect(self.path)
            self._make_durable(self._database)
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
            put_identity(database, self.identity)
            self._write_changes(database, save, None, saves)
        self.files.sync(new)
        self.files.rename(new, self.path)
        self.files.sync_directory(self.path.parent)

    def _write_changes(
        self, database: sqlite3.Connection, save: Save, before: DurableState | None, saves: int
    ) -> None:
        database.execute("BEGIN IMMEDIATE")
        try:
            self._write_rows(database, save, before, saves)
            database.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                database.execute("ROLLBACK")
            raise

    def _write_rows(
        self, database: sqlite3.Connection, save: Save, before: DurableState | None, saves: int
    ) -> None:
        state = save.state
        for link, size in self._links.put(database, save):
            self._checkpoint.follow(link, size)
        if not lead_there(save, before):
            self._put_checkpoint(database, state, are_links_known=False)
        elif self._checkpoint.is_due:
            self._put_checkpoint(database, state, are_links_known=True)
        self._links.sweep(database, needed_from=self._checkpoint.instance)
        self._put_life(database, state)
        put_votes(database, saves, state, self._checksums_with_votes())

    def _put_life(self, database: sqlite3.Connection, state: DurableState) -> None:
        life = _life_of(state)
        if life == self._life:
            return
        self._life = life
        text = encode_votes(replace(state, instance=0, acceptor=AcceptorState()))
        self._life_checksum = seal(("life",), text)
        database.execute(
            "INSERT OR REPLACE INTO life VALUES (1, ?, ?)", (text, self._life_checksum)
        )

    def _checksums_with_votes(self) -> bytes:
        accepted = self._links.accepted
        return self._life_checksum + (b"" if accepted is None else accepted.checksum)

    def _put_checkpoint(
        self, database: sqlite3.Connection, state: DurableState, *, are_links_known: bool
    ) -> None:
        """Write what the links before the instance in progress of *state* amount to."""
        snapshot = state.snapshot
        entries = entries_of(self.machine, snapshot.value)
        blocks_from = None
        if entries is not None:
            keys = None
            if are_links_known and not self._checkpoint.is_outdated:
                keys = keys_named(self._checkpoint.links, self.machine, at_most=len(entries))
            self._blocks.bring_to(database, entries, keys)
            blocks_from = self._blocks.since
            snapshot = replace(snapshot, value=None)
        text = encode_snapshot(snapshot)
        facts = (state.instance, self.sessions_max, blocks_from, self._blocks.until)
        database.execute(
            "INSERT OR REPLACE INTO snapshot VALUES (1, ?, ?, ?, ?, ?, ?)",
            (*facts, text, seal(("snapshot", *facts), text)),
        )
        self._checkpoint.renew(state.instance, len(text))

    def _make_durable(self, database: sqlite3.Connection) -> None:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("PRAGMA fullfsync = ON")  # For macOS, where fsync alone is not enough.
        # Not at the same link on all servers: see Checkpoint.
        pages = LOG_PAGES + crc32(self.identity.uid.encode()) % (LOG_PAGES // 4)
        database.execute(f"PRAGMA wal_autocheckpoint = {pages}")
        database.execute(f"PRAGMA journal_size_limit = {LOG_BYTES_MAX}")

    @override
    def _close_file(self) -> None:
        database, self._database = self._database, None
        if database is not None:
            with suppress(sqlite3.Error):  # What was committed is safe, closed or not.
                database.close()


def _connect(path: Path) -> sqlite3.Connection:
    # mode=rw: never make a new database in the place of one that somebody just removed.
    uri = f"{path.absolute().as_uri()}?mode=rw"
    database = sqlite3.connect(uri, uri=True, isolation_level=None)
    # Damaged text is found out by a checksum, and by nothing before.
    database.text_factory = partial(str, encoding="utf-8", errors="replace")
    return database


def _life_of(state: DurableState) -> tuple[object, ...]:
    """Return what seldom changes of a state."""
    return state.birth, state.founders, state.founding, state.votes_from
