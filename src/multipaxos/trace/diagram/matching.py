"""Which arrival belongs to which departure: a trace's messages as arrows."""

import json
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeAlias

from multipaxos.trace.events import TraceEvent


class Fate(StrEnum):
    """What became of a message, as far as the trace tells."""

    DELIVERED = "delivered"
    DROPPED = "dropped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transmission:
    """
    One copy of a message on its way.

    *sent* and *ended* are places in the trace: those of its departure, and of its arrival or loss.
    Either is None where the trace does not tell. A copy that the network made comes *again*.
    """

    sender: str
    receiver: str
    instance: int | None
    message: Mapping[str, Any]
    sent: int | None
    ended: int | None
    fate: Fate
    again: bool = False


_Key: TypeAlias = tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copy:
    place: int
    again: bool


def match_messages(events: Iterable[TraceEvent]) -> list[Transmission]:
    """
    Return every copy of a message in *events*, in the order in which they ended.

    Those without an end come last, in the order of their departures. An arrival belongs to the
    departure with its ``id``; where there is none, to the oldest of equal content. In traces that
    were merged by time, a departure may stand behind an arrival of the same instant.
    """
    under_way: dict[_Key, deque[_Copy]] = {}
    departures: dict[_Key, int] = {}
    shown: list[TraceEvent] = []
    matched: list[Transmission] = []
    early: dict[_Key, tuple[float, int]] = {}
    for place, event in enumerate(events):
        shown.append(event)
        match event.kind:
            case "sent":
                key = _key(event.fields)
                departures[key] = place
                seconds, arrived = early.pop(key, (None, 0))
                if seconds == event.seconds:
                    matched[arrived] = replace(matched[arrived], sent=place)
                    continue
                under_way.setdefault(key, deque()).append(_Copy(place=place, again=False))
            case "duplicated":
                key = _key(event.fields)
                copy = _Copy(place=departures.get(key, place), again=True)
                under_way.setdefault(key, deque()).append(copy)
            case "delivered" | "dropped":
                key = _key(event.fields)
                waiting = under_way.get(key)
                if not waiting:
                    early[key] = (event.seconds, len(matched))
                taken = waiting.popleft() if waiting else None
                matched.append(_transmission(event, taken, ended=place))
            case _:
                pass
    left = [copy for copies in under_way.values() for copy in copies]
    left.sort(key=lambda copy: (copy.place, copy.again))
    matched += [_transmission(shown[copy.place], copy, ended=None) for copy in left]
    return matched


def _transmission(event: TraceEvent, copy: _Copy | None, *, ended: int | None) -> Transmission:
    fields: Any = event.fields
    return Transmission(
        sender=fields["sender"],
        receiver=fields["receiver"],
        instance=fields["instance"],
        message=fields["message"],
        sent=None if copy is None else copy.place,
        ended=ended,
        fate=Fate.UNKNOWN if ended is None else Fate(event.kind),
        again=copy is not None and copy.again,
    )


def _key(fields: Mapping[str, object]) -> _Key:
    if "id" in fields:
        return ("id", fields["id"])
    content = json.dumps([fields["message"], fields.get("chain", "")], sort_keys=True)
    return ("content", fields["sender"], fields["receiver"], fields["instance"], content)
