"""A disk that can be full, can lose its file, and can see its server die in mid-save."""

from collections.abc import Callable
from enum import Enum

from multipaxos.chain.durable import DecidedLink, DurableState
from multipaxos.chain.effects import Save
from multipaxos.runtime.ports import StorageError


class PowerCut(BaseException):
    """Ends a server's process at once, wherever it stands; only the cluster catches it."""


class Cut(Enum):
    """When the power fails, seen from the next save."""

    BEFORE_SAVE = "before save"
    AFTER_SAVE = "after save"


class SimulatedDisk:
    """
    What outlives a server's process.

    State: the *state* saved last and the *history*; the number of the file's *life*, which a wipe
    ends; the faults that wait (*full* lasts, *cut* and *stall* happen at the next save); and the
    handle that holds the lock.
    """

    def __init__(self, state: DurableState | None = None) -> None:
        """Begin with *state* on the disk, or without a file."""
        self.state = state
        self.history: list[DecidedLink] = []
        self.life = 0
        self.full = False
        self.saves = 0
        self.cut: Cut | None = None
        self.stall: Callable[[], None] | None = None
        self._dying = False
        self._holder: SimulatedStorage | None = None

    def open(self) -> "SimulatedStorage":
        """Open the file for one process: StorageError while another one holds it."""
        if self._holder is not None:
            raise StorageError("another process holds the state file: stop it first")
        self._holder = SimulatedStorage(self)
        return self._holder

    def release(self) -> None:
        """Take the lock from whoever holds it; its process has ended."""
        self._holder = None
        self._dying = False

    def wipe(self) -> None:
        """Lose the file."""
        assert self._holder is None, "the file of a running server cannot be lost"
        self.state = None
        self.history = []
        self.life += 1

    def write(self, holder: "SimulatedStorage", save: Save) -> None:
        """Keep *save* for *holder*, unless a fault is due."""
        assert holder is self._holder, "OneProcessOneFile: written without the lock"
        stall, self.stall = self.stall, None
        if stall is not None:
            stall()
        cut, self.cut = self.cut, None
        if cut is Cut.BEFORE_SAVE:
            raise PowerCut
        if self.full:
            raise StorageError("the disk is full: make room and start the server again")
        self.state = save.state
        self.history.extend(save.decided)
        self.saves += 1
        self._dying = cut is Cut.AFTER_SAVE

    def die_if_due(self) -> None:
        """Raise PowerCut if the power fails right after the save that was just seen."""
        dying, self._dying = self._dying, False
        if dying:
            raise PowerCut


class SimulatedStorage:
    """One process' hold on a disk: the twin of the storages in :mod:`multipaxos.runtime`."""

    def __init__(self, disk: SimulatedDisk) -> None:
        """Write to *disk*."""
        self._disk = disk

    def load(self) -> DurableState | None:
        """Return what was saved last, or None."""
        return self._disk.state

    def save(self, save: Save) -> None:
        """Keep *save*; StorageError when the disk is full."""
        self._disk.write(self, save)

    def history(self, count: int) -> list[DecidedLink]:
        """Return the newest *count* decided links, the oldest of them first."""
        return self._disk.history[-count:] if count else []

    def close(self) -> None:
        """Release the lock."""
        self._disk.release()
