"""All bugs, by name."""

from multipaxos.strategies.broken.bug import Bug, UnknownBugError
from multipaxos.strategies.broken.bugs_of_chains import BUGS_OF_CHAINS
from multipaxos.strategies.broken.bugs_of_decisions import BUGS_OF_DECISIONS

BUGS: dict[str, Bug] = {bug.name: bug for bug in (*BUGS_OF_DECISIONS, *BUGS_OF_CHAINS)}
"""Every bug there is, by name: those of single-decree Paxos first."""


def find_bug(name: str) -> Bug:
    """Return the bug called *name*. Raises UnknownBugError."""
    bug = BUGS.get(name)
    if bug is None:
        msg = f"there is no bug called {name!r}; these can be switched on: {', '.join(BUGS)}"
        raise UnknownBugError(msg)
    return bug
