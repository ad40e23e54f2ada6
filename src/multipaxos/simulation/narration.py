"""Trace events as lines of text: the golden traces of the scenarios are written in these."""

from collections.abc import Mapping
from typing import Any

from multipaxos.trace import TraceEvent, describe_link, printable, quoted
from multipaxos.trace.text import describe_message, describe_result, how_resolved, why_refused

HIDDEN = frozenset(
    {
        "trace",
        "delivered",
        "returned",
        "duplicated",
        "timer cancelled",
        "wires",
        "disk",
        "clock rate",
    }
)
"""Kinds that only repeat what a command or another event says."""

SHOWN_TIMERS = frozenset({"backoff"})
"""Timers whose setting is told: the other ones' lengths are settings, not chance."""


def narrate(event: TraceEvent) -> str | None:
    """Return *event* as one line; None for what tells a reader nothing new."""
    if event.kind in HIDDEN:
        return None
    fields: Any = event.fields
    if event.kind == "sent":
        return f"{event.server}->{fields['receiver']} {_message(fields)}"
    if event.kind == "dropped":
        return f"{fields['sender']}->{fields['receiver']} {_message(fields)}: {fields['reason']}"
    if event.kind == "chosen":
        names = ", ".join(fields["acceptors"])
        said = f"{describe_link(fields['value'])}, {fields['proposal_id']} by {names}"
        return f"*** link {fields['instance']} is chosen: {said} ***"
    if event.kind == "violated":
        return f"!!! {fields['text']} !!!"
    words = _say(event.kind, fields)
    return None if words is None else f"{event.server} {words}"


def _message(fields: Any) -> str:
    return f"#{fields['instance']} {describe_message(fields['message'])}"


def _say(kind: str, fields: Any) -> str | None:  # noqa: C901, PLR0911, PLR0912 - one case a kind
    match kind:
        case "started":
            return "starts" if fields["memory"] else "starts without memory"
        case "crashed":
            return "crashes: its memory is lost, its disk stays"
        case "wiped":
            return "loses its disk"
        case "paused":
            return "is paused"
        case "resumed":
            return "goes on"
        case "saved":
            return _describe_disk(fields)
        case "called":
            return f"is asked: {_describe_call(fields)} ({fields['request']})"
        case "answered":
            return f"answers {fields['request']}: {_describe_outcome(fields['outcome'])}"
        case "resolved":
            link = describe_link(fields["link"])
            return f"learns that link {fields['instance']} is {link}, {how_resolved(fields)}"
        case "learned":
            link = describe_link(fields["link"])
            return f"learns that link {fields['instance']} is {link}, told by {fields['told_by']}"
        case "refused":
            message = describe_message(fields["message"])
            return f"refuses {message} of {fields['sender']}: {why_refused(fields)}"
        case "timer set":
            if fields["timer"] in SHOWN_TIMERS:
                return f"will try again in {fields['after'] * 1000:.1f} ms"
            return None
        case "timer fired":
            return f"finds that it is time: {fields['timer']}"
        case "lease began":
            return f"is master and trusts its lease for {fields['seconds']:.2f} s from its bid on"
        case "foreign lease":
            return f"respects the lease of {fields['master']} for {fields['seconds']:.2f} s"
        case "round lost":
            return f"gives up {fields['proposal_id']}: too many refuse it"
        case "takeover":
            return f"takes over: {printable(fields['text'])}"
        case "halted":
            return f"stops for good: {fields['reason']}"
        case _:
            return printable(str(fields["text"]))


def _describe_disk(fields: Any) -> str:
    promised, accepted = fields["promised"], fields["accepted"]
    words = [f"promised {promised}" if promised != NOTHING else "nothing promised"]
    if accepted != NOTHING:
        words.append(f"accepted {accepted} {describe_link(fields['value'])}")
    if fields["votes_from"] > fields["instance"]:
        words.append(f"votes from link {fields['votes_from']}")
    return f"saves: at link {fields['instance']}, {', '.join(words)}"


NOTHING = "0."
"""How the lowest proposal, that of nobody, is written in a trace."""


def _describe_call(fields: Mapping[str, Any]) -> str:
    return " ".join([fields["operation"], *map(quoted, fields["arguments"])])


def _describe_outcome(outcome: Mapping[str, Any]) -> str:
    if outcome["type"] != "Chosen":
        return f"{outcome['type'].lower()}: {outcome['reason']}"
    result = describe_result(outcome["result"])
    return f"chosen at link {outcome['link']}" + (f", result {result}" if result else "")
