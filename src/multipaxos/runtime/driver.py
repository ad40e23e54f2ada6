"""
The driver: it hands events to the protocol and performs the effects, in the one right order.

The same driver runs on a real server and, with simulated ports, in the simulator.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVarTuple

from multipaxos.chain.effects import (
    Answer,
    Applied,
    CancelTimer,
    Changes,
    LocalRead,
    Outbox,
    SetTimer,
    Timer,
    TimerChange,
)
from multipaxos.chain.events import Event
from multipaxos.chain.messages import Envelope
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.chain.requests import RequestID
from multipaxos.chain.state_machine import Command
from multipaxos.runtime.ports import Clock, Messenger, Storage, StorageError

Ts = TypeVarTuple("Ts")


class Observer(Protocol):
    """Sees everything that a driver does; a trace writer or a checker. Changes nothing."""

    def delivered(self, envelope: Envelope) -> None:
        """Tell of *envelope*'s arrival, before the protocol sees it."""

    def sent(self, envelope: Envelope) -> None:
        """Tell of *envelope*'s departure."""

    def saved(self, outbox: Outbox) -> None:
        """Tell that *outbox.save* is durable."""

    def happened(self, event: Event) -> None:
        """Tell what the protocol says of itself."""

    def timer_set(self, timer: Timer, seconds: float) -> None:
        """Tell that *timer* will fire in *seconds*."""

    def timer_cancelled(self, timer: Timer) -> None:
        """Tell that *timer*, which ran, will not fire."""

    def timer_fired(self, timer: Timer) -> None:
        """Tell that *timer* fired."""

    def answered(self, answer: Answer) -> None:
        """Tell of a client's answer."""

    def halted(self, reason: str) -> None:
        """Tell that the server stops for good, with a sentence that says why."""


