"""Simulated clients: one thing after the other, retries through other servers, and giving up."""

from multipaxos.chain.links import Updates
from multipaxos.chain.requests import Chosen, Unknown
from multipaxos.simulation.clients import SimulatedClient
from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.simulation.workload import Request


def request(number: int, at: float, *, patience_seconds: float = 30.0) -> Request:
    """Return a write whose client asks A first."""
    return Request(
        number=number,
        at=at,
        command=("SET", f"v{number}"),
        draw=0,
        server_draw=0,
        retry_seconds=2.0,
        patience_seconds=patience_seconds,
    )


def client_with(cluster: SimulatedCluster, *requests: Request) -> SimulatedClient:
    """Return a client that has begun."""
    cluster.start()
    client = SimulatedClient(cluster, "ann", requests)
    client.start()
    return client


def test_a_client_asks_again_elsewhere_under_the_same_id() -> None:
    """A is down: after two seconds it asks B, and is answered."""
    cluster = SimulatedCluster(founded=True)
    client = client_with(cluster, request(1, 1.0))
    cluster.crash("A")

    cluster.run_for(5)

    assert client.call is not None
    assert client.call.tried == ["A", "B"]
    assert isinstance(client.call.outcome, Chosen)
    assert client.call.returned_at is not None
    assert 3.0 < client.call.returned_at < 3.1


def test_a_client_says_once_since_when_it_asks() -> None:
    """After the highest link that it had heard of; a retry repeats that, through whomever."""
    cluster = SimulatedCluster(founded=True)
    client_with(cluster, request(1, 1.0), request(2, 2.0))
    cluster.run_for(1.5)
    cluster.crash("A")
    for number in range(3):
        cluster.submit("B", ("SET", f"b{number}"))
        cluster.run_for(0.1)

    cluster.run_for(10)

    first, second = (call for call in cluster.calls.values() if call.request_id.client == "ann")
    assert (first.since, first.tried) == (1, ["A"])
    assert (second.since, second.tried) == (2, ["A", "B"])
    held = cluster.invariants.chosen[5].value
    assert isinstance(held, Updates)
    assert [update.since for update in held.updates] == [2]


def test_a_client_that_waits_asks_the_next_thing_later() -> None:
    """One call at a time, with growing sequences."""
    cluster = SimulatedCluster(founded=True)
    client_with(cluster, request(1, 1.0), request(2, 1.1))
    cluster.crash("A")
    cluster.run_for(2)
    assert [str(call) for call in cluster.calls] == ["ann/1"]

    cluster.run_for(10)

    assert [str(call) for call in cluster.calls] == ["ann/1", "ann/2"]
    assert not cluster.unanswered


def test_a_client_gives_up_and_goes_on() -> None:
    """What became of its request it does not know, and the trace says so."""
    cluster = SimulatedCluster(founded=True)
    client = client_with(cluster, request(1, 1.0, patience_seconds=4.0), request(2, 2.0))
    for uid in "ABC":
        cluster.crash(uid)

    cluster.run_for(6)
    (first, second) = cluster.calls.values()
    assert isinstance(first.outcome, Unknown)
    assert first.returned_at == 5.0
    returned = [event for event in cluster.trace.events if event.kind == "returned"]
    assert [event.fields["status"] for event in returned] == ["unknown"]

    cluster.start()
    cluster.run_for(10)
    assert isinstance(second.outcome, Chosen)
    assert not client.waits


def test_a_client_that_was_told_to_stop_waits_for_its_last_answer() -> None:
    """It does not give up any more, and asks nothing else."""
    cluster = SimulatedCluster(founded=True)
    client = client_with(cluster, request(1, 1.0, patience_seconds=4.0), request(2, 2.0))
    for uid in "ABC":
        cluster.crash(uid)
    cluster.run_for(2)

    client.stop()
    cluster.run_for(20)
    assert [call.answered for call in cluster.calls.values()] == [False]

    cluster.start()
    cluster.run_for(10)
    assert not client.waits
    assert len(cluster.calls) == 1
