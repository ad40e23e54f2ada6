"""The plan of a run: plain data, refused with a sentence, repeated by one command."""

import pickle
from dataclasses import replace
from typing import Any

import pytest

from multipaxos.simulation.plan import PlanError, RunPlan, parse_numbers, render_numbers


@pytest.mark.parametrize(
    "wrong, sentence",
    [
        ({"servers": 0}, "1 to 9 servers, not 0"),
        ({"servers": 10}, "1 to 9 servers, not 10"),
        ({"seconds": -1.0}, "seconds, zero or more"),
        ({"seconds": float("nan")}, "seconds, zero or more"),
        ({"seconds": float("inf")}, "seconds, zero or more"),
        ({"clients": 0}, "1 to 100 clients"),
        ({"rate": 0.0}, "requests a second"),
        ({"reads": 1.5}, "share of reads"),
        ({"faults": "wild"}, "one of none, calm, rough, cruel, not 'wild'"),
        ({"storage": "tape"}, "one of simulated, json"),
        ({"switched_off": ("rain",)}, "one of loss, duplication, detour"),
    ],
)
def test_what_cannot_be_run_is_refused(wrong: dict[str, Any], sentence: str) -> None:
    """With a sentence that says what would do."""
    with pytest.raises(PlanError, match=sentence):
        RunPlan(**({"seed": 1} | wrong))


def test_a_plan_travels_to_another_process() -> None:
    """A campaign hands plans to its workers."""
    plan = RunPlan(seed=1, kept_faults=(1, 2), switched_off=("loss",))

    assert pickle.loads(pickle.dumps(plan)) == plan  # noqa: S301 - our own


def test_the_command_says_what_differs_from_the_usual() -> None:
    """And always what a reader wants to see."""
    plan = RunPlan(seed=7)
    assert plan.command_line() == (
        "multipaxos simulate --seed 7 --servers 3 --seconds 60 --faults rough"
    )

    shrunk = replace(
        plan,
        seconds=2.5,
        master=True,
        without=("forwarding",),
        bug="forgetful-acceptor",
        storage="json",
        clients=1,
        rate=0.5,
        founded=True,
        kept_faults=(),
        kept_requests=(1, 2, 3, 9),
        switched_off=("loss", "delay"),
    )

    assert shrunk.command_line() == (
        "multipaxos simulate --seed 7 --servers 3 --seconds 2.5 --faults rough --master "
        "--without forwarding --bug forgetful-acceptor --storage json --clients 1 --rate 0.5 "
        "--founded --keep-faults none --keep-requests 1-3,9 --switch-off loss --switch-off delay"
    )


@pytest.mark.parametrize("text", ["none", "1", "1-3", "1-3,7,9-10", "12"])
def test_numbers_are_read_as_they_are_written(text: str) -> None:
    """As spans."""
    assert render_numbers(parse_numbers(text)) == text


@pytest.mark.parametrize("text", ["", "a", "1-", "-1", "1,,2", "1-99999999999", "²"])
def test_other_lists_are_refused(text: str) -> None:
    """Also one that would not fit into memory."""
    with pytest.raises(PlanError):
        parse_numbers(text)


def test_what_is_kept_is_all_that_happens() -> None:
    """By number; the rest is as the seed drew it."""
    plan = RunPlan(seed=3)
    faults, requests = plan.fault_schedule(), plan.request_schedule()

    kept = replace(plan, kept_faults=(2, 4), kept_requests=(5,))

    assert kept.fault_schedule() == (faults[1], faults[3])
    assert kept.request_schedule() == (requests[4],)


def test_requests_come_at_the_rate_that_was_asked_for() -> None:
    """In total, whatever the number of clients; reads and writes."""
    requests = RunPlan(seed=1, rate=5.0, seconds=200).request_schedule()

    assert 900 < len(requests) < 1100
    reads = sum(request.command == ("GET",) for request in requests)
    assert 0.3 < reads / len(requests) < 0.5
    written = {request.command[-1] for request in requests if request.command != ("GET",)}
    assert len(written) == len(requests) - reads


def test_every_state_is_asked_at_the_same_times() -> None:
    """The clients, their servers and their patience are the seed's, not the machine's."""
    plan = RunPlan(seed=5, rate=2.0)

    register, dictionary = (
        [replace(request, command=()) for request in replace(plan, state=state).request_schedule()]
        for state in ("register", "dictionary")
    )

    assert register == dictionary


def test_a_plan_names_its_state_machine() -> None:
    """In the command that repeats it, too; what cannot be asked anything cannot be run."""
    plan = RunPlan(seed=1, state="dictionary", sessions=3)

    assert " --state dictionary --sessions 3" in plan.command_line()
    assert plan.sized_settings.sessions_max == 3
    assert (plan.machine.kind, RunPlan(seed=1).machine.kind) == ("dictionary", "register")
    with pytest.raises(PlanError, match="there is no state machine 'list'"):
        RunPlan(seed=1, state="list")
    with pytest.raises(PlanError, match="1 to 10000 sessions, not 0"):
        RunPlan(seed=1, sessions=0)
    with pytest.raises(PlanError, match="the state machine mute refuses all that is drawn"):
        RunPlan(seed=1, state="tests.simulation.machines:Mute")
