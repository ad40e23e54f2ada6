"""Defect 8: a missing state file was created anew in silence, and its server voted at once."""

from pathlib import Path

import pytest
from tests.defects.support import WatchedCluster, link_of

from composable_paxos import Accept, Accepted, Prepare, Promise
from multipaxos.chain.durable import DurableState
from multipaxos.chain.effects import Save
from multipaxos.chain.messages import WhereAreYou
from multipaxos.chain.register import Register
from multipaxos.runtime.ports import StorageError
from multipaxos.runtime.storage import JsonStorage, SqliteStorage


def test_a_server_that_lost_its_file_helps_nobody_to_a_second_value() -> None:
    """
    Without its file a server has forgotten its votes: it asks, waits, and votes on nothing.

    In the ancestor it counted as a fresh acceptor at once. With one of the two that had chosen x
    away, the other two chose y in the same instance.
    """
    cluster = WatchedCluster(manual=True)
    cluster.start()
    cluster.ask("A", "x")
    cluster.deliver("A->C", Prepare)
    cluster.deliver("C->A", Promise)
    cluster.deliver("A->C", Accept)
    cluster.crash("A")
    cluster.crash("C")
    cluster.wipe("C")
    cluster.let_mail_flow()
    cluster.run_for(0.01)
    wiped_at = cluster.time.now
    cluster.start("C")

    wanted = cluster.ask("B", "y")
    cluster.run_for(60)

    assert cluster.invariants.chosen[1].acceptors == ("A", "C")
    assert cluster.sent(WhereAreYou, by="C", since=wiped_at) != []
    assert cluster.sent(Promise, by="C", since=wiped_at) == []
    assert cluster.sent(Accepted, by="C", since=wiped_at) == []
    assert [e.fields["text"] for e in cluster.events("waiting", "C")] == [
        "has no memory: waits for word of A, B",
        "has no memory: waits for word of A",
    ]
    assert not wanted.answered
    cluster.start("A")
    cluster.wait_for(wanted)
    assert cluster.values("B") == ["x", "y"]


def test_it_sits_out_every_link_that_it_may_have_voted_on() -> None:
    """It votes again two links beyond the highest that a majority of the others is at."""
    cluster = WatchedCluster()
    cluster.start()
    for value in ("1", "2", "3"):
        cluster.write("A", value)
    cluster.run_for(1)
    cluster.crash("C")
    cluster.wipe("C")
    wiped_at = cluster.time.now
    at = max(cluster.link_in_progress(uid) for uid in "AB")

    cluster.start("C")
    cluster.run_for(20)

    assert at == 4
    state = cluster.servers["C"].disk.state
    assert state is not None
    assert state.votes_from == state.instance == at + 2
    cluster.crash("A")
    call = cluster.write("B", "with C's vote")
    assert link_of(call) == at + 2
    votes = [
        envelope.instance
        for sent_at, envelope in cluster.posted
        if sent_at >= wiped_at
        and envelope.sender == "C"
        and isinstance(envelope.message, Promise | Accepted)
    ]
    assert votes
    assert min(votes) == at + 2


@pytest.mark.parametrize("kind", [SqliteStorage, JsonStorage])
def test_the_real_storages_tell_a_missing_file_from_a_damaged_one(
    kind: type[SqliteStorage | JsonStorage], tmp_path: Path
) -> None:
    """A missing file is reported as such, to the protocol; a damaged one stops the start."""

    def opened() -> SqliteStorage | JsonStorage:
        return kind(
            tmp_path, cluster="main", uid="A", machine=Register(), sessions_max=9, history_max=10
        )

    first = opened()
    assert first.load() is None
    first.save(Save(state=DurableState(birth="b")))
    first.close()
    path = first.path
    intact = path.read_bytes()

    path.write_bytes(intact.replace(b'"birth":"b"', b'"birth":"c"'))
    damaged = opened()
    with pytest.raises(StorageError, match="is damaged"):
        damaged.load()
    path.unlink()
    missing = opened()

    assert b'"birth":"b"' in intact
    assert missing.load() is None
    missing.close()
