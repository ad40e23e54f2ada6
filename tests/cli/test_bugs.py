"""``multipaxos bugs``: the list, and the story of each bug."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from multipaxos.cli import main
from multipaxos.cli.bugs import code_of, story, table
from multipaxos.strategies.broken import BUGS, Bug
from multipaxos.strategies.broken.acceptors import PromisesWithoutRecord

ALL = [pytest.param(bug, id=bug.name) for bug in BUGS.values()]


def run(*arguments: str) -> Result:
    """Run the command inside this process."""
    return CliRunner().invoke(main, ["bugs", *arguments])


def test_the_list_has_a_line_for_each_bug() -> None:
    """Its name, the numbers of what it breaks, and what the server does; 80 columns suffice."""
    result = run()

    head, *lines = result.output.splitlines()
    assert result.exit_code == 0
    assert head.split() == ["bug", "breaks", "what", "it", "does"]
    assert [line.split()[0] for line in lines] == list(BUGS)
    assert max(map(len, (head, *lines))) <= 80
    assert re.search(
        r"^own-value +I4 I1 +Sends its own value, whatever was", result.output, re.MULTILINE
    )


def test_a_narrow_screen_breaks_lines_and_loses_nothing() -> None:
    """What does not fit stands below, under its column."""
    lines = [line.plain for line in table(50)]

    assert max(map(len, lines)) <= 54
    assert len(lines) > len(BUGS) + 1


@pytest.mark.parametrize("bug", ALL)
def test_the_story_says_all_there_is(bug: Bug) -> None:
    """Mistake, rule, where one meets it, what breaks, what finds it, and the code."""
    lines = [line.plain for line in story(bug, 80)]
    text = " ".join(" ".join(lines).split())

    assert lines[0] == f"{bug.name}: {bug.summary}"
    for told in (bug.mistake, bug.rule, bug.met, *bug.breaks, *bug.commands):
        assert told[1:] in text
    assert (bug.not_explored or bug.not_simulated or "found after")[1:] in text
    code = code_of(bug).splitlines()
    assert lines[-len(code) :] == code
    assert max(map(len, lines[: -len(code)])) <= 80


def test_the_code_is_shown_without_the_story() -> None:
    """The docstring is told already."""
    shown = code_of(BUGS["forgetful-acceptor"])

    assert shown.startswith("class PromisesWithoutRecord(PaxosInstance):\n    @override\n")
    assert "Mistake" not in shown


def test_without_its_source_a_bug_tells_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without sources is no reason to fail."""

    def nowhere(_: object) -> str:
        raise OSError("source code not available")

    monkeypatch.setattr("multipaxos.cli.bugs.inspect.getsource", nowhere)

    assert code_of(BUGS["own-value"]) == "The source is not installed here."


def test_programs_get_json() -> None:
    """The list, or one bug, with all that is known."""
    listed = json.loads(run("--json").output)
    one = json.loads(run("forgetful-acceptor", "--json").output)

    assert [bug["name"] for bug in listed] == list(BUGS)
    assert one in listed
    assert one["breaks"] == ["I8 SavedBeforeSent", "I4 ValueIsSafe", "I1 Agreement"]
    assert one["shortest"][-1]["breaks"] == "I1 Agreement"
    assert PromisesWithoutRecord.__name__ in one["code"]


def test_an_unknown_bug_is_refused_with_those_there_are() -> None:
    """A sentence, and exit code 2."""
    result = run("own-valeu")

    assert result.exit_code == 2
    assert result.output.startswith("Error: There is no bug called 'own-valeu'; these can be")
    assert result.output.endswith("backoff-in-step.\n")


@pytest.mark.parametrize("command", ["simulate", "explore"])
def test_who_cannot_find_a_bug_says_so(command: str, tmp_path: Path) -> None:
    """Why not, and which command does."""
    for bug in BUGS.values():
        why_not = bug.not_explored if command == "explore" else bug.not_simulated
        if why_not:
            result = CliRunner().invoke(main, [command, "--bug", bug.name])
            assert result.exit_code == 2
            assert why_not in result.output
            assert bug.commands[0].split()[1] in result.output
    assert not list(tmp_path.iterdir())
