"""Gathering the effects of an event, until the driver takes them."""

from collections import deque
from typing import Any

from composable_paxos import Message, PeerID, ProposalID
from multipaxos.chain.durable import DecidedLink, DurableState
from multipaxos.chain.effects import (
    Answer,
    Applied,
    CancelTimer,
    Changes,
    LocalRead,
    Outbox,
    Save,
    SetTimer,
    Timer,
    TimerChange,
)
from multipaxos.chain.events import Event, EventKind, literally
from multipaxos.chain.messages import ChainMessage, Envelope
from multipaxos.chain.position import ChainPosition
from multipaxos.chain.refusals import Refusal, name_of
from multipaxos.chain.requests import Outcome, RequestID

CANCELLED = {timer: CancelTimer(timer=timer) for timer in Timer}
"""Each instance cancels most of its timers at its end: the effects are made once."""


class EffectCollector(ChainPosition):
    """
    What the protocol may ask for: messages, timers, answers, notes for the trace, a halt.

    Nothing is asked to be saved: whether the durable state changed is found out when the effects
    are taken. State: the effects so far, the messages to oneself, the requests that wait here; what
    was *saved* last, and the links decided since. Nothing is noted while nobody *is watching*. What
    is sent says by which proposal the link before was *decided*, if a strategy says so.
    """

    def __init__(self, **arguments: Any) -> None:
        """Begin without effects; *arguments* are those of :class:`ChainPosition`."""
        super().__init__(**arguments)
        self.is_watched = True
        self.decided_by: ProposalID | None = None
        self.saved: DurableState | None = None if self.memoryless else self.durable
        self._decided: list[DecidedLink] = []
        self._waiting: set[RequestID] = set()
        self._to_self: deque[tuple[int, Message]] = deque()
        self._halt_reason: str | None = None
        self._clear_effects()

    def send(self, receiver: PeerID, message: Message | ChainMessage) -> None:
        """Send *message* about the instance in progress; to oneself, it is delivered at once."""
        if receiver == self.uid:
            assert isinstance(message, Message), "only Paxos messages go to oneself"
            self._to_self.append((self.instance, message))
            return
        self._sends.append(
            Envelope(
                cluster=self.membership.cluster,
                chain_id=self.chain_id,
                instance=self.instance,
                sender=self.uid,
                receiver=receiver,
                message=message,
                decided_by=self.decided_by,
            )
        )

    def take_later(self, message: Message) -> None:
        """Take *message*, which is about the instance in progress, before the effects are taken."""
        self._to_self.append((self.instance, message))

    def broadcast(self, message: Message) -> None:
        """Send *message* to all servers, this one included."""
        for uid in self.membership.servers:
            self.send(uid, message)

    def set_timer(self, timer: Timer, seconds: float) -> None:
        """Let *timer* fire in *seconds*, counted from this event; anew if it runs."""
        self._timers[timer] = SetTimer(timer=timer, seconds=seconds)

    def cancel_timer(self, timer: Timer) -> None:
        """Stop *timer*, if it runs."""
        self._timers[timer] = CANCELLED[timer]

    def answer(self, request_id: RequestID, outcome: Outcome) -> None:
        """Tell the client of *request_id*, if it waits here."""
        if request_id in self._waiting:
            self._waiting.remove(request_id)
            self._answers.append(Answer(request_id=request_id, outcome=outcome))

    def read_locally(self, read: LocalRead) -> None:
        """Have the driver answer *read* if the lease still runs."""
        self._reads.append(read)

    def tell_changes(self, changes: Changes | Applied) -> None:
        """Tell those who watch the state what became of it."""
        self._changes.append(changes)

    def halt(self, reason: str) -> None:
        """Stop this server for good, for a *reason* that says what to do."""
        self._halt_reason = reason

    def note(self, kind: EventKind, template: str, **details: object) -> None:
        """Tell the trace a fact, with what a viewer needs to explain it: see :class:`Event`."""
        if self.is_watched:
            self._events.append(
                Event(kind=kind, template=template, details={"instance": self.instance, **details})
            )

    def note_refusal(
        self, message: Message | ChainMessage, refusal: Refusal, *, sender: PeerID
    ) -> None:
        """Tell the trace that *message* of *sender* was refused, and why."""
        self.note(
            EventKind.REFUSED,
            literally(f"refused {name_of(message)}: {refusal.words}"),
            message=message,
            sender=sender,
            reason=refusal.reason,
            **refusal.details,
        )

    # -- saving ------------------------------------------------------------------------------------

    @property
    def unsaved_links(self) -> tuple[DecidedLink, ...]:
        """The links that were decided since the last save."""
        return tuple(self._decided)

    def save_may_wait(self, saved: DurableState, state: DurableState) -> bool:  # noqa: ARG002 - for strategies
        """
        Tell whether *state* need not be saved now, where *saved* is on the disk. Here: it must be.

        Whatever this server says afterwards must be true of a server that goes back to *saved*.
        """
        return False

    def may_overtake_save(self, message: Message | ChainMessage) -> bool:  # noqa: ARG002 - the same
        """Tell whether *message* may leave before the save of its event. Here: nothing may."""
        return False

    def answers_may_overtake_save(self) -> bool:
        """Tell whether clients may be answered before the save of this event. Here: they wait."""
        return False

    def _take_effects(self) -> Outbox:
        send, answers = tuple(self._sends), tuple(self._answers)
        early: tuple[Envelope, ...] = ()
        early_answers: tuple[Answer, ...] = ()
        first = {e for e in range(len(send)) if self.may_overtake_save(send[e].message)}
        answers_first = self.answers_may_overtake_save()
        save = self._unsaved()
        if save is not None and first:
            early = tuple(envelope for place, envelope in enumerate(send) if place in first)
            send = tuple(envelope for place, envelope in enumerate(send) if place not in first)
        if save is not None and answers_first:
            early_answers, answers = answers, ()
        outbox = Outbox(
            early=early,
            early_answers=early_answers,
            save=save,
            send=send,
            timers=tuple(self._timers.values()),
            answers=answers,
            reads=tuple(self._reads),
            changes=tuple(self._changes),
            events=tuple(self._events),
            halt=self._halt_reason,
        )
        self._clear_effects()
        return outbox

    def _unsaved(self) -> Save | None:
        if self.memoryless:
            return None
        state, saved = self.durable, self.saved
        if state is saved or (saved is not None and self.save_may_wait(saved, state)):
            return None
        self.saved = state
        decided, self._decided = tuple(self._decided), []
        return Save(state=state, decided=decided)

    def _clear_effects(self) -> None:
        self._sends: list[Envelope] = []
        self._timers: dict[Timer, TimerChange] = {}
        self._answers: list[Answer] = []
        self._reads: list[LocalRead] = []
        self._changes: list[Changes | Applied] = []
        self._events: list[Event] = []
        self._halt_reason = None
