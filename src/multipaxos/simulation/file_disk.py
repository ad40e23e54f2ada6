"""A disk on which a real server's storage keeps its files, in a simulated file system."""

import errno
import os
from collections.abc import Callable
from typing import TypeAlias

from typing_extensions import override

from composable_paxos import PeerID
from multipaxos.chain.durable import DurableState
from multipaxos.chain.effects import Save
from multipaxos.runtime.ports import Storage
from multipaxos.simulation.disk import Disk, PowerCut
from multipaxos.simulation.file_system import SimulatedFileSystem

StorageFactory: TypeAlias = Callable[[SimulatedFileSystem, PeerID], Storage]
"""Makes the storage of a server on a file system: its code is not the simulator's."""

STEPS_OF_A_SAVE = 8
"""Somewhat more than the steps of a save: what is due later than its last one does not happen."""


class FileDisk(Disk):
    """
    What outlives a server's process, as its storage wrote it.

    State beyond the base class's: the *files*, and the storage of the process that holds them.
    """

    def __init__(self, uid: PeerID, make_storage: StorageFactory) -> None:
        """Keep the state of *uid*."""
        super().__init__()
        self.files = SimulatedFileSystem()
        self._uid = uid
        self._make_storage = make_storage
        self._storage: Storage | None = None

    @override
    def lose_power(self, amount: float) -> str:
        return self.files.lose_power(amount)

    @override
    def _load(self) -> DurableState | None:
        self._storage = self._make_storage(self.files, self._uid)
        return self._storage.load()

    @override
    def _write(self, save: Save, *, dies: bool, fails: bool) -> None:
        if self._storage is None:
            self._load()
        assert self._storage is not None
        self.files.before_step = self._plan(dies=dies, fails=fails)
        try:
            self._storage.save(save)
        finally:
            self.files.before_step = lambda: None

    @override
    def _wipe(self) -> None:
        self.files.wipe()

    @override
    def _release(self) -> None:
        storage, self._storage = self._storage, None
        if storage is not None:
            storage.close()
        self.files.release()

    def _plan(self, *, dies: bool, fails: bool) -> Callable[[], None]:
        """Return what happens before each step of a save that dies or fails at one of them."""
        due = self.files.steps + 1 + int(self.amount * STEPS_OF_A_SAVE)

        def before_step() -> None:
            if self.full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if self.files.steps < due:
                return
            if dies:
                raise PowerCut
            if fails and self.files.steps == due:
                raise OSError(errno.EIO, os.strerror(errno.EIO))

        return before_step
