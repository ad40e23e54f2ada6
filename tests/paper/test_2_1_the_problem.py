"""Paxos Made Simple, 2.1: what is asked of the algorithm."""

from tests.paper.cluster import Cluster
from tests.paper.invariants import check_all

from composable_paxos import Accept, Accepted, Prepare, Promise


def test_only_a_proposed_value_is_chosen() -> None:
    """
    Only a value that has been proposed may be chosen.

    A proposer without a value gathers promises and then stays silent. (2.1, first requirement)
    """
    cluster = Cluster()

    cluster.prepare("A")
    cluster.deliver_all()
    issued_without_a_value = list(cluster.history.issued)
    cluster.propose("A", "x")
    cluster.deliver_all()

    assert issued_without_a_value == []
    assert cluster.chosen_values == {"x"}


def test_only_a_single_value_is_chosen() -> None:
    """
    Of the values of three proposers, one is chosen, and it stays the only one.

    2.1, second requirement.
    """
    cluster = Cluster()

    for uid in "ABC":
        cluster.propose(uid, f"wish of {uid}")
        cluster.prepare(uid)
        cluster.deliver_all()

    assert [cluster.learned(uid) for uid in "ABC"] == ["wish of A"] * 3
    assert [accept.value for accept in cluster.history.issued] == ["wish of A"] * 3
    check_all(cluster)


def test_a_server_learns_only_what_is_chosen() -> None:
    """
    One acceptance of three is not a choice, and no server takes it for one.

    2.1, third requirement.
    """
    cluster = Cluster()
    cluster.propose("A", "x")
    cluster.prepare("A")
    cluster.deliver("A->B", Prepare)
    cluster.deliver("B->A", Promise)

    cluster.deliver("A->B", Accepted)
    cluster.deliver("A->C", Accepted)

    assert cluster.chosen_values == set()
    assert [cluster.learned(uid) for uid in "ABC"] == [None, None, None]


def test_messages_may_be_duplicated() -> None:
    """
    A second copy of any message changes nothing.

    2.1: messages "can be duplicated".
    """
    cluster = Cluster()
    cluster.propose("A", "x")
    cluster.prepare("A")

    while cluster.pool:
        letter = cluster.pool[0]
        states = {uid: server.state for uid, server in cluster.servers.items()}
        cluster.deliver_letter(letter, keep=True)
        once = cluster.servers[letter.receiver].state
        cluster.deliver_letter(letter)
        assert cluster.servers[letter.receiver].state == once
        assert once.promised_id >= states[letter.receiver].promised_id

    assert cluster.history.issued == [
        Accept(proposal_id=cluster.servers["A"].proposal_id, value="x")
    ]
    assert [cluster.learned(uid) for uid in "ABC"] == ["x", "x", "x"]


def test_messages_may_be_lost() -> None:
    """
    A lost request is repeated under the same number with the same value, and then succeeds.

    2.1: messages "can be lost".
    """
    cluster = Cluster()
    cluster.propose("A", "x")
    cluster.prepare("A")
    cluster.lose_all()
    cluster.repeat("A")
    cluster.deliver("A->B", Prepare)
    cluster.deliver("B->A", Promise)
    cluster.lose_all()

    cluster.repeat("A")
    cluster.deliver_all()

    assert len(cluster.history.issued) == 1
    assert [cluster.learned(uid) for uid in "ABC"] == ["x", "x", "x"]


def test_servers_may_stop() -> None:
    """
    Two servers of three choose and learn a value while the third is silent.

    2.1: agents "may fail by stopping".
    """
    cluster = Cluster()
    cluster.propose("A", "x")

    cluster.prepare("A")
    cluster.deliver_all("AB")

    assert cluster.chosen_values == {"x"}
    assert [cluster.learned(uid) for uid in "ABC"] == ["x", "x", None]


def test_servers_may_restart() -> None:
    """
    A value stays chosen when every server restarts before anybody has learned it.

    2.1: agents "may restart", so they must remember something.
    """
    cluster = Cluster()
    cluster.propose("A", "x")
    cluster.prepare("A")
    cluster.deliver("A->B", Prepare)
    cluster.deliver("B->A", Promise)
    cluster.deliver("A->B", Accept)
    cluster.lose_all()
    for uid in "ABC":
        cluster.restart(uid)

    cluster.propose("C", "z")
    cluster.prepare("C")
    cluster.deliver_all()

    assert cluster.chosen_values == {"x"}
    assert [cluster.learned(uid) for uid in "ABC"] == ["x", "x", "x"]
    check_all(cluster)
