"""Defect 18: a stray nack at an idle server made it prepare for ever."""

import pytest
from tests.defects.support import WatchedCluster

from composable_paxos import LOWEST, Nack, Prepare, ProposalID
from multipaxos.chain.effects import Timer


@pytest.mark.parametrize(
    "proposal_id", [ProposalID(2, "B"), LOWEST], ids=["an old round", "no round"]
)
def test_an_idle_server_does_nothing_on_a_nack(proposal_id: ProposalID) -> None:
    """A nack concerns the round that it names; who has none under way begins none."""
    cluster = WatchedCluster(manual=True)
    cluster.start()

    for sender in "AC":
        cluster.forge(
            f"{sender}->B",
            Nack(acceptor=sender, proposal_id=proposal_id, promised_id=ProposalID(9, "C")),
            instance=1,
        )
    cluster.run_for(120)

    assert cluster.sent(Prepare, by="B") == []
    assert cluster.fired("B", Timer.BACKOFF, since=0) == 0


def test_a_nack_of_a_closed_link_starts_nothing() -> None:
    """Refusals that arrive after the link is decided are of no concern."""
    cluster = WatchedCluster()
    cluster.start()
    cluster.write("B", "x")
    cluster.run_for(1)
    before = len(cluster.sent(Prepare))

    for sender in "AC":
        cluster.forge(
            f"{sender}->B",
            Nack(acceptor=sender, proposal_id=ProposalID(2, "B"), promised_id=ProposalID(9, "C")),
            instance=1,
        )
    cluster.run_for(60)

    assert len(cluster.sent(Prepare)) == before
