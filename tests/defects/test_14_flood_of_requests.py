"""Defect 14: each client packet restarted the round, so that a flood was a livelock."""

import pytest
from tests.defects.support import MASTER, PLAIN, WatchedCluster

from composable_paxos import Accept, Prepare, Promise
from multipaxos.chain.requests import Chosen, Refused
from multipaxos.composition import compose

FLOOD_SECONDS = 0.5
REQUESTS = 2000


def test_a_request_that_comes_during_a_round_does_not_disturb_it() -> None:
    """However many come: there is one Prepare, and then its Accept."""
    cluster = WatchedCluster(manual=True)
    cluster.start()
    cluster.ask("A", "first")
    for number in range(50):
        cluster.ask("A", f"{number}")
    cluster.deliver("A->B", Prepare)
    for number in range(50):
        cluster.ask("A", f"more {number}")

    cluster.deliver("B->A", Promise)

    assert len(set(cluster.sent(Prepare, by="A"))) == 1
    accepts = set(map(repr, cluster.sent(Accept, by="A")))
    assert len(accepts) == 1
    assert "first" in accepts.pop()


@pytest.mark.parametrize("strategies", [PLAIN, MASTER], ids=["plain", "master"])
def test_links_are_decided_all_through_a_flood(strategies: tuple[str, ...]) -> None:
    """
    Requests that come faster than a round trip hinder no round.

    Who finds the queue full is refused at once, in words. Everybody gets an answer: nearly all
    others' values are chosen, and whose request waited behind more clients than the chain remembers
    is told that its outcome is not known.
    """
    cluster = WatchedCluster(replica_class=compose(strategies), traced=False)
    cluster.start()
    cluster.run_for(1)
    start, before = cluster.time.now, cluster.link_in_progress("A")
    for number in range(REQUESTS):
        cluster.ask_later(start + FLOOD_SECONDS * number / REQUESTS, "A", f"{number}")

    cluster.run_for(FLOOD_SECONDS * 150 / REQUESTS)
    decided_with_room_in_the_queue = cluster.link_in_progress("A") - before
    cluster.run_for(FLOOD_SECONDS * (1 - 150 / REQUESTS))
    decided = cluster.link_in_progress("A") - before
    cluster.wait_for(*cluster.unanswered)

    assert decided_with_room_in_the_queue >= 5
    assert decided > 50
    assert len(cluster.calls) == REQUESTS
    outcomes = [call.outcome for call in cluster.calls.values()]
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    chosen = [outcome for outcome in outcomes if isinstance(outcome, Chosen)]
    assert cluster.unanswered == []
    assert all(outcome.reason.startswith("busy: ") for outcome in refused)
    assert len(chosen) > 200
    assert len(refused) + len(chosen) > 0.99 * REQUESTS
