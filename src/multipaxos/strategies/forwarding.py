"""Forwarding: a server that must not propose hands its clients' updates to the master."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from typing_extensions import override

from composable_paxos import PeerID
from multipaxos.chain.effects import Timer
from multipaxos.chain.events import EventKind
from multipaxos.chain.links import Link, NewMaster
from multipaxos.chain.messages import Forward
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.chain.requests import Update

FORWARDS_AT_ONCE_MAX = 64
"""One message holds at most so many updates ..."""
FORWARD_CHARACTERS_MAX = 48 * 1024
"""... and, beyond its first, about so many characters: it then mostly fits a datagram."""


class Forwarding(BaseReplicatedValue):
    """
    Sends queued updates to the master while another's lease keeps this server from proposing.

    An update stays queued here until it is in the chain, and is forwarded again every
    *retransmit_seconds*; its request id keeps it from being applied twice. One that the master
    itself sent does not go straight back to it. State: those to *be forwarded* at the end of this
    event; whether the next repetition is planned.
    """

    def __init__(self, **arguments: Any) -> None:
        """Begin with nothing to forward."""
        super().__init__(**arguments)
        self._to_be_forwarded: list[Update] = []
        self._waiting_to_forward = False

    @override
    def take_update(self, update: Update, *, origin: PeerID) -> None:
        super().take_update(update, origin=origin)
        if update.request_id in self.queue and origin != self.master:
            self._to_be_forwarded.append(update)

    @override
    def propose_next(self) -> None:
        super().propose_next()
        if self._to_be_forwarded:
            new, self._to_be_forwarded = self._to_be_forwarded, []
            self._forward([update for update in new if update.request_id in self.queue])

    @override
    def instance_began(self, *, learned: Link | None) -> None:
        super().instance_began(learned=learned)
        if isinstance(learned, NewMaster):
            self._forward_oldest()

    @override
    def timeout(self, timer: Timer) -> None:
        super().timeout(timer)
        if timer is Timer.FORWARD:
            self._waiting_to_forward = False
            self._forward_oldest()

    def _forward_oldest(self) -> None:
        oldest = tuple(self.queue.values())[:FORWARDS_AT_ONCE_MAX]
        # The master has nobody to tell what is known already of a request that waits here.
        self._forward([update for update in oldest if not self.settle(update, self.snapshot)])

    def _forward(self, updates: Sequence[Update]) -> None:
        master = self.master
        if master is None or master == self.uid or self.may_propose():
            return
        for update in updates:
            self.note(
                EventKind.FORWARDED,
                "request {request_id} goes to {master}",
                request_id=update.request_id,
                master=master,
            )
        for together in _that_fit(updates):
            self.send(master, Forward(updates=together))
        if self.queue and not self._waiting_to_forward:
            self._waiting_to_forward = True
            self.set_timer(Timer.FORWARD, self.settings.retransmit_seconds)


def _that_fit(updates: Iterable[Update]) -> Iterator[tuple[Update, ...]]:
    together: list[Update] = []
    characters = 0
    for update in updates:
        characters += update.characters
        is_full = len(together) >= FORWARDS_AT_ONCE_MAX or characters > FORWARD_CHARACTERS_MAX
        if together and is_full:
            yield tuple(together)
            together, characters = [], update.characters
        together.append(update)
    if together:
        yield tuple(together)
