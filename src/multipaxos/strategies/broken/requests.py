"""Requests that are handled wrong on purpose."""

from dataclasses import replace

from typing_extensions import override

from composable_paxos import Resolution
from multipaxos.chain.durable import Snapshot
from multipaxos.chain.links import Updates
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.chain.requests import RequestID, Update
from multipaxos.chain.state_machine import Command


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
            repeated = {
                update.request_id.client
                for update in resolution.value.updates
                if not self.machine.is_read(update.command)
            }
            sessions = self.snapshot.sessions.items()
            self.snapshot = replace(
                self.snapshot, sessions={c: s for c, s in sessions if c not in repeated}
            )
        super().resolve(resolution)


class NotesAgeAnew(BaseReplicatedValue):
    """
    Takes a request for as old as its newest try.

    Mistake: the chain remembers so many clients, and no more. Of one that it has forgotten, only
    the age of the request tells whether it may have been applied. This server notes the link in
    progress when a request comes in; a retry that comes late looks new then, and is applied again.

    Rule: what was remembered of a request may be thrown away only if a retry of it is recognized
    all the same, and answered with "unknown" (Implementing Linearizability at Large Scale and Low
    Latency, Lee et al., 2015, on garbage collection). So the client says since when it asks.

    Met: where the keys of requests are kept for a day, or as long as there is room, and the queue
    that was stuck is drained on the day after.
    """

    @override
    def propose_update(
        self, request_id: RequestID, command: Command, since: int | None = None
    ) -> None:
        super().propose_update(request_id, command)
