"""
What the storages need of a file system: a port, so that a simulated one will do.

The simulator's twin loses what was not synced when the power fails; the storage on it is this one.
"""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from multipaxos.runtime.ports import StorageError

LOCK_BYTES_MAX = 200
WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_FULL_SYNC: int | None = getattr(fcntl, "F_FULLFSYNC", None)
"""On macOS, fsync leaves data in the drive's cache; this does not."""


class NewFile(Protocol):
    """A file that is being written."""

    def write(self, text: bytes) -> None:
        """Append *text*; it is not durable yet."""

    def sync(self) -> None:
        """Make what was written durable: the content, not the name."""


class LockFile(Protocol):
    """A file that one process at a time holds, with a short note in it that is never synced."""

    def read(self) -> bytes:
        """Return the note."""

    def clear(self) -> None:
        """Empty the file."""

    def write(self, text: bytes) -> None:
        """Write *text* over the beginning of the note."""

    def close(self) -> None:
        """Let another process have the file."""


class FileSystem(Protocol):
    """Files by path. What fails raises OSError."""

    def prepare(self, directory: Path) -> None:
        """Make *directory* if need be; StorageError if others than its owner may write there."""

    def lock(self, path: Path) -> LockFile:
        """Make the file at *path* if need be, and hold it. Raises HeldError."""

    def exists(self, path: Path) -> bool:
        """Tell whether there is a file at *path*."""

    def read(self, path: Path) -> bytes:
        """Return the content of the file at *path*."""

    def remove(self, path: Path) -> None:
        """Remove the file at *path*."""

    def create(self, path: Path) -> AbstractContextManager[NewFile]:
        """Make a file at *path*, where there must be none; close it at the end."""

    def rename(self, old: Path, new: Path) -> None:
        """Give the file at *old* the name *new*, in the place of what had it, in one step."""

    def sync(self, path: Path) -> None:
        """Make the content of the file at *path* durable."""

    def sync_directory(self, directory: Path) -> None:
        """Make the names in *directory* durable: a file's own sync does not cover its name."""


class HeldError(Exception):
    """Another process holds a file; the *note* in it may say which."""

    def __init__(self, note: bytes) -> None:
        super().__init__("another process holds the file")
        self.note = note


class RealFileSystem:
    """The files of this machine."""

    def prepare(self, directory: Path) -> None:
        """Make *directory* with all above it, for its owner alone, and see that it is so."""
        missing = [path for path in (directory, *directory.parents) if not path.exists()]
        for path in reversed(missing):
            path.mkdir(mode=0o700, exist_ok=True)
            self.sync_directory(path.parent)
        _check_owner(directory)

    def lock(self, path: Path) -> LockFile:
        """Hold *path* as long as this process lives, or until it is closed."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            note = os.pread(descriptor, LOCK_BYTES_MAX, 0)
            os.close(descriptor)
            raise HeldError(note) from None
        except OSError:
            os.close(descriptor)
            raise
        return _RealLockFile(descriptor)

    def exists(self, path: Path) -> bool:
        """Ask the system."""
        return path.exists()

    def read(self, path: Path) -> bytes:
        """Read all of it."""
        return path.read_bytes()

    def remove(self, path: Path) -> None:
        """Unlink it."""
        path.unlink()

    @contextmanager
    def create(self, path: Path) -> Iterator[NewFile]:
        """Make a file that only its owner may read."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            yield _RealNewFile(file)

    def rename(self, old: Path, new: Path) -> None:
        """Replace."""
        old.replace(new)

    def sync(self, path: Path) -> None:
        """Sync by a descriptor of its own: it covers what other processes wrote, too."""
        descriptor = os.open(path, os.O_RDONLY)
        try:
            sync_file(descriptor)
        finally:
            os.close(descriptor)

    def sync_directory(self, directory: Path) -> None:
        """Sync the directory itself."""
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            sync_file(descriptor)
        finally:
            os.close(descriptor)


REAL_FILES = RealFileSystem()


def sync_file(descriptor: int) -> None:
    """Return when the open file is on disk; OSError if that fails."""
    if _FULL_SYNC is None:
        os.fsync(descriptor)
    else:
        fcntl.fcntl(descriptor, _FULL_SYNC)


class _RealNewFile:
    """An open file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, text: bytes) -> None:
        self._file.write(text)

    def sync(self) -> None:
        self._file.flush()
        sync_file(self._file.fileno())


class _RealLockFile:
    """An open file with an advisory lock, which ends with its descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self) -> bytes:
        return os.pread(self._descriptor, LOCK_BYTES_MAX, 0)

    def clear(self) -> None:
        os.ftruncate(self._descriptor, 0)

    def write(self, text: bytes) -> None:
        os.pwrite(self._descriptor, text, 0)

    def close(self) -> None:
        os.close(self._descriptor)


def _check_owner(directory: Path) -> None:
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
