"""A run becomes a scenario file: the one that it came from, or one that holds it from now on."""

from pathlib import Path

import pytest

from multipaxos.lab.as_scenario import scenario_of
from multipaxos.lab.play import ScriptError
from multipaxos.simulation.scenario import read_scenario

SCRIPT = """\
# Two servers want to propose.
bug own-value
propose A x
propose B y
deliver all
show
"""


def test_a_scenario_becomes_itself(scenario_paths: list[Path]) -> None:
    """Its script and its golden trace, to the letter; also where the golden trace came along."""
    for path in scenario_paths:
        text = path.read_text(encoding="utf-8")

        assert scenario_of(read_scenario(path).script) == text
        assert scenario_of(text) == text


def test_a_script_of_one_s_own_becomes_a_scenario_that_holds(tmp_path: Path) -> None:
    """The tests of the scenarios play it, and find the same."""
    path = tmp_path / "mine.txt"
    path.write_text(scenario_of(SCRIPT), encoding="utf-8")

    scenario = read_scenario(path)

    assert scenario.script == SCRIPT
    assert "> deliver all\n" in scenario.golden
    assert scenario.run() == scenario.golden


def test_what_cannot_be_played_is_no_scenario() -> None:
    """The sentence says which line it is."""
    with pytest.raises(ScriptError, match="line 1, jump"):
        scenario_of("jump\n")
