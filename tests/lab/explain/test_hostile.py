"""A trace may hold anything: what is shown of it is text, and not too much."""

import sys
from collections.abc import Callable

import pytest

from multipaxos.lab.explain import Explanation, explain
from multipaxos.lab.explain.words import PARAGRAPH_LENGTH_MAX, SENTENCE_LENGTH_MAX
from multipaxos.trace import TraceEvent

Told = tuple[list[TraceEvent], Explanation]
MARKUP = "<script>alert(1)</script>"


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


def test_a_server_that_is_cut_off_from_itself_is_no_partition() -> None:
    """A trace may say so; its own messages travel on no wire."""
    wires = TraceEvent(seconds=1.0, server="", kind="wires", fields={"blocked": [["A", "A"]]})

    explanation = explain([header("A", "B", "C"), wires])

    assert explanation.said[1] == "The partition is healed: everybody reaches everybody."
    assert "Everybody reaches everybody" in all_texts(explanation)[2]


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


def calls_of(action: Callable[[], object]) -> int:
    """Return how many functions *action* calls: its work, whatever else the machine does."""
    count = 0

    def profile(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        action()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("flood", FLOODS)
def test_the_work_for_a_flood_of_one_kind_grows_with_it_and_not_with_its_square(flood: str) -> None:
    """Four times as many of them are about four times the work."""
    many = [header("A", "B", "C"), *(FLOODS[flood](n) for n in range(2_000))]
    few = many[:501]
    explain(few)  # The rules' own code is looked up once.

    assert calls_of(lambda: explain(many)) < 5 * calls_of(lambda: explain(few))


def test_the_work_for_a_long_run_grows_with_it(told: Callable[[str], Told]) -> None:
    """Each event of it costs the same."""
    events, _ = told("seed 3\nfaults calm 4s\nclients 3 20 4s\nadvance 5s\n")
    few = events[: len(events) // 4]

    assert len(events) > 3_000
    assert calls_of(lambda: explain(events)) < 6 * calls_of(lambda: explain(few))
