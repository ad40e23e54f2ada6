"""
The effects of one event: what the driver must do, in the order that :class:`Outbox` lists.

The protocol performs none of them. That is what lets the same classes run on sockets, in a
simulator, under a person's hand and under exploration.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from composable_paxos import PeerID
from multipaxos.chain.durable import DecidedLink, DurableState
from multipaxos.chain.events import Event
from multipaxos.chain.messages import Envelope
from multipaxos.chain.requests import Outcome, RequestID, Update
from multipaxos.chain.state_machine import Change, Command, State, StateMachine


class Timer(StrEnum):
    """
    The timers, by name. Setting one that runs starts it anew.

    What each is for stands in the strategy that sets it. The two hourglasses measure a master's
    leases, of which one may run while the next is sought: see :mod:`multipaxos.strategies.master`.
    """

    RETRANSMIT = "retransmit"
    BACKOFF = "backoff"
    TAKEOVER = "takeover"
    SYNC = "sync"
    CATCH_UP = "catch up"
    PART = "part"
    PINNED = "pinned snapshot"
    FORWARD = "forward"
    SETTLE = "settle"
    TELL = "tell"
    OWN_VOTE = "own vote"
    REJOIN = "rejoin"
    GRACE = "founding grace"
    FOREIGN_LEASE = "foreign lease"
    ELECTION = "election"
    RENEWAL = "renewal"
    HOURGLASS_LEFT = "left hourglass"
    HOURGLASS_RIGHT = "right hourglass"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTimer:
    """Call ``timeout(timer)`` after *seconds*, counted from the event that asked for it."""

    timer: Timer
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelTimer:
    """Do not call ``timeout(timer)`` any more."""

    timer: Timer


@dataclass(frozen=True, slots=True, kw_only=True)
class Save:
    """
    Make *state* durable, and with it append the links *decided* by this event to the history.

    All or nothing: when this fails, nothing after it in the outbox may happen and the server stops.
    """

    state: DurableState
    decided: tuple[DecidedLink, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Tell this server's client of *request_id* the outcome."""

    request_id: RequestID
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalRead:
    """
    A master's read without a round. It is good if *lease* still runs after the value was read.

    The driver looks at the clock and calls ``release_read(this)`` while *lease* runs; otherwise
    ``timeout(lease)`` and then ``retry_read(this)``. The *outcome* is in here already: a process
    may pause between reading the value and reading the clock, never the other way round.
    *origin* is the server whose client asked.
    """

    update: Update
    origin: PeerID
    outcome: Outcome
    lease: Timer


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """
    What *link* changed in the state machine's state, in order.

    None instead of *changes*: the links up to this one were skipped in a catch-up, and what each of
    them changed is not known here.
    """

    link: int
    changes: tuple[Change, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """
    What *link* did to the state of *machine*: *commands*, from the state *before* on.

    What they changed takes as long to find out as to apply them, and mostly nobody asks: see
    :func:`multipaxos.chain.ledger.changes_of`.
    """

    link: int
    commands: tuple[Command, ...]
    before: State
    machine: StateMachine


TimerChange: TypeAlias = SetTimer | CancelTimer


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """
    The effects of one event. *halt*, when set, is the sentence with which the server stops.

    *early* are messages, *early_answers* answers, that need not wait for the save.
    """

    early: tuple[Envelope, ...] = ()
    early_answers: tuple[Answer, ...] = ()
    save: Save | None = None
    events: tuple[Event, ...] = ()
    send: tuple[Envelope, ...] = ()
    timers: tuple[TimerChange, ...] = ()
    answers: tuple[Answer, ...] = ()
    reads: tuple[LocalRead, ...] = ()
    changes: tuple[Changes | Applied, ...] = ()
    halt: str | None = None

    @property
    def sent(self) -> tuple[Envelope, ...]:
        """All messages, in the order in which they leave."""
        return self.early + self.send
