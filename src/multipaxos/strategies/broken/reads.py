"""Reads that are wrong on purpose: they return what is not the newest value any more."""

from typing_extensions import override

from composable_paxos import PeerID
from multipaxos.chain.effects import LocalRead
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.chain.requests import Chosen, Update


class ReadsWithoutSecondLook(BaseReplicatedValue):
    """
    Reads, and does not look at the clock again.

    Mistake: the lease is checked, then the value is read and sent. Between the two the process may
    stand still: for the garbage collector, a virtual machine's move, a closed laptop. When it goes
    on, another master has written.

    Rule: the value is good if the lease still runs after it was read (Gray and Cheriton, Leases,
    1989, section 2: a holder that is late must find out before it uses what it has).

    Met: everywhere; "check, then act" is how one writes it, and tests never pause at that line.
    """

    @override
    def read_locally(self, read: LocalRead) -> None:
        """Answer *read* at once, without super()'s handing it to the driver and its clock."""
        self.release_read(read)


class ReadsPastTheLinkInFlight(BaseReplicatedValue):
    """
    Reads while a link is in flight.

    Mistake: the master's lease runs, so it answers what it has. But its own newest proposal may be
    chosen already, and another server may have learned that first and told its client. A read that
    comes after that returns the older value.

    Rule: a read returns the newest value that was known to be chosen anywhere when it was asked for
    (Herlihy and Wing, Linearizability, 1990, section 2).

    Met: where "the leader has the newest state" is taken literally: it has the newest proposal, and
    learns of the choice one message later than some.
    """

    @override
    def take_update(self, update: Update, *, origin: PeerID) -> None:
        """Read at once, without super()'s waiting for what is in flight."""
        if self.lease is None or not self.machine.is_read(update.command):
            super().take_update(update, origin=origin)
            return
        _, result = self.machine.apply(self.snapshot.value, update.command)
        outcome = Chosen(link=self.instance - 1, result=result)
        self.read_locally(
            LocalRead(update=update, origin=origin, outcome=outcome, lease=self.lease)
        )


class ReadsFromAnybody(BaseReplicatedValue):
    """
    Reads from its own state, master or not.

    Mistake: every server has the value, so any may be asked. One that is cut off, or only a little
    behind, returns what was overwritten long ago.

    Rule: a read goes through the chain like an update, or to a master whose lease runs (Herlihy and
    Wing, Linearizability, 1990; Paxos Made Live, Chandra et al., 2007, 5.2).

    Met: as "read from the nearest replica", on by default in several stores; it is a weaker promise
    and often not called so.
    """

    @override
    def take_update(self, update: Update, *, origin: PeerID) -> None:
        """Answer a read at once, without super()'s queue."""
        if self.memoryless or not self.machine.is_read(update.command):
            super().take_update(update, origin=origin)
            return
        _, result = self.machine.apply(self.snapshot.value, update.command)
        self.answer(update.request_id, Chosen(link=self.instance - 1, result=result))
