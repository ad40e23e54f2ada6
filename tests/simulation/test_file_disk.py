"""The JSON storage of real servers, on files that lose what was not synced."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from multipaxos.chain.durable import DurableState
from multipaxos.chain.effects import Outbox, Save
from multipaxos.chain.register import Register
from multipaxos.cli.simulated_storage import disks_of, json_storage
from multipaxos.invariants.violation import InvariantViolation
from multipaxos.runtime.ports import Storage, StorageError
from multipaxos.runtime.storage import JsonStorage
from multipaxos.simulation.disk import Cut, PowerCut
from multipaxos.simulation.file_disk import STEPS_OF_A_SAVE, FileDisk
from multipaxos.simulation.file_system import SimulatedFileSystem
from multipaxos.simulation.random_run import RandomRun, RunPlan

FIRST = DurableState(birth="b", instance=1)
SECOND = DurableState(birth="b", instance=2)
AMOUNTS = [step / STEPS_OF_A_SAVE for step in range(STEPS_OF_A_SAVE)]
"""One for each step of a save."""


def register_storage(files: SimulatedFileSystem, uid: str) -> Storage:
    """Return the storage of a server that keeps a register."""
    return json_storage(files, uid, machine=Register(), sessions_max=9)


def outbox_of(state: DurableState) -> Outbox:
    """Return what an event leaves that saves *state*."""
    return Outbox(
        save=Save(state=state), send=(), timers=(), answers=(), reads=(), events=(), halt=None
    )


def save_and_crash(
    amount: float, make_storage: Callable[[SimulatedFileSystem, str], Storage] = register_storage
) -> FileDisk:
    """Return a disk with FIRST on it, whose process died at some step of the save of SECOND."""
    disk = FileDisk("A", make_storage)
    storage = disk.open()
    storage.load()
    storage.save(Save(state=FIRST))
    disk.in_flight = outbox_of(SECOND)
    disk.cut, disk.amount = Cut.IN_SAVE, amount
    try:
        storage.save(Save(state=SECOND))
    except PowerCut:
        assert disk.state == FIRST
    storage.close()
    return disk


@pytest.mark.parametrize("amount", AMOUNTS)
@pytest.mark.parametrize("kept", [0.0, 0.3, 0.6, 0.99])
def test_a_power_cut_at_any_step_leaves_the_old_state_or_the_new_one(
    amount: float, kept: float
) -> None:
    """However much of what was not synced has reached the platter."""
    disk = save_and_crash(amount)
    returned = disk.state

    disk.lose_power(kept)

    assert disk.open().load() in ([SECOND] if returned == SECOND else [FIRST, SECOND])


def test_both_states_are_met() -> None:
    """The steps lie before and after the point of no return."""
    found = set()
    for amount in AMOUNTS:
        disk = save_and_crash(amount)
        disk.lose_power(0.0)
        state = disk.open().load()
        assert state is not None
        found.add(state.instance)

    assert found == {1, 2}


@pytest.mark.parametrize("amount", AMOUNTS)
def test_what_a_process_has_loaded_no_power_cut_takes_back(amount: float) -> None:
    """It may be the state of a save that was killed: it is made durable before it is trusted."""
    disk = save_and_crash(amount)
    storage = disk.open()
    loaded = storage.load()
    storage.close()

    disk.lose_power(0.0)

    assert disk.open().load() == loaded


@pytest.mark.parametrize("amount", AMOUNTS)
def test_a_write_that_fails_is_told_and_leaves_either_state(amount: float) -> None:
    """An error of the disk at any step: the server stops, and returns from what is there."""
    disk = FileDisk("A", register_storage)
    storage = disk.open()
    storage.load()
    storage.save(Save(state=FIRST))
    disk.in_flight, disk.fails, disk.amount = outbox_of(SECOND), True, amount
    try:
        storage.save(Save(state=SECOND))
    except StorageError as error:
        assert "Input/output error" in str(error)  # noqa: PT017 - a late step fails nothing
    storage.close()

    assert disk.open().load() in (FIRST, SECOND)


def test_a_full_disk_keeps_what_it_had() -> None:
    """The sentence is the one that a real server prints."""
    disk = FileDisk("A", register_storage)
    storage = disk.open()
    storage.load()
    storage.save(Save(state=FIRST))
    disk.full = True

    with pytest.raises(StorageError, match="No space left on device"):
        storage.save(Save(state=SECOND))

    storage.close()
    disk.full = False
    assert disk.open().load() == FIRST


def test_a_wiped_disk_has_no_file() -> None:
    """Nothing is left to load."""
    disk = save_and_crash(0.99)

    disk.wipe()

    assert disk.open().load() is None
    assert disk.life == 1


class WithoutSync(SimulatedFileSystem):
    """Files that a storage forgets to sync: as if it had not asked."""

    @override
    def sync_directory(self, directory: Path) -> None:
        """Leave the names in the cache."""


def test_a_storage_that_does_not_sync_the_name_is_caught() -> None:
    """I8: its save returns, and a power cut takes back what it renamed."""
    disk = FileDisk("A", register_storage)
    files = disk.files = WithoutSync()
    storage = disk.open()
    storage.load()
    storage.save(Save(state=FIRST))
    storage.close()

    files.lose_power(0.0)

    with pytest.raises(InvariantViolation, match="I8 SavedBeforeSent"):
        disk.open().load()


class TearsRenamed(JsonStorage):
    """A storage that renames a file whose content it has not synced."""

    @override
    def _replace_file(self, text: bytes) -> None:
        with self.files.create(self.path.with_name("new")) as file:
            file.write(text)
        self.files.rename(self.path.with_name("new"), self.path)
        self.files.sync_directory(self.path.parent)


def test_a_storage_that_renames_before_it_syncs_is_left_with_a_torn_file() -> None:
    """Who loads it is told that it is damaged: it is not taken for a missing one."""

    def make_storage(files: Any, uid: str) -> Storage:
        return TearsRenamed(
            Path("/state"),
            cluster="simulated",
            uid=uid,
            machine=Register(),
            sessions_max=9,
            history_max=10,
            files=files,
        )

    disk = FileDisk("A", make_storage)
    storage = disk.open()
    storage.load()
    storage.save(Save(state=FIRST))
    storage.close()

    assert disk.lose_power(0.5) == "torn write"

    with pytest.raises(StorageError, match="is damaged"):
        disk.open().load()


@pytest.mark.parametrize("master", [False, True], ids=["plain", "master"])
@pytest.mark.parametrize("state", ["register", "dictionary"])
def test_no_fault_breaks_an_invariant_on_real_storage(master: bool, state: str) -> None:
    """Whole runs on the JSON storage, with every fault of its files."""
    lost = 0
    for seed in range(6):
        plan = RunPlan(
            seed=seed,
            faults="cruel",
            master=master,
            storage="json",
            state=state,
            sessions=None if seed % 2 else 2,
            seconds=30,
            traced=True,
        )
        run = RandomRun(plan, disks=disks_of(plan))
        run.play()
        lost += sum(
            event.fields.get("fault") in ("lost writes", "torn write")
            for event in run.cluster.trace.events
        )

    assert lost > 0


def test_the_storage_does_not_change_what_happens() -> None:
    """Without faults, the model and the real storage give the same trace."""
    traces = []
    for storage in ("simulated", "json"):
        plan = RunPlan(seed=1, faults="calm", storage=storage, traced=True, seconds=20)
        run = RandomRun(plan, disks=disks_of(plan))
        run.play()
        traces.append(run.cluster.trace.events[1:])

    assert traces[0] == traces[1]
