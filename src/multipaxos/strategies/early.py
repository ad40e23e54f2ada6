"""Early messages: what comes before its time is kept until then."""

from collections import deque
from typing import Any

from typing_extensions import override

from composable_paxos import Accept, Accepted, Message, Promise
from multipaxos.chain.links import Link, characters_of
from multipaxos.chain.messages import Envelope
from multipaxos.chain.replicated_value import BaseReplicatedValue

EARLY_LINKS_MAX = 16
"""Nobody who is further behind than that catches up before what is kept is old."""
EARLY_MESSAGES_MAX = 64
EARLY_CHARACTERS_MAX = 2**20
"""A longer message is not kept: it would take longer to come by another way, and seldom matters."""


class EarlyMessages(BaseReplicatedValue):
    """
    Keeps messages about the links that come soon, and takes them when these begin.

    Whoever is behind by a link gets the request and the votes of the next one before it knows what
    the last one decided. Thrown away, they would leave it behind by a link once more when it does,
    and so on. Kept, they are as if the network had been slow, which it may be at any time.

    State: the envelopes that came *early*, the oldest first, and how many characters are in them.
    """

    def __init__(self, **arguments: Any) -> None:
        """Begin with nothing kept."""
        super().__init__(**arguments)
        self.early: deque[Envelope] = deque()
        self.early_characters = 0

    @override
    def receive_from_ahead(self, envelope: Envelope) -> None:
        super().receive_from_ahead(envelope)
        if envelope.instance <= self.instance + EARLY_LINKS_MAX:
            self.early.append(envelope)
            self.early_characters += _characters(envelope)
            while len(self.early) > EARLY_MESSAGES_MAX or (
                self.early_characters > EARLY_CHARACTERS_MAX
            ):
                self.early_characters -= _characters(self.early.popleft())

    @override
    def instance_began(self, *, learned: Link | None) -> None:
        super().instance_began(learned=learned)
        if not self.early:
            return
        kept = [envelope for envelope in self.early if envelope.instance >= self.instance]
        self.early = deque(envelope for envelope in kept if envelope.instance > self.instance)
        self.early_characters = sum(map(_characters, self.early))
        for envelope in kept:
            # Before link 0 was known, nothing told which chain a message was of.
            if envelope.instance == self.instance and envelope.chain_id == self.chain_id:
                self._take(envelope)

    def _take(self, envelope: Envelope) -> None:
        assert isinstance(envelope.message, Message), "only these are about one link"
        self.take_later(envelope.message)


def _characters(envelope: Envelope) -> int:
    match envelope.message:
        case Accept(value=link) | Accepted(value=link) | Promise(accepted_value=link):
            return 0 if link is None else characters_of(link)
        case _:
            return 0
