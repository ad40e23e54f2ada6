"""Every scenario file gives the trace that it shows."""

from pathlib import Path

import pytest

from multipaxos.simulation.scenario import read_scenario

FILES = sorted((Path(__file__).parents[2] / "src/multipaxos/scenarios").glob("*.txt"))


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_a_scenario_gives_its_golden_trace(path: Path, request: pytest.FixtureRequest) -> None:
    """The script, played on the real protocol, gives the trace in the file, line by line."""
    scenario = read_scenario(path)

    trace = scenario.run()

    if request.config.getoption("--rewrite-scenarios"):
        scenario.rewrite(trace)
    else:
        assert trace == scenario.golden, "after a wanted change: pytest --rewrite-scenarios"


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_a_scenario_says_what_it_is_about(path: Path) -> None:
    """Its first lines tell what happens, why, and what to look at."""
    header = path.read_text(encoding="utf-8").splitlines()[:3]

    assert all(line.startswith("# ") for line in header)
