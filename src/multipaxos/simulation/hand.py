"""A person's hand on the messages, whether they are held or the network carries them."""

from multipaxos.chain.messages import Envelope
from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.simulation.manual_network import NoSuchMessageError, check_wire, way_of
from multipaxos.simulation.network import LostBecause


class Hand:
    """Takes messages of *cluster* that are on their way, each by its number. It has no state."""

    def __init__(self, cluster: SimulatedCluster) -> None:
        """Reach into *cluster*."""
        self._cluster = cluster

    def on_their_way(self) -> list[Envelope]:
        """Return all messages on their way: first those held, then those that will arrive."""
        return [*self._cluster.manual.held, *self._cluster.network.under_way()]

    def number(self, envelope: Envelope) -> int:
        """Return the number of *envelope* in the trace."""
        return self._cluster.transmissions.number(envelope)

    def find(self, number: int) -> Envelope:
        """Return the message with this *number*. Raises NoSuchMessageError."""
        for envelope in self.on_their_way():
            if self.number(envelope) == number:
                return envelope
        raise NoSuchMessageError(
            f"no message #{number} is in flight; in flight: {self._describe() or 'nothing'}"
        )

    def deliver(self, envelope: Envelope) -> None:
        """Take *envelope* to its receiver now: NoSuchMessageError across a partition."""
        manual = self._cluster.manual
        if manual.holds(envelope):
            manual.deliver(envelope)
            return
        check_wire(self._cluster.network.wires, envelope)
        self._cluster.network.take(envelope)
        self._cluster.network.arrive(envelope)

    def drop(self, envelope: Envelope) -> None:
        """Lose *envelope*."""
        manual = self._cluster.manual
        if manual.holds(envelope):
            manual.drop(envelope)
            return
        self._cluster.network.take(envelope)
        self._cluster.dropped(envelope, LostBecause.LOSS)

    def duplicate(self, envelope: Envelope) -> None:
        """Let *envelope* arrive once more."""
        manual = self._cluster.manual
        if manual.holds(envelope):
            manual.duplicate(envelope)
            return
        self._cluster.duplicated(envelope)
        self._cluster.network.carry(envelope)

    def delay(self, envelope: Envelope, seconds: float) -> None:
        """Let *envelope* arrive in so many *seconds* from now, when time passes."""
        manual = self._cluster.manual
        if manual.holds(envelope):
            manual.take(envelope)
        else:
            self._cluster.network.take(envelope)
        self._cluster.network.carry(envelope, delay_seconds=seconds)

    def hold(self) -> None:
        """Hold all messages, also those under way: from now on a person delivers them."""
        network, manual = self._cluster.network, self._cluster.manual
        for envelope in network.under_way():
            network.take(envelope)
            manual.send(envelope)
        self._cluster.is_manual = True

    def flow(self) -> None:
        """Let the network carry all messages, also those that are held."""
        network, manual = self._cluster.network, self._cluster.manual
        self._cluster.is_manual = False
        for envelope in list(manual.held):
            manual.take(envelope)
            network.carry(envelope)

    def _describe(self) -> str:
        return ", ".join(f"#{self.number(e)} {way_of(e)}" for e in self.on_their_way())
