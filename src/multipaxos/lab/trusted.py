"""
For how long a server trusts its lease: by the hourglass that runs, whatever it was meant to be.

A server says that its lease began before its timers change in that event. One that is wrong on
purpose may turn the hourglass again there, and believe longer than it said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from multipaxos.trace import TraceEvent

TRIGGERS = frozenset({"delivered", "timer fired", "called", "started"})
"""What begins another event of a server."""


def with_what_is_trusted(events: Sequence[TraceEvent]) -> list[TraceEvent]:
    """Return *events*; a lease of which the hourglass is turned once more lasts as that does."""
    shown = list(events)
    began: dict[str, int] = {}
    rates: dict[str, float] = {}
    for place, event in enumerate(events):
        fields: Mapping[str, Any] = event.fields
        if event.kind == "clock rate":
            rates[event.server] = fields["rate"]
        elif event.kind in TRIGGERS:
            began.pop(event.server, None)
        elif event.kind == "lease began":
            began[event.server] = place
        elif event.kind == "timer set" and event.server in began:
            lease = shown[began[event.server]]
            if lease.fields["lease"] == fields["timer"]:
                until = event.seconds + fields["after"] / (rates.get(event.server) or 1.0)
                turned = {"from": event.seconds, "until": until, "seconds": fields["after"]}
                shown[began[event.server]] = replace(lease, fields={**lease.fields, **turned})
    return shown
