"""
The network between simulated servers, with every fault that UDP has, and a postman's manual mode.

Faults are drawn from one injected generator, so that a seed repeats them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Protocol

from composable_paxos import PeerID
from multipaxos.chain.messages import Envelope
from multipaxos.simulation.clock import VirtualTime


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """
    How the network behaves: probabilities of *loss*, *duplication* and a long *detour* per message.

    Every message takes between *delay_seconds_min* and *delay_seconds_max*, one that makes a detour
    up to *detour_seconds_max* more: that is what puts messages out of order.
    """

    loss: float = 0.0
    duplication: float = 0.0
    detour: float = 0.0
    delay_seconds_min: float = 0.000_5
    delay_seconds_max: float = 0.002
    detour_seconds_max: float = 0.0


CALM = Weather()
ROUGH = Weather(loss=0.05, duplication=0.05, detour=0.1, detour_seconds_max=0.3)
CRUEL = Weather(loss=0.2, duplication=0.2, detour=0.2, detour_seconds_max=4.0)


class LostBecause(StrEnum):
    """Why a message did not arrive."""

    LOSS = "lost"
    PARTITION = "partition"
    RECEIVER_DOWN = "receiver is down"


class Postal(Protocol):
    """Sees what the network does to messages; changes nothing."""

    def dropped(self, envelope: Envelope, reason: str) -> None:
        """Tell that *envelope* will not arrive."""

    def duplicated(self, envelope: Envelope) -> None:
        """Tell that *envelope* will arrive once more."""


class Wires:
    """
    Which servers reach which. One-way: a blocked pair names a sender and a receiver.

    State: the *blocked* pairs.
    """

    def __init__(self) -> None:
        """Begin with every server reaching every other."""
        self.blocked: dict[tuple[PeerID, PeerID], None] = {}

    def block(self, sender: PeerID, receiver: PeerID) -> None:
        """Let nothing through from *sender* to *receiver*."""
        self.blocked[sender, receiver] = None

    def cut(self, one: PeerID, other: PeerID) -> None:
        """Let nothing through between two servers."""
        self.block(one, other)
        self.block(other, one)

    def partition(self, *groups: tuple[PeerID, ...]) -> None:
        """Let nothing through between *groups*; within each, all passes."""
        self.heal()
        for group in groups:
            for other in groups:
                if other is not group:
                    for sender in group:
                        for receiver in other:
                            self.block(sender, receiver)

    def heal(self) -> None:
        """Let everything through."""
        self.blocked.clear()

    def carry(self, sender: PeerID, receiver: PeerID) -> bool:
        """Tell whether a message from *sender* reaches *receiver* now."""
        return (sender, receiver) not in self.blocked


class SimulatedNetwork:
    """
    Carries envelopes after a random delay, or loses, doubles and reorders them.

    *deliver* hands an envelope to its receiver and returns False if that one is down. A message
    meets a partition when it leaves and when it arrives.
    """

    def __init__(
        self,
        time: VirtualTime,
        *,
        rng: Random,
        weather: Weather,
        deliver: Callable[[Envelope], bool],
        postal: Postal,
    ) -> None:
        """Carry messages in *weather* with the chances of *rng*."""
        self.weather = weather
        self.wires = Wires()
        self.in_flight = 0
        self._time = time
        self._rng = rng
        self._deliver = deliver
        self._postal = postal

    def send(self, envelope: Envelope) -> None:
        """Send *envelope* on its way, or lose it."""
        weather, rng = self.weather, self._rng
        if not self.wires.carry(envelope.sender, envelope.receiver):
            self._postal.dropped(envelope, LostBecause.PARTITION)
            return
        if rng.random() < weather.loss:
            self._postal.dropped(envelope, LostBecause.LOSS)
            return
        self._post(envelope)
        if rng.random() < weather.duplication:
            self._postal.duplicated(envelope)
            self._post(envelope)

    def _post(self, envelope: Envelope) -> None:
        weather, rng = self.weather, self._rng
        delay_seconds = rng.uniform(weather.delay_seconds_min, weather.delay_seconds_max)
        if rng.random() < weather.detour:
            delay_seconds += rng.uniform(0.0, weather.detour_seconds_max)
        self.in_flight += 1
        self._time.call_at(self._time.now + delay_seconds, lambda: self._arrive(envelope))

    def _arrive(self, envelope: Envelope) -> None:
        self.in_flight -= 1
        if not self.wires.carry(envelope.sender, envelope.receiver):
            self._postal.dropped(envelope, LostBecause.PARTITION)
        elif not self._deliver(envelope):
            self._postal.dropped(envelope, LostBecause.RECEIVER_DOWN)


class NoSuchMessageError(Exception):
    """Nothing of that description is in flight; the message lists what is."""


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
            if (envelope.sender, envelope.receiver) == (sender, receiver) and (
                type(envelope.message).__name__ == kind
            ):
                return envelope
        raise NoSuchMessageError(
            f"no {kind} from {sender} to {receiver} is in flight; in flight: {self.describe()}"
        )

    def describe(self) -> str:
        """List what is held, oldest first."""
        return (
            ", ".join(f"{e.sender}->{e.receiver} {type(e.message).__name__}" for e in self.held)
            or "nothing"
        )

    def deliver(self, envelope: Envelope) -> None:
        """Take the held *envelope* to its receiver: NoSuchMessageError across a partition."""
        if not self.wires.carry(envelope.sender, envelope.receiver):
            raise NoSuchMessageError(
                f"a partition keeps {envelope.sender} from reaching {envelope.receiver}"
            )
        self._take(envelope)
        if not self._deliver(envelope):
            self._postal.dropped(envelope, LostBecause.RECEIVER_DOWN)

    def drop(self, envelope: Envelope) -> None:
        """Lose the held *envelope*."""
        self._take(envelope)
        self._postal.dropped(envelope, LostBecause.LOSS)

    def duplicate(self, envelope: Envelope) -> None:
        """Let the held *envelope* arrive once more: its double is held right behind it."""
        self._postal.duplicated(envelope)
        self.held.insert(self._index(envelope) + 1, envelope)

    def _take(self, envelope: Envelope) -> None:
        del self.held[self._index(envelope)]

    def _index(self, envelope: Envelope) -> int:
        return next(index for index, held in enumerate(self.held) if held is envelope)
