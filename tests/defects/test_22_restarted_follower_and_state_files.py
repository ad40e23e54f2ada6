"""
Defect 22: restarts.

A restarted follower prepared against a live master that it did not know; an empty state file
stopped the start; two processes could share one file.
"""

import resource
from pathlib import Path

import pytest
from tests.defects.support import MASTER, PLAIN, WatchedCluster, link_of

from composable_paxos import Prepare
from multipaxos.chain.durable import DurableState
from multipaxos.chain.effects import Save
from multipaxos.chain.register import Register
from multipaxos.composition import compose
from multipaxos.runtime.ports import StorageError
from multipaxos.runtime.storage import JsonStorage, SqliteStorage

AnyStorage = SqliteStorage | JsonStorage
STORAGES = pytest.mark.parametrize("kind", [SqliteStorage, JsonStorage])
STATE = DurableState(birth="b", instance=7, votes_from=3)


def open_storage(kind: type[AnyStorage], directory: Path) -> AnyStorage:
    """Return a new storage of *kind* for server A."""
    return kind(
        directory, cluster="main", uid="A", machine=Register(), sessions_max=9, history_max=10
    )


@pytest.mark.parametrize("restarted_as", [MASTER, PLAIN], ids=["master", "plain"])
def test_a_restarted_follower_knows_the_master(restarted_as: tuple[str, ...]) -> None:
    """It reads the master off its disk, disturbs no lease, and hands its clients' updates on."""
    cluster = WatchedCluster(replica_class=compose(MASTER))
    cluster.start()
    master = cluster.wait_for_master()
    cluster.run_for(0.2)
    follower = next(uid for uid in cluster.uids if uid != master.uid)
    cluster.crash(follower)
    restarted_at = cluster.time.now
    cluster.switch_strategies(restarted_as)
    cluster.start(follower)

    call = cluster.ask(follower, "x")
    cluster.run_for(0.1)
    answered = call.answered
    cluster.run_for(20)

    assert answered
    assert link_of(call) > 1
    assert cluster.sent(Prepare, since=restarted_at) == []
    assert cluster.trusting() == [master.uid]
    assert cluster.events("lease ended") == []


@STORAGES
def test_a_crash_while_the_file_is_made_does_not_stop_the_next_start(
    kind: type[AnyStorage], tmp_path: Path
) -> None:
    """The first state appears under its name at once and whole; what is half made is ignored."""
    storage = open_storage(kind, tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(StorageError, match="cannot save to"):
            storage.save(Save(state=STATE))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    storage.close()
    half_made = [path.name for path in tmp_path.iterdir()]

    again = open_storage(kind, tmp_path)

    assert again.path.name + ".new" in half_made
    assert again.path.name not in half_made
    assert again.load() is None
    again.save(Save(state=STATE))
    again.close()
    once_more = open_storage(kind, tmp_path)
    assert once_more.load() == STATE
    once_more.close()


@STORAGES
def test_an_empty_file_is_no_missing_one(kind: type[AnyStorage], tmp_path: Path) -> None:
    """What others emptied is refused with a sentence that says what to do, and that way works."""
    storage = open_storage(kind, tmp_path)
    storage.path.touch()

    with pytest.raises(StorageError) as refused:
        storage.load()
    storage.path.rename(tmp_path / "away")

    assert "is damaged: it is empty" in str(refused.value)
    assert "Move the file away to start A without memory" in str(refused.value)
    assert storage.load() is None
    storage.close()


@STORAGES
def test_one_process_at_a_time_holds_a_state_file(kind: type[AnyStorage], tmp_path: Path) -> None:
    """A second one is told by which process, and takes over only when that one has let go."""
    first = open_storage(kind, tmp_path)
    first.save(Save(state=STATE))
    second = open_storage(kind, tmp_path)

    with pytest.raises(StorageError, match="the same server runs already"):
        second.load()
    with pytest.raises(StorageError, match="the same server runs already"):
        second.save(Save(state=DurableState(birth="another")))
    first.close()

    assert second.load() == STATE
    second.close()
