"""
The network between simulated servers, with every fault that UDP has.

Faults are drawn from a seed, which repeats them.
"""

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from random import Random
from typing import Any, Protocol, TypeAlias

from composable_paxos import PeerID
from multipaxos.chain.messages import Envelope
from multipaxos.simulation.clock import Planned, VirtualTime
from multipaxos.simulation.weather import (
    CALM,
    CRUEL,
    NONE,
    ROUGH,
    DelayLaw,
    Weather,
    heavy_tail,
)

__all__ = [
    "CALM",
    "CRUEL",
    "NONE",
    "ROUGH",
    "DelayLaw",
    "LostBecause",
    "Postal",
    "SimulatedNetwork",
    "Weather",
    "Wires",
]

Wire: TypeAlias = tuple[PeerID, PeerID]
"""From whom, to whom."""

Chance: TypeAlias = Callable[[], float]
"""Draws a number from [0, 1)."""


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
    Carries envelopes after a delay, or loses, doubles and reorders them, as its *weather* is.

    *deliver* hands an envelope to its receiver and returns False if that one is down. A message
    meets a partition when it leaves and when it arrives. Each wire, from one server to another, has
    chances of its own, drawn from *seed*: what happens on one does not change another's luck.

    State: how many messages are *in_flight*, how many were *delivered*, and until when each wire
    stands still.
    """

    def __init__(
        self,
        time: VirtualTime,
        *,
        seed: str,
        weather: Weather,
        deliver: Callable[[Envelope], bool],
        postal: Postal,
    ) -> None:
        """Carry messages in *weather*."""
        self.weather = weather
        self.wires = Wires()
        self.in_flight = 0
        self.delivered = 0
        self._time = time
        self._seed = seed
        self._deliver = deliver
        self._postal = postal
        self._chances: dict[Wire, Chance] = {}
        self._stopped_until: dict[Wire, float] = {}

    @property
    def weather(self) -> Weather:
        """How the network behaves; it may change at any time."""
        return self._weather

    @weather.setter
    def weather(self, weather: Weather) -> None:
        self._weather = weather
        self._least = weather.delay_seconds_min
        self._spread = weather.delay_seconds_max - weather.delay_seconds_min
        self._is_eventful = (
            weather.law is not DelayLaw.UNIFORM
            or max(weather.loss, weather.duplication, weather.detour) > 0
        )

    def under_way(self) -> list[Envelope]:
        """Return what is on its way, in the order in which it will arrive; a double is in twice."""
        return [arrival.args[0] for _, arrival in self._arrivals()]

    def take(self, envelope: Envelope) -> None:
        """Take the first copy of *envelope* that is on its way out of the network."""
        planned = next(p for p, arrival in self._arrivals() if arrival.args[0] is envelope)
        planned.cancelled = True
        self.in_flight -= 1

    def arrive(self, envelope: Envelope) -> None:
        """Let *envelope*, which was taken, arrive now."""
        self.in_flight += 1
        self._arrive(envelope, (envelope.sender, envelope.receiver))

    def carry(self, envelope: Envelope, *, delay_seconds: float | None = None) -> None:
        """Let *envelope* arrive after *delay_seconds*; by default, what the weather makes of it."""
        wire = (envelope.sender, envelope.receiver)
        if delay_seconds is None:
            self._post(envelope, wire, self._chances.get(wire) or self._new_chances(wire))
            return
        self.in_flight += 1
        self._time.call_at(self._time.now + delay_seconds, partial(self._arrive, envelope, wire))

    def send(self, envelope: Envelope) -> None:
        """Send *envelope* on its way, or lose it."""
        wire = (envelope.sender, envelope.receiver)
        if wire in self.wires.blocked:
            self._postal.dropped(envelope, LostBecause.PARTITION)
            return
        chance = self._chances.get(wire) or self._new_chances(wire)
        if self._is_eventful:
            self._send_eventfully(envelope, wire, chance)
            return
        # The same as below, where nothing can happen but a delay.
        time = self._time
        self.in_flight += 1
        delay_seconds = self._least + self._spread * chance() if self._spread else self._least
        time.call_at(time.now + delay_seconds, partial(self._arrive, envelope, wire))

    def _arrivals(self) -> list[tuple[Planned, Any]]:
        # No list of its own is kept: that would cost every message of a campaign a little.
        return [
            (planned, planned.action)
            for planned in self._time.pending()
            if isinstance(planned.action, partial) and planned.action.func == self._arrive
        ]

    def _send_eventfully(self, envelope: Envelope, wire: Wire, chance: Chance) -> None:
        weather = self._weather
        if weather.loss and chance() < weather.loss:
            self._postal.dropped(envelope, LostBecause.LOSS)
            return
        self._post(envelope, wire, chance)
        if weather.duplication and chance() < weather.duplication:
            self._postal.duplicated(envelope)
            self._post(envelope, wire, chance)

    def _post(self, envelope: Envelope, wire: Wire, chance: Chance) -> None:
        weather, time = self._weather, self._time
        arrives_at = time.now + self._draw_delay(chance)
        if weather.detour:
            luck = chance()
            if luck < weather.detour:
                # Below the threshold it is as even as before: it tells the length, too.
                arrives_at += weather.detour_seconds_max * (luck / weather.detour)
        if weather.law is DelayLaw.BURSTS:
            arrives_at = self._wait_for_burst(arrives_at, wire, chance)
        self.in_flight += 1
        time.call_at(arrives_at, partial(self._arrive, envelope, wire))

    def _draw_delay(self, chance: Chance) -> float:
        weather = self._weather
        if weather.law is DelayLaw.HEAVY_TAIL:
            return heavy_tail(chance(), weather.delay_seconds_min, weather.delay_seconds_max)
        return self._least + self._spread * chance() if self._spread else self._least

    def _wait_for_burst(self, arrives_at: float, wire: Wire, chance: Chance) -> float:
        until = self._stopped_until.get(wire, 0.0)
        luck = chance()
        if self._time.now >= until and luck < self._weather.burst:
            until = self._time.now + self._weather.burst_seconds_max * (luck / self._weather.burst)
            self._stopped_until[wire] = until
        return max(arrives_at, until)

    def _arrive(self, envelope: Envelope, wire: Wire) -> None:
        self.in_flight -= 1
        if wire in self.wires.blocked:
            self._postal.dropped(envelope, LostBecause.PARTITION)
        elif self._deliver(envelope):
            self.delivered += 1
        else:
            self._postal.dropped(envelope, LostBecause.RECEIVER_DOWN)

    def _new_chances(self, wire: Wire) -> Chance:
        chance = self._chances[wire] = Random(f"{self._seed}/{wire[0]}->{wire[1]}").random
        return chance
