"""
What the protocol tells about itself: facts for the trace, without effect on the run.

Each event has a *kind* and named details; a reader needs no knowledge of the protocol's classes
beyond the messages and links. The driver adds the time and the server.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class EventKind(StrEnum):
    """The kinds of events that the protocol reports; the engines report the rest."""

    REFUSED = "refused"
    PROMISED = "promised"
    ACCEPTED = "accepted"
    RESOLVED = "resolved"
    LEARNED = "learned"
    CAUGHT_UP = "caught up"
    ROUND_LOST = "round lost"
    TAKEOVER = "takeover"
    FORWARDED = "forwarded"
    LEASE_BEGAN = "lease began"
    LEASE_ENDED = "lease ended"
    FOREIGN_LEASE = "foreign lease"
    WAITING = "waiting"
    FOUNDED = "founded"
    REJOINED = "rejoined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """
    One fact: *details* by name, as docs/reference/trace.md lists them for the *kind*.

    *template* says it in words, with the names of details in braces. The words are put together
    when somebody wants to read them: most events are only counted, or of no interest to anyone.
    """

    kind: EventKind
    template: str
    details: Mapping[str, object]

    @property
    def text(self) -> str:
        """The fact in words."""
        return self.template.format_map(self.details)


def literally(text: str) -> str:
    """Return *text* as a template that says just that."""
    return text.replace("{", "{{").replace("}", "}}")
