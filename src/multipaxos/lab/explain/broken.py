"""Where a run breaks a rule on purpose: the bug that is switched on, as a rule of its own."""

import inspect
from collections.abc import Mapping
from typing import Any

from multipaxos.lab.explain.rules import Rule
from multipaxos.lab.explain.words import BROKEN
from multipaxos.strategies.broken import BUGS, Bug


def bug_of(header: Mapping[str, Any]) -> Bug | None:
    """Return the bug that the *header* of a trace says is switched on."""
    about = header["about"]
    named = about.get("bug") if isinstance(about, Mapping) else None
    return BUGS.get(named) if isinstance(named, str) else None


def rule_of_bug(bug: Bug) -> Rule:
    """Return the mistake of *bug* as what decided an event, with the lines that make it."""
    culprit = bug.culprit
    first = inspect.getdoc(culprit) or ""
    return Rule(
        id=f"bug {bug.name}",
        title=f"A bug is switched on: {first.splitlines()[0]}" if first else "A bug is switched on",
        text=f"{bug.mistake} The rule: {bug.rule}",
        invariant=bug.breaks[0],
        paper="",
        function=f"{culprit.__module__}:{culprit.__qualname__}",
        mark="def ",
    )


def say_what_breaks(bug: Bug | None, rule: str, paragraph: str) -> tuple[str, str]:
    """
    Return *rule* and *paragraph*; where it tells of a broken rule, with what breaks it.

    That is the *bug* that is switched on, if there is one.
    """
    if BROKEN not in paragraph:
        return rule, paragraph
    if bug is None:
        return rule, paragraph.replace(BROKEN, "This breaks the rule.")
    said = f"This breaks the rule: the bug {bug.name} is switched on."
    return f"bug {bug.name}", paragraph.replace(BROKEN, said)
