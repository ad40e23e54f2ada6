"""What a diagram must know of a whole trace before it draws the first row."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from multipaxos.trace.diagram.matching import Fate, Transmission, match_messages
from multipaxos.trace.diagram.routine import CHATTER
from multipaxos.trace.events import TraceEvent

TRIGGERS = frozenset(
    {"delivered", "called", "timer fired", "started", "stopped", "crashed", "paused", "resumed"}
)
"""What a server does follows one of these, and ends with the next."""

BREAKS = frozenset({"crashed", "paused", "halted", "stopped"})
ENDINGS = frozenset({"delivered", "dropped"})
VIRTUAL_CLOCK = "virtual"


class TraceIndex:
    """
    Looks up things in *events*: columns, times, effects of an event, and where messages begin.

    It is made once and never changed.
    """

    def __init__(self, events: Sequence[TraceEvent]) -> None:
        """Go through *events* once."""
        headers = [event.fields for event in events if event.kind == "trace"]
        happenings = [event for event in events if event.kind != "trace"]
        self.sees_all = all(header.get("engine") != "server" for header in headers)
        self.servers = _servers(headers, happenings)
        self.clients = tuple(
            dict.fromkeys(str(e.fields["client"]) for e in happenings if "client" in e.fields)
        )
        times = {event.seconds for event in happenings}
        self.is_untimed = len(times) <= 1
        self.is_stepwise = any(header.get("engine") == "exploration" for header in headers)
        is_virtual = self.is_stepwise or all(
            header.get("clock") == VIRTUAL_CLOCK for header in headers
        )
        self.origin = 0.0 if is_virtual else min(times, default=0.0)
        self._effects = _effects(events)
        self._endings = list(accumulate(int(_is_step_of_a_round(event)) for event in events))
        self._breaks: dict[str, list[int]] = {}
        for place, event in enumerate(events):
            if event.kind in BREAKS:
                self._breaks.setdefault(event.server, []).append(place)
        self.ending: dict[int, Transmission] = {}
        self.leaving: dict[int, list[Transmission]] = {}
        for sent in match_messages(events):
            if sent.ended is not None:
                self.ending[sent.ended] = sent
            if sent.sent is not None and (sent.ended is None or self.is_late(sent)):
                self.leaving.setdefault(sent.sent, []).append(sent)

    def effects(self, place: int) -> frozenset[str]:
        """Return the kinds of what the event at *place* made its server do."""
        return self._effects.get(place, frozenset())

    def is_late(self, sent: Transmission) -> bool:
        """Tell whether so much happened while *sent* was under way that one row would mislead."""
        if sent.sent is None or sent.ended is None or sent.again:
            return False
        if sent.message["type"] in CHATTER:
            # It does no harm whenever it comes.
            return False
        overtaking = self._endings[sent.ended] - self._endings[sent.sent] - 1
        if overtaking >= len(self.servers) * (len(self.servers) - 1):
            return True
        is_refused = sent.fate is Fate.DELIVERED and "refused" in self.effects(sent.ended)
        return overtaking > 1 and (is_refused or self._breaks_between(sent))

    def _breaks_between(self, sent: Transmission) -> bool:
        assert sent.sent is not None
        assert sent.ended is not None
        breaks = self._breaks.get(sent.sender, [])
        following = bisect_right(breaks, sent.sent)
        return following < len(breaks) and breaks[following] < sent.ended


def _is_step_of_a_round(event: TraceEvent) -> bool:
    message: Any = event.fields.get("message")
    return event.kind in ENDINGS and "proposal_id" in message


def _servers(headers: Sequence[Mapping[str, Any]], events: Sequence[TraceEvent]) -> tuple[str, ...]:
    named = {uid: None for header in headers for uid in header.get("servers", ())}
    met: set[str] = set()
    for event in events:
        met |= {str(event.fields[end]) for end in ("sender", "receiver") if end in event.fields}
        met |= {event.server} if event.server else set()
    return (*named, *sorted(met - named.keys()))


def _effects(events: Sequence[TraceEvent]) -> dict[int, frozenset[str]]:
    last: dict[str, int] = {}
    kinds: dict[int, set[str]] = {}
    for place, event in enumerate(events):
        if event.kind in TRIGGERS:
            last[event.server] = place
        elif event.server in last:
            kinds.setdefault(last[event.server], set()).add(event.kind)
    return {place: frozenset(followed) for place, followed in kinds.items()}
