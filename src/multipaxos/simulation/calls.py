"""What clients asked a simulated cluster, and what they were told."""

from collections.abc import Callable
from dataclasses import dataclass, field

from composable_paxos import PeerID
from multipaxos.chain.requests import Chosen, Outcome, RequestID
from multipaxos.chain.state_machine import Command, Result


@dataclass(kw_only=True, eq=False)
class ClientCall:
    """
    What one client asked, and what it was told: times are true ones, in seconds.

    *since* is the link that its client names with it: it is in none below. *tried* are the servers
    it was handed to; *outcome*, *returned_at* and *answered_by* are None until an answer, of which
    *on_return* tells the client.
    """

    request_id: RequestID
    command: Command
    called_at: float
    on_return: Callable[[], None]
    since: int = 0
    tried: list[PeerID] = field(default_factory=list)
    outcome: Outcome | None = None
    returned_at: float | None = None
    answered_by: PeerID | None = None

    @property
    def answered(self) -> bool:
        """Whether the client was told anything."""
        return self.outcome is not None

    @property
    def result(self) -> Result:
        """What the state machine answered; None, too, if it did not, or nobody knows."""
        return self.outcome.result if isinstance(self.outcome, Chosen) else None
