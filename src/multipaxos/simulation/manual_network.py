"""The postman's manual mode: a network in which a person delivers each message by name."""

from collections.abc import Callable

from composable_paxos import PeerID
from multipaxos.chain.messages import Envelope
from multipaxos.simulation.network import LostBecause, Postal, Wires


class NoSuchMessageError(Exception):
    """Nothing of that description is in flight; the message lists what is."""


def way_of(envelope: Envelope) -> str:
    """Return *envelope* as a script names it: ``A->B Prepare``."""
    return f"{envelope.sender}->{envelope.receiver} {type(envelope.message).__name__}"


def check_wire(wires: Wires, envelope: Envelope) -> None:
    """Raise NoSuchMessageError if *envelope* cannot pass on *wires*."""
    if not wires.carry(envelope.sender, envelope.receiver):
        raise NoSuchMessageError(
            f"a partition keeps {envelope.sender} from reaching {envelope.receiver}"
        )


class ManualNetwork:
    """
    Holds every envelope until a person delivers, drops or doubles it by name.

    State: the envelopes *held*, in the order in which they were sent. A partition only refuses to
    deliver; what it keeps back stays held, as in a network that is merely slow.
    """

    def __init__(self, *, deliver: Callable[[Envelope], bool], postal: Postal) -> None:
        """Begin with nothing in flight."""
        self.wires = Wires()
        self.held: list[Envelope] = []
        self._deliver = deliver
        self._postal = postal

    def send(self, envelope: Envelope) -> None:
        """Hold *envelope*."""
        self.held.append(envelope)

    def find(self, sender: PeerID, receiver: PeerID, kind: str) -> Envelope:
        """Return the oldest held envelope from *sender* to *receiver* with a message of *kind*."""
        for envelope in self.held:
            if way_of(envelope) == f"{sender}->{receiver} {kind}":
                return envelope
        raise NoSuchMessageError(
            f"no {kind} from {sender} to {receiver} is in flight; in flight: {self.describe()}"
        )

    def describe(self) -> str:
        """List what is held, oldest first."""
        return ", ".join(map(way_of, self.held)) or "nothing"

    def deliver(self, envelope: Envelope) -> None:
        """Take the held *envelope* to its receiver: NoSuchMessageError across a partition."""
        check_wire(self.wires, envelope)
        self.take(envelope)
        if not self._deliver(envelope):
            self._postal.dropped(envelope, LostBecause.RECEIVER_DOWN)

    def drop(self, envelope: Envelope) -> None:
        """Lose the held *envelope*."""
        self.take(envelope)
        self._postal.dropped(envelope, LostBecause.LOSS)

    def duplicate(self, envelope: Envelope) -> None:
        """Let the held *envelope* arrive once more: its double is held right behind it."""
        self._postal.duplicated(envelope)
        self.held.insert(self._index(envelope) + 1, envelope)

    def holds(self, envelope: Envelope) -> bool:
        """Tell whether *envelope* is held."""
        return any(held is envelope for held in self.held)

    def take(self, envelope: Envelope) -> None:
        """Hold *envelope*, or one copy of it, no longer."""
        del self.held[self._index(envelope)]

    def _index(self, envelope: Envelope) -> int:
        return next(index for index, held in enumerate(self.held) if held is envelope)
