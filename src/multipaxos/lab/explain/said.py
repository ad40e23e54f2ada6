"""One plain sentence an event: what happened, for somebody who sees nothing else of the run."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from multipaxos.lab.explain.said_of_messages import label, sent
from multipaxos.lab.explain.words import (
    NAMES_MAX,
    PAIRS_MAX,
    SENTENCE_LENGTH_MAX,
    call,
    clipped,
    duration,
    founders_in_words,
    joined,
    name,
    number,
    request_name,
    state,
    text,
    value,
    votes_in_words,
)
from multipaxos.trace import TraceEvent
from multipaxos.trace.diagram.notes import DISK_WORDS
from multipaxos.trace.diagram.words import wires_words
from multipaxos.trace.text import describe_result, links_in_words, why_refused

_Words: TypeAlias = Callable[[str, Mapping[str, Any]], str]


def said(event: TraceEvent, servers: Sequence[str]) -> str:
    """Return *event*, of a cluster of these *servers*, in one sentence."""
    words = _SAID.get(event.kind)
    fields: Any = event.fields
    if event.kind == "wires":
        return clipped(_wires(fields, servers), SENTENCE_LENGTH_MAX)
    if words is None:
        return f"{name(event.server)}: {name(event.kind)}."
    return clipped(words(name(event.server), fields), SENTENCE_LENGTH_MAX)


def _says(words: str) -> _Words:
    return lambda server, _fields: f"{server} {words}."


def _trace(_server: str, fields: Mapping[str, Any]) -> str:
    return f"A trace begins: {name(fields['engine'])}, servers {joined(fields['servers'])}."


def _delivered(_server: str, fields: Mapping[str, Any]) -> str:
    sender, receiver = name(fields["sender"]), name(fields["receiver"])
    return f"{receiver} gets from {sender}, about link {_link(fields)}: {label(fields['message'])}."


def _dropped(_server: str, fields: Mapping[str, Any]) -> str:
    sender, receiver = name(fields["sender"]), name(fields["receiver"])
    why = "" if fields["reason"] == "lost" else f" ({text(fields['reason'], 100)})"
    return f"Lost on its way from {sender} to {receiver}{why}: {label(fields['message'])}."


def _duplicated(_server: str, fields: Mapping[str, Any]) -> str:
    sender, receiver = name(fields["sender"]), name(fields["receiver"])
    return (
        f"The network copies {label(fields['message'])} of {sender}: one more comes to {receiver}."
    )


def _link(fields: Mapping[str, Any]) -> str:
    return str(fields["instance"])


def _saved(server: str, fields: Mapping[str, Any]) -> str:
    votes = votes_in_words(fields, none="no votes yet")
    decided = [one["number"] for one in fields["decided"]]
    closed = f"; decided since the last save: {links_in_words(decided)}" if decided else ""
    return f"{server} saves to its disk: at link {_link(fields)}, {votes}{closed}."


def _promised(server: str, fields: Mapping[str, Any]) -> str:
    proposal_id, accepted = fields["proposal_id"], number(fields["accepted_id"])
    return (
        f"{server} promises {number(proposal_id)} in link {_link(fields)}; it reports that it has "
        f"accepted {accepted}."
    )


def _accepted(server: str, fields: Mapping[str, Any]) -> str:
    under = number(fields["proposal_id"])
    return f"{server} accepts {value(fields['value'])} under {under} in link {_link(fields)}."


def _refused(server: str, fields: Mapping[str, Any]) -> str:
    why = text(why_refused(fields))
    return f"{server} refuses {label(fields['message'])} of {name(fields['sender'])}: {why}."


def _resolved(server: str, fields: Mapping[str, Any]) -> str:
    by = joined(fields["acceptors"])
    under = number(fields["proposal_id"])
    how = f"{by} accepted {under}" if fields["acceptors"] else f"it is told that {under} was chosen"
    return f"{server} knows that link {_link(fields)} is {value(fields['link'])}: {how}."


def _learned(server: str, fields: Mapping[str, Any]) -> str:
    told_by = name(fields["told_by"])
    return f"{server} is told by {told_by} that link {_link(fields)} is {value(fields['link'])}."


def _caught_up(server: str, fields: Mapping[str, Any]) -> str:
    return (
        f"{server} skips to link {_link(fields)} and takes over what the links before amount to: "
        f"{state(fields['value'])}."
    )


def _round_lost(server: str, fields: Mapping[str, Any]) -> str:
    return f"{server} gives up {number(fields['proposal_id'])}: too many have refused it."


def _takeover(server: str, fields: Mapping[str, Any]) -> str:
    return f"{server} has heard nothing of {number(fields['accepted_id'])} and finishes it."


def _forwarded(server: str, fields: Mapping[str, Any]) -> str:
    request = request_name(fields["request_id"])
    return f"{server} hands request {request} on to {name(fields['master'])}."


def _lease_began(server: str, fields: Mapping[str, Any]) -> str:
    return f"{server} is master and trusts its lease for {duration(fields['seconds'])}."


def _foreign_lease(server: str, fields: Mapping[str, Any]) -> str:
    length = duration(fields["seconds"])
    return f"{server} respects the lease of {name(fields['master'])} for {length} from now on."


def _waiting(server: str, fields: Mapping[str, Any]) -> str:
    return f"{server} has no memory and waits for word of {joined(fields['waits_for'])}."


def _founded(server: str, fields: Mapping[str, Any]) -> str:
    return f"{server} founds a chain with {founders_in_words(fields)}."


def _rejoined(server: str, fields: Mapping[str, Any]) -> str:
    first = fields["votes_from"]
    return f"{server} takes part again, without memory: it votes from link {first} on."


def _chosen(_server: str, fields: Mapping[str, Any]) -> str:
    accepted = f"{joined(fields['acceptors'])} have accepted {number(fields['proposal_id'])}"
    return f"Link {_link(fields)} is chosen: {value(fields['value'])}. {accepted}."


def _started(server: str, fields: Mapping[str, Any]) -> str:
    return f"{server} starts{' with its memory' if fields['memory'] else ', without memory'}."


def _halted(server: str, fields: Mapping[str, Any]) -> str:
    return f"{server} stops for good: {text(fields['reason'])}"


def _datagram(server: str, fields: Mapping[str, Any]) -> str:
    address = text(fields["address"], 80)
    return f"{server} refuses what came from {address}: {text(fields['reason'], 200)}"


def _clock(server: str, fields: Mapping[str, Any]) -> str:
    return f"{server}'s clock runs at {fields['rate']:g} seconds a second from now on."


def _disk(server: str, fields: Mapping[str, Any]) -> str:
    words = DISK_WORDS.get(fields["fault"], f"its disk: {name(fields['fault'])}")
    return f"{server}: {words}."


def _wires(fields: Mapping[str, Any], servers: Sequence[str]) -> str:
    pairs = fields["blocked"][:PAIRS_MAX]
    named = sorted({uid for pair in pairs for uid in pair})
    words = wires_words(pairs, list(dict.fromkeys([*servers[:NAMES_MAX], *named])))
    # Else they begin with a server's name, which stays as it is.
    is_capital = words.startswith(("the partition", "partition:"))
    return f"{words[0].upper()}{words[1:]}." if is_capital else f"{words}."


def _called(server: str, fields: Mapping[str, Any]) -> str:
    return f"{name(fields['client'])} asks {server}: {call(fields)}."


def _returned(server: str, fields: Mapping[str, Any]) -> str:
    client, asked = name(fields["client"]), call(fields)
    if fields["status"] != "ok":
        why = text(fields["reason"])
        return f"{client} is told by {server} of {asked}: {name(fields['status'])}, {why}."
    result = describe_result(fields["result"])
    gives = f", result {clipped(result, 80)}" if result else ""
    return f"{client} is told by {server}: {asked} is done, link {fields['link']}{gives}."


def _answered(server: str, fields: Mapping[str, Any]) -> str:
    outcome = fields["outcome"]
    request = request_name(fields["request"])
    if outcome["type"] != "Chosen":
        kind = name(outcome["type"]).lower()
        return f"{server} has an answer for request {request}: {kind}, {text(outcome['reason'])}."
    return f"{server} has the answer for request {request}: it is in link {outcome['link']}."


def _timer_set(server: str, fields: Mapping[str, Any]) -> str:
    return f"{server} sets its timer {name(fields['timer'])!r} for {duration(fields['after'])}."


def _timer_cancelled(server: str, fields: Mapping[str, Any]) -> str:
    return f"{server} stops its timer {name(fields['timer'])!r}."


def _timer_fired(server: str, fields: Mapping[str, Any]) -> str:
    return f"The timer {name(fields['timer'])!r} of {server} fires."


def _violated(_server: str, fields: Mapping[str, Any]) -> str:
    at = "" if fields["link"] is None else f" in link {fields['link']}"
    return f"{name(fields['name'])} is broken{at}: {text(fields['explanation'])}."


_SAID: Mapping[str, _Words] = {
    "trace": _trace,
    "sent": lambda _server, fields: sent(fields),
    "delivered": _delivered,
    "dropped": _dropped,
    "duplicated": _duplicated,
    "saved": _saved,
    "promised": _promised,
    "accepted": _accepted,
    "refused": _refused,
    "resolved": _resolved,
    "learned": _learned,
    "caught up": _caught_up,
    "round lost": _round_lost,
    "takeover": _takeover,
    "forwarded": _forwarded,
    "lease began": _lease_began,
    "lease ended": _says("is master no more: it does not trust its lease any longer"),
    "foreign lease": _foreign_lease,
    "waiting": _waiting,
    "founded": _founded,
    "rejoined": _rejoined,
    "chosen": _chosen,
    "started": _started,
    "stopped": _says("stops, as it was asked to"),
    "halted": _halted,
    "crashed": _says("crashes: what was in its memory is lost, what is on its disk stays"),
    "wiped": _says("loses its disk"),
    "paused": _says("stands still: it is paused"),
    "resumed": _says("goes on, as if no time had passed"),
    "datagram refused": _datagram,
    "clock rate": _clock,
    "disk": _disk,
    "called": _called,
    "returned": _returned,
    "answered": _answered,
    "timer set": _timer_set,
    "timer cancelled": _timer_cancelled,
    "timer fired": _timer_fired,
    "violated": _violated,
}
