"""The local states of one server of the roles model, by number, and what events make of them."""

import pickle
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from composable_paxos import AcceptorState
from multipaxos.exploration.role_bounds import BoundsError
from multipaxos.exploration.role_judge import View
from multipaxos.exploration.role_network import RoleNetwork, single_bits
from multipaxos.exploration.role_server import (
    Begin,
    Deliver,
    Event,
    Local,
    Repeat,
    Restart,
    RoleServer,
    Timeout,
)

BITS = 20
MASK = (1 << BITS) - 1

Effect: TypeAlias = tuple[Event, int, int]
"""An event, the bits of the global state that it flips, and the bits of what it sends."""


class Entry:
    """
    What is known of one local state of one server.

    *known* has the bits of the messages that were tried on it, *effective* of those that do
    something, and *effects* say what. *rounds* are the effects of what begins or repeats a round,
    *restart* that of a crash; None before they are worked out.
    """

    __slots__ = (
        "effective",
        "effects",
        "fingerprint",
        "known",
        "local",
        "number",
        "pickled",
        "restart",
        "rounds",
        "values",
        "view",
    )

    def __init__(self, number: int, local: Local, values: Sequence[str]) -> None:
        """Know nothing yet of *local* but which of *values* occur in it."""
        self.number = number
        self.local = local
        self.known = 0
        self.effective = 0
        self.effects: dict[int, Effect] = {}
        self.rounds: list[Effect] | None = None
        self.restart: Effect | None = None
        resolution = local.instance.resolution
        self.view: View = (
            local.saved.promised_id,
            None if resolution is None else (resolution.proposal_id, resolution.value),
        )
        self.values = frozenset(values).intersection(_parts(local.content))
        self.fingerprint = local.fingerprint()
        self.pickled = b""

    def packed(self) -> bytes:
        """Return the local state for another process."""
        if not self.pickled:
            self.pickled = pickle.dumps(self.local, protocol=5)
        return self.pickled


class LocalStates:
    """
    The local states in which *server* was met; they stand in a global state from bit *shift* on.

    State: the *entries*, each state's number, and the numbers of those that *break* something.
    """

    def __init__(
        self, server: RoleServer, network: RoleNetwork, *, position: int, shift: int
    ) -> None:
        """Begin with none; the server is number *position* to the *network*."""
        self.server = server
        self.network = network
        self.position = position
        self.shift = shift
        self.own_events: tuple[Event, ...] = ()
        self.values: Sequence[str] = ()
        self.crashes = False
        self.entries: list[Entry] = []
        self.breaking: set[int] = set()
        self._numbers: dict[Local, int] = {}
        self._unpacked: dict[bytes, int] = {}

    def allow(self, *, values: Sequence[str], proposes: bool, crashes: bool) -> None:
        """Say what may happen to the server without a message; *values* are all there are."""
        uid = self.server.uid
        self.values = values
        self.crashes = crashes
        if proposes:
            self.own_events = (*(Begin(uid, value) for value in values), Timeout(uid), Repeat(uid))

    def number_of(self, local: Local) -> int:
        """Return the number of *local*, a new one if it was not met before."""
        number = self._numbers.get(local)
        if number is None:
            number = self._numbers[local] = len(self.entries)
            if number > MASK:
                raise BoundsError(f"one server alone comes into more than {MASK} states")
            self.entries.append(Entry(number, local, self.values))
            if local.broken is not None:
                self.breaking.add(number)
        return number

    def number_of_packed(self, packed: bytes) -> int:
        """Return the number of a local state that another process packed."""
        number = self._unpacked.get(packed)
        if number is None:
            local = pickle.loads(packed)  # noqa: S301 - written by our own processes
            number = self._unpacked[packed] = self.number_of(local)
        return number

    def entry_in(self, state: int) -> Entry:
        """Return the server's entry in the global *state*."""
        return self.entries[state >> self.shift & MASK]

    def try_messages(self, entry: Entry, untried: int) -> None:
        """Work out what each of the messages *untried* does to the server of *entry*."""
        entry.known |= untried
        for bit in single_bits(untried):
            effect = self._effect(entry, Deliver(self.server.uid, self.network.messages[bit]))
            if effect is not None:
                entry.effects[bit] = effect
                entry.effective |= bit

    def try_own(self, entry: Entry) -> list[Effect]:
        """Work out what may happen to the server of *entry* without a message."""
        effects = [self._effect(entry, event) for event in self.own_events]
        entry.rounds = [effect for effect in effects if effect is not None]
        if self.crashes:
            entry.restart = self._effect(entry, Restart(self.server.uid))
        return entry.rounds

    def _effect(self, entry: Entry, event: Event) -> Effect | None:
        step = self.server.play(entry.local, event)
        if step is None:
            return None
        flipped = entry.number ^ self.number_of(step.after)
        return event, flipped << self.shift, self.network.bits_of(step.sent)


def _parts(content: object) -> Iterator[object]:
    if isinstance(content, tuple | frozenset):
        for part in content:
            yield from _parts(part)
    elif isinstance(content, AcceptorState):
        yield content.accepted_value
    else:
        yield content
