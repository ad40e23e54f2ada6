"""Pictures of runs: diagrams of simulated clusters whose messages are delivered by hand."""

from multipaxos.chain.effects import Timer
from multipaxos.composition import strategy_names
from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.trace.diagram import text_diagram

QUICK = ("abstention", "batching", "brevity", "group-commit")
"""What makes a master quick, and a picture of it unlike that of an ordinary proposer."""


def picture_of_an_update() -> str:
    """Return the picture of one update through A, every message delivered by hand."""
    cluster = SimulatedCluster(manual=True, founded=True)
    cluster.start()
    _deliver_all(cluster)
    return _draw_update(
        cluster,
        "A->B Prepare",
        "A->C Prepare",
        "B->A Promise",
        "C->A Promise",
        "A->B Accept",
        "B->A Accepted",
        "A->C Accept",
        "A->B Accepted",
        "A->C Accepted",
    )


def picture_of_a_master_s_update() -> str:
    """Return the picture of one update through A, which the chain names as master."""
    strategies = strategy_names(master=True, without=QUICK)
    cluster = SimulatedCluster(manual=True, founded=True, strategies=strategies)
    cluster.start()
    cluster.hurry("A", Timer.ELECTION)
    _deliver_all(cluster)
    assert cluster.trusting() == ["A"]
    return _draw_update(
        cluster,
        "A->B Accept",
        "B->A Accepted",
        "A->C Accept",
        "A->B Accepted",
        "A->C Accepted",
    )


def _deliver_all(cluster: SimulatedCluster) -> None:
    while cluster.manual.held:
        cluster.manual.deliver(cluster.manual.held[0])


def _draw_update(cluster: SimulatedCluster, *deliveries: str) -> str:
    first = len(cluster.trace.events)
    cluster.submit("A", ("SET", "hello"))
    for delivery in deliveries:
        route, kind = delivery.split()
        sender, receiver = route.split("->")
        cluster.manual.deliver(cluster.manual.find(sender, receiver, kind))
    # What is still on its way is left out: an arrow that ends nowhere would need a word.
    ended = {event.fields["id"] for event in cluster.trace.events if event.kind == "delivered"}
    events = [
        event
        for event in cluster.trace.events[first:]
        if event.kind != "sent" or event.fields["id"] in ended
    ]
    return f"{text_diagram(events)}\n"
