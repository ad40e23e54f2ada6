"""The tables of the SQLite storage, and what tells a row from a damaged one."""

import sqlite3
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from composable_paxos import AcceptorState, ProposalID
from multipaxos.chain.durable import DurableState
from multipaxos.runtime.storage.base import DamagedError, Identity, refuse_other_format

SCHEMA = """
    CREATE TABLE identity (
        format INTEGER NOT NULL, cluster TEXT NOT NULL, uid TEXT NOT NULL,
        machine_kind TEXT NOT NULL, file TEXT NOT NULL
    );
    CREATE TABLE life (id INTEGER PRIMARY KEY, text BLOB NOT NULL, checksum BLOB NOT NULL);
    CREATE TABLE votes (
        id INTEGER PRIMARY KEY, saves INTEGER NOT NULL, instance INTEGER NOT NULL,
        promised_number INTEGER NOT NULL, promised_uid TEXT NOT NULL,
        accepted_number INTEGER NOT NULL, accepted_uid TEXT NOT NULL, checksum BLOB NOT NULL
    );
    CREATE TABLE links (
        number INTEGER PRIMARY KEY, text BLOB NOT NULL, checksum BLOB NOT NULL
    );
    CREATE TABLE snapshot (
        id INTEGER PRIMARY KEY, instance INTEGER NOT NULL, sessions_max INTEGER NOT NULL,
        blocks_from INTEGER, blocks_until INTEGER, text BLOB NOT NULL, checksum BLOB NOT NULL
    );
    CREATE TABLE blocks (
        number INTEGER PRIMARY KEY, text BLOB NOT NULL, checksum BLOB NOT NULL
    );
"""
"""One row in identity, life, votes and snapshot; one for each link and block in the others."""


def seal(facts: tuple[object, ...], text: bytes = b"") -> bytes:
    """
    Return the checksum of a row with these *facts* and *text*.

    The facts say which row it is: one that stands in the place of another is found out, too.
    """
    checksum = sha256(repr(facts).encode())
    checksum.update(text)
    return checksum.digest()


def unseal(facts: tuple[object, ...], text: object, checksum: object) -> bytes:
    """Return the *text* of a row if the *checksum* fits it; DamagedError otherwise."""
    if not isinstance(text, bytes) or seal(facts, text) != checksum:
        raise DamagedError("its checksum is wrong")
    return text


@dataclass(frozen=True, slots=True)
class Votes:
    """What the row of the votes holds; the value that was accepted is a row of the links."""

    saves: int
    instance: int
    promised_id: ProposalID
    accepted_id: ProposalID

    @property
    def facts(self) -> tuple[object, ...]:
        """The columns, as they stand in the row."""
        promised, accepted = self.promised_id, self.accepted_id
        return (
            self.saves,
            self.instance,
            promised.number,
            promised.uid,
            accepted.number,
            accepted.uid,
        )

    def acceptor(self, value: Any) -> AcceptorState:
        """Return the acceptor's state, with the *value* that it accepted."""
        if self.accepted_id > self.promised_id:
            raise DamagedError("it accepted above its promise")
        return AcceptorState(
            promised_id=self.promised_id, accepted_id=self.accepted_id, accepted_value=value
        )


def put_votes(database: sqlite3.Connection, saves: int, state: DurableState, others: bytes) -> None:
    """
    Write the votes of *state*, which this is the *saves*-th save of.

    *others* are the checksums of the rows that belong to them: of the life, and of the value that
    was accepted. One of these rows that is older, and right by itself, does not pass for them.
    """
    acceptor = state.acceptor
    facts = Votes(saves, state.instance, acceptor.promised_id, acceptor.accepted_id).facts
    database.execute(
        "INSERT OR REPLACE INTO votes VALUES (1, ?, ?, ?, ?, ?, ?, ?)",
        (*facts, seal(facts, others)),
    )


def read_votes(database: sqlite3.Connection) -> tuple[Votes, object]:
    """Return the votes, and the checksum that :func:`check_votes` is to be asked about."""
    saves, instance, number, uid, accepted_number, accepted_uid, checksum = only_row(
        database,
        "SELECT saves, instance, promised_number, promised_uid, accepted_number, accepted_uid, "
        "checksum FROM votes",
    )
    votes = Votes(
        saves, instance, ProposalID(number, uid), ProposalID(accepted_number, accepted_uid)
    )
    return votes, checksum


def check_votes(votes: Votes, others: bytes, checksum: object) -> None:
    """Raise DamagedError unless *checksum* is that of *votes*, given those of the *others*."""
    unseal(votes.facts, others, checksum)


def put_identity(database: sqlite3.Connection, identity: Identity) -> None:
    """Write whose state this is."""
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


def read_identity(database: sqlite3.Connection, path: Path) -> Identity:
    """Return whose state it is; DamagedError, or StorageError for another format."""
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


def only_row(database: sqlite3.Connection, query: str) -> tuple[Any, ...]:
    """Return the one row that *query* finds; DamagedError if there is another number of them."""
    rows: list[tuple[Any, ...]] = database.execute(query).fetchall()
    if len(rows) != 1:
        raise DamagedError("a part of the state is missing")
    return rows[0]
