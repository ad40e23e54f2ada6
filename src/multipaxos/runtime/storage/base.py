"""What both storages have in common: when they open, whose state it is, and what they refuse."""

import hashlib
import os
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from multipaxos.chain.durable import DecidedLink, DurableState
from multipaxos.chain.effects import Save
from multipaxos.chain.state_machine import StateMachine
from multipaxos.runtime.codec import MalformedDatagramError
from multipaxos.runtime.ports import StorageError
from multipaxos.runtime.storage.file_system import REAL_FILES, FileSystem
from multipaxos.runtime.storage.place import Place

FORMAT = 3
"""The version of both file formats. A newer one is refused, never guessed at."""
SUFFIXES = {"sqlite": ".sqlite3", "json": ".json"}


class DamagedError(Exception):
    """A state file is there, and is not what was saved; the message says in what way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whose state a file holds. *file* names this very file, at random, for the note of saves."""

    format: int
    cluster: str
    uid: str
    machine_kind: str
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a state file holds: the state as of the *saves*-th save."""

    identity: Identity
    saves: int
    state: DurableState


def checksum(text: bytes) -> str:
    """Return what tells *text* from a damaged copy of it."""
    return hashlib.sha256(text).hexdigest()


def check(text: bytes, expected: str) -> bytes:
    """Return *text* if its checksum is the *expected* one; DamagedError otherwise."""
    if checksum(text) != expected:
        raise DamagedError("its checksum is wrong")
    return text


class FileStorage(ABC):
    """
    The :class:`~multipaxos.runtime.ports.Storage` of a real server, in one file of *directory*.

    The *machine* and *sessions_max* are those that the links are applied with.

    State: the *place*, once the storage was used; the file's identity; the state saved last. After
    a save that failed the storage refuses any other: what is on disk is uncertain then.

    The constructor does nothing; the first use opens, and raises StorageError for what it refuses.
    """

    kind: ClassVar[str]

    def __init__(
        self,
        directory: Path,
        *,
        cluster: str,
        uid: str,
        machine: StateMachine,
        sessions_max: int,
        history_max: int,
        files: FileSystem = REAL_FILES,
    ) -> None:
        self.files = files
        self.path = Path(directory) / f"{uid}{SUFFIXES[self.kind]}"
        self.machine = machine
        self.sessions_max = sessions_max
        self.history_max = history_max
        self.identity = Identity(
            format=FORMAT,
            cluster=cluster,
            uid=uid,
            machine_kind=machine.kind,
            file=os.urandom(8).hex(),
        )
        self._place: Place | None = None
        self._state: DurableState | None = None
        self._saves = 0
        self._has_failed = False

    def load(self) -> DurableState | None:
        """Return the state saved last, None if there never was one; StorageError if in doubt."""
        self._open()
        return self._state

    def save(self, save: Save) -> None:
        """Make *save* durable; StorageError if that cannot be promised, and then ever after."""
        if self._has_failed:
            raise StorageError(f"an earlier save to {self.path} failed: nothing more is saved")
        place = self._open()
        self._has_failed = True
        try:
            self._write(save, self._state, self._saves + 1)
        except (OSError, sqlite3.Error, MalformedDatagramError) as error:
            raise StorageError(
                f"cannot save to {self.path}: {reason(error)}. The server must stop, so that it "
                "does not say what it may forget: mend the cause and start it again"
            ) from error
        self._has_failed = False
        self._state = save.state
        self._saves += 1
        place.note(self.identity.file, self._saves)

    def history(self, count: int) -> list[DecidedLink]:
        """Return the newest *count* decided links that are kept, the oldest of them first."""
        self._open()
        try:
            return self._newest_links(count)
        except (sqlite3.Error, DamagedError, MalformedDatagramError) as error:
            raise StorageError(
                f"cannot read the history in {self.path}: {reason(error)}"
            ) from error

    def close(self) -> None:
        """Release the file and the lock."""
        place, self._place = self._place, None
        if place is not None:
            self._close_file()
            place.close()

    @abstractmethod
    def _read(self) -> Contents | None:
        """Return what the file holds; None if there is none; DamagedError."""

    @abstractmethod
    def _write(self, save: Save, before: DurableState | None, saves: int) -> None:
        """Make *save* durable; *before* is the state so far. OSError or sqlite3.Error if not."""

    @abstractmethod
    def _newest_links(self, count: int) -> list[DecidedLink]:
        """Return the newest *count* links, the oldest first."""

    @abstractmethod
    def _close_file(self) -> None:
        """Release the file."""

    def _open(self) -> Place:
        if self._place is None:
            place = Place(self.path.parent, self.identity.uid, self.files)
            try:
                self._refuse_other_kinds()
                self._take(self._read_or_refuse(), place)
            except StorageError:
                self._close_file()
                place.close()
                raise
            self._place = place
        return self._place

    def _refuse_other_kinds(self) -> None:
        for kind, suffix in SUFFIXES.items():
            other = self.path.with_suffix(suffix)
            if kind != self.kind and self.files.exists(other):
                uid = self.identity.uid
                raise StorageError(
                    f"the state of {uid} is in {other}: start it with --storage {kind}. A new "
                    f"state beside that one would forget what {uid} promised"
                )

    def _read_or_refuse(self) -> Contents | None:
        try:
            return self._read()
        except (DamagedError, MalformedDatagramError) as error:
            uid = self.identity.uid
            raise StorageError(
                f"{self.path} is damaged: {error}. What {uid} promised is lost. Move the file away "
                f"to start {uid} without memory: it then learns from a majority of the others "
                "before it votes. Do not put an older copy in its place"
            ) from error
        except (OSError, sqlite3.Error) as error:
            raise StorageError(
                f"cannot read {self.path}: {reason(error)}. Nothing is known to be damaged: mend "
                "the cause and start again"
            ) from error

    def _take(self, contents: Contents | None, place: Place) -> None:
        if contents is None:
            return
        self._refuse_foreign(contents.identity)
        noted = place.saves_noted(contents.identity.file)
        if noted > contents.saves:
            uid = self.identity.uid
            raise StorageError(
                f"{self.path} is an old copy: it was saved {contents.saves} times, the state that "
                f"{uid} had {noted} times (with SQLite, the file ending in -wal is part of it). "
                f"Put the newest state back, or move this one away to start {uid} without memory"
            )
        self.identity = contents.identity
        self._state = contents.state
        self._saves = contents.saves

    def _refuse_foreign(self, found: Identity) -> None:
        ours = self.identity
        if (found.cluster, found.uid) != (ours.cluster, ours.uid):
            raise StorageError(
                f"{self.path} is the state of server {found.uid} of cluster {found.cluster}, not "
                f"of {ours.uid} of {ours.cluster}: name its own directory with --data"
            )
        if found.machine_kind != ours.machine_kind:
            raise StorageError(
                f"{self.path} holds the state of a {found.machine_kind}, not of a "
                f"{ours.machine_kind}: a chain keeps the kind that it began with. Start it with "
                f"--state {found.machine_kind}, or name another directory with --data"
            )


def refuse_other_format(found: int, path: Path) -> None:
    """Refuse a file of another format than this program's."""
    if found > FORMAT:
        raise StorageError(
            f"{path} has format {found}, of a newer version of this program, which reads format "
            f"{FORMAT}: start it with that version"
        )
    if found < 1:
        raise DamagedError(f"there never was a format {found}")
    if found < FORMAT:
        raise StorageError(
            f"{path} has format {found}, of an older version of this program, and this one reads "
            f"format {FORMAT}: end the chain with that version, and begin a new one"
        )


def reason(error: Exception) -> str:
    """Return the words for *error*: the system's own, where it is the system's."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def first_kept(numbers: Iterable[int], history_max: int) -> int:
    """Return the lowest number that a history with these *numbers* keeps."""
    return max(numbers, default=0) - history_max + 1
