"""``multipaxos simulate``: what it prints, what it refuses, and what a disaster looks like."""

import json
import re
import shlex
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from multipaxos.cli import main
from multipaxos.strategies.broken import BUGS

WIDTH_MAX = 80


def simulate(*arguments: str | Path) -> Result:
    """Run the command inside this process."""
    return CliRunner().invoke(main, ["simulate", *map(str, arguments)])


def repeat(result: Result) -> list[str]:
    """Return the arguments of the command that *result* ends with."""
    command = shlex.split(result.output.splitlines()[-1])
    assert command[:2] == ["multipaxos", "simulate"]
    return command[2:]


# -- one run ---------------------------------------------------------------------------------------


def test_a_run_tells_its_chances_first_and_then_what_happened() -> None:
    """The seed's chances, then the finding, then the counts; all of it fits a narrow screen."""
    result = simulate("--seed", "7", "--master")

    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0] == "seed 7: 3 servers, with masters, faults: rough"
    places = [
        next(place for place, line in enumerate(lines) if word in line)
        for word in ("delays", "faults, a second", "No invariant was broken", "links", "seen")
    ]
    assert places == sorted(places)
    assert max(map(len, lines)) <= WIDTH_MAX


def test_any_state_is_simulated_and_judged_again_from_its_trace(tmp_path: Path) -> None:
    """The trace names the state machine, and how many clients it remembers."""
    trace = tmp_path / "run.ndjson"

    run = simulate("--seed", "6", "--state", "dictionary", "--sessions", "2", "--trace", trace)

    assert run.exit_code == 0
    assert "state: dictionary" in run.output.splitlines()[0]
    judged = CliRunner().invoke(main, ["conform", str(trace)])
    assert (judged.exit_code, "I11 Linearizable          holds" in judged.output) == (0, True)


def test_a_class_of_ones_own_is_simulated_too() -> None:
    """By its forms; a campaign as well as a single run."""
    name = "tests.simulation.machines:Bids"

    assert simulate("--seed", "1", "--state", name, "--seconds", "5").exit_code == 0
    assert simulate("--runs", "3", "--jobs", "1", "--state", name, "--seconds", "3").exit_code == 0
    assert simulate("--state", "tests.simulation.machines:Mute").exit_code == 2
    assert simulate("--state", "list").exit_code == 2


def test_a_bug_of_what_is_forgotten_is_found_and_repeated() -> None:
    """The command that repeats it says how few clients are remembered, and of what state."""
    result = simulate(
        "--bug",
        "age-of-newest-try",
        "--seed",
        "6",
        "--rate",
        "10",
        "--clients",
        "20",
        "--sessions",
        "2",
        "--state",
        "dictionary",
    )

    assert result.exit_code == 1
    assert "I9 AppliedOnce was broken" in result.output
    again = repeat(result)
    assert {"--state", "--sessions"} <= set(again)
    assert simulate(*again).exit_code == 1


def test_the_same_seed_gives_the_same_output_and_another_does_not() -> None:
    """Nothing that is printed depends on the machine or the moment."""
    first, again, other = (simulate("--seed", seed) for seed in ("3", "3", "4"))

    assert first.output == again.output
    assert first.output.splitlines()[1:] != other.output.splitlines()[1:]


def test_without_a_seed_one_is_drawn_and_repeats_the_run() -> None:
    """The seed that is printed first is all that one needs."""
    drawn = simulate("--seconds", "5")
    match = re.match(r"seed (\d+):", drawn.output)

    assert match
    assert simulate("--seconds", "5", "--seed", match[1]).output == drawn.output


def test_a_run_without_what_brings_answers_demands_none() -> None:
    """Without resolution nothing is ever chosen; the run says what it did not demand."""
    result = simulate("--seed", "1", "--without", "resolution", "--seconds", "10")

    assert result.exit_code == 0
    assert "no answer was demanded" in " ".join(result.output.split())


@pytest.mark.parametrize("storage", ["simulated", "json"])
def test_every_storage_survives_a_cruel_run(storage: str) -> None:
    """The record and the real server's code on a simulated file system: both keep what counts."""
    result = simulate("--seed", "2", "--faults", "cruel", "--storage", storage)

    assert result.exit_code == 0
    assert "No invariant was broken" in result.output


