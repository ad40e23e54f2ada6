"""How small the explored cluster is: every bound is a number that a person may raise."""

from dataclasses import asdict, dataclass

SERVERS = "ABCDEFG"
VALUES = "xyzuvw"
ROUNDS_MAX = 9
CRASHES_MAX = 15

ROUNDS_QUICK = 2
SERVERS_QUICK = 3


class BoundsError(ValueError):
    """The bounds of an exploration make no sense; the message says why, in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleBounds:
    """
    What may happen at most in a run; whatever fits within it is explored.

    Of the *servers*, the first *proposers* propose; clients ask them for any of *values* values.
    Each proposer begins at most *rounds* rounds in all its lives, and there are *crashes* in all,
    each with a restart.
    """

    servers: int = 3
    proposers: int = 2
    values: int = 2
    rounds: int = 1
    crashes: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be explored: BoundsError."""
        limits = {
            "servers": (1, len(SERVERS)),
            "proposers": (1, self.servers),
            "values": (1, len(VALUES)),
            "rounds": (1, ROUNDS_MAX),
            "crashes": (0, CRASHES_MAX),
        }
        for name, number in asdict(self).items():
            lowest, highest = limits[name]
            if not lowest <= number <= highest:
                raise BoundsError(f"{name} must be from {lowest} to {highest} here, not {number}")

    @property
    def warning(self) -> str:
        """Why it will take long, in a sentence; empty if it will not."""
        if self.proposers * self.rounds > ROUNDS_QUICK or self.servers > SERVERS_QUICK:
            return (
                "These bounds have many millions of states, each of which takes some 100 bytes of "
                "memory. Ctrl+C ends the search, and --states-max ends it by itself; what was "
                "covered is told in either case."
            )
        return ""
