"""Defect 7: memory changed before the disk was written, and a full disk left it ahead."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.defects.support import WatchedCluster

from composable_paxos import AcceptorState, Prepare, Promise, ProposalID
from multipaxos.chain.durable import DurableState
from multipaxos.chain.effects import Save
from multipaxos.chain.register import Register
from multipaxos.runtime.ports import StorageError
from multipaxos.runtime.storage import JsonStorage, SqliteStorage


def test_a_server_that_cannot_save_says_nothing_and_stops() -> None:
    """
    What is not on the disk is told to nobody, and one vote is never taken for two.

    The ancestor went on with what it had in memory: a promise and an acceptance that its file did
    not know decided links.
    """
    cluster = WatchedCluster(manual=True)
    cluster.start()
    cluster.crash("C")
    wanted = cluster.ask("A", "x")
    before = cluster.servers["B"].disk.state
    cluster.servers["B"].disk.full = True
    said = len([e for _, e in cluster.posted if e.sender == "B"])

    cluster.deliver("A->B", Prepare)

    assert cluster.servers["B"].halted == ("the disk is full: make room and start the server again")
    assert not cluster.servers["B"].up
    assert cluster.servers["B"].disk.state == before
    assert len([e for _, e in cluster.posted if e.sender == "B"]) == said
    assert cluster.sent(Promise, by="B") == []
    cluster.servers["B"].disk.full = False
    cluster.start("B")
    cluster.let_mail_flow()
    cluster.wait_for(wanted)
    assert cluster.values("B") == ["x"]


def test_a_proposer_that_cannot_save_asks_nobody() -> None:
    """Its own vote counts only once it is saved; the requests of its clients stay unanswered."""
    cluster = WatchedCluster(manual=True)
    cluster.start()
    cluster.drop_all()
    cluster.servers["A"].disk.full = True

    wanted = cluster.ask("A", "x")

    assert cluster.manual.held == []
    assert not cluster.servers["A"].up
    assert not wanted.answered
    assert 1 not in cluster.invariants.chosen


@pytest.mark.parametrize("kind", [SqliteStorage, JsonStorage])
def test_a_save_that_fails_is_the_last_one(
    kind: type[SqliteStorage | JsonStorage], tmp_path: Path
) -> None:
    """The real storages tell that a save failed, take no more of them, and keep the one before."""

    def opened() -> SqliteStorage | JsonStorage:
        return kind(
            tmp_path, cluster="main", uid="A", machine=Register(), sessions_max=9, history_max=10
        )

    old = DurableState(birth="b")
    new = DurableState(birth="b", acceptor=AcceptorState(promised_id=ProposalID(2, "A")))
    storage = opened()
    storage.save(Save(state=old))

    with disk_without_room(), pytest.raises(StorageError, match="cannot save to"):
        storage.save(Save(state=new))
    with pytest.raises(StorageError, match="an earlier save"):
        storage.save(Save(state=new))
    storage.close()

    again = opened()
    assert again.load() == old
    again.close()


@contextmanager
def disk_without_room() -> Iterator[None]:
    """Let no file of this process grow, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
