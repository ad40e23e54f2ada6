"""A path through the chain model as a trace: what a viewer needs to draw and explain it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from typing_extensions import override

from composable_paxos import Accept, Accepted, PeerID, ProposalID
from multipaxos.chain.effects import Answer, SetTimer, Timer
from multipaxos.chain.events import EventKind
from multipaxos.chain.links import Link
from multipaxos.chain.messages import Envelope
from multipaxos.chain.requests import RequestID
from multipaxos.exploration.chain_echo import with_echoes
from multipaxos.exploration.chain_events import (
    CLUSTER,
    Call,
    Event,
    Fire,
    Look,
    Played,
    Receive,
    Restart,
)
from multipaxos.exploration.chain_model import Action, ChainModel
from multipaxos.exploration.chain_process import value_of
from multipaxos.trace import TraceEvent
from multipaxos.trace.events import TraceObserver

CLOCK = "steps"
CLAIMS = {
    EventKind.LEASE_BEGAN.value: None,
    EventKind.FOREIGN_LEASE.value: Timer.FOREIGN_LEASE.value,
}
"""Which events tell of a lease that is believed in, and the timer that ends it, if it is fixed."""


class Watcher(TraceObserver):
    """Tells of one server; each transmission has the id under which it stands in *ids*."""

    ids: dict[object, int]

    @override
    def traffic(self, envelope: Envelope) -> dict[str, object]:
        number = self.ids.setdefault(value_of(envelope), len(self.ids) + 1)
        return {"id": number, **super().traffic(envelope)}


class ChainStory:
    """
    Plays a path once more, and tells what happens.

    State: the *events* so far, the number of the *step*, each server's process, who *accepted*
    what, which links are *chosen*, and what *arrived*.
    """

    def __init__(self, model: ChainModel, about: Mapping[str, object]) -> None:
        """Begin with the header, which says what the run is *about*, and the servers' start."""
        self.model = model
        self.events: list[TraceEvent] = []
        self.step = 0
        self.arrived: set[object] = set()
        self.accepted: dict[tuple[object, ...], set[PeerID]] = {}
        self.asked: dict[tuple[int, ProposalID], Link] = {}
        self.chosen: set[object] = set()
        ids: dict[object, int] = {}
        self.everything = self._watcher("", ids)
        self.watchers = [self._watcher(uid, ids) for uid in model.bounds.uids]
        self.everything.header(
            "exploration", cluster=CLUSTER, servers=model.bounds.uids, clock=CLOCK, about=about
        )
        self.processes = []
        for n, server in enumerate(model.servers):
            played = server.stage.start(model.disk(n))
            self.watchers[n].started(memory=True)
            self._tell(n, played)
            self.processes.append(played.process)

    def write(self, event: TraceEvent) -> None:
        """Take *event* of one of the watchers."""
        self.events.append(event)

    def close(self) -> None:
        """Do nothing: the events are in memory."""

    def play(self, path: Sequence[Action]) -> None:
        """Tell the steps of *path*, and of what it leaves out since it can happen at any time."""
        tuple(self.model.initial())  # plays the prologue
        for n, event in with_echoes(self.model, path):
            self.step += 1
            self._tell_cause(n, event)
            played = self.model.servers[n].stage.play(self.processes[n], event)
            self._tell(n, played, is_restart=isinstance(event, Restart))
            self.processes[n] = played.process
        self.events = _with_ends(self.events, self.step + 1)

    def _watcher(self, uid: PeerID, ids: dict[object, int]) -> Watcher:
        watcher = Watcher(uid, lambda: float(self.step), [self])
        watcher.ids = ids
        return watcher

    def _tell_cause(self, n: int, event: Event) -> None:
        watcher = self.watchers[n]
        match event:
            case Receive(envelope):
                key = value_of(envelope)
                if key in self.arrived:
                    watcher.duplicated(envelope)
                self.arrived.add(key)
                watcher.delivered(envelope)
            case Fire(timer):
                watcher.timer_fired(timer)
            case Call(request_id, command):
                watcher.called(request_id, command)
            case Restart(during=during):
                if during is not None:
                    self._tell_cause(n, during)
            case Look(runs):
                lease = self.processes[n].reads[0].lease
                if not runs and lease in self.processes[n].timers:
                    watcher.timer_fired(lease)

    def _tell(self, n: int, played: Played, *, is_restart: bool = False) -> None:
        watcher = self.watchers[n]
        for place, (_, outbox) in enumerate(played.outboxes):
            if place == played.before_crash and is_restart:
                watcher.record("crashed", {})
                watcher.started(memory=True)
            self._tell_sent(watcher, outbox.early)
            self._tell_answers(watcher, outbox.early_answers)
            if outbox.save is not None:
                watcher.saved(outbox)
            for happening in outbox.events:
                watcher.happened(happening)
            self._tell_sent(watcher, outbox.send)
            for change in outbox.timers:
                if isinstance(change, SetTimer):
                    watcher.timer_set(change.timer, change.seconds)
                elif change.timer in self._running(n):
                    watcher.timer_cancelled(change.timer)
            self._tell_answers(watcher, outbox.answers)

    def _tell_sent(self, watcher: Watcher, envelopes: Iterable[Envelope]) -> None:
        for envelope in envelopes:
            watcher.sent(envelope)
            self._count(envelope)

    def _tell_answers(self, watcher: Watcher, answers: Iterable[Answer]) -> None:
        for answer in answers:
            watcher.answered(answer)
            watcher.returned(answer.request_id, self._command(answer.request_id), answer.outcome)

    def _running(self, n: int) -> frozenset[Timer]:
        return self.processes[n].timers if n < len(self.processes) else frozenset()

    def _command(self, request_id: RequestID) -> Any:
        return next(call.command for _, call in self.model.calls if call.request_id == request_id)

    def _count(self, envelope: Envelope) -> None:
        message = envelope.message
        if isinstance(message, Accept):
            self.asked[envelope.instance, message.proposal_id] = message.value
        if not isinstance(message, Accepted):
            return
        value = message.value or self.asked.get((envelope.instance, message.proposal_id))
        under = (envelope.instance, message.proposal_id, value_of(value))
        accepted_by = self.accepted.setdefault(under, set())
        accepted_by.add(message.acceptor)
        if 2 * len(accepted_by) > self.model.bounds.servers and under not in self.chosen:
            self.chosen.add(under)
            self.everything.record(
                "chosen",
                {
                    "instance": envelope.instance,
                    "proposal_id": message.proposal_id,
                    "value": value,
                    "acceptors": tuple(sorted(accepted_by)),
                },
            )


def _with_ends(events: Sequence[TraceEvent], end: int) -> list[TraceEvent]:
    """Let each claim of a lease last as long as its timer runs in this run, or to its *end*."""
    return [
        event
        if event.kind not in CLAIMS
        else replace(event, fields={**event.fields, "until": _end_of(event, events[n + 1 :], end)})
        for n, event in enumerate(events)
    ]


def _end_of(claim: TraceEvent, later: Iterable[TraceEvent], end: int) -> float:
    timer = CLAIMS[claim.kind] or claim.fields["lease"]
    for event in later:
        ends = event.kind in ("timer fired", "timer cancelled") and event.fields["timer"] == timer
        if event.server == claim.server and (ends or event.kind == "crashed"):
            return event.seconds
    return float(end)