def test_a_trace_is_written_and_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    """The trace says which command makes it; the same command replaces it by the same."""
    path, other = tmp_path / "run.ndjson", tmp_path / "other.ndjson"

    for target in (path, path, other):
        assert simulate("--seed", "5", "--seconds", "10", "--trace", target).exit_code == 0

    assert path.read_bytes() == other.read_bytes()
    header = json.loads(path.read_text().splitlines()[0])
    assert header["engine"] == "simulation"
    assert "--seed 5" in header["about"]["command"]
    assert CliRunner().invoke(main, ["diagram", str(path)]).exit_code == 0


def test_a_file_that_is_no_simulation_s_trace_is_left_alone(tmp_path: Path) -> None:
    """What a run would write over, and a run could not make again, is refused."""
    for text in ("my diary\n", '{"kind": "trace", "engine": "server"}\n', "[]\n", "7\n"):
        path = tmp_path / "file"
        path.write_text(text)

        result = simulate("--seed", "1", "--trace", path)

        assert result.exit_code == 2
        assert "is left as it is" in result.output
        assert path.read_text() == text


# -- a disaster ------------------------------------------------------------------------------------


def test_a_disaster_is_named_explained_drawn_and_can_be_repeated() -> None:
    """The invariant, the explanation, the smallest run as a diagram, the one command; exit 1."""
    result = simulate("--bug", "own-value")

    assert result.exit_code == 1
    assert re.search(r"^I\d+ \w+ was broken", result.output, re.MULTILINE)
    assert "The smallest such run that was found" in result.output
    assert "Prepare" in result.output
    body = result.output.splitlines()[:-1]
    assert max(map(len, body)) <= WIDTH_MAX

    repeated = simulate(*repeat(result))
    assert repeated.exit_code == 1
    broken = re.search(r"^(I\d+ \w+) was broken", repeated.output, re.MULTILINE)
    assert broken
    assert f"{broken[1]} was broken" in result.output


def test_the_trace_of_a_disaster_ends_with_it(tmp_path: Path) -> None:
    """What led to a violation can be looked at event by event."""
    path = tmp_path / "disaster.ndjson"

    result = simulate("--bug", "saved-after-sent", "--seed", "1", "--trace", path)

    assert result.exit_code == 1
    assert CliRunner().invoke(main, ["diagram", str(path)]).exit_code == 0


def test_a_bug_that_needs_masters_gets_them() -> None:
    """A mistake with leases shows only where there are leases: nobody has to say --master."""
    result = simulate("--bug", "lease-guards-the-log")

    assert BUGS["lease-guards-the-log"].master
    assert result.exit_code == 1
    assert "--master" in repeat(result)


def test_a_bug_that_does_no_harm_in_a_run_is_told_so() -> None:
    """Without a fault, a restart's mistake has no occasion: the run says how to look further."""
    result = simulate("--bug", "forgotten-promise", "--seed", "1", "--faults", "none")

    assert result.exit_code == 0
    assert "did no harm in this run; without --seed" in " ".join(result.output.split())


# -- a campaign ------------------------------------------------------------------------------------


def test_a_campaign_ends_with_a_table() -> None:
    """Each level, each combination, and the sum of all; then what happened sometimes."""
    result = simulate("--runs", "28", "--seconds", "4", "--seed", "9", "--jobs", "1")

    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0] == "campaign of seed 9: 28 runs"
    assert max(map(len, lines)) <= WIDTH_MAX
    for name in ("faults: none", "faults: cruel", "plain, 3", "master, 5", "master, 3, no reads"):
        assert any(line.startswith(f"{name} ") for line in lines), name
    (total,) = (line for line in lines if line.startswith("all "))
    assert total.split()[1] == "28"
    assert "two servers outbid each other in turn for one link" in result.output
    assert "simulated seconds a second" in " ".join(lines)
    assert lines[-1] == "No invariant was broken in 28 runs."


def test_a_campaign_is_the_same_again_but_for_its_speed() -> None:
    """Whoever repeats a campaign gets the same table."""

    def table() -> str:
        output = simulate("--runs", "8", "--seconds", "4", "--seed", "9", "--jobs", "1").output
        speed = re.compile(r"^[^\n]+ were simulated in .*?second\.$", re.MULTILINE | re.DOTALL)
        return speed.sub("", output)

    assert table() == table()


def test_options_hold_in_every_run_of_a_campaign() -> None:
    """What is settled on the command line is not varied."""
    result = simulate(
        *("--runs", "6", "--seconds", "2", "--seed", "1", "--jobs", "1"),
        *("--faults", "calm", "--master", "--servers", "4", "--rate", "2.5"),
    )

    assert result.exit_code == 0
    assert "faults: calm" in result.output
    assert "faults: none" not in result.output
    assert "plain" not in result.output
    assert "master, 4" in result.output
    assert "master, 3" not in result.output


