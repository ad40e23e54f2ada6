"""What has happened so far, as far as it matters for what may happen still, or for a verdict."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from multipaxos.chain.effects import Answer
from multipaxos.chain.links import Link
from multipaxos.chain.requests import Outcome
from multipaxos.exploration.chain_bounds import ChainBounds
from multipaxos.invariants.history import operation_of
from multipaxos.invariants.linearizability import Operation, check_linearizable
from multipaxos.invariants.violation import InvariantViolation


@dataclass(frozen=True, slots=True)
class CallSoFar:
    """
    A client's call: *after* which calls (by position) had returned it was made.

    *asked* are the servers, by bits, that were asked; 0: it was not made yet. *outcome* is None
    until it returns. That is all there is to the order of calls and returns in time.
    """

    after: frozenset[int] = frozenset()
    asked: int = 0
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """How much of the bounds is used up, the clients' calls, and what was *chosen*, from link 1."""

    crashes: int = 0
    firings: int = 0
    retries: int = 0
    calls: tuple[CallSoFar, ...] = ()
    chosen: tuple[tuple[int, Link], ...] = ()
    violation: str = ""

    def replaced(self, **changes: Any) -> "Past":
        """Return the past with *changes*."""
        return replace(self, **changes)

    def called(self, call: int, server: int) -> "Past":
        """Return the past after the client of *call* asks *server*, for the first time or again."""
        calls = list(self.calls)
        before = calls[call]
        if before.asked:
            calls[call] = replace(before, asked=before.asked | 1 << server)
            return replace(self, calls=tuple(calls), retries=self.retries + 1)
        returned = frozenset(n for n, other in enumerate(calls) if other.outcome is not None)
        calls[call] = CallSoFar(after=returned, asked=1 << server)
        return replace(self, calls=tuple(calls))

    def may_call(self, call: int, server: int, bounds: ChainBounds, first: int) -> bool:
        """Tell whether the client of *call* may ask *server*; it begins at the server *first*."""
        so_far = self.calls[call]
        if so_far.outcome is not None or so_far.asked >> server & 1:
            return False
        return self.retries < bounds.retries if so_far.asked else server == first

    def answered(self, call: int, answer: Answer) -> "Past":
        """Return the past after the client of *call* got its first *answer*."""
        calls = list(self.calls)
        if calls[call].outcome is None:
            calls[call] = replace(calls[call], outcome=answer.outcome)
        return replace(self, calls=tuple(calls))


def history_of(past: Past, bounds: ChainBounds) -> list[Operation]:
    """
    Return what the clients saw, with times made up that fit the order in which it happened.

    The calls after which others had returned grow with time, so their number is a clock.
    """
    latest = len(past.calls) + 0.5
    return [
        operation_of(
            request_id,
            command,
            call.outcome,
            called_at=float(len(call.after)),
            returned_at=None
            if call.outcome is None
            else min(
                (len(other.after) - 0.5 for other in past.calls if n in other.after),
                default=latest,
            ),
            tries=call.asked.bit_count(),
        )
        for n, (call, (_, request_id, command)) in enumerate(
            zip(past.calls, bounds.requests, strict=True)
        )
        if call.asked
    ]


def check_calls(past: Past, bounds: ChainBounds) -> InvariantViolation | None:
    """I11: return what is wrong with what the clients saw."""
    try:
        check_linearizable(history_of(past, bounds))
    except InvariantViolation as violation:
        return violation
    return None


def not_called(bounds: ChainBounds) -> tuple[CallSoFar, ...]:
    """Return the calls before the first is made."""
    calls: Sequence[CallSoFar] = [CallSoFar() for _ in bounds.requests]
    return tuple(calls)
