"""Paxos Made Simple, 2.5: three roles in one process, distinct numbers, stable storage."""

import pytest
from tests.paper.cluster import Cluster
from tests.paper.invariants import check_all

from composable_paxos import (
    LOWEST,
    Accept,
    AcceptorState,
    PaxosInstance,
    Prepare,
    Promise,
    ProposalID,
    Quorums,
)


def test_each_process_plays_every_role() -> None:
    """
    One server proposes, accepts and learns; three of them agree.

    2.5: each process plays the role of proposer, acceptor and learner.
    """
    cluster = Cluster()
    cluster.propose("B", "y")

    cluster.prepare("B")
    cluster.deliver_all()

    proposal_id = ProposalID(1, "B")
    assert cluster.servers["B"].request_in_flight() == Accept(proposal_id=proposal_id, value="y")
    assert [cluster.servers[uid].state.accepted_id for uid in "ABC"] == [proposal_id] * 3
    assert [cluster.learned(uid) for uid in "ABC"] == ["y", "y", "y"]


def test_different_servers_never_issue_the_same_number() -> None:
    """
    Servers that know nothing of each other still draw from disjoint sets of numbers.

    2.5: different proposers choose their numbers from disjoint sets.
    """
    cluster = Cluster()

    numbers = [cluster.prepare(uid) for _ in range(5) for uid in "ABC"]

    assert len(set(numbers)) == 15


def test_one_server_never_issues_the_same_number_twice() -> None:
    """
    Each round begins above the highest-numbered proposal that the server has tried to issue.

    2.5, last paragraph.
    """
    cluster = Cluster()

    numbers = [cluster.prepare("A") for _ in range(5)]

    assert numbers == sorted(set(numbers))


def test_numbers_go_on_above_the_highest_tried_after_a_crash() -> None:
    """
    The highest number tried is in stable storage: the own acceptor's promise is its record.

    2.5, last paragraph. No other server has seen any of these numbers.
    """
    cluster = Cluster()
    numbers = []

    for _ in range(5):
        numbers.append(cluster.prepare("A"))
        cluster.lose_all()
        cluster.restart("A")

    assert numbers == sorted(set(numbers))


def test_a_number_tried_before_a_crash_carries_no_second_value_after_it() -> None:
    """
    While x under 1.A is under way, A restarts and proposes w: w gets a number of its own.

    2.5: the reason for remembering the highest number.
    """
    cluster = Cluster()
    cluster.propose("A", "x")
    cluster.prepare("A")
    cluster.deliver("A->B", Prepare)
    cluster.prepare("C")
    cluster.deliver("C->A", Prepare)
    cluster.deliver("B->A", Promise)
    accepted_by_itself = cluster.servers["A"].state.accepted_id

    cluster.restart("A")
    cluster.propose("A", "w")
    cluster.prepare("A")
    cluster.deliver_all()

    assert accepted_by_itself == LOWEST
    assert [str(accept.proposal_id) for accept in cluster.history.issued] == ["1.A", "2.A"]
    assert len(cluster.chosen_values) == 1
    check_all(cluster)


@pytest.mark.parametrize(
    "request_message",
    [Prepare(proposal_id=ProposalID(1, "B")), Accept(proposal_id=ProposalID(1, "B"), value="y")],
)
def test_the_record_is_complete_before_the_response_leaves(
    request_message: Prepare | Accept,
) -> None:
    """
    When the response exists, the state that the caller has to save shows what it reveals.

    2.5: an acceptor records its intended response in stable storage before sending it. A server
    resumed from that state gives the same response again.
    """
    quorums = Quorums.majority("ABC")
    server = PaxosInstance("C", quorums, AcceptorState())

    response = server.receive(request_message)
    resumed = PaxosInstance("C", quorums, server.state)

    assert server.state.promised_id == ProposalID(1, "B")
    assert resumed.receive(request_message) == response


def test_everything_that_must_survive_is_in_the_acceptors_state() -> None:
    """
    Restarting every server after every single delivery delays a choice, but does not spoil it.

    2.5: stable storage maintains what an acceptor must remember.
    """
    cluster = Cluster()

    for uid in "ABC":
        cluster.propose(uid, f"wish of {uid}")
        cluster.prepare(uid)
        while cluster.pool:
            letter = cluster.pool[0]
            cluster.deliver_letter(letter)
            for other in "ABC".replace(uid, ""):
                cluster.restart(other)

    assert cluster.chosen_values == {"wish of A"}
    check_all(cluster)
