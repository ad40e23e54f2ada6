"""Trace events, and the observer that makes them of what a driver does."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from typing_extensions import override

from multipaxos.chain.effects import Answer, Outbox, Timer
from multipaxos.chain.events import Event, EventKind
from multipaxos.chain.messages import Envelope
from multipaxos.chain.requests import Chosen, Outcome, Refused, RequestID, Unknown
from multipaxos.chain.state_machine import Command
from multipaxos.trace.plain import plain

VERSION = 3
"""The version of the schema. It grows with every change that a reader must know of."""

DECIMALS = 6
"""Times are written to the microsecond."""


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
    """
    Tells *sinks* of everything that the driver of *server* does, with the trace's time.

    State: the timers that run, each with the time at which it began and the clock's reading at
    which it will end.
    """

    def __init__(
        self,
        server: str,
        seconds: Callable[[], float],
        sinks: Sequence[Sink],
        *,
        began: Callable[[], float] | None = None,
        instant: Callable[[float], float] = lambda reading: reading,
    ) -> None:
        """
        Write to *sinks*, in this order; *seconds* is the trace's time.

        *began* returns what the server's own clock showed when the event in hand began: from there
        on its timers count. *instant* turns a reading of that clock into the trace's time.
        """
        self.server = server
        self.seconds = seconds
        self.sinks = tuple(sinks)
        self._began = began or seconds
        self._instant = instant
        self._running: dict[Timer, tuple[float, float]] = {}

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

    # -- the process -------------------------------------------------------------------------------

    def header(
        self,
        engine: str,
        *,
        cluster: str,
        servers: Sequence[str],
        clock: str,
        about: Mapping[str, object],
    ) -> None:
        """Record ``trace``: what the events that follow are events of."""
        self.record(
            "trace",
            {
                "version": VERSION,
                "engine": engine,
                "cluster": cluster,
                "servers": servers,
                "clock": clock,
                "about": about,
            },
        )

    def started(self, *, memory: bool) -> None:
        """Record ``started``: with a state, or without *memory*."""
        self._running.clear()
        self.record("started", {"memory": memory})

    def stopped(self) -> None:
        """Record ``stopped``: the process ends as it was asked to."""
        self.record("stopped", {})

    def halted(self, reason: str) -> None:
        """Record ``halted``."""
        self.record("halted", {"reason": reason})

    def close(self) -> None:
        """Close all sinks."""
        for sink in self.sinks:
            sink.close()

    # -- the driver --------------------------------------------------------------------------------

    def delivered(self, envelope: Envelope) -> None:
        """Record ``delivered``."""
        self.record("delivered", self.traffic(envelope))

    def sent(self, envelope: Envelope) -> None:
        """Record ``sent``."""
        self.record("sent", self.traffic(envelope))

    def traffic(self, envelope: Envelope) -> dict[str, object]:
        """Return the fields of an event that concerns *envelope*."""
        return {
            "sender": envelope.sender,
            "receiver": envelope.receiver,
            "chain": envelope.chain_id,
            "instance": envelope.instance,
            "message": envelope.message,
        }

    def dropped(self, envelope: Envelope, reason: str) -> None:
        """Record ``dropped``: *envelope* will not arrive, for this *reason*."""
        self.record("dropped", {**self.traffic(envelope), "reason": reason})

    def duplicated(self, envelope: Envelope) -> None:
        """Record ``duplicated``: *envelope* will arrive once more."""
        self.record("duplicated", self.traffic(envelope))

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
                "chain": state.chain_id,
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
        self.record(event.kind.value, {**event.details, **self._claim(event), "text": event.text})

    def timer_set(self, timer: Timer, seconds: float) -> None:
        """Record ``timer set``."""
        began = self._began()
        self._running[timer] = (self._instant(began), began + seconds)
        self.record("timer set", {"timer": timer.value, "after": seconds})

    def timer_cancelled(self, timer: Timer) -> None:
        """Record ``timer cancelled``."""
        self._running.pop(timer, None)
        self.record("timer cancelled", {"timer": timer.value})

    def timer_fired(self, timer: Timer) -> None:
        """Record ``timer fired``."""
        self._running.pop(timer, None)
        self.record("timer fired", {"timer": timer.value})

    def answered(self, answer: Answer) -> None:
        """Record ``answered``."""
        self.record("answered", {"request": answer.request_id, "outcome": answer.outcome})

    def _claim(self, event: Event) -> dict[str, float]:
        """Return from when until when a lease is believed in, where *event* tells of one."""
        if event.kind not in _CLAIMS:
            return {}
        began, seconds = self._began(), event.details["seconds"]
        assert isinstance(seconds, float | int)
        # A timer that was set in this same event is told of later, and counts from its beginning.
        since, end = self._instant(began), began + seconds
        if event.kind is EventKind.LEASE_BEGAN:
            hourglass = event.details["lease"]
            assert isinstance(hourglass, Timer)
            since, end = self._running.get(hourglass, (since, end))
        return {"from": round(since, DECIMALS), "until": round(self._instant(end), DECIMALS)}

    # -- clients -----------------------------------------------------------------------------------

    def called(self, request_id: RequestID, command: Command) -> None:
        """Record ``called``: a client asked this server for *command*."""
        self.record("called", _call(request_id, command))

    def returned(self, request_id: RequestID, command: Command, outcome: Outcome) -> None:
        """Record ``returned``: what the client of *command* was told, or that it never will be."""
        chosen = outcome if isinstance(outcome, Chosen) else None
        self.record(
            "returned",
            {
                **_call(request_id, command),
                "status": _STATUS[type(outcome)],
                "result": chosen and chosen.result,
                "link": chosen and chosen.link,
                "reason": "" if isinstance(outcome, Chosen) else outcome.reason,
            },
        )


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
    def dropped(self, envelope: Envelope, reason: str) -> None:
        """Do nothing."""

    @override
    def duplicated(self, envelope: Envelope) -> None:
        """Do nothing."""

    @override
    def saved(self, outbox: Outbox) -> None:
        """Do nothing."""

    @override
    def happened(self, event: Event) -> None:
        """Do nothing."""

    @override
    def timer_set(self, timer: Timer, seconds: float) -> None:
        """Do nothing."""

    @override
    def timer_cancelled(self, timer: Timer) -> None:
        """Do nothing."""

    @override
    def timer_fired(self, timer: Timer) -> None:
        """Do nothing."""

    @override
    def called(self, request_id: RequestID, command: Command) -> None:
        """Do nothing."""

    @override
    def returned(self, request_id: RequestID, command: Command, outcome: Outcome) -> None:
        """Do nothing."""

    @override
    def record(self, kind: str, fields: Mapping[str, object]) -> None:
        """Do nothing."""


_CLAIMS = frozenset({EventKind.LEASE_BEGAN, EventKind.FOREIGN_LEASE})
_STATUS = {Chosen: "ok", Refused: "refused", Unknown: "unknown"}


def _call(request_id: RequestID, command: Command) -> dict[str, object]:
    return {
        "client": request_id.client,
        "request": request_id,
        "operation": command[0].lower(),
        "arguments": list(command[1:]),
    }
