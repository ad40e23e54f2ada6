"""The rules: each has its words, and the lines of code that keep it."""

from pathlib import Path
from pkgutil import resolve_name

import pytest

from multipaxos.invariants.names import NAMES
from multipaxos.lab.explain import RULES
from multipaxos.lab.explain.broken import rule_of_bug
from multipaxos.lab.explain.rules import LINES_SHOWN, Rule
from multipaxos.strategies.broken import BUGS

SOURCES = Path(__file__).parents[3] / "src"
ALL = [*RULES.values(), *map(rule_of_bug, BUGS.values())]


@pytest.mark.parametrize("rule", ALL, ids=[rule.id for rule in ALL])
def test_a_rule_shows_the_lines_that_keep_it(rule: Rule) -> None:
    """The function exists, and what is shown of it holds the piece that the rule is about."""
    assert resolve_name(rule.function) is not None

    code = rule.code

    assert rule.mark in code.source
    shown = code.source.splitlines()
    assert 1 <= len(shown) <= LINES_SHOWN
    lines = (SOURCES / code.file).read_text(encoding="utf-8").splitlines()
    there = lines[code.line - 1 : code.line - 1 + len(shown)]
    assert [line.strip() for line in there] == [line.strip() for line in shown]


@pytest.mark.parametrize("rule", ALL, ids=[rule.id for rule in ALL])
def test_a_rule_has_its_words(rule: Rule) -> None:
    """A title without a full stop, a text of whole sentences, an invariant by its right name."""
    assert rule.title
    assert rule.text.endswith((".", ")"))
    assert "  " not in rule.text
    assert rule.invariant is None or rule.invariant in NAMES


def test_a_rule_is_still_a_rule_where_no_sources_are_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The page then shows the words, and the file that has the code."""

    def no_source(_found: object) -> tuple[list[str], int]:
        raise OSError

    monkeypatch.setattr("multipaxos.lab.explain.rules.getsourcelines", no_source)
    rule = Rule(
        id="x", title="x", text="x.", function="composable_paxos.quorum:Quorums.majority", mark="-"
    )

    plain = rule.plain()

    assert (plain["file"], plain["line"], plain["source"]) == ("composable_paxos/quorum.py", 0, "")
