"""The numbers that the protocol works with. All times in seconds, on the server's own clock."""

from dataclasses import dataclass

from composable_paxos import PeerID, Quorums


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """Which *cluster* this is, which of its servers we are (*uid*), and all of them (*servers*)."""

    cluster: str
    uid: PeerID
    servers: tuple[PeerID, ...]

    @property
    def peers(self) -> tuple[PeerID, ...]:
        """The other servers, in the configured order."""
        return tuple(uid for uid in self.servers if uid != self.uid)

    @property
    def quorums(self) -> Quorums:
        """Majorities of the servers, for both phases."""
        return Quorums.majority(self.servers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    Timing and bounds. Every server of a cluster should have the same.

    With r = *clock_rate_error*, every clock runs within 1 - r and 1 + r of true time. A master's
    lease is valid for *lease_seconds* on the others' clocks, and it trusts it for
    ``lease_seconds * (1 - r) / (1 + r)`` on its own, renewing it *renewal_head_start_seconds*
    before that ends. The chain remembers *sessions_max* clients; fewer updates, *queue_max*, wait
    at a server, so that none is forgotten while it waits.
    """

    retransmit_seconds: float = 1.0
    takeover_seconds: float = 3.0
    backoff_seconds_min: float = 0.005
    backoff_seconds_max: float = 2.0
    sync_seconds: float = 10.0
    catch_up_seconds: float = 0.5
    rejoin_seconds: float = 0.5
    founding_grace_seconds: float = 1.0
    settle_seconds: float = 0.1
    tell_seconds: float = 0.001
    own_vote_seconds: float = 0.005
    lease_seconds: float = 1.0
    renewal_head_start_seconds: float = 0.5
    clock_rate_error: float = 0.01
    election_seconds_max: float = 0.2
    queue_max: int = 1000
    sessions_max: int = 1024
    instance_jump_max: int = 1_000_000_000

    @property
    def held_lease_seconds(self) -> float:
        """How long a master may trust a lease that the others respect for *lease_seconds*."""
        r = self.clock_rate_error
        return self.lease_seconds * (1 - r) / (1 + r)
