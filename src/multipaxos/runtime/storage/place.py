"""The directory that a server's state is kept in, and the lock that keeps it to one process."""

import os
import re
from contextlib import suppress
from pathlib import Path

from platformdirs import user_state_path

from multipaxos.runtime.ports import StorageError
from multipaxos.runtime.storage.file_system import FileSystem, HeldError, LockFile

_LOCK_TEXT = re.compile(rb"\s*(?P<pid>\d+) (?P<file>[0-9a-f]+) +(?P<saves>\d+)\n")


def default_directory(cluster: str) -> Path:
    """Return where the servers of *cluster* keep their state on this machine, by its customs."""
    return user_state_path("multipaxos", appauthor=False) / cluster


class Place:
    """
    A directory in use by one server in one process, from the construction to :meth:`close`.

    State: the open lock file. Beside the holder's process id it notes, after each save, which file
    holds the state and how often it was saved. That note is not synced: it never runs ahead of the
    state, and after a mere crash of the process it is exact. So a state with fewer saves than noted
    is an old copy.
    """

    def __init__(self, directory: Path, uid: str, files: FileSystem) -> None:
        """Make the *directory* if need be, and lock *uid*'s state in it; StorageError if not."""
        try:
            files.prepare(directory)
            self._lock = _take_lock(directory / f"{uid}.lock", files)
        except OSError as error:
            raise StorageError(
                f"cannot keep state in {directory}: {error.strerror}. Name a directory that this "
                "user may write, with --data"
            ) from error
        self._noted = _LOCK_TEXT.fullmatch(self._lock.read())
        with suppress(OSError):
            self._lock.clear()
        file, saves = ("0", 0) if self._noted is None else _file_and_saves(self._noted)
        self.note(file, saves)

    def saves_noted(self, file: str) -> int:
        """Return how many saves of *file* were noted, zero if the note is about another one."""
        noted_file, saves = ("", 0) if self._noted is None else _file_and_saves(self._noted)
        return saves if noted_file == file else 0

    def note(self, file: str, saves: int) -> None:
        """Note that *file* was saved *saves* times."""
        with suppress(OSError):  # An older note only notices less.
            self._lock.write(b"%10d %s %20d\n" % (os.getpid(), file.encode(), saves))

    def close(self) -> None:
        """Let another process have the place."""
        self._lock.close()


def _file_and_saves(noted: re.Match[bytes]) -> tuple[str, int]:
    return noted["file"].decode(), int(noted["saves"])


def _take_lock(path: Path, files: FileSystem) -> LockFile:
    try:
        return files.lock(path)
    except HeldError as held:
        holder = _LOCK_TEXT.fullmatch(held.note)
        by = "another process" if holder is None else f"process {int(holder['pid'])}"
        raise StorageError(
            f"{path} is held by {by}: the same server runs already. Stop that one first, or name "
            "another directory with --data"
        ) from None
