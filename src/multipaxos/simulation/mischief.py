"""Makes the faults of a schedule happen in a cluster, and mends each after its time."""

from collections.abc import Callable, Sequence
from functools import partial

from composable_paxos import PeerID
from multipaxos.chain.durable import DurableState
from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.simulation.disk import Cut
from multipaxos.simulation.fault_plan import FaultKind, Gone
from multipaxos.simulation.faults import Fault

READINGS_MAX = 4
"""An event reads its clock a few times; a stall may come at any of them."""

Pair = tuple[PeerID, PeerID]


class Mischief:
    """
    Strikes with each of *faults* when its time comes, until told to stop.

    Clocks err by up to *clock_error* of true time. State: whether it is *stopped*; how often each
    kind of fault *happened* (a server that is down cannot crash); and which wires each partition
    cuts that is not mended yet.
    """

    def __init__(
        self, cluster: SimulatedCluster, faults: Sequence[Fault], *, clock_error: float = 0.0
    ) -> None:
        """Be ready to strike."""
        self.stopped = False
        self.happened: dict[FaultKind, int] = {}
        self._cluster = cluster
        self._faults = tuple(faults)
        self._clock_error = clock_error
        self._cuts: dict[int, tuple[Pair, ...]] = {}
        self._strikes: dict[FaultKind, Callable[[Fault], bool]] = {
            FaultKind.CRASH: self._crash,
            FaultKind.CRASH_IN_SAVE: self._crash_in_save,
            FaultKind.POWER_FAILURE: self._fail_power,
            FaultKind.LOST_DISK: self._lose_disk,
            FaultKind.POWER_CUT: self._cut_power,
            FaultKind.FULL_DISK: self._fill_disk,
            FaultKind.FAILING_WRITE: self._fail_write,
            FaultKind.PAUSE: self._pause,
            FaultKind.STALL: self._stall,
            FaultKind.PARTITION: self._partition,
            FaultKind.ONE_WAY: self._block,
            FaultKind.BRIDGE: self._bridge,
            FaultKind.CLOCK: self._change_clock,
        }

    def start(self) -> None:
        """Plan all faults."""
        for fault in self._faults:
            self._cluster.time.call_at(fault.at, partial(self._strike, fault))

    def stop(self, gone: Gone = Gone.NOBODY) -> None:
        """Mend everything: all servers run, all wires are whole; but a minority stays *gone*."""
        self.stopped = True
        cluster = self._cluster
        victims = self._choose_victims() if gone is not Gone.NOBODY else ()
        self._cuts.clear()
        if gone is Gone.CUT_OFF:
            rest = tuple(uid for uid in cluster.uids if uid not in victims)
            self._cuts[0] = _between(victims, rest)
        self._cut_wires()
        for server in cluster.servers.values():
            cluster.mend_disk(server.uid)
            if gone is Gone.DEAD and server.uid in victims:
                cluster.crash(server.uid)
                continue
            if server.gate.closed and not server.stalled:
                cluster.resume(server.uid)
            cluster.start(server.uid)

    def _choose_victims(self) -> tuple[PeerID, ...]:
        """
        Return a minority that the others can do without.

        Servers that have lost their memory, and do not vote yet, are part of it: the cluster
        promises to survive that a minority is gone or forgets, not more.
        """
        cluster = self._cluster
        minority = (len(cluster.uids) - 1) // 2
        forgetful = [uid for uid in cluster.uids if not self._votes(uid)]
        if len(forgetful) > minority:
            return ()
        others = [uid for uid in cluster.uids if uid not in forgetful]
        return tuple((forgetful + others)[:minority])

    def _strike(self, fault: Fault) -> None:
        if not self.stopped and self._strikes[fault.kind](fault):
            self.happened[fault.kind] = self.happened.get(fault.kind, 0) + 1

    def _mend_after(self, fault: Fault, mend: Callable[[], None]) -> None:
        def act() -> None:
            if not self.stopped:
                mend()

        self._cluster.time.call_at(self._cluster.time.now + fault.seconds, act)

    # -- processes and disks -----------------------------------------------------------------------

    def _crash(self, fault: Fault) -> bool:
        cluster, uid = self._cluster, fault.server(self._cluster.uids)
        if not cluster.servers[uid].up:
            return False
        cluster.crash(uid)
        self._mend_after(fault, partial(cluster.start, uid))
        return True

    def _crash_in_save(self, fault: Fault) -> bool:
        """Let the process die at its next save: half of the time, the power with it."""
        cluster, uid = self._cluster, fault.server(self._cluster.uids)
        if not cluster.servers[uid].up:
            return False
        when, power = divmod(fault.draw // len(cluster.uids) % (2 * len(Cut)), 2)
        cluster.cut_at_save(uid, tuple(Cut)[when], amount=fault.amount, power=power == 1)
        self._mend_after(fault, partial(cluster.start, uid))
        return True

    def _fail_power(self, fault: Fault) -> bool:
        cluster, uid = self._cluster, fault.server(self._cluster.uids)
        cluster.fail_power(uid, amount=fault.amount)
        self._mend_after(fault, partial(cluster.start, uid))
        return True

    def _cut_power(self, fault: Fault) -> bool:
        cluster = self._cluster
        for uid in cluster.uids:
            cluster.fail_power(uid, amount=fault.amount)
            self._mend_after(fault, partial(cluster.start, uid))
        return True

    def _lose_disk(self, fault: Fault) -> bool:
        """Crash a server and lose its disk, where no more than a minority is without memory."""
        cluster, uid = self._cluster, fault.server(self._cluster.uids)
        others = [other for other in cluster.uids if other != uid]
        if sum(not self._votes(other) for other in others) >= (len(cluster.uids) - 1) // 2:
            return False
        cluster.crash(uid)
        cluster.wipe(uid)
        self._mend_after(fault, partial(cluster.start, uid))
        return True

    def _fill_disk(self, fault: Fault) -> bool:
        cluster, uid = self._cluster, fault.server(self._cluster.uids)
        if cluster.servers[uid].disk.full:
            return False

        def make_room() -> None:
            cluster.mend_disk(uid)
            cluster.start(uid)

        cluster.fill_disk(uid)
        self._mend_after(fault, make_room)
        return True

    def _fail_write(self, fault: Fault) -> bool:
        cluster, uid = self._cluster, fault.server(self._cluster.uids)
        if not cluster.servers[uid].up:
            return False
        cluster.fail_next_save(uid, amount=fault.amount)
        self._mend_after(fault, partial(cluster.start, uid))
        return True

    # -- time --------------------------------------------------------------------------------------

    def _pause(self, fault: Fault) -> bool:
        """Pause a process; or the machine, so that messages to it are lost, but not its clients."""
        cluster, uid = self._cluster, fault.server(self._cluster.uids)
        server = cluster.servers[uid]
        if not server.up or server.gate.closed:
            return False
        driver = server.driver

        def resume() -> None:
            if server.driver is driver:
                cluster.resume(uid)

        cluster.pause(uid)
        if fault.companions[0]:
            deaf = tuple((other, uid) for other in cluster.uids if other != uid)
            self._cut_for_a_while(fault, deaf)
        self._mend_after(fault, resume)
        return True

    def _stall(self, fault: Fault) -> bool:
        cluster, uid = self._cluster, fault.server(self._cluster.uids)
        choice = fault.draw // len(cluster.uids) % (2 * READINGS_MAX)
        if choice < READINGS_MAX:
            cluster.stall_at_reading(uid, choice + 1, fault.seconds)
        else:
            cluster.stall_at_save(uid, fault.seconds)
        return True

    def _change_clock(self, fault: Fault) -> bool:
        rate = 1.0 + self._clock_error * (2.0 * fault.amount - 1.0)
        self._cluster.set_clock_rate(fault.server(self._cluster.uids), rate)
        return self._clock_error > 0.0

    # -- wires -------------------------------------------------------------------------------------

    def _partition(self, fault: Fault) -> bool:
        uids = self._cluster.uids
        group = fault.group(uids)
        rest = tuple(uid for uid in uids if uid not in group)
        return self._cut_for_a_while(fault, _between(group, rest))

    def _block(self, fault: Fault) -> bool:
        uids = self._cluster.uids
        if len(uids) == 1:
            return False
        return self._cut_for_a_while(fault, ((fault.server(uids), fault.other(uids)),))

    def _bridge(self, fault: Fault) -> bool:
        return self._cut_for_a_while(fault, _between(*fault.sides(self._cluster.uids)))

    def _cut_for_a_while(self, fault: Fault, pairs: tuple[Pair, ...]) -> bool:
        def mend() -> None:
            del self._cuts[fault.number]
            self._cut_wires()

        if not pairs:
            return False
        self._cuts[fault.number] = pairs
        self._cut_wires()
        self._mend_after(fault, mend)
        return True

    def _cut_wires(self) -> None:
        """Let nothing through where any partition cuts."""
        self._cluster.set_blocked(pair for pairs in self._cuts.values() for pair in pairs)

    def _votes(self, uid: PeerID) -> bool:
        return votes(self._cluster.servers[uid].disk.state)


def votes(state: DurableState | None) -> bool:
    """Tell whether a server with *state* on its disk is a full member of its chain."""
    return state is not None and state.founding is not None and state.instance >= state.votes_from


def _between(left: Sequence[PeerID], right: Sequence[PeerID]) -> tuple[Pair, ...]:
    return tuple(pair for one in left for other in right for pair in ((one, other), (other, one)))