def test_a_large_campaign_must_have_seen_everything() -> None:
    """So many runs in which nobody took over have tested less than they should: exit 1."""
    result = simulate(
        *("--runs", "500", "--seconds", "0.01", "--seed", "1", "--jobs", "1"),
        *("--faults", "rough", "--rate", "0.1"),
    )

    assert result.exit_code == 1
    assert "In so many runs there must be" in result.output
    assert "takeovers" in result.output


def test_a_campaign_stops_at_its_first_violation() -> None:
    """Which run it was, what broke, the diagram and the command; exit 1."""
    result = simulate("--runs", "50", "--seed", "1", "--jobs", "1", "--bug", "retry-without-id")

    assert result.exit_code == 1
    assert "went wrong" in result.output
    assert "I9 AppliedOnce" in result.output
    assert simulate(*repeat(result)).exit_code == 1


# -- bad input -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["--bug", "luck"], "luck"),
        (["--servers", "0"], "number from 1 to 9"),
        (["--servers", "10"], "number from 1 to 9"),
        (["--servers", "-3"], "number from 1 to 9"),
        (["--seconds", "-1"], "a number of seconds above 0"),
        (["--seconds", "nan"], "a number of seconds above 0"),
        (["--seed", "-1"], "--seed must be a whole number"),
        (["--seed", "abc"], "--seed must be a whole number"),
        (["--seed", "9" * 40], "--seed must be a whole number"),
        (["--faults", "terrible"], "'terrible' is not one of"),
        (["--storage", "paper"], "'paper' is not one of"),
        (["--without", "luck"], 'There is no strategy "luck"'),
        (["--without", "lease"], "cannot be left out"),
        (["--rate", "0"], "--rate must be a number"),
        (["--rate", "1e400"], "--rate must be a number"),
        (["--rate", "-1"], "--rate must be a number"),
        (["--clients", "0"], "number from 1 to 100"),
        (["--seed", "1", "--keep-faults", "1-"], "is no list of numbers"),
        (["--seed", "1", "--keep-faults", "1-99999999999"], "No run has as many"),
        (["--seed", "1", "--keep-faults", "9" * 5000], '9... (5000 characters)"'),
        (["--seed", "1", "--keep-faults", "\N{ARABIC-INDIC DIGIT THREE}"], "is no list of numbers"),
        (["--seed", "1", "--keep-requests", "5-1"], '"5-1" counts down: write 1-5'),
        (["--keep-faults", "1"], "give --seed, too"),
        (["--switch-off", "gravity"], "'gravity' is not one of"),
        (["--trace", ""], '--trace "" names no file'),
        (["--seed", "1", "--trace", "/nowhere/at/all"], "cannot be written: No such file"),
        (["--runs", "0"], "number from 1 to"),
        (["--runs", "5", "--trace", "t"], "leave --runs out"),
        (["--runs", "5", "--jobs", "0"], "number from 1 to"),
        (["--runs", "5", "--dask", ""], '--dask "" names no cluster'),
        (["--runs", "5", "--dask", "nonsense"], "no Dask scheduler answers at nonsense"),
        (["--runs", "5", "--dask", "h:1", "--jobs", "2"], "--dask plays them elsewhere"),
        (["--jobs", "2"], "give --runs, too"),
        (["--dask", "h:1"], "give --runs, too"),
    ],
)
def test_bad_input_is_refused_with_a_sentence(arguments: list[str], sentence: str) -> None:
    """Exit code 2, and what is wrong; nothing is run."""
    result = simulate(*arguments)

    assert sentence.lower() in result.output.lower()
    assert result.exit_code == 2
    assert isinstance(result.exception, SystemExit)


def test_a_bug_that_no_seed_shows_says_why() -> None:
    """Where simulation cannot find a mistake, it says so instead of searching for ever."""
    hidden = [bug for bug in BUGS.values() if bug.not_simulated]
    for bug in hidden:
        result = simulate("--bug", bug.name)
        assert result.exit_code == 2
        assert bug.not_simulated in result.output


def test_dask_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra: a sentence that says what to install."""
    monkeypatch.setitem(sys.modules, "distributed", None)

    result = simulate("--runs", "5", "--dask", "127.0.0.1:8786")

    assert result.exit_code == 2
    assert "install multipaxos[campaign]" in result.output
