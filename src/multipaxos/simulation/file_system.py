"""
A file system in memory that loses, when the power fails, what was not synced.

The twin of the one that the storages of real servers write to
(:mod:`multipaxos.runtime.storage.file_system`): their own code runs on it. It is stricter than
most: syncing a file does not make its name durable, and of names that changed, a power cut may keep
the first ones and lose the rest.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


class _Content:
    """What is in one file: as processes see it, and as it is on the platter."""

    def __init__(self, text: bytes = b"") -> None:
        self.text = text
        self.durable = text

    def tear(self, amount: float) -> str:
        """Keep of what was not synced the share *amount*; return what was lost, in words."""
        if self.text == self.durable:
            return ""
        kept = int(amount * (len(self.text) + 1))
        self.text = self.durable = self.text[:kept]
        return "torn write" if kept else "lost writes"


class SimulatedFileSystem:
    """
    Files by path.

    State: the names as processes see them; the names on the platter; and the changes between the
    two, oldest first. *before_step* is called before each change and each sync, and may raise what
    ends the process or fails it.
    """

    def __init__(self) -> None:
        """Begin without files."""
        self.before_step: Callable[[], None] = lambda: None
        self.steps = 0
        self._names: dict[Path, _Content] = {}
        self._durable_names: dict[Path, _Content] = {}
        self._changes: list[tuple[Path, _Content | None]] = []
        self._held: set[Path] = set()

    def prepare(self, directory: Path) -> None:
        """Do nothing: directories are names only, and belong to nobody."""

    def lock(self, path: Path) -> "SimulatedLockFile":
        """Hold *path*; its note is never synced, and an older one may come back."""
        assert path not in self._held, "the disk gives out one hold at a time"
        self._held.add(path)
        content = self._names.get(path)
        if content is None:
            content = self._names[path] = self._durable_names[path] = _Content()
        return SimulatedLockFile(content, lambda: self._held.discard(path))

    def exists(self, path: Path) -> bool:
        """Tell whether there is a file at *path*."""
        return path in self._names

    def read(self, path: Path) -> bytes:
        """Return the content of the file at *path*."""
        return self._find(path).text

    def remove(self, path: Path) -> None:
        """Remove the file at *path*."""
        self._find(path)
        self._step()
        self._change(path, None)

    @contextmanager
    def create(self, path: Path) -> Iterator["SimulatedNewFile"]:
        """Make a file at *path*, where there must be none."""
        if path in self._names:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        self._step()
        content = _Content()
        self._change(path, content)
        yield SimulatedNewFile(content, self._step)

    def rename(self, old: Path, new: Path) -> None:
        """Give the file at *old* the name *new*: one change, which is kept or lost as a whole."""
        content = self._find(old)
        self._step()
        self._change(new, content)
        self._change(old, None)

    def sync(self, path: Path) -> None:
        """Make the content of the file at *path* durable."""
        content = self._find(path)
        self._step()
        content.durable = content.text

    def sync_directory(self, directory: Path) -> None:
        """Make the names in *directory* durable."""
        self._step()
        for path, content in self._changes:
            if path.parent == directory:
                _put(self._durable_names, path, content)
        self._changes = [change for change in self._changes if change[0].parent != directory]

    def release(self) -> None:
        """End the holds of a process that died."""
        self._held.clear()

    def lose_power(self, amount: float) -> str:
        """Keep of what was not synced the share *amount*; return what was lost, in words."""
        kept = int(amount * (len(self._changes) + 1))
        lost = "lost writes" if kept < len(self._changes) else ""
        for path, content in self._changes[:kept]:
            _put(self._durable_names, path, content)
        self._changes.clear()
        self._names = dict(self._durable_names)
        for path, content in self._names.items():
            torn = content.tear(amount)
            if path.suffix != ".lock":
                lost = torn or lost
        return lost

    def wipe(self) -> None:
        """Lose all files."""
        self._names.clear()
        self._durable_names.clear()
        self._changes.clear()

    def _find(self, path: Path) -> _Content:
        content = self._names.get(path)
        if content is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return content

    def _change(self, path: Path, content: _Content | None) -> None:
        _put(self._names, path, content)
        self._changes.append((path, content))

    def _step(self) -> None:
        self.steps += 1
        self.before_step()


class SimulatedNewFile:
    """A file that is being written."""

    def __init__(self, content: _Content, step: Callable[[], None]) -> None:
        """Write to *content*."""
        self._content = content
        self._step = step

    def write(self, text: bytes) -> None:
        """Append *text*; it is not durable yet."""
        self._step()
        self._content.text += text

    def sync(self) -> None:
        """Make what was written durable."""
        self._step()
        self._content.durable = self._content.text


class SimulatedLockFile:
    """A file that one process at a time holds; its note is never synced."""

    def __init__(self, content: _Content, release: Callable[[], None]) -> None:
        """Write to *content*; *release* ends the hold."""
        self._content = content
        self._release = release

    def read(self) -> bytes:
        """Return the note."""
        return self._content.text

    def clear(self) -> None:
        """Empty the file."""
        self._content.text = b""

    def write(self, text: bytes) -> None:
        """Write *text* over the beginning of the note."""
        self._content.text = text + self._content.text[len(text) :]

    def close(self) -> None:
        """Let another process have the file."""
        self._release()


def _put(names: dict[Path, _Content], path: Path, content: _Content | None) -> None:
    if content is None:
        names.pop(path, None)
    else:
        names[path] = content