class Driver:
    """
    Runs one server's protocol object on its ports.

    State: the timers that run, each with its deadline; whether it *is saving*, and what may leave
    before that leaves; and whether the driver has *halted*, after which it neither takes nor causes
    any event. Invariant (SavedBeforeSent): nothing of an outbox
    leaves before its save has returned, but for what the protocol lets go early.
    """

    def __init__(  # noqa: PLR0913 - a port each, and what comes of the events
        self,
        replica: BaseReplicatedValue,
        *,
        storage: Storage,
        messenger: Messenger,
        clock: Clock,
        observer: Observer,
        on_answer: Callable[[Answer], None],
        on_halt: Callable[[str], None],
        on_changes: Callable[[Changes | Applied], None] = lambda _: None,
        on_fault: Callable[[], None] = lambda: None,
    ) -> None:
        """
        Take the ports; nothing happens before :meth:`start`.

        *on_answer* gets what clients are to be told, *on_halt* the sentence with which the server
        stops, *on_changes* what the decided links make of the state. *on_fault* is
        called when an exception has stopped the driver; it is raised all the same.
        """
        self.replica = replica
        self.storage = storage
        self.messenger = messenger
        self.clock = clock
        self.observer = observer
        self.on_answer = on_answer
        self.on_halt = on_halt
        self.on_changes = on_changes
        self.on_fault = on_fault
        self.halted = False
        self.is_saving = False
        self.event_began = 0.0
        """What the clock showed when the event in hand began; its timers count from there."""
        self._deadlines: dict[Timer, float] = {}
        self._cancel: dict[Timer, Callable[[], None]] = {}

    def start(self) -> None:
        """Begin: the protocol sets its first timers and sends its first messages."""
        self._run(self.replica.start)

    def submit(self, request_id: RequestID, command: Command, since: int | None = None) -> None:
        """
        Take a request of a client of this server; its answer comes through *on_answer*.

        *since* is what the client says of when it first asked, see :class:`Update`.
        """
        self._run(self.replica.propose_update, request_id, command, since)

    def submit_all(self, requests: Iterable[tuple[RequestID, Command, int | None]]) -> None:
        """Take requests that came in together, each as :meth:`submit` takes one."""
        self._run(self.replica.propose_updates, requests)

    def receive(self, envelope: Envelope) -> None:
        """Take a message that arrived."""
        if not self.halted:
            self.observer.delivered(envelope)
            self._run(self.replica.receive, envelope)

    def stop(self) -> None:
        """Stop all timers and take no more events. Storage stays open: its owner closes it."""
        self.halted = True
        for cancel in self._cancel.values():
            cancel()
        self._cancel.clear()
        self._deadlines.clear()

    def seconds_left(self, timer: Timer) -> float:
        """Return how long *timer* still runs, by the clock; zero or less when it does not."""
        deadline = self._deadlines.get(timer)
        return 0.0 if deadline is None else deadline - self.clock.seconds()

    def _run(self, event: Callable[[*Ts], None], *arguments: *Ts) -> None:
        if self.halted:
            return
        assert not self.is_saving, "SavedBeforeSent: an event within another, before its save"
        # Timers count from here, before the save and the sends that the event causes: a master's
        # lease must not begin later than the proposal that renews it leaves.
        started_at = self.event_began = self.clock.seconds()
        try:
            event(*arguments)
            self._perform(self.replica.take_outbox(), started_at)
        except Exception:
            # A fault of our own has left an event half done. Nothing may be built on that.
            if not self.halted:
                self.stop()
                self.on_fault()
            raise

    def _perform(self, outbox: Outbox, started_at: float) -> None:
        if outbox.save is not None and not self._save(outbox):
            return
        for happening in outbox.events:
            self.observer.happened(happening)
        self._send(outbox.send)
        for change in outbox.timers:
            self._change_timer(change, started_at)
        self._answer(outbox.answers)
        for changes in outbox.changes:
            self.on_changes(changes)
        if outbox.reads:
            self._check_reads(outbox.reads)
        if outbox.halt is not None:
            self._halt(outbox.halt)

    def _send(self, envelopes: Iterable[Envelope]) -> None:
        for envelope in envelopes:
            self.observer.sent(envelope)
            self.messenger.send(envelope)

    def _answer(self, answers: Iterable[Answer]) -> None:
        for answer in answers:
            self.observer.answered(answer)
            self.on_answer(answer)

    def _save(self, outbox: Outbox) -> bool:
        """Let out what may leave early, then save; tell whether all that is done."""
        assert outbox.save is not None
        self.is_saving = True
        self._send(outbox.early)
        self._answer(outbox.early_answers)
        if self.halted:
            return False  # Whoever was answered has stopped the server.
        try:
            self.storage.save(outbox.save)
            self.is_saving = False
        except StorageError as error:
            # What is in memory may now be ahead of the disk; it must never be seen by anyone.
            self._halt(str(error))
            return False
        self.observer.saved(outbox)
        return True

    def _halt(self, reason: str) -> None:
        self.stop()
        self.observer.halted(reason)
        self.on_halt(reason)

    def _change_timer(self, change: TimerChange, started_at: float) -> None:
        timer = change.timer
        cancel = self._cancel.pop(timer, None)
        if cancel is not None:
            cancel()
            del self._deadlines[timer]
        elif isinstance(change, CancelTimer):
            return
        if isinstance(change, SetTimer):
            deadline = started_at + change.seconds
            self._deadlines[timer] = deadline
            delay_seconds = max(0.0, deadline - self.clock.seconds())
            self._cancel[timer] = self.clock.call_later(delay_seconds, lambda: self._fire(timer))
            self.observer.timer_set(timer, change.seconds)
        else:
            self.observer.timer_cancelled(timer)

    def _fire(self, timer: Timer) -> None:
        self._cancel.pop(timer)
        del self._deadlines[timer]
        self.observer.timer_fired(timer)
        self._run(self.replica.timeout, timer)

    def _check_reads(self, reads: Sequence[LocalRead]) -> None:
        lease = reads[0].lease
        assert all(read.lease is lease for read in reads), "an event reads under one lease"
        if self.seconds_left(lease) > 0:
            self._run(_each, self.replica.release_read, reads)
            return
        cancel = self._cancel.get(lease)
        if cancel is not None:
            cancel()
            self._fire(lease)
        self._run(_each, self.replica.retry_read, reads)


def _each(action: Callable[[LocalRead], None], reads: Iterable[LocalRead]) -> None:
    for read in reads:
        action(read)
