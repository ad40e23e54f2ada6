"""The published models: the explorer counts what others have counted."""

import pytest
from tests.exploration.lamport import LamportPaxos, LamportVoting
from tests.exploration.stateright import StaterightPaxos

from multipaxos.exploration.engine import explore


@pytest.mark.parametrize("jobs", [1, 2])
def test_lamports_paxos_with_two_ballots(jobs: int) -> None:
    """3 acceptors, 2 values, ballots 0 and 1: TLC finds 3,921 distinct states, at depth 17."""
    found = explore(LamportPaxos(ballots=2), jobs=jobs)

    assert (found.states, found.depth) == (3_921, 17)
    assert found.complete
    assert found.violation is None


def test_lamports_paxos_with_three_ballots() -> None:
    """The same with ballots 0 to 2: 185,369 distinct states, at depth 25; under 300 bytes each."""
    found = explore(LamportPaxos(ballots=3))

    assert (found.states, found.depth) == (185_369, 25)
    assert found.complete
    assert found.violation is None
    assert found.bytes_per_state < 300


def test_lamports_voting() -> None:
    """3 acceptors, 2 values, ballots 0 to 2: 6,752 distinct states."""
    found = explore(LamportVoting(ballots=3))

    assert found.states == 6_752
    assert found.complete
    assert found.violation is None


@pytest.mark.parametrize("clients, states", [(1, 265), (2, 16_668)])
def test_staterights_single_decree_paxos(clients: int, states: int) -> None:
    """Its example with 3 servers: 265 states with one client, 16,668 with two, all linearizable."""
    found = explore(StaterightPaxos(clients=clients))

    assert found.states == states
    assert found.complete
    assert found.violation is None
    assert found.missing == ()
