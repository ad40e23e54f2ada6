"""The storages of real servers, for the simulator, which does not know their code."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from composable_paxos import PeerID
from multipaxos.chain.register import Register
from multipaxos.chain.settings import Settings
from multipaxos.runtime.config import HISTORY_MAX
from multipaxos.runtime.ports import Storage
from multipaxos.runtime.storage import JsonStorage
from multipaxos.simulation.cluster import CLUSTER
from multipaxos.simulation.disk import Disk, SimulatedDisk
from multipaxos.simulation.file_disk import FileDisk
from multipaxos.simulation.file_system import SimulatedFileSystem


def disks_of(storage: str) -> Callable[[PeerID], Disk]:
    """Return what makes the servers' disks for the *storage* of a plan."""
    if storage == "json":
        return partial(FileDisk, make_storage=json_storage)
    return lambda _uid: SimulatedDisk()


def json_storage(files: SimulatedFileSystem, uid: PeerID) -> Storage:
    """Return the storage that a real server uses, on simulated *files*."""
    return JsonStorage(
        Path("/state"),
        cluster=CLUSTER,
        uid=uid,
        machine=Register(),
        sessions_max=Settings().sessions_max,
        history_max=HISTORY_MAX,
        files=files,
    )
