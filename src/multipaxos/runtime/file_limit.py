"""How many sockets the operating system lets this process have."""

import resource

RESERVED_FILES = 200
"""So many files a server may need besides its clients' sockets: state, peers, metrics, logs."""


def make_room_for(connections: int) -> int:
    """
    Return how many of so many *connections* this process may have, at least one.

    Where its limit of open files is too low for all, it is raised as far as the system allows.
    """
    wanted = connections + RESERVED_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return connections
    granted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (granted, hard))
    except (OSError, ValueError):
        # Some systems have one more limit, which nobody can ask for.
        granted = soft
    return max(1, min(connections, granted - RESERVED_FILES))
