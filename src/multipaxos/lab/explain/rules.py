"""A rule of the protocol: what it says, which paper has it, and the lines of code that keep it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from inspect import getsourcelines, unwrap
from pkgutil import resolve_name
from textwrap import dedent

LINES_SHOWN = 25
"""Of a longer function, the lines around the one that the rule is about are shown."""


@dataclass(frozen=True, slots=True)
class Code:
    """Where a rule is kept: the *file* below ``src``, its first *line* shown, and the *source*."""

    file: str
    line: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """
    One rule, known by its *id*.

    It has a *title*, a *text* of a few sentences and the *paper* that it comes from; it serves an
    *invariant*, if it serves one by name. *function* is where it is kept, as ``module:Class.name``,
    and *mark* a piece of the line there that it is about.
    """

    id: str
    title: str
    text: str
    function: str
    mark: str
    invariant: str | None = None
    paper: str = ""

    @property
    def code(self) -> Code:
        """The lines that keep the rule, looked up when somebody asks."""
        return _code(self.function, self.mark)

    def plain(self) -> dict[str, object]:
        """Return the rule as JSON can hold it."""
        code = self.code
        return {
            "title": self.title,
            "text": self.text,
            "invariant": self.invariant,
            "paper": self.paper,
            "file": code.file,
            "line": code.line,
            "source": code.source,
        }


@cache
def _code(function: str, mark: str) -> Code:
    found = resolve_name(function)
    if isinstance(found, property):
        found = found.fget
    module = function.partition(":")[0]
    file = f"{module.replace('.', '/')}.py"
    try:
        lines, first = getsourcelines(unwrap(found))
    except OSError:
        # Installed without its sources: the rule is still a rule.
        return Code(file, 0, "")
    place = next((n for n, line in enumerate(lines) if mark in line), 0)
    start = 0 if len(lines) <= LINES_SHOWN else max(0, place - LINES_SHOWN // 2)
    shown = lines[start : start + LINES_SHOWN]
    return Code(file, first + start, dedent("".join(shown)).rstrip())


def by_id(*groups: tuple[Rule, ...]) -> Mapping[str, Rule]:
    """Return the rules of *groups* by their ids, each of which is one rule's alone."""
    rules = {rule.id: rule for group in groups for rule in group}
    assert len(rules) == sum(map(len, groups)), "two rules have one id"
    return rules
