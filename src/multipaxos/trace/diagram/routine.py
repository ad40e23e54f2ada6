"""What goes on all the time in a cluster to which nothing happens."""

from collections.abc import Mapping, Sequence
from typing import Any

from multipaxos.trace.events import TraceEvent

SYNC = "sync"
RENEWAL = "renewals"
LATE_VOTES = "late votes"

CHATTER = {
    "Sync": SYNC,
    "WhereAreYou": "questions of who rejoins",
    "IAmAt": "questions of who rejoins",
}
"""Messages that servers exchange although nobody wants anything, with what they are for."""

_TOLD_OF_LINK = frozenset({"chosen", "resolved", "learned", "accepted"})


class Routine:
    """
    Tells what is routine in a trace: greetings, and links that only renew the master's lease.

    It is made once, of the whole trace, and never changed.
    """

    def __init__(self, events: Sequence[TraceEvent]) -> None:
        """Find the renewals among the links of *events*."""
        links: dict[int, Any] = {}
        for event in events:
            if event.kind in _TOLD_OF_LINK:
                fields: Mapping[str, Any] = event.fields
                links[fields["instance"]] = fields.get("link") or fields["value"]
        self.renewals: set[int] = set()
        master = None
        for instance in sorted(links):
            match links[instance]:
                case {"type": "NewMaster", "uid": uid}:
                    if uid == master:
                        self.renewals.add(instance)
                    master = uid

    def of_message(self, message: Mapping[str, Any], instance: int | None) -> str:
        """Return what *message* about *instance* is for, if it is routine; else nothing."""
        if "proposal_id" in message:
            return self.of_link(instance)
        return CHATTER.get(str(message["type"]), "")

    def of_link(self, instance: int | None) -> str:
        """Return what link *instance* is for, if it is routine; else nothing."""
        return RENEWAL if instance in self.renewals else ""
