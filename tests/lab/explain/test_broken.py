"""Where a bug is switched on, the event that breaks a rule says so, and shows the bug's lines."""

from collections.abc import Callable
from pathlib import Path

import pytest

from multipaxos.lab.explain import Explanation, explain
from multipaxos.simulation.scenario import read_scenario
from multipaxos.strategies.broken import BUGS
from multipaxos.trace import TraceEvent

Told = tuple[list[TraceEvent], Explanation]
DIRECTORY = Path(__file__).parents[3] / "src/multipaxos/scenarios"

OVERTAKEN = (
    "propose A x\ndeliver A->B Prepare, B->A Promise\npropose C y\ndeliver C->B Prepare, A->B "
    "Accept\n"
)
"""C's number overtakes A's at B before A's request to accept arrives there."""

CASES = [
    ("own-value", "04_value_survives_its_proposer", "sent", 'Yet C asks for "z".'),
    ("silent-promise", "04_value_survives_its_proposer", "promised", "does not report it."),
    ("forgetful-acceptor", "01_happy_path", "sent", "Its disk knows nothing of this link"),
    ("gullible-acceptor", "", "accepted", "a correct acceptor refuses here."),
    ("prepare-before-save", "01_happy_path", "sent", "it would have forgotten what it says here."),
    ("no-phase-one", "13_master_election", "sent", "Nobody has promised 2.A"),
    ("number-one-for-all", "13_master_election", "sent", "though the links before name no master."),
    (
        "lease-from-learning",
        "14_lease_counts_from_the_bid",
        "lease began",
        "A trusts its lease, too",
    ),
    ("lease-from-asking", "14_lease_counts_from_the_bid", "timer set", "longer than the others"),
]


def commands_of(name: str) -> str:
    """Return the script of scenario *name* without what it expects of correct servers."""
    script = read_scenario(DIRECTORY / f"{name}.txt").script
    return "\n".join(line for line in script.splitlines() if not line.startswith("expect"))


@pytest.mark.parametrize("bug,scenario,kind,expected", CASES)
def test_the_event_that_breaks_a_rule_says_so(
    bug: str, scenario: str, kind: str, expected: str, told: Callable[[str], Told]
) -> None:
    """Its rule is then the bug, with the lines that make the mistake."""
    script = commands_of(scenario) if scenario else OVERTAKEN

    events, explanation = told(f"bug {bug}\n{script}")

    broken = [
        why
        for event, why in zip(events, explanation.why, strict=True)
        if why is not None and event.kind == kind and "breaks the rule" in why[1]
    ]
    assert any(expected in paragraph for _, paragraph in broken)
    assert {rule for rule, _ in broken} == {f"bug {bug}"}
    assert all(f"the bug {bug} is switched on" in paragraph for _, paragraph in broken)
    rule = explanation.plain()["rules"][f"bug {bug}"]
    assert "def " in str(rule["source"])
    assert rule["file"] == f"{BUGS[bug].culprit.__module__.replace('.', '/')}.py"
    assert rule["invariant"] == BUGS[bug].breaks[0]


def test_a_broken_rule_is_told_without_a_bug_to_blame(told: Callable[[str], Told]) -> None:
    """A trace of somebody else's servers names no bug."""
    script = commands_of("04_value_survives_its_proposer")
    events, _ = told(f"bug own-value\n{script}")
    header = events[0]
    about = {"seed": 0}
    from_elsewhere = TraceEvent(
        seconds=0.0, server="", kind="trace", fields={**header.fields, "about": about}
    )

    explanation = explain([from_elsewhere, *events[1:]])

    broken = [why for why in explanation.why if why is not None and "breaks the rule" in why[1]]
    assert {rule for rule, _ in broken} == {"bound-choice"}
    assert broken[0][1].endswith('Yet C asks for "z". This breaks the rule.')


def test_two_choices_of_one_link_are_told_as_the_disaster(told: Callable[[str], Told]) -> None:
    """The second one names the first: which values, which numbers, which quorums."""
    script = commands_of("04_value_survives_its_proposer")

    events, explanation = told(f"bug own-value\n{script}")

    broken = next(v for v in explanation.violations if v.name == "I1 Agreement").plain()
    assert broken["link"] == 1
    assert broken["servers"] == ["A", "B", "C"]
    assert broken["proposals"] == ["2.A", "3.C"]
    assert events[int(str(broken["event"]))].kind == "violated"
    assert str(broken["text"]).startswith("I1 Agreement at link 1: two values are chosen")


def test_a_server_is_lit_only_where_it_is_named_as_a_word(told: Callable[[str], Told]) -> None:
    """The A of 2.A, or of a longer name, lights nobody."""
    events, _ = told("propose A x\n")
    violated = TraceEvent(
        seconds=0.0,
        server="",
        kind="violated",
        fields={
            "name": "I3 PromiseKept",
            "link": 1,
            "explanation": "B votes on 2.A, and not on 3.A or 22.A; Another ABC does not.",
            "text": "",
        },
    )

    explanation = explain([*events, violated])

    assert explanation.violations[0].servers == ("B",)
    assert explanation.violations[0].proposals == ("2.A",)
