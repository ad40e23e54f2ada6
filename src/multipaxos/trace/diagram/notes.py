"""What a diagram notes at a server's lifeline: the events that are neither message nor choice."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from multipaxos.trace.diagram.words import (
    REASON_LENGTH_MAX,
    joined,
    name_words,
    refusal_words,
    value_words,
)
from multipaxos.trace.text import printable

_Words: TypeAlias = Callable[[Mapping[str, Any]], str | None]

DISK_WORDS = {
    "full": "its disk is full",
    "mended": "its disk is mended",
    "lost writes": "its disk lost what was not synced",
    "torn write": "its disk tore a write",
    "failing": "its disk fails",
}

TIMER_WORDS = {
    "backoff": "tries again",
    "retransmit": "repeats itself",
    "election": "seeks mastership",
}
"""Timers whose end leads somewhere; what the other ones lead to has an event of its own."""


def note_words(kind: str, server: str, fields: Mapping[str, Any], origin: float) -> str | None:
    """
    Return what is noted of an event of *kind* at *server*; None for what the arrows show already.

    Times in it are counted from *origin*.
    """
    match kind:
        case "promised" | "accepted":
            return _own_vote_words(kind, server, fields)
        case "lease began" if "until" in fields:
            return f"trusts its lease until {fields['until'] - origin:.3f}"
        case "foreign lease" if "until" in fields:
            master, until = name_words(fields["master"]), fields["until"] - origin
            return f"respects {master}'s lease until {until:.3f}"
        case _:
            words = WORDS.get(kind)
            return None if words is None else words(fields)


def _own_vote_words(kind: str, server: str, fields: Mapping[str, Any]) -> str | None:
    # Only a vote on one's own proposal travels on no arrow.
    proposal = str(fields["proposal_id"])
    if proposal.partition(".")[2] != server:
        return None
    if kind == "promised":
        return f"promises {proposal} itself"
    return f"accepts {proposal} {value_words(fields['value'])}"


def _timer_set_words(fields: Mapping[str, Any]) -> str | None:
    if fields["timer"] != "backoff":
        return None
    return f"waits {fields['after'] * 1000:.1f} ms at random"


def _text(fields: Mapping[str, Any]) -> str:
    return printable(str(fields["text"]), length_max=REASON_LENGTH_MAX)


def _reason(said: str) -> _Words:
    return lambda fields: (
        f"{said}: {printable(str(fields['reason']), length_max=REASON_LENGTH_MAX)}"
    )


def _always(said: str) -> _Words:
    return lambda _: said


WORDS: Mapping[str, _Words] = {
    "started": lambda fields: "starts with its memory" if fields["memory"] else "has no memory",
    "stopped": _always("stops"),
    "crashed": _always("crashes"),
    "wiped": _always("loses its disk"),
    "paused": _always("is paused"),
    "resumed": _always("goes on"),
    "halted": _reason("stops for good"),
    "disk": lambda fields: DISK_WORDS.get(fields["fault"], f"its disk: {fields['fault']}"),
    "clock rate": lambda fields: f"its clock runs at {fields['rate']:g}",
    "datagram refused": _reason("refused a datagram"),
    "saved": _always("saves"),
    "refused": refusal_words,
    "resolved": lambda fields: f"link {fields['instance']} = {value_words(fields['link'])}",
    "learned": lambda fields: f"link {fields['instance']} = {value_words(fields['link'])}",
    "caught up": lambda fields: f"caught up to link {fields['instance']}",
    "round lost": lambda fields: f"gives up {fields['proposal_id']}",
    "takeover": _text,
    "waiting": lambda fields: f"waits for {joined([*map(name_words, fields['waits_for'])])}",
    "founded": lambda _: "founds a chain",
    "rejoined": lambda fields: f"rejoins: votes from link {fields['votes_from']} on",
    "lease began": _always("trusts its lease"),
    "lease ended": _always("trusts its lease no more"),
    "foreign lease": lambda fields: f"respects {name_words(fields['master'])}'s lease",
    "timer set": _timer_set_words,
    "timer fired": lambda fields: TIMER_WORDS.get(fields["timer"]),
}
"""What is noted of each kind; a kind that is missing here is shown by others."""
