"""One event of a trace, with all that was told before it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from multipaxos.lab.explain.causes import Causes
from multipaxos.lab.explain.past import Past
from multipaxos.lab.explain.server_past import ServerPast
from multipaxos.lab.explain.words import name
from multipaxos.trace import TraceEvent

Why: TypeAlias = tuple[str, str]
"""The id of the rule that decided an event, and a paragraph on how it did."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The *event* at *place*, before it is told: the *past* does not know of it yet."""

    event: TraceEvent
    place: int
    past: Past
    causes: Causes

    @property
    def fields(self) -> Mapping[str, Any]:
        """The event's fields."""
        return self.event.fields

    @property
    def server(self) -> ServerPast:
        """What is known of the server that the event happened on."""
        return self.past.server(self.event.server)

    @property
    def who(self) -> str:
        """The server's name, safe to show."""
        return name(self.event.server)

    @property
    def cause(self) -> TraceEvent | None:
        """The event that this one answers."""
        return self.causes.cause(self.place)

    @property
    def cause_message(self) -> Mapping[str, Any] | None:
        """The message that this event answers, if it answers one."""
        cause = self.cause
        if cause is None or cause.kind != "delivered":
            return None
        return cause.fields["message"]  # type: ignore[return-value]

    def promising_quorum(self) -> str:
        """Return how many promises are a quorum: ``2 of 3``."""
        return f"{self.past.promise_size} of {len(self.past.uids)}"

    def accepting_quorum(self) -> str:
        """Return how many acceptances are a quorum: ``2 of 3``."""
        return f"{self.past.accept_size} of {len(self.past.uids)}"
