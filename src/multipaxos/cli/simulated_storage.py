"""The storages of real servers, for the simulator, which does not know their code."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from composable_paxos import PeerID
from multipaxos.chain.state_machine import StateMachine
from multipaxos.runtime.config import HISTORY_MAX
from multipaxos.runtime.ports import Storage
from multipaxos.runtime.storage import JsonStorage
from multipaxos.simulation.cluster import CLUSTER
from multipaxos.simulation.disk import Disk, SimulatedDisk
from multipaxos.simulation.file_disk import FileDisk
from multipaxos.simulation.file_system import SimulatedFileSystem
from multipaxos.simulation.plan import RunPlan


def disks_of(plan: RunPlan) -> Callable[[PeerID], Disk]:
    """Return what makes the servers' disks for the storage that *plan* names."""
    if plan.storage != "json":
        return lambda _uid: SimulatedDisk()
    sessions_max = plan.sized_settings.sessions_max
    make_storage = partial(json_storage, machine=plan.machine, sessions_max=sessions_max)
    return partial(FileDisk, make_storage=make_storage)


def json_storage(
    files: SimulatedFileSystem, uid: PeerID, *, machine: StateMachine, sessions_max: int
) -> Storage:
    """Return the storage that a real server uses, on simulated *files*."""
    return JsonStorage(
        Path("/state"),
        cluster=CLUSTER,
        uid=uid,
        machine=machine,
        sessions_max=sessions_max,
        history_max=HISTORY_MAX,
        files=files,
    )
