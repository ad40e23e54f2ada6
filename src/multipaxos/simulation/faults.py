"""Faults drawn from a seed: what may go wrong in a run, how often, and for how long."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random

from composable_paxos import PeerID
from multipaxos.chain.durable import DurableState
from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.simulation.disk import Cut

MEAN_SECONDS_DOWN = 3.0
GROUP_SHARE = 0.3
"""How likely a server is to stand with the one that a partition cuts off."""

READINGS_MAX = 4
"""An event reads its clock a few times; a stall may come at any of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultLaw:
    """
    The mean time, in seconds, between two faults of a kind in the whole cluster; None: never.

    *wipe_share* is the share of crashes that lose the disk too, where no other server is without
    memory (the cluster promises to survive a minority's loss, not more).
    """

    crash: float | None = 15.0
    wipe_share: float = 0.15
    power_cut: float | None = 120.0
    pause: float | None = 20.0
    stall: float | None = 20.0
    partition: float | None = 15.0
    one_way: float | None = 15.0
    disk_full: float | None = 60.0


class Mischief:
    """
    Makes faults happen in a cluster until told to stop, and mends each after a while.

    State: whether it is *stopped*, and how often each kind of fault *happened*.
    """

    def __init__(self, cluster: SimulatedCluster, law: FaultLaw, rng: Random) -> None:
        """Draw from *rng* by *law*."""
        self.stopped = False
        self.happened: dict[str, int] = {}
        self._cluster = cluster
        self._law = law
        self._rng = rng

    def start(self) -> None:
        """Plan the first fault of each kind."""
        law = self._law
        for mean, fault in (
            (law.crash, self._crash),
            (law.power_cut, self._cut_power),
            (law.pause, self._pause),
            (law.stall, self._stall),
            (law.partition, self._partition),
            (law.one_way, self._block),
            (law.disk_full, self._fill_disk),
        ):
            if mean is not None:
                self._repeat(mean, fault)

    def stop(self) -> None:
        """Mend everything: all servers run, all wires are whole, all disks have room."""
        self.stopped = True
        cluster = self._cluster
        cluster.heal()
        for server in cluster.servers.values():
            server.disk.full = False
            server.disk.cut = None
            if server.gate.closed and not server.stalled:
                cluster.resume(server.uid)
        cluster.start()

    def _repeat(self, mean: float, fault: Callable[[PeerID], None]) -> None:
        def strike() -> None:
            if not self.stopped:
                name = fault.__name__.removeprefix("_")
                self.happened[name] = self.happened.get(name, 0) + 1
                fault(self._rng.choice(self._cluster.uids))
                self._repeat(mean, fault)

        self._later(self._rng.expovariate(1 / mean), strike)

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        self._cluster.time.call_at(self._cluster.time.now + seconds, action)

    def _mend_later(self, action: Callable[[], None]) -> None:
        def mend() -> None:
            if not self.stopped:
                action()

        self._later(self._rng.expovariate(1 / MEAN_SECONDS_DOWN), mend)

    def _crash(self, uid: PeerID) -> None:
        cluster, rng = self._cluster, self._rng
        server = cluster.servers[uid]
        if rng.choice((True, False)):
            server.disk.cut = rng.choice((Cut.BEFORE_SAVE, Cut.AFTER_SAVE))
        else:
            cluster.crash(uid)
            if rng.random() < self._law.wipe_share and self._may_wipe(uid):
                cluster.wipe(uid)
                self.happened["wipe"] = self.happened.get("wipe", 0) + 1
        self._mend_later(lambda: cluster.start(uid))

    def _may_wipe(self, uid: PeerID) -> bool:
        """Allow a minority at a time to be without memory, or to sit links out."""
        others = [s for s in self._cluster.servers.values() if s.uid != uid]
        forgetful = sum(1 for server in others if not _votes(server.disk.state))
        return forgetful < (len(self._cluster.uids) - 1) // 2

    def _cut_power(self, _uid: PeerID) -> None:
        cluster = self._cluster
        for uid in cluster.uids:
            cluster.crash(uid)
            self._mend_later(partial(cluster.start, uid))

    def _pause(self, uid: PeerID) -> None:
        cluster = self._cluster
        server = cluster.servers[uid]
        if server.up and not server.gate.closed:
            cluster.pause(uid)
            driver = server.driver
            self._mend_later(lambda: cluster.resume(uid) if server.driver is driver else None)

    def _stall(self, uid: PeerID) -> None:
        seconds = self._rng.expovariate(1 / MEAN_SECONDS_DOWN)
        if self._rng.choice((True, False)):
            self._cluster.stall_at_save(uid, seconds)
        else:
            self._cluster.stall_at_reading(uid, self._rng.randint(1, READINGS_MAX), seconds)

    def _partition(self, uid: PeerID) -> None:
        cluster = self._cluster
        group = [
            other for other in cluster.uids if other == uid or self._rng.random() < GROUP_SHARE
        ]
        cluster.partition(group, [other for other in cluster.uids if other not in group])
        self._mend_later(cluster.heal)

    def _block(self, uid: PeerID) -> None:
        others = [other for other in self._cluster.uids if other != uid]
        if not others:
            return
        self._cluster.block(uid, self._rng.choice(others))
        self._mend_later(self._cluster.heal)

    def _fill_disk(self, uid: PeerID) -> None:
        disk = self._cluster.servers[uid].disk

        def make_room() -> None:
            disk.full = False
            self._cluster.start(uid)

        disk.full = True
        self._mend_later(make_room)


def _votes(state: DurableState | None) -> bool:
    return state is not None and state.founding is not None and state.instance >= state.votes_from
