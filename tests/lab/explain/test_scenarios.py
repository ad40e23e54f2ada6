"""Every scenario is explained, event by event."""

import json
from pathlib import Path
from typing import Any

import pytest

from multipaxos.lab.explain import explain
from multipaxos.lab.explain.words import PARAGRAPH_LENGTH_MAX, SENTENCE_LENGTH_MAX
from multipaxos.simulation.scenario import read_scenario

FILES = sorted((Path(__file__).parents[3] / "src/multipaxos/scenarios").glob("*.txt"))
WRONG = "breaks the rule"


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_every_event_of_a_scenario_has_a_sentence_and_a_reason(path: Path) -> None:
    """A reader may click on anything; only the header, which nobody decided, has no rule."""
    scenario = read_scenario(path)
    events = scenario.play().events

    explanation = explain(events)

    assert len(explanation.said) == len(explanation.why) == len(events)
    assert all(sentence.endswith((".", '"')) for sentence in explanation.said)
    assert {e.kind for e, why in zip(events, explanation.why, strict=True) if why is None} == {
        "trace"
    }
    assert max(map(len, explanation.said)) <= SENTENCE_LENGTH_MAX
    assert max(len(why[1]) for why in explanation.why if why) <= PARAGRAPH_LENGTH_MAX


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_a_rule_is_said_to_be_broken_only_where_a_bug_is_switched_on(path: Path) -> None:
    """The paragraphs look at what was promised, saved and reported before they say so."""
    scenario = read_scenario(path)
    events = scenario.play().events

    explanation = explain(events)

    said = [why[1] for why in explanation.why if why] + [p.text for p in explanation.proposals]
    if "bug" not in events[0].fields["about"]:  # type: ignore[operator]
        assert not [paragraph for paragraph in said if WRONG in paragraph]


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_an_explanation_is_whole_and_plain(path: Path) -> None:
    """Each rule that is named is there; each place is one of the trace; JSON can hold all of it."""
    events = read_scenario(path).play().events

    plain = explain(events).plain()

    assert json.loads(json.dumps(plain)) == plain
    assert {why[0] for why in plain["why"] if why} == set(plain["rules"])
    places = [d["event"] for d in plain["decisions"]] + [p["event"] for p in plain["proposals"]]
    assert all(isinstance(place, int) and place < len(events) for place in places)
    chosen = [place for place, event in enumerate(events) if event.kind == "chosen"]
    assert [decision["event"] for decision in plain["decisions"]] == chosen


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_every_message_is_told_from_its_sending_to_its_end(path: Path) -> None:
    """Each copy is one entry; what was refused has the reason in words."""
    events = read_scenario(path).play().events

    messages: list[Any] = explain(events).plain()["messages"]

    sent = [m for m in messages if not m["again"]]
    assert len(sent) == sum(event.kind == "sent" for event in events)
    for message in messages:
        assert events[message["sent"]].fields["id"] == message["id"]
        if message["ended"] is None:
            assert message["fate"] == "unknown"
        else:
            assert events[message["ended"]].kind == message["fate"]
        is_explained = message["refused"] or message["fate"] == "dropped"
        assert bool(message["reason"]) == is_explained
