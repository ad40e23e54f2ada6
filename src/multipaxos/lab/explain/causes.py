"""What made a server do something: the events of a trace, grouped by what they answer."""

from collections.abc import Mapping, Sequence
from typing import Any

from multipaxos.trace import TraceEvent
from multipaxos.trace.diagram.index import TRIGGERS

OF_OTHERS = frozenset(
    {"trace", "dropped", "duplicated", "wires", "disk", "clock rate", "wiped", "violated", "chosen"}
)
"""Kinds that no server does: they stand between its own events and belong to none of them."""

EFFECTS_MAX = 1000
"""No event has more effects; a trace that says so is not worth the time to look through them."""

RESULTS: Mapping[str, tuple[str, ...]] = {
    "Prepare": ("promised",),
    "Accept": ("accepted",),
    "Decided": ("learned",),
    "CatchUp": ("caught up",),
    "SnapshotPart": ("caught up",),
    "IAmAt": ("founded", "rejoined", "waiting"),
}
"""What a message can lead to at once that explains what its arrival means."""


class Causes:
    """
    Tells of each event of a trace which one caused it, and what else that one caused.

    A server handles one event after the other; what it does stands behind what it answers, before
    the next such event of its own. Made once of the whole trace, and never changed.
    """

    def __init__(self, events: Sequence[TraceEvent]) -> None:
        """Go through *events* once."""
        self.events = events
        self._cause: dict[int, int] = {}
        self._effects: dict[int, list[int]] = {}
        latest: dict[str, int] = {}
        for place, event in enumerate(events):
            if event.kind in TRIGGERS:
                latest[event.server] = place
            elif event.kind not in OF_OTHERS and event.server in latest:
                cause = latest[event.server]
                effects = self._effects.setdefault(cause, [])
                if len(effects) < EFFECTS_MAX:
                    self._cause[place] = cause
                    effects.append(place)

    def cause(self, place: int) -> TraceEvent | None:
        """Return what the event at *place* answers; None where the trace does not tell."""
        cause = self._cause.get(place)
        return None if cause is None else self.events[cause]

    def effects(self, place: int) -> Sequence[int]:
        """Return the places of all that the event at *place* made its server do."""
        return self._effects.get(place, ())

    def refusal(self, place: int) -> int | None:
        """Return the place at which the message that arrived at *place* is refused, if it is."""
        message = self.events[place].fields["message"]
        for effect in self.effects(place):
            event = self.events[effect]
            # What was kept before it was due may be refused in the same breath.
            if event.kind == "refused" and event.fields["message"] == message:
                return effect
        return None

    def result(self, place: int) -> int | None:
        """Return the place of what came of the message that arrived at *place*, where it shows."""
        message: Any = self.events[place].fields["message"]
        wanted = RESULTS.get(message["type"], ())
        for effect in self.effects(place):
            event = self.events[effect]
            if event.kind in wanted and _is_about(event, message):
                return effect
        return self.refusal(place)

    def siblings(self, place: int) -> Sequence[int]:
        """Return the places of all that was done in the same breath as the event at *place*."""
        cause = self._cause.get(place)
        return () if cause is None else self._effects[cause]

    def follows(self, place: int, *kinds: str) -> bool:
        """Tell whether the server goes on, in the same breath, with one of *kinds*."""
        return any(
            later > place and self.events[later].kind in kinds for later in self.siblings(place)
        )

    def precedes(self, place: int, *kinds: str) -> bool:
        """Tell whether one of *kinds* came before, in the same breath."""
        return any(
            earlier < place and self.events[earlier].kind in kinds
            for earlier in self.siblings(place)
        )


def _is_about(event: TraceEvent, message: Mapping[str, Any]) -> bool:
    proposal_id = event.fields.get("proposal_id")
    return proposal_id is None or proposal_id == message.get("proposal_id")
