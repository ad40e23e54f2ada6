"""What a person may wish of a running cluster, read from what the page sends."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from multipaxos.errors import MultipaxosError
from multipaxos.runtime.messenger.faults import NetworkFaults, faults_of

VALUE_LENGTH_MAX = 1_000


class Deed(NamedTuple):
    """
    What can be done to a process: in which of its *states*, and how that is told when it is *done*.

    *traced* is the kind of the event, where the server cannot tell of it itself.
    """

    states: tuple[str, ...]
    done: str
    traced: str | None


DEEDS: Mapping[str, Deed] = {
    "kill": Deed(("up", "paused"), "killed", "crashed"),
    "restart": Deed(("down",), "started", None),
    "pause": Deed(("up",), "paused", "paused"),
    "resume": Deed(("paused",), "resumed", "resumed"),
}


class WishError(MultipaxosError, ValueError):
    """That cannot be done; the message says why."""


@dataclass(frozen=True, slots=True)
class Strike:
    """Do one of DEEDS to *server*."""

    deed: str
    server: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Let the network have these *faults*, and no others."""

    faults: NetworkFaults


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask *server* to set *value*."""

    server: str
    value: str


Wish: TypeAlias = Strike | Trouble | Ask


def wish_of(told: Mapping[str, Any], servers: Collection[str]) -> Wish:
    """Return the wish that *told* stands for. Raises WishError, or FaultLineError."""
    match dict(told):
        case {"action": str() as deed, "server": str() as server} if deed in DEEDS:
            return Strike(deed, _known(server, servers))
        case {"action": "network", **faults}:
            return Trouble(faults_of(faults, servers))
        case {"action": "propose", "server": str() as server, "value": str() as value}:
            if not 0 < len(value) <= VALUE_LENGTH_MAX:
                raise WishError(f"a value has 1 to {VALUE_LENGTH_MAX:,} characters here")
            return Ask(_known(server, servers), value)
        case _:
            raise WishError(
                f"an action is one of {', '.join(DEEDS)}, each of a server; network; or propose, "
                "of a server and a value"
            )


def _known(server: str, servers: Collection[str]) -> str:
    if server not in servers:
        raise WishError(f"there is no server {server[:60]!r}; there are {', '.join(servers)}")
    return server
