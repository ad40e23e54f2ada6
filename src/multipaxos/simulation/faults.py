"""
The schedule of a run's faults: drawn from the seed before the run, one by one.

So a run can be made smaller by leaving some of them out. A fault does not name its server: it holds
a number that stands for one in a cluster of any size.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from composable_paxos import PeerID
from multipaxos.simulation.fault_plan import FaultKind, FaultPlan
from multipaxos.simulation.weather import often_short

DRAWS = 2520
"""A number below it, modulo any number of servers up to ten, is any of them as likely."""

SERVERS_MAX = 9
"""The most servers that a cluster may have, here as with a configuration."""

GROUP_SHARE = 0.3
"""How likely a server is to stand with the one that a partition cuts off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """
    One fault: what happens, *at* which second, to whom (*draw*), and for how many *seconds*.

    *amount*, from zero to one, says more, by kind: how many sectors of a torn write reach the disk,
    how fast a clock runs. *companions* tells which servers stand with the one that is cut off.
    """

    number: int
    at: float
    kind: FaultKind
    draw: int
    seconds: float
    amount: float
    companions: tuple[bool, ...]

    def server(self, uids: Sequence[PeerID]) -> PeerID:
        """Return which of *uids* it befalls."""
        return uids[self.draw % len(uids)]

    def other(self, uids: Sequence[PeerID]) -> PeerID:
        """Return a second server, where there are two."""
        step = 1 + self.draw // len(uids) % (len(uids) - 1)
        return uids[(self.draw + step) % len(uids)]

    def group(self, uids: Sequence[PeerID]) -> tuple[PeerID, ...]:
        """Return the servers that are cut off together: the one it befalls among them."""
        first = self.server(uids)
        return tuple(
            uid for uid, joins in zip(uids, self.companions, strict=False) if joins or uid == first
        )

    def sides(self, uids: Sequence[PeerID]) -> tuple[tuple[PeerID, ...], tuple[PeerID, ...]]:
        """Return the two sides of a bridge: all but the server it befalls, which both reach."""
        hinge = self.draw % len(uids)
        others = (*uids[hinge + 1 :], *uids[:hinge])
        joins = (True, *self.companions)
        left = tuple(uid for uid, join in zip(others[:-1], joins, strict=False) if join)
        return left, tuple(uid for uid in others if uid not in left)

    def describe(self, uids: Sequence[PeerID]) -> str:
        """Return the fault in words."""
        whom = {
            FaultKind.POWER_CUT: "of all",
            FaultKind.PARTITION: f"around {'+'.join(self.group(uids))}",
            FaultKind.BRIDGE: f"over {self.server(uids)}",
        }.get(self.kind, f"of {self.server(uids)}")
        if self.kind is FaultKind.ONE_WAY and len(uids) > 1:
            whom = f"from {self.server(uids)} to {self.other(uids)}"
        return f"{self.number}: at {self.at:.3f} s {self.kind} {whom}, {self.seconds:.3f} s"


def draw_faults(seed: int, plan: FaultPlan, seconds: float) -> tuple[Fault, ...]:
    """
    Return the faults of *seconds* by the chances of *plan*, in order of time.

    Each kind has its own chances: what happens of one does not depend on the others. A longer run
    begins with the same faults as a shorter one.
    """
    drawn = [
        fault
        for kind, chance in plan.chances.items()
        for fault in _draw_kind(Random(f"{seed}/{kind}"), kind, chance, plan, seconds)
    ]
    drawn.sort(key=lambda fault: (fault.at, fault.kind))
    return tuple(replace(fault, number=number) for number, fault in enumerate(drawn, 1))


def _draw_kind(
    rng: Random, kind: FaultKind, chance: float, plan: FaultPlan, seconds: float
) -> Iterator[Fault]:
    for second in range(math.ceil(seconds)):
        if rng.random() >= chance:
            continue
        fault = Fault(
            number=0,
            at=second + rng.random(),
            kind=kind,
            draw=rng.randrange(DRAWS),
            seconds=often_short(rng.random(), plan.outage_seconds_max),
            amount=rng.random(),
            companions=tuple(rng.random() < GROUP_SHARE for _ in range(SERVERS_MAX)),
        )
        if fault.at < seconds:
            yield fault
