"""Who is in the cluster, and the numbers that it works with."""

import pytest

from multipaxos.chain.settings import Membership, Settings


def test_peers_are_all_servers_but_oneself() -> None:
    """A server's peers are the other servers, in the configured order."""
    membership = Membership(cluster="test", uid="B", servers=("C", "B", "A"))

    assert membership.peers == ("C", "A")


@pytest.mark.parametrize("servers, quorum", [("A", 1), ("AB", 2), ("ABC", 2), ("ABCDE", 3)])
def test_quorums_are_majorities(servers: str, quorum: int) -> None:
    """More than half of the servers must agree, in both phases."""
    membership = Membership(cluster="test", uid="A", servers=tuple(servers))

    assert membership.quorums.promise_size == quorum
    assert membership.quorums.accept_size == quorum


@pytest.mark.parametrize("rate_error", [0.0, 0.01, 0.2])
def test_a_lease_is_held_for_less_than_it_is_respected(rate_error: float) -> None:
    """
    However wrong the clocks, a master's hourglass is empty when the others' lease ends.

    The master's clock may be the slowest allowed, another's the fastest.
    """
    settings = Settings(lease_seconds=10.0, clock_rate_error=rate_error)

    held_true_seconds = settings.held_lease_seconds / (1 - rate_error)
    respected_true_seconds = settings.lease_seconds / (1 + rate_error)

    assert held_true_seconds == pytest.approx(respected_true_seconds)


def test_fewer_updates_wait_than_clients_are_remembered() -> None:
    """A full queue alone cannot make the chain forget one who waits in it."""
    settings = Settings()

    assert settings.queue_max < settings.sessions_max
