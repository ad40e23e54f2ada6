"""The simulated disk: what it keeps, and how it fails."""

import pytest
from typing_extensions import override

from multipaxos.chain.durable import DecidedLink, DurableState
from multipaxos.chain.effects import Outbox, Save
from multipaxos.chain.links import Nothing
from multipaxos.invariants.violation import InvariantViolation
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


def cut_short(*, fails: bool = False) -> SimulatedDisk:
    """Return a disk with FIRST on it, and SECOND written and not synced: its process is gone."""
    disk = SimulatedDisk()
    storage = disk.open()
    storage.save(Save(state=FIRST))
    disk.in_flight = Outbox(
        save=Save(state=SECOND), send=(), timers=(), answers=(), reads=(), events=(), halt=None
    )
    disk.fails = fails
    disk.cut = None if fails else Cut.IN_SAVE
    with pytest.raises(StorageError if fails else PowerCut):
        storage.save(Save(state=SECOND))
    assert disk.state == FIRST
    storage.close()
    return disk


@pytest.mark.parametrize("fails", [False, True])
def test_what_a_dead_process_wrote_is_in_the_cache_and_survives_it(fails: bool) -> None:
    """The next process finds it, makes it durable, and whoever watches is told."""
    disk = cut_short(fails=fails)

    assert disk.open().load() == SECOND

    assert disk.survived is not None
    assert disk.state == SECOND
    disk.release()
    assert disk.lose_power(0.0) == ""
    assert disk.open().load() == SECOND


@pytest.mark.parametrize(
    "amount, lost, state",
    [
        (0.0, "lost writes", FIRST),
        (0.5, "torn write", FIRST),
        (0.79, "torn write", FIRST),
        (0.99, "", SECOND),
    ],
)
def test_a_power_failure_loses_or_tears_what_was_not_synced(
    amount: float, lost: str, state: DurableState
) -> None:
    """Who loads finds the torn record, and takes the one before it: the old state or the new."""
    disk = cut_short()

    assert disk.lose_power(amount) == lost

    assert (disk.platter[-1].sectors < 4) == (lost == "torn write")
    assert disk.open().load() == state


def test_a_torn_write_is_followed_by_sound_ones() -> None:
    """The next save takes its place."""
    disk = cut_short()
    disk.lose_power(0.5)
    storage = disk.open()
    storage.load()

    storage.save(Save(state=SECOND))
    storage.close()

    assert disk.lose_power(0.0) == ""
    assert disk.open().load() == SECOND


def test_what_was_synced_survives_every_power_failure() -> None:
    """A save that returned has nothing in the cache."""
    disk = SimulatedDisk()
    storage = disk.open()
    storage.save(Save(state=FIRST))
    storage.close()

    assert disk.lose_power(0.0) == ""

    assert disk.open().load() == FIRST


class ForgetsToSync(SimulatedDisk):
    """A disk whose storage returns before the write is synced."""

    @override
    def _sync(self) -> None:
        """Leave it to the system."""


def test_a_storage_that_does_not_sync_is_caught() -> None:
    """I8: what a save returned for must be there after a power failure."""
    disk = ForgetsToSync()
    storage = disk.open()
    storage.save(Save(state=FIRST))
    storage.close()
    disk.lose_power(0.0)

    with pytest.raises(InvariantViolation, match="I8 SavedBeforeSent"):
        disk.open().load()


def test_a_disk_that_fails_once_works_again() -> None:
    """The save is refused, the next process saves."""
    disk = cut_short(fails=True)

    storage = disk.open()
    storage.load()
    storage.save(Save(state=DurableState(birth="b", instance=3)))

    assert storage.load() == DurableState(birth="b", instance=3)
