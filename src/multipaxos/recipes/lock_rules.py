"""
The rules of a replicated lock with a fencing token, without any clock or connection of their own.

The lock is one text, changed by compare-and-set alone: who holds it, under which *token*, and how
often that holder has renewed it. The token grows with each new holder, for ever. Whoever guards
what the lock is for (a file, a printer, a database) remembers the highest token that it has seen,
and refuses lower ones: that keeps out a holder who slept through the end of its time and does not
know it. (M. Kleppmann, How to do distributed locking, 2016; C. Gray and D. Cheriton, Leases, 1989)

Time is never compared between two machines:

- A holder trusts the lock for a lease, counted **from before it asked**, on its own clock.
- Whoever waits takes it over when it has seen the same text for a lease, counted **from after it
  was told**, on its own clock. A holder that lives has renewed the text meanwhile.

With clock rates within 1-r and 1+r of true time, a holder trusts (1-r)/(1+r) of the lease that the
others wait. So the two never overlap; and should a clock be worse than that, the token still
protects what is guarded.

Each rule is a generator: it yields what it wants to be done (:data:`Wish`), is sent the answer, and
returns its result. So the same rules run blocking, under asyncio and in the simulator.
"""

import json
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from multipaxos.client.errors import UnknownOutcomeError

POLLS_PER_LEASE = 8
"""Who waits looks so often in the time of a lease."""
TRIES_MAX = 5
"""A renewal that comes too late, or seems lost, is tried anew so often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockRecord:
    """What the text says: the newest *token*, whose it is (None: nobody's), its *renewals*."""

    token: int = 0
    owner: str | None = None
    renewals: int = 0

    @property
    def text(self) -> str:
        """The record as it is kept."""
        return json.dumps({"token": self.token, "owner": self.owner, "renewals": self.renewals})


def parse_record(text: str | None) -> LockRecord:
    """Return the record in *text*, None: nobody ever held the lock. ValueError for other texts."""
    if text is None:
        return LockRecord()
    try:
        match json.loads(text):
            case {
                "token": int(token),
                "owner": str() | None as owner,
                "renewals": int(renewals),
                **others,
            } if not others:
                return LockRecord(token=token, owner=owner, renewals=renewals)
    except ValueError:
        pass
    raise ValueError(f"this is no lock, something else is kept there: {text[:80]!r}")


@dataclass(frozen=True, slots=True)
class Read:
    """Read the text; the answer is that, or None."""


@dataclass(frozen=True, slots=True)
class CompareAndSet:
    """Set the text to *new* if it is *expected*; the answer tells whether it was."""

    expected: str | None
    new: str


@dataclass(frozen=True, slots=True)
class Look:
    """Look at the clock; the answer is in seconds."""


@dataclass(frozen=True, slots=True)
class Sleep:
    """Go on in some *seconds*."""

    seconds: float


Wish: TypeAlias = Read | CompareAndSet | Look | Sleep
Rule: TypeAlias = Generator[Wish, Any, "Grant | None"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The lock is held under *record* until the own clock shows *until* seconds."""

    record: LockRecord
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How long a lease lasts, and how far the rates of clocks may be from that of true time."""

    lease_seconds: float
    clock_rate_error: float = 0.01

    @property
    def held_seconds(self) -> float:
        """How long a holder trusts a lease."""
        r = self.clock_rate_error
        return self.lease_seconds * (1 - r) / (1 + r)


def acquire(owner: str, terms: Terms, *, give_up_at: float) -> Rule:
    """Return a grant for *owner*, a name that was never used before; None if time is up."""
    seen: LockRecord | None = None
    seen_at = asked_at = 0.0
    while True:
        before = yield Look()
        text = yield Read()
        record = parse_record(text)
        now = yield Look()
        if record.owner == owner:
            # An answer was lost; it was granted all the same, after it was asked for.
            return (yield from _in_time(record, asked_at, terms))
        if record != seen:
            seen, seen_at = record, now
        if record.owner is None or now - seen_at >= terms.lease_seconds:
            # Not from now on: what was asked for earlier, and seemed lost, may have been done since
            # the text was read.
            asked_at = before
            bid = LockRecord(token=record.token + 1, owner=owner)
            if (yield from _set(text, bid)):
                return (yield from _in_time(bid, asked_at, terms))
        if now >= give_up_at:
            return None
        if record.owner is not None:
            yield Sleep(terms.lease_seconds / POLLS_PER_LEASE)


def renew(held: LockRecord, terms: Terms) -> Rule:
    """Return a new grant for what is *held*; None if somebody else has taken the lock over."""
    known = held
    for _ in range(TRIES_MAX):
        asked_at = yield Look()
        renewed = replace(known, renewals=known.renewals + 1)
        if (yield from _set(known.text, renewed)):
            if (yield Look()) < asked_at + terms.held_seconds:
                return Grant(record=renewed, until=asked_at + terms.held_seconds)
            known = renewed
            continue
        # What the text says now may stem from an earlier try that seemed lost: the others may have
        # seen it since then. Only a text that this very try has written counts from here.
        known = parse_record((yield Read()))
        if (known.owner, known.token) != (held.owner, held.token):
            return None
    return None


def _in_time(granted: LockRecord, asked_at: float, terms: Terms) -> Rule:
    """Return the grant, or a new one if its time was up before it was known."""
    until = asked_at + terms.held_seconds
    if (yield Look()) < until:
        return Grant(record=granted, until=until)
    return (yield from renew(granted, terms))


def release(held: LockRecord) -> Rule:
    """Let others have what is *held*; the token stays, so that the next one is higher."""
    yield from _set(held.text, replace(held, owner=None))
    return None


def _set(expected: str | None, record: LockRecord) -> Generator[Wish, Any, bool]:
    try:
        return bool((yield CompareAndSet(expected, record.text)))
    except UnknownOutcomeError:
        # It may be done, now or later. The next look at the text shows it.
        return False
