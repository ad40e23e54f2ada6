"""Defect 23: three fixed names, no history, no reads, and a None compared with numbers."""

from pathlib import Path

import pytest
from tests.defects.support import MASTER, PLAIN, WatchedCluster, link_of

from composable_paxos import (
    LOWEST,
    AcceptorState,
    PaxosInstance,
    PeerID,
    Promise,
    ProposalID,
    Quorums,
)
from multipaxos.chain.durable import DecidedLink, DurableState
from multipaxos.chain.effects import Save
from multipaxos.chain.links import Founding, NewMaster, Nothing, Updates
from multipaxos.chain.register import Register
from multipaxos.chain.requests import Chosen
from multipaxos.composition import compose
from multipaxos.runtime.config import ConfigError, load_config
from multipaxos.runtime.storage import JsonStorage, SqliteStorage

NAMES = ("north-1", "Z", "a_b", "7", "db-3", "eu", "us-west", "_", "the-ninth")


@pytest.mark.parametrize("size", range(1, 10))
@pytest.mark.parametrize("strategies", [PLAIN, MASTER], ids=["plain", "master"])
def test_one_to_nine_servers_of_any_names_agree(strategies: tuple[str, ...], size: int) -> None:
    """They found a chain, decide with a bare majority, and serve whoever comes back."""
    servers: tuple[PeerID, ...] = NAMES[:size]
    cluster = WatchedCluster(servers, replica_class=compose(strategies), founded=False)
    cluster.start()
    first = cluster.write(servers[-1], "x")
    minority = servers[: (size - 1) // 2]
    for uid in minority:
        cluster.crash(uid)

    second = cluster.write(servers[-1], "y")
    cluster.start()
    cluster.run_for(20)

    assert 1 <= link_of(first) < link_of(second)
    assert {cluster.value_on_disk(uid) for uid in servers} == {"y"}


def test_servers_come_from_a_config_file(tmp_path: Path) -> None:
    """Their number, names, machines and ports are the file's."""
    path = tmp_path / "cluster.toml"
    tables = [
        f'[servers.{name}]\npeer = "10.0.0.{n}:7101"\nclient = "10.0.0.{n}:7001"'
        for n, name in enumerate(NAMES, start=1)
    ]
    path.write_text("\n".join(['cluster = "main"', *tables]))

    config = load_config(path)

    assert config.membership("eu").servers == NAMES
    assert str(config.server("7").peer) == "10.0.0.4:7101"
    path.write_text('cluster = "main"')
    with pytest.raises(ConfigError, match="1 to 9 servers"):
        load_config(path)


@pytest.mark.parametrize("strategies", [PLAIN, MASTER], ids=["plain", "master"])
def test_any_server_answers_reads(strategies: tuple[str, ...]) -> None:
    """A read returns the newest value that anybody was told of, whichever server is asked."""
    cluster = WatchedCluster(replica_class=compose(strategies))
    cluster.start()
    cluster.run_for(3)
    seen = []

    for uid, value in zip("ABC", ("1", "2", "3"), strict=True):
        cluster.write(uid, value)
        seen += [cluster.read(reader) for reader in cluster.uids]

    assert seen == ["1"] * 3 + ["2"] * 3 + ["3"] * 3


def test_a_read_before_any_write_finds_nothing() -> None:
    """The register begins empty; to read it is no error."""
    cluster = WatchedCluster()
    cluster.start()

    read = cluster.submit("B", ("GET",))
    cluster.wait_for(read)

    assert read.outcome == Chosen(link=1, result=None)


def test_each_server_keeps_the_history() -> None:
    """Every decided link is kept, in order, with its number, beside the state that it led to."""
    cluster = WatchedCluster(replica_class=compose(MASTER), founded=False)
    cluster.start()
    cluster.run_for(5)
    for value in ("1", "2", "3"):
        cluster.write("A", value)
    cluster.run_for(1)

    histories = [cluster.servers[uid].disk.history for uid in cluster.uids]

    for uid, history in zip(cluster.uids, histories, strict=True):
        assert [d.number for d in history] == list(range(cluster.link_in_progress(uid)))
        assert cluster.values(uid) == ["1", "2", "3"]
        assert isinstance(history[0].link, Founding)
        assert all(isinstance(d.link, Updates | NewMaster) for d in history[1:])
    assert histories[0] == histories[1] == histories[2]


@pytest.mark.parametrize("kind", [SqliteStorage, JsonStorage])
def test_the_history_is_on_the_disk(
    kind: type[SqliteStorage | JsonStorage], tmp_path: Path
) -> None:
    """The newest links are there after a restart, as many as were asked to be kept."""

    def opened() -> SqliteStorage | JsonStorage:
        return kind(
            tmp_path, cluster="main", uid="A", machine=Register(), sessions_max=9, history_max=3
        )

    links = [DecidedLink(number=number, link=Nothing()) for number in range(5)]
    storage = opened()
    for link in links:
        state = DurableState(birth="b", instance=link.number + 1)
        storage.save(Save(state=state, decided=(link,)))
    storage.close()

    again = opened()

    assert again.history(10) == links[2:]
    assert again.history(1) == links[4:]
    again.close()


def test_nothing_accepted_is_below_every_acceptance() -> None:
    """
    "Nothing" is a number, the lowest: it compares with all others, in whatever order they come.

    The ancestor compared None with numbers, and left its round with an error.
    """
    nothing, low, high = LOWEST, ProposalID(1, "A"), ProposalID(2, "C")
    for reports in ((nothing, low, high), (high, nothing, low), (low, high, nothing)):
        proposer = PaxosInstance("A", Quorums.majority("ABCDE"), AcceptorState(), lowest_number=2)
        proposer.propose_value("mine")
        round_id = proposer.prepare().proposal_id
        accept = None
        for acceptor, accepted_id in zip("BCD", reports, strict=True):
            accept = proposer.receive_promise(
                Promise(
                    acceptor=acceptor,
                    proposal_id=round_id,
                    accepted_id=accepted_id,
                    accepted_value=None if accepted_id == LOWEST else str(accepted_id),
                )
            )

        assert accept is not None
        assert accept.value == "2.C"


def test_none_cannot_be_proposed() -> None:
    """None stands for "no value": who proposes it is told so."""
    proposer = PaxosInstance("A", Quorums.majority("ABC"), AcceptorState())

    with pytest.raises(ValueError, match="cannot be proposed"):
        proposer.propose_value(None)
