"""Trace events, and the observer that makes them of what a driver does."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from typing_extensions import override

from multipaxos.chain.effects import Answer, Outbox, Timer
from multipaxos.chain.events import Event
from multipaxos.chain.messages import Envelope
from multipaxos.trace.plain import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceEvent:
    """
    Something that happened: *kind*, on *server*, at *seconds* of its clock.

    The *fields* are plain values, as :func:`multipaxos.trace.plain.plain` makes them; which there
    are depends on the kind.
    """

    seconds: float
    server: str
    kind: str
    fields: Mapping[str, object]


class Sink(Protocol):
    """Where trace events go."""

    def write(self, event: TraceEvent) -> None:
        """Take *event*. Never raises: a trace must not change the run."""

    def close(self) -> None:
        """Write out what is held back; nothing comes after."""


class TraceObserver:
    """Tells *sinks* of everything that the driver of *server* does, with the time of its clock."""

    def __init__(self, server: str, seconds: Callable[[], float], sinks: Sequence[Sink]) -> None:
        """Write to *sinks*, in this order; *seconds* is the clock to be read."""
        self.server = server
        self.seconds = seconds
        self.sinks = tuple(sinks)

    def record(self, kind: str, fields: Mapping[str, object]) -> None:
        """Write one event of *kind* with *fields*, which may hold the protocol's own values."""
        event = TraceEvent(
            seconds=self.seconds(),
            server=self.server,
            kind=kind,
            fields={name: plain(value) for name, value in fields.items()},
        )
        for sink in self.sinks:
            sink.write(event)

    def delivered(self, envelope: Envelope) -> None:
        """Record ``received``."""
        self.record("received", _traffic(envelope))

    def sent(self, envelope: Envelope) -> None:
        """Record ``sent``."""
        self.record("sent", _traffic(envelope))

    def datagram_refused(self, reason: str, address: str) -> None:
        """Record ``datagram refused``: for this *reason*, what *address* sent was no message."""
        self.record("datagram refused", {"reason": reason, "address": address})

    def saved(self, outbox: Outbox) -> None:
        """Record ``saved``, with what an invariant's checker needs of the state."""
        assert outbox.save is not None
        state = outbox.save.state
        self.record(
            "saved",
            {
                "instance": state.instance,
                "promised": state.acceptor.promised_id,
                "accepted": state.acceptor.accepted_id,
                "value": state.acceptor.accepted_value,
                "votes_from": state.votes_from,
                "decided": outbox.save.decided,
            },
        )

    def happened(self, event: Event) -> None:
        """Record what the protocol says of itself, under its own kind."""
        self.record(event.kind.value, {**event.details, "text": event.text})

    def timer_set(self, timer: Timer, seconds: float) -> None:
        """Record ``timer set``."""
        self.record("timer set", {"timer": timer.value, "after": seconds})

    def timer_fired(self, timer: Timer) -> None:
        """Record ``timer fired``."""
        self.record("timer fired", {"timer": timer.value})

    def answered(self, answer: Answer) -> None:
        """Record ``answered``."""
        self.record("answered", {"request": answer.request_id, "outcome": answer.outcome})

    def halted(self, reason: str) -> None:
        """Record ``halted``."""
        self.record("halted", {"reason": reason})

    def close(self) -> None:
        """Close all sinks."""
        for sink in self.sinks:
            sink.close()


class Silence(TraceObserver):
    """The observer without a sink: it spends no time on events that nobody reads."""

    def __init__(self) -> None:
        """Have neither server nor clock: nothing is recorded."""
        super().__init__("", lambda: 0.0, ())

    @override
    def delivered(self, envelope: Envelope) -> None:
        """Do nothing."""

    @override
    def sent(self, envelope: Envelope) -> None:
        """Do nothing."""

    @override
    def saved(self, outbox: Outbox) -> None:
        """Do nothing."""

    @override
    def happened(self, event: Event) -> None:
        """Do nothing."""

    @override
    def record(self, kind: str, fields: Mapping[str, object]) -> None:
        """Do nothing."""


def _traffic(envelope: Envelope) -> dict[str, object]:
    return {
        "sender": envelope.sender,
        "receiver": envelope.receiver,
        "chain": envelope.chain_id,
        "instance": envelope.instance,
        "message": envelope.message,
    }
