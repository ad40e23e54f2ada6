"""The figures of a load: sums over load processes, shares of servers, and what must not be."""

from dataclasses import replace

import pytest
from tests.bench.examples import histogram_of, measurement, observation, result_of

from multipaxos.bench.counts import Counts
from multipaxos.bench.measurement import measurement_of
from multipaxos.bench.measuring import parts_of
from multipaxos.bench.plan import Content, Load, LoadPlan


def test_what_several_processes_saw_is_added() -> None:
    """Answers of the same tenth of a second belong together."""
    first = result_of(histogram_of(1), histogram_of(1, 1), writes=3, errors={"busy": 1})
    second = result_of(histogram_of(9), histogram_of(1), writes=1, reads=2, errors={"busy": 2})

    found = measurement_of(Load(), [first, second], observation())

    assert found.requests_per_second == pytest.approx(5 / 0.2)
    assert [one.requests_per_second for one in found.slices] == pytest.approx([20, 30])
    assert found.slices[0].latency.longest == pytest.approx(0.009)
    assert found.latency.longest == pytest.approx(0.009)
    assert found.latency.p50 == pytest.approx(0.001, rel=0.01)
    assert found.seen == 6
    assert found.errors == {"busy": 3}


def test_servers_are_told_with_their_shares() -> None:
    """A tenth of a second of processor in two tenths is half a processor."""
    found = measurement()

    shares = {use.name: use.cpu for use in found.uses}
    assert shares == pytest.approx({"A": 0.5, "B": 0.25, "C": 0.25})
    assert [use.name for use in found.uses if use.is_master] == ["A"]
    assert {use.memory_bytes for use in found.uses} == {2_000_000}
    # One processor for 4 answers in two tenths of a second.
    assert found.cpu_seconds_per_request == pytest.approx(0.05)


def test_what_writes_took_is_told_for_each() -> None:
    """Saves and messages of all servers; a link is counted by each of them."""
    counts = Counts(answers=12, saves=24, messages=48, links=9)
    result = result_of(histogram_of(1), writes=12)

    found = measurement_of(Load(), [result], replace(observation(), counts=counts))

    assert (found.saves_per_write, found.messages_per_write, found.writes_per_link) == (2, 4, 4)
    assert found.faults == []


@pytest.mark.parametrize(
    "counted, unknown, is_fault",
    [(10, 0, False), (9, 0, True), (11, 0, True), (11, 1, False), (12, 1, True), (9, 1, True)],
)
def test_answers_must_be_counted_by_both(counted: int, unknown: int, *, is_fault: bool) -> None:
    """Servers may have counted what broke on its way, and nothing else; no fault is hidden."""
    result = result_of(histogram_of(1), writes=7, reads=3, unknown=unknown)
    observed = replace(observation(), counts=Counts(answers=counted))

    found = measurement_of(Load(), [result], observed, ["2 acknowledged writes are lost."])

    assert found.faults[0] == "2 acknowledged writes are lost."
    sentence = f"The clients saw 10 answers, but the servers counted {counted}."
    assert (sentence in found.faults) == is_fault


def test_nothing_is_made_up_where_nobody_counts() -> None:
    """Servers of others have no metrics and no processes here; who only reads writes nothing."""
    unseen = replace(observation(), before={}, after={})
    result = result_of(histogram_of(), reads=1)

    found = measurement_of(Load(reads=1.0), [result], unseen)
    idle = measurement_of(
        Load(reads=1.0), [result], replace(observation(), counts=Counts(answers=1, saves=3))
    )

    assert found.uses == []
    assert found.counted is found.saves_per_write is found.cpu_seconds_per_request is None
    assert found.latency.p50 is found.latency.longest is None
    assert idle.saves_per_write is idle.writes_per_link is None


def test_a_failover_is_the_longest_time_without_an_answer() -> None:
    """It is told with who was killed, and when."""
    found = measurement(observed=observation(killed=("B", 0.11)))

    assert found.failover is not None
    assert (found.failover.killed, found.failover.killed_seconds) == ("B", 0.11)
    assert found.failover.gap_seconds == 0.07
    assert measurement().failover is None


def test_clients_are_divided_among_processes() -> None:
    """All of them, each once; with fewer clients than processes some have nothing to do."""
    plan = LoadPlan(
        addresses=(("127.0.0.1", 1),),
        load=Load(clients=8, pipeline=4),
        content=Content(),
        warm_up_seconds=1,
        seconds=1,
        requests_max=800,
    )

    parts = parts_of(plan, 3)

    clients = [
        number
        for part in parts
        for number in range(part.first_client, part.first_client + part.load.clients)
    ]
    assert clients == list(range(8))
    assert sum(part.requests_max or 0 for part in parts) == 800
    assert len({part.seed for part in parts}) == 3
    assert {part.load.pipeline for part in parts} == {4}
    assert len(parts_of(plan, 20)) == 8
    assert parts_of(plan, 1) == [plan]
