"""What tests of strategies look for in a simulated cluster."""

from collections import Counter

from composable_paxos import PeerID
from multipaxos.chain.requests import Chosen
from multipaxos.chain.state_machine import Result
from multipaxos.composition import strategy_names
from multipaxos.simulation.calls import ClientCall
from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.trace import TraceEvent

PLAIN = strategy_names(master=False)
MASTER = strategy_names(master=True)


def traced(
    cluster: SimulatedCluster, kind: str, *, server: PeerID | None = None, since: float = 0.0
) -> list[TraceEvent]:
    """Return the trace's events of *kind*, of one server if named, from *since* on."""
    return [
        event
        for event in cluster.trace.events
        if event.kind == kind and server in (None, event.server) and event.seconds >= since
    ]


def kind_of(event: TraceEvent) -> str:
    """Return the kind of the message that a traffic event is about."""
    message = event.fields["message"]
    assert isinstance(message, dict)
    return str(message["type"])


def messages(
    cluster: SimulatedCluster, *, server: PeerID | None = None, since: float = 0.0
) -> Counter[str]:
    """Count the messages that left, by kind."""
    return Counter(kind_of(e) for e in traced(cluster, "sent", server=server, since=since))


def link_of_call(call: ClientCall) -> int:
    """Return the link that holds what *call* asked for."""
    assert isinstance(call.outcome, Chosen), f"{call} was not chosen"
    return call.outcome.link


def result_of(call: ClientCall) -> Result:
    """Return what the state machine answered to *call*."""
    assert isinstance(call.outcome, Chosen), f"{call} was not chosen"
    return call.outcome.result


def instances(cluster: SimulatedCluster) -> list[int]:
    """Return the link that each live server is at."""
    return [server.replica.instance for server in cluster.live()]


def master_of(cluster: SimulatedCluster) -> PeerID:
    """Return the one server that trusts its lease now."""
    (master,) = cluster.trusting()
    return master


def running_with_master(seed: int = 0, servers: str = "ABC") -> tuple[SimulatedCluster, PeerID]:
    """Start a cluster that has a chain already, and run it until it has a master."""
    cluster = SimulatedCluster(tuple(servers), seed=seed, strategies=MASTER, founded=True)
    cluster.start()
    assert cluster.run_until(lambda: bool(cluster.trusting()), limit_seconds=5.0)
    return cluster, master_of(cluster)


def others(cluster: SimulatedCluster, *uids: PeerID) -> list[PeerID]:
    """Return all servers but *uids*."""
    return [uid for uid in cluster.uids if uid not in uids]
