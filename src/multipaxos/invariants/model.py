"""What the chosen links amount to, by the checkers' own reckoning."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from multipaxos.chain.links import Link, NewMaster, Updates
from multipaxos.chain.requests import RequestID, Update
from multipaxos.chain.state_machine import Command, Result, State, StateMachine, apply_safely
from multipaxos.invariants.names import APPLIED_ONCE
from multipaxos.invariants.violation import InvariantViolation

CHECKPOINT_LINKS = 64
"""After so many links all sessions are kept; between two such points, only what changed."""


@dataclass(frozen=True, slots=True)
class Done:
    """A request in the chain: its *sequence*, the *link* that applied it, and the *result*."""

    sequence: int
    link: int
    result: Result


@dataclass(frozen=True, slots=True)
class Prefix:
    """
    What the links up to some point amount to.

    The *value* and the *master*; what the last of the links changed in the *sessions* of clients
    (None: forgotten), how many there are then, and the values that requests in it met.
    """

    value: State
    master: NewMaster | None
    changed: Mapping[str, Done | None]
    sessions: int
    met: tuple[State, ...] = ()


class ChainModel:
    """
    The chain so far, link by link, as the *machine* steps.

    State: a *prefix* after each link (the first one is before link 0); which requests were *done*,
    in which link, and with which result; and, of the newest prefix, the sessions, least recently
    used first, of which at most *sessions_max* are remembered.
    """

    def __init__(self, machine: StateMachine, sessions_max: int) -> None:
        """Begin before link 0."""
        self.machine = machine
        self.prefixes = [Prefix(machine.initial(), None, {}, 0)]
        self.done: dict[RequestID, Done] = {}
        self._sessions_max = sessions_max
        self._sessions: dict[str, Done] = {}
        self._forgotten_before = 0
        self._checkpoints: list[dict[str, Done]] = [{}]

    @property
    def length(self) -> int:
        """How many links are known without a gap."""
        return len(self.prefixes) - 1

    def add(self, link: Link) -> None:
        """Append what is chosen for the next link."""
        last = self.prefixes[-1]
        number = self.length
        value, master = last.value, last.master
        changed: dict[str, Done | None] = {}
        met: tuple[State, ...] = ()
        if isinstance(link, NewMaster):
            master = link
        elif isinstance(link, Updates):
            for update in link.updates:
                met += (value,)
                value = self._applied(number, value, update, changed)
        self.prefixes.append(Prefix(value, master, changed, len(self._sessions), met))
        if len(self.prefixes) % CHECKPOINT_LINKS == 0:
            self._checkpoints.append(dict(self._sessions))

    def sessions_after(self, length: int) -> dict[str, Done]:
        """Return all sessions after the first *length* links."""
        if length == self.length:
            return self._sessions
        place = (length + 1) // CHECKPOINT_LINKS
        sessions = dict(self._checkpoints[place])
        for prefix in self.prefixes[max(place * CHECKPOINT_LINKS, 1) : length + 1]:
            for client, done in prefix.changed.items():
                if done is None:
                    sessions.pop(client, None)
                else:
                    sessions[client] = done
        return sessions

    def results_in(self, link: int, read: Command) -> Iterator[Result]:
        """Yield what a *read* in *link*, or as of it, may have returned."""
        prefix = self.prefixes[link + 1]
        for value in (prefix.value, *prefix.met):
            yield apply_safely(self.machine, value, read)[1]

    def _applied(
        self, number: int, value: State, update: Update, changed: dict[str, Done | None]
    ) -> State:
        if self.machine.is_read(update.command):
            return value
        client, sequence = update.request_id.client, update.request_id.sequence
        before = self._sessions.get(client)
        # Each request once; and none that may have been applied and forgotten.
        if before is not None and before.sequence >= sequence:
            return value
        if before is None and update.since < self._forgotten_before:
            return value
        self._check_new(number, update.request_id)
        value, result = apply_safely(self.machine, value, update.command)
        done = self.done[update.request_id] = Done(sequence, number, result)
        self._sessions.pop(client, None)
        self._sessions[client] = changed[client] = done
        if len(self._sessions) > self._sessions_max:
            oldest = next(iter(self._sessions))
            forgotten = self._sessions.pop(oldest)
            self._forgotten_before = max(self._forgotten_before, forgotten.link + 1)
            changed[oldest] = None
        return value

    def _check_new(self, number: int, request_id: RequestID) -> None:
        earlier = self.done.get(request_id)
        if earlier is not None:
            raise InvariantViolation(
                APPLIED_ONCE,
                number,
                f"request {request_id} was applied in link {earlier.link} and is applied again: "
                "its client's session was forgotten, and the request does not tell its age",
            )


def holds(link: Link, request_id: RequestID) -> bool:
    """Tell whether *link* holds the request."""
    return isinstance(link, Updates) and any(u.request_id == request_id for u in link.updates)
