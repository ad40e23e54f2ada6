"""How small the explored chain is: every bound is a number that a person may raise."""

from dataclasses import dataclass

from composable_paxos import PeerID
from multipaxos.chain.effects import Timer
from multipaxos.chain.requests import RequestID
from multipaxos.chain.state_machine import Command
from multipaxos.exploration.chain_clock import LEASE_TIMERS
from multipaxos.exploration.role_bounds import BoundsError

NAMES = "ABCDEFGHI"

SERVERS_MAX = 5
LINKS_MAX = 9
ROUNDS_MAX = 9
CALLS_MAX = 9
CRASHES_MAX = 15
FIRINGS_MAX = 99

UNCOUNTED = LEASE_TIMERS | {Timer.SETTLE, Timer.TELL, Timer.OWN_VOTE}
"""Timers that are no acts of a server's own accord."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainBounds:
    """
    What may happen at most in a run; whatever fits within it is explored.

    The *servers* keep a chain that was founded before, and decide *links* more links; what they
    propose beyond these is lost. Number 1 of a link is the master's; *rounds* higher ones are used
    at most. Clients write *writes* values, read *reads* times, set *swaps* more values only if
    there is none, and ask again, through another server, *retries* times in all. There are
    *crashes*, each with a restart. The first *proposers* servers act of their own accord (0: all),
    when a timer of theirs fires, *firings* times in all (None: as often as they like). That a lease
    ends, one's own or another's, is no such act; nor is what an event put off, for a moment or for
    the next event: a save, a word of what was decided, the own vote. With *master* the servers seek
    mastership and use it; where one is *elected*, the first link has made it the first server, and
    a run begins when all have learned that.
    """

    servers: int = 2
    proposers: int = 0
    links: int = 2
    rounds: int = 1
    writes: int = 0
    reads: int = 0
    swaps: int = 0
    retries: int = 0
    crashes: int = 0
    elected: int = 0
    firings: int | None = None
    master: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be explored: BoundsError."""
        for name, (least, most) in self._limits().items():
            number = getattr(self, name)
            if number is not None and not least <= number <= most:
                raise BoundsError(f"{name} must be from {least} to {most} here, not {number}")
        if self.retries and self.servers == 1:
            raise BoundsError("a client asks again through another server, and there is none")
        if self.elected and not self.master:
            raise BoundsError("a server can be elected only with --master")
        if self.elected and self.links == 1:
            raise BoundsError("the election takes the first link: links must be 2 or more")

    def _limits(self) -> dict[str, tuple[int, int]]:
        return {
            "servers": (1, SERVERS_MAX),
            "proposers": (0, self.servers),
            "links": (1, LINKS_MAX),
            "rounds": (1, ROUNDS_MAX),
            "writes": (0, CALLS_MAX),
            "reads": (0, CALLS_MAX),
            "swaps": (0, CALLS_MAX),
            "retries": (0, CALLS_MAX),
            "crashes": (0, CRASHES_MAX),
            "elected": (0, 1),
            "firings": (0, FIRINGS_MAX),
        }

    @property
    def acting(self) -> int:
        """How many servers, the first ones, act of their own accord."""
        return self.proposers or self.servers

    @property
    def uids(self) -> tuple[PeerID, ...]:
        """The servers' names."""
        return tuple(NAMES[: self.servers])

    @property
    def requests(self) -> tuple[tuple[int, RequestID, Command], ...]:
        """
        The clients' requests, each with the server (by position) that gets it first.

        Reads and swaps go to the first server, then the second; writes to the last, then the one
        before: who writes past a master that reads is what leases are about.
        """
        writes = tuple(
            (
                self.servers - 1 - n % self.servers,
                RequestID(f"writer{n + 1}", 1),
                ("SET", f"v{n + 1}"),
            )
            for n in range(self.writes)
        )
        reads = tuple(
            (n % self.servers, RequestID(f"reader{n + 1}", 1), ("GET",)) for n in range(self.reads)
        )
        swaps = tuple(
            (n % self.servers, RequestID(f"swapper{n + 1}", 1), ("CAS", f"s{n + 1}"))
            for n in range(self.swaps)
        )
        return (*writes, *reads, *swaps)
