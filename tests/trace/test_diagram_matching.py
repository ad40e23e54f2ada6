"""Which arrival belongs to which departure."""

from typing import Any

from multipaxos.trace import TraceEvent
from multipaxos.trace.diagram import Fate, match_messages


def event(kind: str, seconds: float = 0.0, number: int = 2, **fields: Any) -> TraceEvent:
    """Return an event of A's Prepare to B."""
    return TraceEvent(
        seconds=seconds,
        server="A" if kind == "sent" else "B",
        kind=kind,
        fields={
            "sender": "A",
            "receiver": "B",
            "chain": "chain-1",
            "instance": 1,
            "message": {"type": "Prepare", "proposal_id": f"{number}.A"},
            **fields,
        },
    )


def test_messages_with_an_id_are_matched_by_it() -> None:
    """Two equal messages that cross: the second departure arrives first."""
    events = [event("sent", id=1), event("sent", id=2)]
    events += [event("delivered", id=2), event("dropped", id=1, reason="lost")]

    matched = match_messages(events)

    assert [(t.sent, t.ended, t.fate) for t in matched] == [
        (1, 2, Fate.DELIVERED),
        (0, 3, Fate.DROPPED),
    ]


def test_equal_messages_without_an_id_are_matched_oldest_first() -> None:
    """On a real network nothing else is known; another number is another message."""
    events = [event("sent"), event("sent", number=4), event("sent")]
    events += [event("delivered", number=4), event("delivered"), event("delivered")]

    matched = match_messages(events)

    assert [(t.sent, t.ended) for t in matched] == [(1, 3), (0, 4), (2, 5)]


def test_a_duplicate_comes_again_from_the_same_departure() -> None:
    """It was sent once and arrives twice."""
    events = [event("sent", id=1), event("duplicated", id=1)]
    events += [event("delivered", id=1), event("delivered", id=1)]

    matched = match_messages(events)

    assert [(t.sent, t.ended, t.again) for t in matched] == [(0, 2, False), (0, 3, True)]


def test_what_does_not_end_comes_last() -> None:
    """It is on its way when the trace ends, or nobody traced its receiver."""
    events = [event("sent"), event("sent", number=4), event("delivered", number=4)]

    matched = match_messages(events)

    assert [(t.sent, t.ended, t.fate) for t in matched] == [
        (1, 2, Fate.DELIVERED),
        (0, None, Fate.UNKNOWN),
    ]


def test_an_arrival_without_departure_is_kept() -> None:
    """The trace of the receiver alone, or one that began later."""
    (matched,) = match_messages([event("delivered")])

    assert (matched.sent, matched.ended) == (None, 0)


def test_a_departure_may_stand_behind_its_arrival_of_the_same_microsecond() -> None:
    """Two files merged by time cannot say which of two equal times came first."""
    (matched,) = match_messages([event("delivered", 1.5), event("sent", 1.5)])

    assert (matched.sent, matched.ended) == (1, 0)
