"""What clients asked a simulated cluster, and what they were told."""

from collections.abc import Callable
from dataclasses import dataclass, field

from composable_paxos import PeerID
from multipaxos.chain.requests import Outcome, RequestID
from multipaxos.chain.state_machine import Command


@dataclass(kw_only=True, eq=False)
class ClientCall:
    """
    What one client asked, and what it was told: times are true ones, in seconds.

    *tried* are the servers it was handed to; *outcome* and *returned_at* are None until an answer,
    of which *on_return* tells the client.
    """

    request_id: RequestID
    command: Command
    called_at: float
    on_return: Callable[[], None]
    tried: list[PeerID] = field(default_factory=list)
    outcome: Outcome | None = None
    returned_at: float | None = None

    @property
    def answered(self) -> bool:
        """Whether the client was told anything."""
        return self.outcome is not None
