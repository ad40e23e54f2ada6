"""Every copy of a message in a trace: where it leaves, where it ends, and whether it was taken."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from multipaxos.lab.explain.causes import Causes
from multipaxos.lab.explain.said_of_messages import label
from multipaxos.lab.explain.words import text
from multipaxos.trace import TraceEvent
from multipaxos.trace.diagram.matching import Fate, Transmission, match_messages
from multipaxos.trace.text import why_refused


@dataclass(frozen=True, slots=True)
class Message:
    """One copy of a message: its *transmission*, its *id*, and whether and why it was refused."""

    transmission: Transmission
    id: int | None
    refused: bool
    reason: str

    def plain(self) -> dict[str, object]:
        """Return the message as JSON can hold it."""
        copy = self.transmission
        message, name = copy.message, copy.message["type"]
        return {
            "id": self.id,
            "sender": copy.sender,
            "receiver": copy.receiver,
            "kind": name,
            "proposal": message.get("proposal_id"),
            "link": copy.instance,
            "text": f"Sync, at link {copy.instance}" if name == "Sync" else label(message),
            "sent": copy.sent,
            "ended": copy.ended,
            "fate": copy.fate.value,
            "refused": self.refused,
            "reason": self.reason,
            "again": copy.again,
        }


def messages_of(events: Sequence[TraceEvent], causes: Causes) -> tuple[Message, ...]:
    """Return the messages of *events*, in the order in which they left."""
    copies = sorted(match_messages(events), key=lambda copy: (_began(copy), copy.again))
    return tuple(_message(events, causes, copy) for copy in copies)


def _began(copy: Transmission) -> int:
    place = copy.ended if copy.sent is None else copy.sent
    assert place is not None, "a message was seen to leave or to end"
    return place


def _message(events: Sequence[TraceEvent], causes: Causes, copy: Transmission) -> Message:
    identity: Any = events[_began(copy)].fields.get("id")
    if copy.ended is None:
        return Message(copy, identity, refused=False, reason="")
    if copy.fate is Fate.DROPPED:
        reason = text(events[copy.ended].fields["reason"], 200)
        return Message(copy, identity, refused=False, reason=reason)
    refusal = causes.refusal(copy.ended)
    if refusal is None:
        return Message(copy, identity, refused=False, reason="")
    reason = text(why_refused(events[refusal].fields), 200)
    return Message(copy, identity, refused=True, reason=reason)
