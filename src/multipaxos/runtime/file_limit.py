"""How many sockets the operating system lets this process have."""

import resource
from typing import Protocol

RESERVED_FILES = 200
"""So many files a server may need besides its clients' sockets: state, peers, metrics, logs."""


class System(Protocol):
    """What knows and changes the limits of a process; Python's module resource is one."""

    def getrlimit(self, resource: int, /) -> tuple[int, int]:
        """Return the limit in force, and the highest that may be asked for."""

    def setrlimit(self, resource: int, limits: tuple[int, int], /) -> None:
        """Change both; OSError or ValueError if that is not allowed."""


def make_room_for(connections: int, *, system: System = resource) -> int:
    """
    Return how many of so many *connections* this process may have, at least one.

    Where its limit of open files is too low for all, it is raised as far as the system allows.
    """
    wanted = connections + RESERVED_FILES
    soft, hard = system.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return connections
    granted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    try:
        system.setrlimit(resource.RLIMIT_NOFILE, (granted, hard))
    except (OSError, ValueError):
        # Some systems have one more limit, which nobody can ask for.
        granted = soft
    return max(1, min(connections, granted - RESERVED_FILES))
