"""The directory that a server's state is kept in, and the lock that keeps it to one process."""

import fcntl
import os
import re
import stat
from contextlib import suppress
from pathlib import Path

from platformdirs import user_state_path

from multipaxos.runtime.ports import StorageError

LOCK_BYTES_MAX = 200
WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_FULL_SYNC: int | None = getattr(fcntl, "F_FULLFSYNC", None)
"""On macOS, fsync leaves data in the drive's cache; this does not."""
_LOCK_TEXT = re.compile(rb"\s*(?P<pid>\d+) (?P<file>[0-9a-f]+) +(?P<saves>\d+)\n")


def default_directory(cluster: str) -> Path:
    """Return where the servers of *cluster* keep their state on this machine, by its customs."""
    return user_state_path("multipaxos", appauthor=False) / cluster


def sync_file(descriptor: int) -> None:
    """Return when the open file is on disk; OSError if that fails."""
    if _FULL_SYNC is None:
        os.fsync(descriptor)
    else:
        fcntl.fcntl(descriptor, _FULL_SYNC)


def sync_directory(directory: Path) -> None:
    """Make the names in *directory* durable: a file's own fsync does not cover its name."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        sync_file(descriptor)
    finally:
        os.close(descriptor)


class Place:
    """
    A directory in use by one server in one process, from the construction to :meth:`close`.

    State: the open lock file. Beside the holder's process id it notes, after each save, which file
    holds the state and how often it was saved. That note is not synced: it never runs ahead of the
    state, and after a mere crash of the process it is exact. So a state with fewer saves than noted
    is an old copy.
    """

    def __init__(self, directory: Path, uid: str) -> None:
        """Make the *directory* if need be, and lock *uid*'s state in it; StorageError if not."""
        try:
            _make(directory)
            _check(directory)
            self._lock = _take_lock(directory / f"{uid}.lock")
        except OSError as error:
            raise StorageError(
                f"cannot keep state in {directory}: {error.strerror}. Name a directory that this "
                "user may write, with --data"
            ) from error
        self._noted = _LOCK_TEXT.fullmatch(os.pread(self._lock, LOCK_BYTES_MAX, 0))
        with suppress(OSError):
            os.ftruncate(self._lock, 0)
        file, saves = ("0", 0) if self._noted is None else _file_and_saves(self._noted)
        self.note(file, saves)

    def saves_noted(self, file: str) -> int:
        """Return how many saves of *file* were noted, zero if the note is about another one."""
        noted_file, saves = ("", 0) if self._noted is None else _file_and_saves(self._noted)
        return saves if noted_file == file else 0

    def note(self, file: str, saves: int) -> None:
        """Note that *file* was saved *saves* times."""
        with suppress(OSError):  # An older note only notices less.
            os.pwrite(self._lock, b"%10d %s %20d\n" % (os.getpid(), file.encode(), saves), 0)

    def close(self) -> None:
        """Let another process have the place."""
        os.close(self._lock)


def _file_and_saves(noted: re.Match[bytes]) -> tuple[str, int]:
    return noted["file"].decode(), int(noted["saves"])


def _make(directory: Path) -> None:
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)
        sync_directory(path.parent)


def _check(directory: Path) -> None:
    status = directory.stat()
    if status.st_mode & WRITABLE_BY_OTHERS:
        raise StorageError(
            f"others than its owner may write {directory}, and so change what a server promised: "
            f"run chmod go-w {directory}, or name another directory with --data"
        )
    if status.st_uid not in {os.geteuid(), 0}:
        raise StorageError(
            f"{directory} belongs to another user, who could change what a server promised: name "
            "another directory with --data"
        )


def _take_lock(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = _LOCK_TEXT.fullmatch(os.pread(descriptor, LOCK_BYTES_MAX, 0))
        by = "another process" if holder is None else f"process {int(holder['pid'])}"
        os.close(descriptor)
        raise StorageError(
            f"{path} is held by {by}: the same server runs already. Stop that one first, or name "
            "another directory with --data"
        ) from None
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
