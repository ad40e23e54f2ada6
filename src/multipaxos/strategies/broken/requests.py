"""Requests that are handled wrong on purpose."""

from dataclasses import replace

from typing_extensions import override

from composable_paxos import Resolution
from multipaxos.chain.durable import Snapshot
from multipaxos.chain.links import Updates
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.chain.requests import Update


class IgnoresRequestIDs(BaseReplicatedValue):
    """
    Applies a request as often as it was asked.

    Mistake: a client that got no answer asks again, through another server; both servers propose
    the request, and both proposals are chosen. What somebody else wrote between the two is
    overwritten by a value that was there before.

    Rule: each request is applied once. The client names it, and the state machine remembers the
    newest name of each client (Schneider, State Machine Approach, 1990; Viewstamped Replication
    Revisited, Liskov and Cowling, 2012, 4.1).

    Met: in every retry that an operating system, a proxy or a person sends: the payment that is
    made twice.
    """

    @override
    def settle(self, update: Update, snapshot: Snapshot) -> bool:
        """Know nothing of *update*, without super()'s look at the sessions."""
        return False

    @override
    def resolve(self, resolution: Resolution) -> None:
        if isinstance(resolution.value, Updates):
            repeated = {update.request_id.client for update in resolution.value.updates}
            sessions = self.snapshot.sessions.items()
            self.snapshot = replace(
                self.snapshot, sessions={c: s for c, s in sessions if c not in repeated}
            )
        super().resolve(resolution)
