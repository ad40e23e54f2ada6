"""A simulation in a notebook: it runs, tells what came of it, and shows itself."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.lab.pages import Parsed, use_pages
from typing_extensions import override

from multipaxos.lab import Simulation
from multipaxos.lab.play import ScriptError, play


@pytest.fixture(autouse=True)
def small_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the page be a small one."""
    use_pages(monkeypatch)


def test_a_simulation_is_a_script_that_gives_the_same_run_again() -> None:
    """It can be shared, kept, and changed."""
    simulation = Simulation(servers=5, seed=7, master=True, faults="rough", seconds=3)

    run = simulation.run()

    assert run.script == simulation.script
    title = "A simulation: 5 servers, seed 7, with a master, rough faults"
    assert run.explained["title"] == title
    assert run.events == play(run.script).stage.events
    assert run.events != Simulation(servers=5, seed=8, master=True, faults="rough").run().events
    assert {event.server for event in run.events} >= {"A", "B", "C", "D", "E"}


def test_a_simulation_says_what_was_chosen_and_what_broke() -> None:
    """Without a bug, nothing breaks."""
    right = Simulation(seconds=5).run()
    wrong = Simulation(bug="forgetful-acceptor", faults="cruel", seed=3, seconds=20, rate=5.0).run()

    assert right.decisions
    assert right.violations == []
    assert wrong.violations
    assert wrong.violations[0]["name"] in {event.fields.get("name") for event in wrong.events}


def test_numbers_are_written_exactly() -> None:
    """A script must give the very run that was asked for."""
    simulation = Simulation(seconds=1.23456789, rate=0.015625, settings={"lease_seconds": 2.0})

    assert simulation.script.splitlines()[3:] == [
        "set lease_seconds 2",
        "faults none 1.23456789s",
        "clients 2 0.015625 1.23456789s",
        "advance 1.23456789s",
    ]


def test_settings_strategies_and_commands_are_part_of_it() -> None:
    """Whatever a script can say."""
    simulation = Simulation(
        clients=0,
        seconds=1,
        without=["brevity"],
        settings={"retransmit_seconds": 0.25},
        commands=["crash B", "show"],
    )

    assert simulation.script.splitlines() == [
        "# A simulation: 3 servers, seed 0, without brevity",
        "servers A B C",
        "seed 0",
        "without brevity",
        "set retransmit_seconds 0.25",
        "faults none 1s",
        "advance 1s",
        "crash B",
        "show",
    ]
    assert "crashed" in [event.kind for event in simulation.run().events]


@pytest.mark.parametrize(
    "make, sentence",
    [
        (lambda: Simulation(servers=0), "1 to 9 servers, not 0"),
        (lambda: Simulation(servers=10), "1 to 9 servers, not 10"),
        (lambda: Simulation(bug="no-such"), "no-such"),
        (lambda: Simulation(faults="wild"), "wild"),
        (lambda: Simulation(seconds=1e9), "600 s"),
        (lambda: Simulation(seconds=-1), "line"),
        (lambda: Simulation(seconds=float("nan")), "nan"),
        (lambda: Simulation(seed=-1), "seed"),
        (lambda: Simulation(rate=0), "requests a second"),
        (lambda: Simulation(settings={"no_such": 1.0}), "no_such"),
        (lambda: Simulation(rate=1e4), "requests a second"),
        (lambda: Simulation(faults="rough", seconds=600), "too long for the lab"),
    ],
)
def test_what_is_no_simulation_gets_a_sentence(
    make: Callable[[], Simulation], sentence: str
) -> None:
    """Before anything is shown."""
    with pytest.raises(ScriptError, match=sentence):
        make().run()


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ({"servers": None}, "servers must be a whole number, not None"),
        ({"servers": 3.0}, "servers must be a whole number, not 3.0"),
        ({"servers": ["A"]}, r"servers must be a whole number, not \['A'\]"),
        ({"seed": True}, "seed must be a whole number, not True"),
        ({"clients": None}, "clients must be a whole number, not None"),
        ({"seconds": "5s"}, "seconds must be a number, not '5s'"),
        ({"rate": None}, "rate must be a number, not None"),
        ({"master": "yes"}, "master must be True or False, not 'yes'"),
        ({"faults": None}, "faults must be a level by name, not None"),
        ({"bug": 7}, "bug must be a name, not 7"),
        ({"without": "sync"}, r"without must be a list of names, as in \[\"sync\"\], not 'sync'"),
        ({"without": None}, "without must be a list of names"),
        ({"without": [7]}, "without must be a list of names"),
        ({"commands": "show"}, "commands must be a list of texts"),
        ({"commands": None}, "commands must be a list of texts"),
        ({"commands": (line for line in ["show"])}, "commands must be a list of texts"),
        ({"settings": "lease_seconds"}, "settings must be a dict of numbers"),
        ({"settings": ["lease_seconds"]}, "settings must be a dict of numbers"),
        ({"settings": {"lease_seconds": "2"}}, "settings must be a dict of numbers"),
    ],
)
def test_what_is_of_another_kind_gets_a_sentence(arguments: dict[str, Any], sentence: str) -> None:
    """Where it is written, before anything is run; a text is no list of its letters."""
    with pytest.raises(ScriptError, match=sentence):
        Simulation(**arguments)


def test_numbers_may_come_from_another_library() -> None:
    """Such as those of numpy, which write their type around themselves."""

    class Foreign(float):
        @override
        def __repr__(self) -> str:
            return f"foreign({float(self)})"

    simulation = Simulation(seconds=Foreign(0.5), rate=Foreign(2.0))

    assert simulation.script == Simulation(seconds=0.5, rate=2.0).script


def test_in_a_notebook_it_shows_itself_in_a_frame_that_reaches_nothing() -> None:
    """The frame holds the whole page; what is in it can neither leave it nor break out of it."""
    run = Simulation(clients=0, seconds=0.1, commands=["propose A </iframe><b>"]).run()

    shown = Parsed(run._repr_html_())

    assert shown.scripts == []
    (frame,) = shown.frames
    assert set((frame["sandbox"] or "").split()) == {"allow-scripts", "allow-downloads"}
    page = Parsed(frame["srcdoc"] or "")
    told: Any = json.loads(page.scripts[0][1])
    assert told["events"] == json.loads(json.dumps(run.explained["events"]))


def test_it_is_saved_as_a_page(tmp_path: Path) -> None:
    """The one that the lab saves."""
    run = Simulation(seconds=1).run()

    run.save_html(tmp_path / "run.html")

    page = Parsed((tmp_path / "run.html").read_text(encoding="utf-8"))
    told: Any = json.loads(page.scripts[0][1])
    assert told["script"] == run.script
