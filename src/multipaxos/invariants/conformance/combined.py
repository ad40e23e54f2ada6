"""All traces as one: in one order, with the instant of each choice, and in words."""

from collections.abc import Sequence

from multipaxos.invariants.cluster import ChosenLink
from multipaxos.invariants.conformance.source import Line, Source
from multipaxos.trace import TraceEvent, plain


class Combined:
    """
    The *events* of all sources, for a viewer that wants one trace.

    The instants of choice are added, where no engine told them. Without a common clock an event's
    time is its place in the order.
    """

    def __init__(
        self, sources: Sequence[Source], clocks: Sequence[str], servers: Sequence[str]
    ) -> None:
        """Begin with a header that stands for all of them."""
        lines = [line for source in sources for line in source.lines]
        self._has_one_clock = len(clocks) == 1
        self._adds_choices = all(line.event.kind != "chosen" for line in lines)
        fields = {
            **lines[0].event.fields,
            "servers": list(servers),
            "clock": clocks[0] if self._has_one_clock else "order of causes",
            "about": {"merged": [str(source.path) for source in sources]},
        }
        begin = min(line.event.seconds for line in lines) if self._has_one_clock else 0.0
        self.events = [TraceEvent(seconds=begin, server="", kind="trace", fields=fields)]

    def add(self, line: Line) -> None:
        """Append the event of *line*, unless it is a header."""
        event = line.event
        if event.kind == "trace":
            return
        seconds = event.seconds if self._has_one_clock else float(len(self.events))
        self.events.append(
            TraceEvent(seconds=seconds, server=event.server, kind=event.kind, fields=event.fields)
        )

    def choose(self, chosen: ChosenLink) -> None:
        """Add a choice right behind the save that made it, which is the newest one."""
        if not self._adds_choices:
            return
        place = len(self.events)
        while place > 1 and self.events[place - 1].kind != "saved":
            place -= 1
        fields = {
            "instance": chosen.link,
            "proposal_id": plain(chosen.proposal_id),
            "value": plain(chosen.value),
            "acceptors": list(chosen.acceptors),
        }
        choice = TraceEvent(
            seconds=self.events[place - 1].seconds,
            server=chosen.acceptors[-1],
            kind="chosen",
            fields=fields,
        )
        self.events.insert(place, choice)


def told(event: TraceEvent) -> str:
    """Say in words what *event* tells, and when."""
    said = event.fields.get("text") or event.kind
    if event.kind == "saved":
        fields = event.fields
        said = (
            f"saved link {fields['instance']}, promised {fields['promised']}, accepted "
            f"{fields['accepted']}"
        )
    elif event.kind in ("called", "returned"):
        fields = event.fields
        arguments: list[object] = fields["arguments"]  # type: ignore[assignment]
        shown = " ".join([str(fields["operation"]), *(f'"{a}"' for a in arguments)])
        told = "" if event.kind == "called" else f": {fields['status']} {fields['result']!r}"
        said = f"{event.kind} {fields['request']} {shown}{told}"
    elif event.kind == "lease began":
        said = f"trusts a lease from {event.fields['from']} until {event.fields['until']}"
    return f"{event.server or 'the trace'} {said} at {event.seconds:.6f} s"
