"""The scenarios, for the tests of the lab."""

from pathlib import Path

import pytest

from multipaxos.simulation.scenario import read_scenario

DIRECTORY = Path(__file__).parents[2] / "src/multipaxos/scenarios"


@pytest.fixture
def scenario_files() -> list[str]:
    """Return the script of every scenario."""
    return [read_scenario(path).script for path in sorted(DIRECTORY.glob("*.txt"))]
