"""There are words for every kind of event that the schema knows, and for every message."""

from typing import get_args

import pytest

from composable_paxos import Message
from multipaxos.chain.effects import Timer
from multipaxos.chain.messages import ChainMessage
from multipaxos.lab.explain import explain
from multipaxos.trace import KINDS, TraceEvent

UPDATE = {"type": "Update", "request_id": "ann/1", "command": ["SET", "x"], "since": 1}
SNAPSHOT = {
    "type": "Snapshot",
    "value": "x",
    "sessions": {},
    "forgotten_before": 0,
    "master": None,
}
FOUNDING = {
    "type": "Founding",
    "chain_id": "chain-1",
    "machine_kind": "register",
    "founders": [["A", "1"]],
}
MESSAGES: dict[str, dict[str, object]] = {
    "Prepare": {"proposal_id": "2.A"},
    "Promise": {
        "acceptor": "A",
        "proposal_id": "2.B",
        "accepted_id": "0.",
        "accepted_value": None,
    },
    "Accept": {"proposal_id": "2.A", "value": "x"},
    "Accepted": {"acceptor": "A", "proposal_id": "2.B", "value": None},
    "Nack": {"acceptor": "A", "proposal_id": "2.B", "promised_id": "3.C"},
    "Sync": {"votes_from": 0},
    "CatchUp": {"founding": FOUNDING, "snapshot": SNAPSHOT},
    "Decided": {"links": [{"type": "DecidedLink", "number": 3, "link": {"type": "Nothing"}}]},
    "SnapshotPart": {
        "founding": FOUNDING,
        "at": 4,
        "number": 0,
        "is_last": True,
        "snapshot": SNAPSHOT,
    },
    "FetchPart": {"at": 4, "number": 1},
    "OtherChain": {},
    "Forward": {"updates": [UPDATE]},
    "Answered": {"request_id": "ann/1", "link": 3, "result": "x"},
    "WhereAreYou": {"birth": "b"},
    "IAmAt": {
        "asked_in": "b",
        "birth": "a",
        "newborn": False,
        "may_have_voted_on": 4,
        "founders": [],
        "founding": FOUNDING,
    },
}
VALUES: dict[str, object] = {
    "boolean": True,
    "count": 3,
    "count or none": 3,
    "decided": [],
    "disk fault": "full",
    "engine": "scenario",
    "list": [["A", "1"]],
    "message": {"type": "Sync", "votes_from": 0},
    "object": {},
    "outcome": {"type": "Chosen", "link": 3, "result": None},
    "pairs": [["A", "B"]],
    "plain": "x",
    "proposal": "2.A",
    "request": "ann/1",
    "seconds": 1.5,
    "status": "ok",
    "text": "text",
    "uid": "A",
    "uid or none": "A",
    "uids": ["A", "B"],
    "value": {"type": "Updates", "updates": [UPDATE]},
}
SPECIAL: dict[tuple[str, str], object] = {
    ("refused", "reason"): "no memory",
    ("timer set", "timer"): "retransmit",
    ("timer cancelled", "timer"): "retransmit",
    ("timer fired", "timer"): "retransmit",
}


def event(kind: str, **fields: object) -> TraceEvent:
    """Return an event of *kind* with all fields that it must have."""
    wanted = {name: holds for name, holds in KINDS[kind].items() if not name.endswith("?")}
    given = {name: SPECIAL.get((kind, name), VALUES[holds]) for name, holds in wanted.items()}
    return TraceEvent(seconds=1.0, server="A", kind=kind, fields={**given, **fields})


HEADER = event("trace", servers=["A", "B", "C"], clock="virtual")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "trace"])
def test_every_kind_has_a_sentence_and_a_reason(kind: str) -> None:
    """A new kind needs new words; the fallback, which only names the kind, is for no known one."""
    explanation = explain([HEADER, event(kind)])

    assert explanation.said[1] != f"A: {kind}."
    assert explanation.why[1] is not None


@pytest.mark.parametrize("kind", ["sent", "delivered", "dropped", "duplicated"])
@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_every_message_has_a_sentence_and_a_reason(kind: str, name: str) -> None:
    """Whatever befalls it."""
    message = {"type": name, **MESSAGES[name]}

    explanation = explain([HEADER, event(kind, message=message, sender="A", receiver="B", id=7)])

    assert name in explanation.said[1] or kind == "sent"
    assert explanation.why[1] is not None
    assert explanation.messages[0].plain()["kind"] == name


def test_no_message_is_forgotten_here() -> None:
    """The table above has all that the protocol knows."""
    classes = (*get_args(Message), *get_args(ChainMessage))

    assert sorted(MESSAGES) == sorted(message.__name__ for message in classes)


@pytest.mark.parametrize("timer", list(Timer))
def test_every_timer_has_a_reason(timer: Timer) -> None:
    """When it is set, when it is stopped, and when it fires."""
    events = [
        HEADER,
        event("timer set", timer=timer.value, after=0.001),
        event("timer cancelled", timer=timer.value),
        event("timer fired", timer=timer.value),
    ]

    explanation = explain(events)

    assert [why is not None for why in explanation.why[1:]] == [True, True, True]


def test_an_unknown_kind_or_timer_is_named_and_not_explained() -> None:
    """What a later version may have is no reason to fail."""
    later = TraceEvent(seconds=1.0, server="A", kind="later", fields={})

    explanation = explain([HEADER, later, event("timer fired", timer="later")])

    assert explanation.said[1] == "A: later."
    assert explanation.why[1] is None
    assert explanation.why[2] is None


@pytest.mark.parametrize(
    "blocked, sentence",
    [
        ([], "The partition is healed: everybody reaches everybody."),
        ([["A", "A"]], "The partition is healed: everybody reaches everybody."),
        ([["a", "b"], ["b", "a"]], "Partition: a | b."),
        ([["a", "b"]], "a does not reach b."),
    ],
)
def test_wires_have_words_whoever_wrote_the_trace(blocked: list[list[str]], sentence: str) -> None:
    """A server needs no wire to itself, and its name keeps its first letter."""
    event = TraceEvent(seconds=0.0, server="", kind="wires", fields={"blocked": blocked})

    assert explain([event]).said == (sentence,)
