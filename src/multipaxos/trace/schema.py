"""
What a trace holds, as data: the kinds of events, the fields of each, and a check.

docs/reference/trace.md says the same in words. A reader may rely on it: :func:`check_event` lets
nothing pass that lacks a field, has one too many, or holds something else in it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import isfinite
from typing import Any, TypeAlias

from composable_paxos import Message, ProposalID
from multipaxos.chain.durable import DecidedLink
from multipaxos.chain.messages import ChainMessage
from multipaxos.chain.refusals import Reason
from multipaxos.chain.requests import Outcome, RequestID
from multipaxos.errors import MultipaxosError
from multipaxos.trace.events import VERSION, TraceEvent
from multipaxos.trace.unplain import TRACED_VALUE, unplain

_Check: TypeAlias = Callable[[object], bool]

ENGINES = ("server", "simulation", "scenario", "exploration")
STATUSES = ("ok", "refused", "unknown")
DISK_FAULTS = ("full", "mended", "lost writes", "torn write", "failing")

_MESSAGE = {
    "sender": "uid",
    "receiver": "uid",
    "chain": "text",
    "instance": "count",
    "id?": "count",
    "message": "message",
}
_CALL = {"client": "text", "request": "request", "operation": "text", "arguments": "list"}
_SAID = {"instance": "count", "text": "text"}

KINDS: Mapping[str, Mapping[str, str]] = {
    "trace": {
        "version": "count",
        "engine": "engine",
        "cluster": "text",
        "servers": "uids",
        "clock": "text",
        "about": "object",
    },
    # What the driver does.
    "sent": _MESSAGE,
    "delivered": _MESSAGE,
    "saved": {
        "chain": "text",
        "instance": "count",
        "promised": "proposal",
        "accepted": "proposal",
        "value": "value",
        "votes_from": "count",
        "decided": "decided",
    },
    "timer set": {"timer": "text", "after": "seconds"},
    "timer cancelled": {"timer": "text"},
    "timer fired": {"timer": "text"},
    "answered": {"request": "request", "outcome": "outcome"},
    "started": {"memory": "boolean"},
    "stopped": {},
    "halted": {"reason": "text"},
    "datagram refused": {"reason": "text", "address": "text"},
    # What clients do.
    "called": _CALL,
    "returned": {
        **_CALL,
        "status": "status",
        "result": "plain",
        "link": "count or none",
        "reason": "text",
    },
    # What the protocol says of itself.
    "promised": {**_SAID, "proposal_id": "proposal", "accepted_id": "proposal"},
    "accepted": {**_SAID, "proposal_id": "proposal", "value": "value"},
    "refused": {
        **_SAID,
        "sender": "uid",
        "message": "message",
        "reason": "text",
        "promised_id?": "proposal",
        "master?": "uid or none",
        "votes_from?": "count",
        "chain?": "text",
        "links?": "count",
        "asked?": "count",
    },
    "resolved": {**_SAID, "link": "value", "proposal_id": "proposal", "acceptors": "uids"},
    "learned": {**_SAID, "link": "value", "told_by": "uid"},
    "caught up": {**_SAID, "value": "plain"},
    "round lost": {**_SAID, "proposal_id": "proposal", "promised_id": "proposal"},
    "takeover": {**_SAID, "accepted_id": "proposal"},
    "forwarded": {**_SAID, "request_id": "request", "master": "uid"},
    "lease began": {
        **_SAID,
        "lease": "text",
        "seconds": "seconds",
        "from": "seconds",
        "until": "seconds",
    },
    "lease ended": {**_SAID, "lease": "text"},
    "foreign lease": {
        **_SAID,
        "master": "uid",
        "seconds": "seconds",
        "from": "seconds",
        "until": "seconds",
    },
    "waiting": {**_SAID, "waits_for": "uids"},
    "founded": {**_SAID, "founders": "list"},
    "rejoined": {**_SAID, "votes_from": "count"},
    # What only an engine knows that sees all servers.
    "chosen": {
        "instance": "count",
        "proposal_id": "proposal",
        "value": "value",
        "acceptors": "uids",
    },
    "dropped": {**_MESSAGE, "reason": "text"},
    "duplicated": _MESSAGE,
    "crashed": {},
    "wiped": {},
    "paused": {},
    "resumed": {},
    "clock rate": {"rate": "seconds"},
    "disk": {"fault": "disk fault"},
    "wires": {"blocked": "pairs"},
    "violated": {
        "name": "text",
        "link": "count or none",
        "explanation": "text",
        "text": "text",
    },
}
"""The fields of each kind and the type of each field; a field with a ``?`` may be missing."""


class TraceError(MultipaxosError, ValueError):
    """What was read is no trace of this version; the message says in a sentence where and why."""


REFUSAL_DATA: Mapping[str, str] = {
    Reason.PROMISED: "promised_id",
    Reason.LEASE: "master",
    Reason.NUMBER_ONE: "master",
    Reason.VOTES_FROM: "votes_from",
    Reason.OTHER_CHAIN: "chain",
    Reason.OTHER_FOUNDING: "chain",
    Reason.TOO_FAR: "links",
    Reason.BEHIND: "asked",
    Reason.AHEAD: "asked",
}
"""The field that goes with each reason of a refusal; with the other reasons goes none."""


def check_event(event: TraceEvent) -> None:
    """Raise TraceError, with a sentence, unless *event* is as this version describes it."""
    if not _is_number(event.seconds):
        raise TraceError("an event's time is a number of seconds")
    if not _are_texts(event.server, event.kind):
        raise TraceError("an event's server and its kind are texts")
    if event.kind not in KINDS:
        raise TraceError(f"{event.kind!r} is no kind of event")
    fields = KINDS[event.kind]
    known = 0
    for name, holds in fields.items():
        key = name.removesuffix("?")
        if key not in event.fields:
            if key == name:
                raise TraceError(f"{event.kind!r} without its field {key!r}")
            continue
        known += 1
        check, wanted = _CHECKS[holds]
        if not check(event.fields[key]):
            raise TraceError(f"field {key!r} of {event.kind!r} is not {wanted}")
    if known < len(event.fields):
        strange = [name for name in event.fields if not {name, f"{name}?"} & fields.keys()]
        raise TraceError(f"{event.kind!r} has no field {strange[0]!r}")
    if event.kind == "refused":
        _check_refusal(event.fields)


def _check_refusal(fields: Mapping[str, Any]) -> None:
    reason = fields["reason"]
    wanted = REFUSAL_DATA.get(reason)
    if wanted is not None and wanted not in fields:
        raise TraceError(f"'refused' for {reason!r} without its field {wanted!r}")
    if reason == Reason.PROMISED and "proposal_id" not in fields["message"]:
        raise TraceError(f"'refused' for {reason!r} is about a message without a proposal")


def check_header(event: TraceEvent) -> None:
    """Raise TraceError unless *event* is the header of a trace of this version."""
    if event.kind != "trace":
        raise TraceError("a trace begins with an event of kind 'trace', which says its version")
    version = event.fields.get("version")
    if version != VERSION or isinstance(version, bool):
        raise TraceError(
            f"it is a trace of version {version!r}; this program reads version {VERSION}"
        )


def check_trace(events: Iterable[TraceEvent]) -> Iterator[TraceEvent]:
    """
    Yield *events*, each one checked, and the first one as header.

    Raises TraceError that names the place, counted from 1, and says what is wrong there.
    """
    place = 0
    for place, event in enumerate(events, start=1):
        try:
            if place == 1 or event.kind == "trace":
                check_header(event)
            check_event(event)
        except TraceError as error:
            raise TraceError(f"line {place}: {error}") from error
        yield event
    if place == 0:
        raise TraceError("it is empty: a trace begins with an event of kind 'trace'")


# ------------------------------------------------------------------------------- what a field holds


def _is_number(value: object) -> bool:
    # JSON as Python reads it has NaN and Infinity, which nothing can be compared with.
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _are_texts(*values: object) -> bool:
    return all(isinstance(value, str) for value in values)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _stands_for(hint: Any) -> _Check:
    def check(value: object) -> bool:
        try:
            unplain(value, hint)
        except ValueError:
            return False
        return True

    return check


_CHECKS: Mapping[str, tuple[_Check, str]] = {
    "boolean": (lambda value: isinstance(value, bool), "true or false"),
    "count": (_is_count, "a whole number, 0 or more"),
    "count or none": (lambda value: value is None or _is_count(value), "a whole number or null"),
    "decided": (_stands_for(tuple[DecidedLink, ...]), "a list of decided links"),
    "disk fault": (lambda value: value in DISK_FAULTS, f"one of {', '.join(DISK_FAULTS)}"),
    "engine": (lambda value: value in ENGINES, f"one of {', '.join(ENGINES)}"),
    "list": (lambda value: isinstance(value, list | tuple), "a list"),
    "message": (_stands_for(Message | ChainMessage), "a message of the protocol"),
    "object": (lambda value: isinstance(value, dict), "an object"),
    "outcome": (_stands_for(Outcome), "an outcome"),
    "pairs": (_stands_for(tuple[tuple[str, str], ...]), "a list of pairs of names"),
    "plain": (lambda _: True, "anything"),
    "proposal": (_stands_for(ProposalID), "a proposal, as in 2.A"),
    "request": (_stands_for(RequestID), "a request, as in client/7"),
    "seconds": (_is_number, "a number"),
    "status": (lambda value: value in STATUSES, f"one of {', '.join(STATUSES)}"),
    "text": (lambda value: isinstance(value, str), "a text"),
    "uid": (lambda value: isinstance(value, str), "a server's name"),
    "uid or none": (lambda value: value is None or isinstance(value, str), "a name or null"),
    "uids": (_stands_for(tuple[str, ...]), "a list of names"),
    "value": (_stands_for(TRACED_VALUE), "a link"),
}
"""What a field may hold: the check, and what a sentence calls it."""
