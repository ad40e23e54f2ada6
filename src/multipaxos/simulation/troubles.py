"""The troubles of a simulated cluster: every fault that a person or a schedule may ask for."""

from collections.abc import Iterable, Sequence

from composable_paxos import PeerID
from multipaxos.simulation.disk import Cut
from multipaxos.simulation.processes import Processes


class Troubles(Processes):
    """What may befall the servers' disks, clocks and wires. It has no state of its own."""

    # -- disks and clocks --------------------------------------------------------------------------

    def wipe(self, uid: PeerID) -> None:
        """Lose the state file of *uid*, which must be down."""
        server = self.servers[uid]
        server.disk.wipe()
        server.trace.record("wiped", {})

    def set_clock_rate(self, uid: PeerID, rate: float) -> None:
        """Let the clock of *uid* run at *rate* from now on."""
        server = self.servers[uid]
        server.clock.set_rate(rate)
        server.trace.record("clock rate", {"rate": rate})

    def cut_at_save(
        self, uid: PeerID, cut: Cut, *, amount: float = 0.5, power: bool = False
    ) -> None:
        """Let the process of *uid* die at its next save; with *power*, the power fails then."""
        server = self.servers[uid]
        server.disk.cut, server.disk.amount = cut, amount
        server.loses_power = power
        server.note_outboxes()

    def fail_next_save(self, uid: PeerID, *, amount: float = 0.5) -> None:
        """Let the next save of *uid* fail once, with an error of the disk."""
        server = self.servers[uid]
        server.disk.fails, server.disk.amount = True, amount
        server.trace.record("disk", {"fault": "failing"})
        server.note_outboxes()

    def fill_disk(self, uid: PeerID) -> None:
        """Let the disk of *uid* take nothing more: its next save fails."""
        server = self.servers[uid]
        server.disk.full = True
        server.trace.record("disk", {"fault": "full"})

    def mend_disk(self, uid: PeerID) -> None:
        """Let the disk of *uid* take everything again."""
        server = self.servers[uid]
        disk = server.disk
        if disk.full or disk.fails:
            server.trace.record("disk", {"fault": "mended"})
        disk.full = disk.fails = False
        disk.cut = None
        server.loses_power = False

    def stall_at_save(self, uid: PeerID, seconds: float) -> None:
        """Pause *uid* for *seconds* in the middle of its next event that saves, before the save."""
        server = self.servers[uid]
        server.disk.stall = lambda: self._stall(server, seconds)

    def stall_at_reading(self, uid: PeerID, count: int, seconds: float) -> None:
        """Pause *uid* for *seconds* when it reads its clock for the *count*-th time from now."""
        server = self.servers[uid]
        server.clock.stall_at_reading(count, lambda: self._stall(server, seconds))

    # -- wires -------------------------------------------------------------------------------------

    def partition(self, *groups: Sequence[PeerID]) -> None:
        """Let nothing through between *groups*."""
        for wires in (self.network.wires, self.manual.wires):
            wires.partition(*(tuple(group) for group in groups))
        self._note_wires()

    def block(self, sender: PeerID, receiver: PeerID) -> None:
        """Let nothing through from *sender* to *receiver*; the other way stays open."""
        for wires in (self.network.wires, self.manual.wires):
            wires.block(sender, receiver)
        self._note_wires()

    def set_blocked(self, pairs: Iterable[tuple[PeerID, PeerID]]) -> None:
        """Let nothing through from the first to the second of each of *pairs*, all else through."""
        blocked = dict.fromkeys(pairs)
        if blocked != self.network.wires.blocked:
            for wires in (self.network.wires, self.manual.wires):
                wires.blocked = dict(blocked)
            self._note_wires()

    def heal(self) -> None:
        """Let everything through."""
        for wires in (self.network.wires, self.manual.wires):
            wires.heal()
        self._note_wires()

    def _note_wires(self) -> None:
        self.observer.record("wires", {"blocked": list(self.network.wires.blocked)})
