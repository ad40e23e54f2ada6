"""The simulated disk: what it keeps, and how it fails."""

import pytest

from multipaxos.chain.durable import DecidedLink, DurableState
from multipaxos.chain.effects import Save
from multipaxos.chain.links import Nothing
from multipaxos.runtime.ports import StorageError
from multipaxos.simulation.disk import Cut, PowerCut, SimulatedDisk

FIRST = DurableState(birth="b", instance=1)
SECOND = DurableState(birth="b", instance=2)
LINKS = tuple(DecidedLink(number=number, link=Nothing()) for number in range(3))


def test_a_new_disk_has_no_state() -> None:
    """Nothing was ever saved: None, not an empty state."""
    storage = SimulatedDisk().open()

    assert storage.load() is None
    assert storage.history(10) == []


def test_what_was_saved_is_there_for_the_next_process() -> None:
    """State and history outlive the process that wrote them."""
    disk = SimulatedDisk()
    storage = disk.open()
    storage.save(Save(state=FIRST, decided=LINKS[:1]))
    storage.save(Save(state=SECOND, decided=LINKS[1:]))
    storage.close()

    again = disk.open()

    assert again.load() == SECOND
    assert again.history(2) == list(LINKS[1:])
    assert again.history(0) == []


def test_one_process_at_a_time_holds_the_file() -> None:
    """A second one is told to wait."""
    disk = SimulatedDisk()
    disk.open()

    with pytest.raises(StorageError, match="another process"):
        disk.open()


def test_a_full_disk_refuses_and_keeps_what_it_had() -> None:
    """A save that fails has changed nothing."""
    disk = SimulatedDisk()
    storage = disk.open()
    storage.save(Save(state=FIRST))
    disk.full = True

    with pytest.raises(StorageError, match="full"):
        storage.save(Save(state=SECOND, decided=LINKS))

    assert storage.load() == FIRST
    assert storage.history(10) == []


@pytest.mark.parametrize("cut, state_after", [(Cut.BEFORE_SAVE, FIRST), (Cut.AFTER_SAVE, SECOND)])
def test_a_power_cut_leaves_the_old_state_or_the_new_one(
    cut: Cut, state_after: DurableState
) -> None:
    """Before the save the old one is there, after it the new one; the process dies either way."""
    disk = SimulatedDisk()
    storage = disk.open()
    storage.save(Save(state=FIRST))
    disk.cut = cut

    with pytest.raises(PowerCut):  # noqa: PT012 - the save, and what comes right after it
        storage.save(Save(state=SECOND))
        disk.die_if_due()

    assert disk.state == state_after
    disk.die_if_due()


def test_a_wiped_disk_is_new_and_counts_its_lives() -> None:
    """Nothing is left; the life's number tells observers that memory was lost."""
    disk = SimulatedDisk()
    storage = disk.open()
    storage.save(Save(state=FIRST, decided=LINKS))
    storage.close()

    disk.wipe()

    assert disk.open().load() is None
    assert disk.history == []
    assert disk.life == 1


def test_the_file_of_a_running_server_cannot_be_lost() -> None:
    """A wipe needs the process to be down: the file is held."""
    disk = SimulatedDisk()
    disk.open()

    with pytest.raises(AssertionError, match="running"):
        disk.wipe()


def test_a_dead_process_cannot_write() -> None:
    """Whoever lost the lock has no say any more."""
    disk = SimulatedDisk()
    storage = disk.open()
    disk.release()

    with pytest.raises(AssertionError, match="OneProcessOneFile"):
        storage.save(Save(state=FIRST))
