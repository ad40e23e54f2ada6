"""The page on the lab is complete: its bounds, a simulation's arguments, a run's fields."""

import dataclasses
import re

import pytest
from tests.docs.documents import read
from tests.docs.tables import rows

from multipaxos.lab import Simulation
from multipaxos.lab.explain import traces
from multipaxos.lab.forking import COMMANDS_MAX
from multipaxos.lab.judging import CALLS_MAX
from multipaxos.lab.play import (
    EVENTS_MAX,
    LINE_LENGTH_MAX,
    LINES_MAX,
    PLAY_SECONDS_MAX,
    play,
)
from multipaxos.lab.run import VERSION, Run, run_of
from multipaxos.lab.web.pages import BODY_BYTES_MAX
from multipaxos.lab.web.port import CONNECTIONS_MAX

PAGE = "docs/reference/lab.md"

NAME = re.compile(r"`(\w+)`")


@pytest.fixture(scope="module")
def run() -> Run:
    """Return a run with everything in it, a broken invariant too."""
    script = Simulation(bug="own-value", faults="cruel", rate=4.0, seed=42).script
    return run_of(play(f"{script}show\n"))


def fields_described() -> dict[str, str]:
    """Return what the page says of each field."""
    return {name.strip("`"): holds for name, holds in rows(read(PAGE), ("field", "holds"))}


def test_the_bounds_are_those_of_the_code() -> None:
    """Whoever meets one finds it here."""
    link = read("src/multipaxos/lab/static/share-link.js")
    link_max = re.search(r"SHARE_LINK_MAX = (\d+);", link)
    assert link_max is not None

    described = {
        of: float(most.replace(",", "")) for of, most in rows(read(PAGE), ("of", "at most"))
    }

    assert described == {
        "lines in a script": LINES_MAX,
        "characters in a line": LINE_LENGTH_MAX,
        "events of a run that is played": EVENTS_MAX,
        "seconds that playing takes": PLAY_SECONDS_MAX,
        "requests of clients in a run of which I11 is judged": CALLS_MAX,
        "commands that change a run at once": COMMANDS_MAX,
        "events of a trace": traces.EVENTS_MAX,
        "bytes that the page sends": BODY_BYTES_MAX,
        "connections": CONNECTIONS_MAX,
        "characters in a link": float(link_max[1]),
    }


def test_every_argument_of_a_simulation_is_described_with_its_default() -> None:
    """In their order."""
    described = [
        (name.strip("`"), default.strip("`"))
        for name, default, _ in rows(read(PAGE), ("argument", "default", "is"))
    ]

    assert described == [
        (field.name, repr(field.default)) for field in dataclasses.fields(Simulation)
    ]


def test_every_field_of_a_run_is_described(run: Run) -> None:
    """Neither more nor fewer, and the version."""
    described = fields_described()

    assert described.keys() == run.keys()
    assert f": {VERSION}" in described["version"]


@pytest.mark.parametrize(
    "field", ["messages", "marks", "decisions", "proposals", "violations", "invariants"]
)
def test_every_field_of_the_parts_is_named(run: Run, field: str) -> None:
    """So that a program can read them."""
    described = fields_described()[field]

    assert run[field], "a run without any shows nothing"
    assert set(run[field][0]) <= set(NAME.findall(described))


def test_every_panel_s_choice_is_described() -> None:
    """What the panel offers, by the words on its buttons."""
    view = read("src/multipaxos/lab/static/share-view.js")
    offered = set(re.findall(r'\["[\w-]+", "([^"]+)"\]', view.partition("];\n")[0]))
    listed = ", ".join(choice for choice, _ in rows(read(PAGE), ("in the panel", "gives")))

    assert {name for name in offered if name != "Save"} == set(listed.split(", "))
