"""A trace may hold anything: what is shown of it is text, and not too much."""

import time
from collections.abc import Callable

import pytest

from multipaxos.lab.explain import Explanation, explain
from multipaxos.lab.explain.words import PARAGRAPH_LENGTH_MAX, SENTENCE_LENGTH_MAX
from multipaxos.trace import TraceEvent

Told = tuple[list[TraceEvent], Explanation]
MARKUP = "<script>alert(1)</script>"
SECONDS_MAX = 5.0


def header(*servers: str) -> TraceEvent:
    """Return a header that names *servers*."""
    fields = {
        "version": 3,
        "engine": "scenario",
        "cluster": MARKUP,
        "servers": list(servers),
        "clock": "virtual",
        "about": {"bug": ["no", "name"], "settings": "none"},
    }
    return TraceEvent(seconds=0.0, server="", kind="trace", fields=fields)


def all_texts(explanation: Explanation) -> list[str]:
    """Return everything that is shown as words."""
    plain = explanation.plain()
    return [
        *plain["said"],
        *(why[1] for why in plain["why"] if why),
        *(str(message["text"]) for message in plain["messages"]),
        *(str(message["reason"]) for message in plain["messages"]),
        *(str(proposal["text"]) for proposal in plain["proposals"]),
        *(str(proposal["value"]) for proposal in plain["proposals"]),
        *(str(violation["text"]) for violation in plain["violations"]),
    ]


def renamed(event: TraceEvent, names: dict[str, str]) -> TraceEvent:
    """Return *event* with other names and values wherever they stand."""

    def rename(value: object) -> object:
        if isinstance(value, str):
            if value in names:
                return names[value]
            number, dot, uid = value.partition(".")
            return f"{number}.{names[uid]}" if dot and number.isdigit() and uid in names else value
        if isinstance(value, dict):
            return {key: rename(item) for key, item in value.items()}
        return [rename(item) for item in value] if isinstance(value, list | tuple) else value

    fields = {
        key: value if key in ("type", "kind") else rename(value)
        for key, value in event.fields.items()
    }
    return TraceEvent(
        seconds=event.seconds,
        server=names.get(event.server, event.server),
        kind=event.kind,
        fields=fields,
    )


def test_long_names_and_values_are_cut(told: Callable[[str], Told]) -> None:
    """A thousand characters, line breaks and escapes end in a few that can be shown."""
    events, _ = told(
        "master\npropose A x\nread B\nfire A election\ndeliver all\npropose C y\ncrash A\nwipe "
        "A\nrestart A\npause B\npartition A | B C\ndeliver all\nresume B\nadvance 5s\n"
    )
    names = {uid: uid * 1000 for uid in "ABC"} | {
        "x": f"{MARKUP}\n\x1b[2J\ue000{'y' * 100_000}",
        "chain-1": "chain" * 1000,
        "client-1": "\u202e" * 1000,
    }

    explanation = explain([renamed(event, names) for event in events])

    texts = all_texts(explanation)
    assert max(map(len, texts)) <= PARAGRAPH_LENGTH_MAX
    assert max(map(len, explanation.said)) <= SENTENCE_LENGTH_MAX
    assert all(text.isprintable() for text in texts)
    assert any(MARKUP in text for text in texts)


def test_a_value_cannot_say_that_a_rule_is_broken(told: Callable[[str], Told]) -> None:
    """The mark for that is escaped where it stands in a trace."""
    events, _ = told("propose A x\ndeliver all\n")

    explanation = explain([renamed(event, {"x": "\ue000"}) for event in events])

    assert not any("breaks the rule" in text for text in all_texts(explanation))


def accepted(number: int, server: str, value: object = "x") -> TraceEvent:
    """Return an acceptance of proposal *number* by *server*."""
    return TraceEvent(
        seconds=1.0,
        server=server,
        kind="accepted",
        fields={"instance": 1, "proposal_id": f"{number}.{server}", "value": value, "text": ""},
    )


def sent(number: int) -> TraceEvent:
    """Return a request under proposal *number*."""
    return TraceEvent(
        seconds=1.0,
        server="A",
        kind="sent",
        fields={
            "sender": "A",
            "receiver": "B",
            "chain": "",
            "instance": 1,
            "message": {"type": "Prepare", "proposal_id": f"{number}.A"},
        },
    )


FLOODS: dict[str, Callable[[int], TraceEvent]] = {
    "numbers": lambda n: accepted(n + 2, "A"),
    "servers": lambda n: accepted(2, f"server-{n}"),
    "requests": lambda n: sent(n + 2),
    "choices": lambda n: TraceEvent(
        seconds=1.0,
        server="A",
        kind="chosen",
        fields={
            "instance": 1,
            "proposal_id": "2.A",
            "value": f"v{n}",
            "acceptors": [f"s{k}" for k in range(5)],
        },
    ),
    "effects": lambda n: TraceEvent(
        seconds=1.0,
        server="A",
        kind="started" if n == 0 else "promised",
        fields={"memory": True}
        if n == 0
        else {"instance": 1, "proposal_id": "2.A", "accepted_id": "0.", "text": ""},
    ),
    "violations": lambda _: TraceEvent(
        seconds=1.0,
        server="A",
        kind="violated",
        fields={"name": MARKUP, "link": None, "explanation": "A " * 50_000, "text": "A " * 50_000},
    ),
    "masters": lambda n: TraceEvent(
        seconds=1.0,
        server="A",
        kind="resolved",
        fields={
            "instance": n,
            "link": {"type": "NewMaster", "uid": "A", "lease_seconds": 1.0, "bid": "b"},
            "proposal_id": "1.A",
            "acceptors": ["A", "B"],
            "text": "",
        },
    ),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_of_one_kind_does_not_hang_the_explanation(flood: str) -> None:
    """Ten thousand of them take a moment, not the square of one."""
    events = [header("A", "B", "C"), *(FLOODS[flood](n) for n in range(10_000))]
    began = time.perf_counter()

    explanation = explain(events)

    assert time.perf_counter() - began < SECONDS_MAX
    assert len(explanation.said) == len(events)


def test_ten_thousand_ordinary_events_are_explained_at_once(told: Callable[[str], Told]) -> None:
    """A long run opens as fast as a short one."""
    events, _ = told("seed 3\nfaults calm 10s\nclients 3 20 10s\nadvance 12s\n")
    assert len(events) > 9_000
    began = time.perf_counter()

    explain(events).plain()

    assert time.perf_counter() - began < 1.5
