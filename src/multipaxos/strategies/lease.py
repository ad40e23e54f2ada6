"""Respect for leases: no help for rivals of the master that the chain names."""

from typing import Any

from typing_extensions import override

from composable_paxos import ProposalID
from multipaxos.chain.effects import Timer
from multipaxos.chain.events import EventKind
from multipaxos.chain.links import Link, NewMaster
from multipaxos.chain.refusals import Reason, Refusal
from multipaxos.chain.replicated_value import BaseReplicatedValue


class LeaseRespect(BaseReplicatedValue):
    """
    Refuses proposals of anybody but the named master, and makes none, for a full lease.

    The time counts from the moment this server learned of the master, by whichever route, which is
    never earlier than the moment from which the master counts; after a restart it counts anew. The
    length is the link's own, so servers with other settings, or started without the master
    strategy, respect it as well. State: whether another's lease is *respected*.

    Invariant (OneReader, I10): while a master trusts its lease, no quorum helps another.
    """

    def __init__(self, **arguments: Any) -> None:
        """Begin without a lease to respect; :meth:`joined` finds the one that the state names."""
        super().__init__(**arguments)
        self.respected = False

    @override
    def joined(self) -> None:
        self._respect()
        super().joined()

    @override
    def instance_began(self, *, learned: Link | None) -> None:
        # After a catch-up a renewal may be among the links that were skipped.
        if learned is None or isinstance(learned, NewMaster):
            self._respect()
        super().instance_began(learned=learned)

    @override
    def timeout(self, timer: Timer) -> None:
        super().timeout(timer)
        if timer is Timer.FOREIGN_LEASE:
            self.respected = False
            self.foreign_lease_ended()

    @override
    def vote_refusal(self, proposal_id: ProposalID) -> Refusal | None:
        refusal = super().vote_refusal(proposal_id)
        if refusal is None and self.respected and proposal_id.uid != self.master:
            return Refusal(
                reason=Reason.LEASE,
                words=f"the lease of {self.master} still runs",
                details={"master": self.master},
            )
        return refusal

    @override
    def may_propose(self) -> bool:
        return super().may_propose() and not self.respected

    def _respect(self) -> None:
        master = self.snapshot.master
        self.respected = master is not None and master.uid != self.uid
        if master is None or not self.respected:
            self.cancel_timer(Timer.FOREIGN_LEASE)
            return
        self.note(
            EventKind.FOREIGN_LEASE,
            "respects the lease of {master}",
            master=master.uid,
            seconds=master.lease_seconds,
        )
        self.set_timer(Timer.FOREIGN_LEASE, master.lease_seconds)
