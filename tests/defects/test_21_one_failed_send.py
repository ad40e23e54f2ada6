"""Defect 21: one failed send ended a server's timers for good."""

from typing import Any, cast

from tests.defects.support import WatchedCluster
from twisted.internet.task import Clock
from typing_extensions import override

from composable_paxos import Accept, PeerID, ProposalID
from multipaxos.chain.effects import Timer
from multipaxos.chain.links import Updates
from multipaxos.chain.messages import Envelope
from multipaxos.chain.requests import RequestID, Update
from multipaxos.runtime.config import built_in_config
from multipaxos.runtime.messenger.arrivals import Refusal
from multipaxos.runtime.messenger.peer_messenger import PeerMessenger
from multipaxos.simulation.cluster import CLUSTER, FOUNDED_CHAIN

CONFIG = built_in_config(3, cluster=CLUSTER)


def closed_messenger(uid: PeerID) -> PeerMessenger:
    """Return the real messenger of *uid*, whose socket is closed: every send fails."""
    messenger = PeerMessenger(CONFIG, uid, lambda _: None, lambda *_: None)
    messenger._addresses.start(cast("Any", Clock()), 0)  # noqa: SLF001 - what listen() does
    return messenger


class UnpluggedCluster(WatchedCluster):
    """A cluster whose servers send by their real messengers, without sockets, while unplugged."""

    def __init__(self, **arguments: Any) -> None:
        self.messengers = {uid: closed_messenger(uid) for uid in CONFIG.servers}
        self.unplugged = True
        super().__init__(**arguments)

    @override
    def send(self, envelope: Envelope) -> None:
        if self.unplugged:
            self.messengers[envelope.sender].send(envelope)
        else:
            super().send(envelope)


def test_timers_outlive_failed_sends() -> None:
    """
    While no send succeeds, a server goes on trying; once they do, it is as if nothing had been.

    In the ancestor the first error in a timer's call was that timer's last.
    """
    cluster = UnpluggedCluster()
    cluster.start()
    call = cluster.ask("A", "x")
    cluster.run_for(30.5)

    assert cluster.fired("A", Timer.RETRANSMIT, since=0) == 30
    assert cluster.fired("B", Timer.SYNC, since=0) == 3
    assert cluster.messengers["A"].refused[Refusal.UNREACHABLE] >= 60
    assert call.outcome is None
    cluster.unplugged = False
    cluster.wait_for(call)
    cluster.run_for(0.1)
    assert cluster.value_on_disk("B") == "x"


def test_a_message_that_cannot_be_written_is_counted_not_raised() -> None:
    """Whatever is wrong with one message, the ones after it are sent."""
    messenger = closed_messenger("A")
    no_text = Update(request_id=RequestID("c", 1), command=("SET", "\ud800"), since=1)
    envelope = Envelope(
        cluster=CLUSTER,
        chain_id=FOUNDED_CHAIN,
        instance=1,
        sender="A",
        receiver="B",
        message=Accept(proposal_id=ProposalID(2, "A"), value=Updates(updates=(no_text,))),
    )

    messenger.send(envelope)

    assert messenger.refused == {Refusal.UNSENDABLE: 1}
