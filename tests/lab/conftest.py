"""The scenarios, for the tests of the lab."""

from pathlib import Path

import pytest

from multipaxos.simulation.scenario import read_scenario

DIRECTORY = Path(__file__).parents[2] / "src/multipaxos/scenarios"


@pytest.fixture
def scenario_paths() -> list[Path]:
    """Return where the scenarios are."""
    return sorted(DIRECTORY.glob("*.txt"))


@pytest.fixture
def scenario_files(scenario_paths: list[Path]) -> list[str]:
    """Return the script of every scenario."""
    return [read_scenario(path).script for path in scenario_paths]
