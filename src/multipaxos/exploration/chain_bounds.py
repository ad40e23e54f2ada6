"""How small the explored chain is: every bound is a number that a person may raise."""

from dataclasses import dataclass

from composable_paxos import PeerID
from multipaxos.chain.requests import RequestID
from multipaxos.chain.state_machine import Command, Get, Set

NAMES = "ABCDEFGHI"

SERVERS_MAX = 5


class ImpossibleBoundsError(ValueError):
    """These bounds leave nothing to explore, or cannot be; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainBounds:
    """
    What may happen at most in a run; whatever fits within it is explored.

    The *servers* keep a chain that was founded before, and decide *links* more links; what they
    propose beyond these is lost. Proposals are numbered up to *number_max*; number 1 is the
    master's. Clients write *writes* values and read *reads* times, and ask again, through another
    server, *retries* times in all. There are *crashes*, each with a restart, and *firings* of
    timers in all: how often a server acts of its own accord (None: as often as it likes). With *master* the servers seek
    mastership and use it.
    """

    servers: int = 2
    links: int = 2
    number_max: int = 2
    writes: int = 0
    reads: int = 0
    retries: int = 0
    crashes: int = 0
    firings: int | None = 4
    master: bool = True

    def __post_init__(self) -> None:
        """Refuse what cannot be explored: ImpossibleBoundsError."""
        least = {"servers": 1, "links": 1, "number_max": 2}
        for name in self.__slots__:
            number = getattr(self, name)
            if number is not None and number < least.get(name, 0):
                words = name.replace("_", " ")
                raise ImpossibleBoundsError(
                    f"{words} must be at least {least.get(name, 0)}, not {number}"
                )
        if self.servers > SERVERS_MAX:
            raise ImpossibleBoundsError(
                f"the chain can be explored with at most {SERVERS_MAX} servers, not {self.servers}"
            )
        if self.retries and self.servers == 1:
            raise ImpossibleBoundsError("a client asks again through another server: there is none")

    @property
    def uids(self) -> tuple[PeerID, ...]:
        """The servers' names."""
        return tuple(NAMES[: self.servers])

    @property
    def requests(self) -> tuple[tuple[int, RequestID, Command], ...]:
        """
        The clients' requests, each with the server (by position) that gets it first.

        Reads go to the first server, then the second; writes to the last, then the one before: who
        writes past a master that reads is what leases are about.
        """
        writes = tuple(
            (-1 - n % self.servers + self.servers, RequestID(f"writer{n + 1}", 1), Set(value=f"v{n + 1}"))
            for n in range(self.writes)
        )
        reads = tuple(
            (n % self.servers, RequestID(f"reader{n + 1}", 1), Get()) for n in range(self.reads)
        )
        return (*writes, *reads)
