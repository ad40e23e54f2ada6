"""
A disk that keeps what was synced, and may lose or tear what was not.

A write goes to the system's cache; a sync puts it onto the platter, sector by sector. When a
process dies, the cache lives on, and in it what the process wrote. When the power fails, of what
was not synced some sectors may have reached the platter: none, all, or some of them, which is a
torn write.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from typing_extensions import override

from multipaxos.chain.durable import DecidedLink, DurableState
from multipaxos.chain.effects import Outbox, Save
from multipaxos.invariants.names import SAVED_BEFORE_SENT
from multipaxos.invariants.violation import InvariantViolation
from multipaxos.runtime.ports import StorageError


class PowerCut(BaseException):
    """Ends a server's process at once, wherever it stands; only the cluster catches it."""


class Cut(Enum):
    """At which point of the next save the process dies."""

    BEFORE_SAVE = "before save"
    IN_SAVE = "in save"
    AFTER_SAVE = "after save"


class Disk(ABC):
    """
    What outlives a server's process, and how it may fail.

    State: the *state* and the *history* for which a save returned last, and which must survive; the
    number of the file's *life*, which a wipe ends; the faults that wait: *full* lasts, *fails*,
    *cut* and *stall* happen at the next save; and who holds the lock. *amount*, from zero to one,
    tells how far a save gets that is cut or fails. The outbox of that save is *in_flight*, if it is
    known: its state may survive, and once a process has loaded it, it has *survived*.
    """

    def __init__(self) -> None:
        """Begin without a file."""
        self.state: DurableState | None = None
        self.history: list[DecidedLink] = []
        self.life = 0
        self.saves = 0
        self.full = False
        self.fails = False
        self.cut: Cut | None = None
        self.amount = 0.5
        self.stall: Callable[[], None] | None = None
        self.in_flight: Outbox | None = None
        self.survived: Outbox | None = None
        self._dying = False
        self._holder: object | None = None

    def open(self) -> "SimulatedStorage":
        """Open the file for one process: StorageError while another one holds it."""
        if self._holder is not None:
            raise StorageError("another process holds the state file: stop it first")
        storage = SimulatedStorage(self)
        self._holder = storage
        return storage

    def release(self) -> None:
        """Take the lock from whoever holds it; its process has ended."""
        self._holder = None
        self._dying = False
        self._release()

    def wipe(self) -> None:
        """Lose the file."""
        assert self._holder is None, "the file of a running server cannot be lost"
        self.state = None
        self.history = []
        self.in_flight = None
        self.life += 1
        self._wipe()

    def load(self) -> DurableState | None:
        """Return what is there; InvariantViolation if it is not what a save returned for."""
        found = self._load()
        torn, self.in_flight = self.in_flight, None
        if found != self.state:
            save = torn.save if torn is not None else None
            if save is None or save.state != found:
                raise InvariantViolation(
                    SAVED_BEFORE_SENT,
                    None if self.state is None else self.state.instance,
                    f"a save of {self.state} returned; after a crash {found} is on the disk",
                )
            self._keep(save)
            self.survived = torn
        return found

    def write(self, holder: object, save: Save) -> None:
        """Keep *save* for *holder*, unless a fault is due: StorageError, or PowerCut."""
        assert holder is self._holder, "OneProcessOneFile: written without the lock"
        stall, self.stall = self.stall, None
        if stall is not None:
            stall()
        cut, self.cut = self.cut, None
        fails, self.fails = self.fails, False
        if cut is Cut.BEFORE_SAVE or (cut is Cut.IN_SAVE and self.in_flight is None):
            raise PowerCut
        if self.full:
            self.in_flight = None
        self._write(save, dies=cut is Cut.IN_SAVE, fails=fails)
        self.in_flight = None
        self._keep(save)
        self._dying = cut is Cut.AFTER_SAVE

    def die_if_due(self) -> None:
        """Raise PowerCut if the process dies right after the save that was just seen."""
        dying, self._dying = self._dying, False
        if dying:
            raise PowerCut

    @abstractmethod
    def lose_power(self, amount: float) -> str:
        """
        Lose what was not synced, but for a share *amount*; the process is dead already.

        Return what was lost, in words: "lost writes", "torn write", or nothing.
        """

    @abstractmethod
    def _load(self) -> DurableState | None:
        """Return what a process finds, and make sure that it is durable."""

    @abstractmethod
    def _write(self, save: Save, *, dies: bool, fails: bool) -> None:
        """Make *save* durable; die or fail on the way, or StorageError for a full disk."""

    @abstractmethod
    def _wipe(self) -> None:
        """Lose everything."""

    @abstractmethod
    def _release(self) -> None:
        """Forget what belonged to the process."""

    def _keep(self, save: Save) -> None:
        self.state = save.state
        self.history.extend(save.decided)
        self.saves += 1


class SimulatedStorage:
    """One process' hold on a disk: the twin of the storages in :mod:`multipaxos.runtime`."""

    def __init__(self, disk: Disk) -> None:
        """Write to *disk*."""
        self._disk = disk

    def load(self) -> DurableState | None:
        """Return what was saved last, or None."""
        return self._disk.load()

    def save(self, save: Save) -> None:
        """Keep *save*; StorageError when the disk is full or fails."""
        self._disk.write(self, save)

    def history(self, count: int) -> list[DecidedLink]:
        """Return the newest *count* decided links, the oldest of them first."""
        return self._disk.history[-count:] if count else []

    def close(self) -> None:
        """Release the lock."""
        self._disk.release()


@dataclass(frozen=True, slots=True)
class Record:
    """What one save writes, and of its :data:`SECTORS` sectors how many are there."""

    state: DurableState | None
    sectors: int


SECTORS = 4
"""Of how many sectors a record is."""


class SimulatedDisk(Disk):
    """
    The model of a disk: a record a save, each behind the one before.

    State beyond the base class's: what is on the *platter*, the newest record last, and what is
    only in the *cache*. A record without all its sectors is torn: whoever reads finds its checksum
    wrong, and takes the one before.
    """

    def __init__(self, state: DurableState | None = None) -> None:
        """Begin with *state* on the disk, or without a file."""
        super().__init__()
        self.state = state
        self.platter = [Record(state, SECTORS)]
        self.cache: Record | None = None

    @override
    def lose_power(self, amount: float) -> str:
        cached, self.cache = self.cache, None
        if cached is None:
            return ""
        sectors = int(amount * (SECTORS + 1))
        if sectors == 0:
            return "lost writes"
        self.platter.append(Record(cached.state, sectors))
        return "torn write" if sectors < SECTORS else ""

    @override
    def _load(self) -> DurableState | None:
        # What a process that died has written is there, and must be durable before it is trusted.
        self._sync()
        return next(r.state for r in reversed(self.platter) if r.sectors == SECTORS)

    @override
    def _write(self, save: Save, *, dies: bool, fails: bool) -> None:
        if self.full:
            raise StorageError("the disk is full: make room and start the server again")
        if fails and self.in_flight is None:
            raise StorageError("the disk reports an error: mend it and start the server again")
        self.cache = Record(save.state, SECTORS)
        if dies:
            raise PowerCut
        if fails:
            raise StorageError("the disk did not sync: mend it and start the server again")
        self._sync()

    @override
    def _release(self) -> None:
        """Keep the cache: it is the system's."""

    @override
    def _wipe(self) -> None:
        self.platter = [Record(None, SECTORS)]
        self.cache = None

    def _sync(self) -> None:
        if self.cache is not None:
            self.platter = [self.cache]
            self.cache = None
