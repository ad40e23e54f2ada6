"""Every engine writes what the schema describes, and each kind that it describes is written."""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from multipaxos.chain.refusals import Reason
from multipaxos.exploration.engine import explore
from multipaxos.exploration.role_case import role_case
from multipaxos.simulation.plan import RunPlan
from multipaxos.simulation.random_run import RandomRun
from multipaxos.simulation.scenario import Stage, read_scenario
from multipaxos.strategies.broken import find_bug
from multipaxos.trace import KINDS, TraceEvent, check_trace, read_trace, write_trace
from multipaxos.trace.schema import DISK_FAULTS

SCENARIOS = sorted((Path(__file__).parents[2] / "src/multipaxos/scenarios").glob("*.txt"))
OF_REAL_SERVERS = {"stopped", "datagram refused"}
"""Kinds that only a real server writes: tests/live holds it against the schema."""


@cache
def simulated(seed: int, faults: str, *, master: bool) -> Sequence[TraceEvent]:
    """Return the trace of a whole random run."""
    run = RandomRun(
        RunPlan(seed=seed, faults=faults, master=master, seconds=120.0, founded=False, traced=True)
    )
    run.play()
    return run.cluster.trace.events


@cache
def played(path: Path) -> Sequence[TraceEvent]:
    """Return the trace of the scenario at *path*."""
    return read_scenario(path).play().events


def kinds_of(traces: Iterable[Sequence[TraceEvent]]) -> set[str]:
    """Return the kinds of events in *traces*."""
    return {event.kind for events in traces for event in events}


RUNS: list[Any] = [
    (seed, faults, master)
    for seed, faults in ((1, "none"), (2, "calm"), (14, "rough"), (3, "cruel"), (5, "cruel"))
    for master in (False, True)
]


@pytest.mark.parametrize("seed, faults, master", RUNS)
def test_a_simulated_run_writes_what_the_schema_describes(
    seed: int, faults: str, master: bool, tmp_path: Path
) -> None:
    """Each event passes the check, and so does the file that is made of them."""
    events = simulated(seed, faults, master=master)
    write_trace(tmp_path / "trace", events)

    assert Counter(event.kind for event in check_trace(events)) == Counter(
        event.kind for event in read_trace(tmp_path / "trace")
    )
    assert events[0].fields["engine"] == "simulation"


@pytest.mark.parametrize("path", SCENARIOS, ids=[path.stem for path in SCENARIOS])
def test_a_scenario_writes_what_the_schema_describes(path: Path) -> None:
    """A script's trace is of the same form as any other."""
    events = played(path)

    assert list(check_trace(events)) == events
    assert events[0].fields["engine"] == "scenario"


@pytest.mark.parametrize("name", ["no-phase-one", "own-value", "forgotten-promise", "changed-mind"])
def test_an_exploration_writes_what_the_schema_describes(name: str) -> None:
    """The way to a disaster is a trace of the same form, with a choice in it or two."""
    case = role_case({}, find_bug(name))

    events = case.tell(explore(case.model))

    assert list(check_trace(events)) == list(events)
    assert events[0].fields["engine"] == "exploration"
    assert {"started", "called", "sent", "delivered", "saved", "accepted", "chosen"} <= kinds_of(
        [events]
    )
    crashes = sum(event.kind == "crashed" for event in events)
    assert crashes == (1 if name == "forgotten-promise" else 0)


def wrong_on_purpose() -> list[TraceEvent]:
    """Return the trace of a bug that breaks an invariant at once."""
    stage = Stage()
    stage.perform("bug forgetful-acceptor")
    stage.perform("propose A x")
    return stage.events


def test_each_kind_of_the_schema_occurs() -> None:
    """Nothing is described that never happens: neither engine leaves much to the other."""
    by_chance = kinds_of(simulated(seed, faults, master=master) for seed, faults, master in RUNS)
    by_hand = kinds_of([*map(played, SCENARIOS), wrong_on_purpose()])

    assert set(KINDS) - (by_chance | by_hand) == OF_REAL_SERVERS
    assert set(KINDS) - OF_REAL_SERVERS - by_chance <= {"takeover", "violated"}
    assert set(KINDS) - OF_REAL_SERVERS - by_hand <= {"founded", "halted", "disk", "round lost"}


def test_each_fault_of_a_disk_occurs() -> None:
    """The words that the schema has for a disk's faults are those that the simulator uses."""
    faults = {
        event.fields["fault"]
        for seed, faults, master in RUNS
        for event in simulated(seed, faults, master=master)
        if event.kind == "disk"
    }

    assert faults == set(DISK_FAULTS)


def test_each_reason_for_a_refusal_comes_with_its_words() -> None:
    """A refusal says the same as data and in words: what was refused, and why."""
    refused = [
        event.fields
        for seed, faults, master in RUNS
        for event in simulated(seed, faults, master=master)
        if event.kind == "refused"
    ]
    for fields in refused:
        message: Any = fields["message"]
        words: Any = fields["text"]
        name = " ".join(filter(None, [message["type"], message.get("proposal_id")]))
        assert words.startswith(f"refused {name}: ")
        if fields["reason"] == "promised":
            assert words == f"refused {name}: promised {fields['promised_id']}"

    assert {fields["reason"] for fields in refused} >= {
        reason.value for reason in Reason if reason not in FORGED
    }


FORGED = {Reason.OTHER_CHAIN, Reason.OTHER_FOUNDING, Reason.TOO_FAR, Reason.NUMBER_ONE}
"""Refusals of what honest servers of one cluster do not send, or hardly ever."""


def test_messages_have_one_number_from_their_departure_to_each_arrival() -> None:
    """What is delivered, dropped or duplicated was sent before, from and to the same servers."""
    flying: Counter[object] = Counter()
    sent: dict[object, object] = {}
    for event in simulated(5, "cruel", master=True):
        fields = event.fields
        route = (fields.get("sender"), fields.get("receiver"), fields.get("message"))
        number = fields.get("id")
        match event.kind:
            case "sent":
                assert number not in sent
                sent[number], flying[number] = route, 1
            case "duplicated":
                flying[number] += 1
            case "delivered" | "dropped":
                assert sent[number] == route
                flying[number] -= 1
                assert flying[number] >= 0

    assert len(sent) > 1000


def test_a_lease_is_claimed_in_the_time_of_the_trace() -> None:
    """By its own clock a server counts from the bid on; the trace says when that ends for all."""
    claims = [e for e in simulated(3, "rough", master=True) if e.kind == "lease began"]
    for claim in claims:
        fields: Any = claim.fields
        assert fields["from"] <= claim.seconds
        assert fields["until"] - fields["from"] == pytest.approx(fields["seconds"], rel=0.02)

    assert len(claims) > 10


def test_a_client_is_told_of_each_call_at_most_once() -> None:
    """A call may be made again; it returns once, with what was asked."""
    for seed, faults, master in RUNS:
        called: dict[object, object] = {}
        returned: Counter[object] = Counter()
        for event in simulated(seed, faults, master=master):
            fields = event.fields
            if event.kind in ("called", "returned"):
                asked = (fields["operation"], fields["arguments"])
                if event.kind == "called":
                    assert called.setdefault(fields["request"], asked) == asked
                else:
                    assert called[fields["request"]] == asked
                    returned[fields["request"]] += 1
        assert max(returned.values()) == 1
        assert len(called) > 10
