"""For how long a lease is drawn: as long as the server that has it believes."""

from typing import Any

from multipaxos.lab.gallery import find
from multipaxos.lab.play import play
from multipaxos.lab.run import run_of


def lease_of(name: str) -> dict[str, Any]:
    """Return the first lease that begins in the scenario *name*."""
    run = run_of(play(find(name).script))
    return next(event for event in run["events"] if event["kind"] == "lease began")


def test_a_right_lease_lasts_from_the_bid() -> None:
    """As the server says."""
    lease = lease_of("14_lease_counts_from_the_bid")

    assert (lease["from"], round(lease["until"], 2), lease["time"]) == (0.0, 9.8, 0.8)


def test_a_lease_that_is_counted_from_its_news_lasts_longer() -> None:
    """The picture must show what the server believes, or nobody would see the two masters."""
    lease = lease_of("14b_lease_from_learning")

    assert (lease["from"], round(lease["until"], 2)) == (0.8, 10.6)
