"""The language of the scenario files, and what it says to a line that it does not understand."""

from pathlib import Path

import pytest

from multipaxos.simulation.scenario import COMMANDS, SETTINGS, ScenarioError, read_scenario


def play(directory: Path, script: str) -> str:
    """Write *script* into a file, run it, and return the trace."""
    path = directory / "play.txt"
    path.write_text(script, encoding="utf-8")
    return read_scenario(path).run()


@pytest.mark.parametrize(
    "line, sentence",
    [
        ("jump A", "'jump' is no command; these are: servers, seed"),
        ("x" * 2000, f"'{'x' * 60}...' is no command; these are: "),
        ("propose A", "write: propose SERVER VALUE"),
        ("propose A x as ann", "'ann' is no request id: write CLIENT/SEQUENCE"),
        ("ask A", "write: ask SERVER COMMAND"),
        ("ask A INCR n", "ERR unknown command 'INCR'"),
        ("state list", "there is no state machine 'list': it is register or dictionary"),
        ("heal\nstate dictionary", "'state' must stand before everything that happens"),
        ("propose Z x", "'Z' is no server; these are: A, B, C"),
        ("deliver A->B Prepare", "no Prepare from A to B is in flight; in flight: nothing"),
        ("deliver A->B *", "nothing like 'A->B *' is in flight"),
        ("deliver A B", "'A' is no pair: write SENDER->RECEIVER"),
        ("deliver A->A Prepare", "what A tells itself never travels: name two servers"),
        ("set lease_seconds -1", "a setting is 0 or more, not '-1'"),
        ("deliver A->Z Prepare", "'Z' is no server"),
        ("advance 3", "'3' is no duration: write 3s or 250ms"),
        ("advance xs", "'x' is no number"),
        ("advance infs", "'inf' is no number"),
        ("set queue_max nan", "'nan' is no number"),
        ("fire A lunch", "'lunch' is no timer; these are: "),
        ("fire A takeover", "takeover does not run on A"),
        ("wipe A", "A is running: crash it first"),
        ("crash A on monday", "write: crash B, crash B before save"),
        ("stall A", "write: stall SERVER 12s at reading 2"),
        ("after 3s jump", "write: after 12s COMMAND"),
        ("heal B", "nothing may follow here, not even 'B'"),
        ("servers", "name at least one server"),
        ("servers A B A", "name each server once: 'A' is there more than once"),
        ("set lunch_seconds 3", "there is no setting 'lunch_seconds'"),
        ("without lunch", "'lunch' cannot be left out; these can: "),
        ("without lease", "'lease' cannot be left out; these can: "),
        ("heal\nwithout sync", "'without' must stand before everything that happens"),
        ("heal\nmaster", "'master' must stand before everything that happens"),
    ],
)
def test_a_bad_line_gets_a_sentence_with_file_and_line(
    tmp_path: Path, line: str, sentence: str
) -> None:
    """The person who wrote the script is told where and what."""
    number = 2 + line.count("\n")

    with pytest.raises(ScenarioError) as error:
        play(tmp_path, f"# A comment.\n{line}\n")

    assert str(error.value).startswith(f"play.txt, line {number}: ")
    assert sentence in str(error.value)


def test_every_command_says_how_it_is_written() -> None:
    """The vocabulary documents itself."""
    assert len(COMMANDS) > 20
    assert COMMANDS.keys() > SETTINGS
    assert all(method.__doc__ for method in COMMANDS.values())


def test_a_script_can_leave_strategies_out(tmp_path: Path) -> None:
    """As --without does, to show what the others do by themselves."""
    script = "master\n{}fire A election\ndeliver all\n"

    whole = play(tmp_path, script.format(""))
    without = play(tmp_path, script.format("without brevity group-commit\n"))

    assert "B->C #1 Accepted 2.A" in without
    assert "B->C #1 Accepted 2.A" not in whole
    assert "is master and trusts its lease" in without


def test_the_same_script_gives_the_same_trace(tmp_path: Path) -> None:
    """Chance is seeded, time is virtual, and the order of all things is fixed."""
    script = "propose A x\npropose B y\ndeliver all\nadvance 3s\ndeliver all\nshow\n"

    assert play(tmp_path, script) == play(tmp_path, script)


def test_rewriting_keeps_the_script_and_replaces_the_trace(tmp_path: Path) -> None:
    """Comments and commands stay as they were written."""
    path = tmp_path / "play.txt"
    path.write_text("# Why.\npropose A x  # ask\n----\nold\n", encoding="utf-8")

    scenario = read_scenario(path)
    scenario.rewrite(scenario.run())

    again = read_scenario(path)
    assert again.script == "# Why.\npropose A x  # ask\n"
    assert again.golden == again.run()
    assert again.golden.startswith("> propose A x\n")


def test_servers_without_memory_found_their_chain_in_a_script(tmp_path: Path) -> None:
    """The setting `newborn` begins before link 0."""
    trace = play(tmp_path, "newborn\ndeliver all\nadvance 1s\ndeliver all\nshow\n")

    assert "founds a chain with A, B, C" in trace
    assert "*** link 0 is chosen" in trace


def test_what_one_server_is_told_by_a_full_disk_and_a_slow_clock(tmp_path: Path) -> None:
    """The remaining commands do what they say."""
    trace = play(
        tmp_path,
        "disk-full A\nclock B 1.01\npropose A x\ndisk-ok A\nrestart A\nblock A->B\nread B\n"
        "pause B\nresume B\ndeliver all\nshow\n",
    )

    assert "A stops for good: the disk is full" in trace
    assert "B answers client-2/1: chosen at link 1" in trace


@pytest.mark.parametrize("end", ["----\n> golden\n", "----"])
def test_only_a_line_of_four_dashes_ends_a_script(tmp_path: Path, end: str) -> None:
    """A comment may be underlined with as many; the golden trace may not be there yet."""
    path = tmp_path / "play.txt"
    path.write_text(f"# Two values.\n# ----\npropose A x\n{end}", encoding="utf-8")

    scenario = read_scenario(path)

    assert scenario.script == "# Two values.\n# ----\npropose A x\n"
    assert scenario.golden == end.removeprefix("----").removeprefix("\n")
    assert "> propose A x" in scenario.run()
