"""``multipaxos explore``: what it prints, what it refuses, and what a disaster looks like."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from multipaxos.cli import main
from multipaxos.exploration.roles import RolesModel
from multipaxos.trace import read_trace

WIDTH_MAX = 80


def explore(*arguments: str | Path) -> Result:
    """Run the command inside this process."""
    return CliRunner().invoke(main, ["explore", *map(str, arguments)])


def test_the_counts_and_the_verdict_are_printed() -> None:
    """All of it fits a narrow screen; the exit code is 0."""
    result = explore("--servers", "2")

    assert result.exit_code == 0
    assert "527 distinct" in result.stdout
    assert "1,252" in result.stdout
    assert result.stdout.endswith("Complete: no invariant breaks within these bounds.\n")
    assert all(len(line) <= WIDTH_MAX for line in result.stdout.splitlines())


def test_a_disaster_is_told_and_drawn_and_kept(tmp_path: Path) -> None:
    """Which invariant broke, for which link, in how many steps; which quorums conflict; exit 1."""
    path = tmp_path / "disaster.ndjson"

    result = explore("--bug", "forgetful-acceptor", "--trace", path)

    assert result.exit_code == 1
    assert "I1 Agreement is broken at link 1, after 8 steps." in result.stdout
    assert "1.A chose x by A and B; 2.B chose y by A and B" in result.stdout
    assert "at step 1" in result.stdout
    assert result.stdout.count("link 1 is chosen") == 2
    header, *events = read_trace(path)
    assert header.fields["engine"] == "exploration"
    assert header.fields["about"] == {
        "model": "roles",
        "servers": 3,
        "proposers": 2,
        "values": 2,
        "rounds": 1,
        "crashes": 0,
        "bug": "forgetful-acceptor",
        "broken": "I1 Agreement",
    }
    assert events[-1].seconds == 8.0
    assert [event.kind for event in events].count("chosen") == 2
    again = explore("--bug", "own-value", "--trace", path)
    assert again.exit_code == 1
    assert next(iter(read_trace(path))).fields["about"] != header.fields["about"]


def test_a_learner_that_is_misled_hears_of_it_in_the_diagram() -> None:
    """What the model plays apart, the disaster shows: two servers resolve different values."""
    result = explore("--bug", "resolved-at-once", "--servers", "3")

    assert result.exit_code == 1
    assert 'link 1 = "x"' in result.stdout
    assert 'link 1 = "y"' in result.stdout


def test_a_search_may_be_stopped_by_the_number_of_its_states() -> None:
    """Bounds with too many states are told to be so; what was covered is told as well."""
    result = explore("--rounds", "3", "--states-max", "2000")

    assert result.exit_code == 0
    assert "many millions of states" in result.stderr
    assert "no invariant broke in what was" in result.stdout


def test_an_interruption_tells_what_was_covered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl+C ends the search, prints the counts so far, and gives exit code 130."""
    successors = RolesModel.successors
    calls = iter(range(100))

    def interrupted(model: RolesModel, state: int) -> object:
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return successors(model, state)

    monkeypatch.setattr(RolesModel, "successors", interrupted)

    result = explore()

    assert result.exit_code == 130
    assert "distinct" in result.stdout
    assert "Interrupted: no invariant broke in what was covered so far." in result.stdout


def test_the_chain_is_explored_too() -> None:
    """With masters: every order of an election and of a write under it."""
    result = explore("--model", "chain", "--master", "--links", "1")

    assert result.exit_code == 0
    assert "a few links of a chain, with masters" in result.stdout
    assert "Complete: no invariant breaks within these bounds." in result.stdout


def test_a_disaster_of_a_chain_is_drawn() -> None:
    """Two leases that overlap, from the election on."""
    result = explore("--bug", "lease-from-learning")

    assert result.exit_code == 1
    assert "I10 OneReader is broken, after 12 steps." in result.stdout
    assert "A and B each trust a lease at one instant" in " ".join(result.stdout.split())
    assert "trusts its lease until" in result.stdout


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["--bug", "nonsense"], "There is no bug called 'nonsense'"),
        (["--servers", "0"], "Servers must be from 1 to 7 here, not 0."),
        (["--proposers", "4"], "Proposers must be from 1 to 3 here, not 4."),
        (["--servers", "many"], '--servers must be a whole number from 0 to 99, not "many"'),
        (["--jobs", "0"], "--jobs must be a whole number from 1 to 64"),
        (["--bug", "own-value", "--model", "chain"], "leave --model out"),
        (["--links", "3"], "--links is no bound of the roles model: add --model chain."),
        (["--model", "chain", "--values", "2"], "--values is no bound of the chain model"),
        (["--model", "chain", "--jobs", "2"], "The chain is explored by one process"),
        (["--model", "chain", "--elected"], "A server can be elected only with --master."),
        (["--trace", "/nowhere/at/all"], "/nowhere/at/all cannot be written"),
    ],
)
def test_bad_input_gets_a_sentence(arguments: list[str], sentence: str) -> None:
    """Exit code 2, and nothing is explored."""
    result = explore(*arguments)

    assert result.exit_code == 2
    assert sentence in result.stderr
    assert result.stdout == ""


def test_a_file_that_is_no_trace_of_an_exploration_is_left_alone(tmp_path: Path) -> None:
    """Nothing is lost by a mistyped name."""
    path = tmp_path / "thesis.txt"
    path.write_text("years of work\n")

    result = explore("--bug", "own-value", "--trace", path)

    assert result.exit_code == 2
    assert "left as it is" in result.stderr
    assert path.read_text() == "years of work\n"
