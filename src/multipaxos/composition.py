"""Composition: a server's class, woven from strategies by name."""

from collections.abc import Sequence

from composable_paxos import Quorums
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.errors import MultipaxosError
from multipaxos.strategies.abstention import Abstention
from multipaxos.strategies.batching import Batching
from multipaxos.strategies.brevity import Brevity
from multipaxos.strategies.broken import Bug, find_bug
from multipaxos.strategies.early import EarlyMessages
from multipaxos.strategies.forwarding import Forwarding
from multipaxos.strategies.group_commit import GroupCommit
from multipaxos.strategies.lease import LeaseRespect
from multipaxos.strategies.master import MasterLease
from multipaxos.strategies.parts import Partitioning
from multipaxos.strategies.reads import LocalReads
from multipaxos.strategies.rejoin import Rejoining
from multipaxos.strategies.replay import Replaying
from multipaxos.strategies.resolution import Resolving
from multipaxos.strategies.sync import Synchronization

STRATEGIES: dict[str, type[BaseReplicatedValue]] = {
    "rejoin": Rejoining,
    "reads": LocalReads,
    "master": MasterLease,
    "forwarding": Forwarding,
    "lease": LeaseRespect,
    "replay": Replaying,
    "early": EarlyMessages,
    "parts": Partitioning,
    "sync": Synchronization,
    "resolution": Resolving,
    "abstention": Abstention,
    "batching": Batching,
    "brevity": Brevity,
    "group-commit": GroupCommit,
}
"""All strategies, outermost first: the order in which they are woven."""

MASTER_ONLY = ("reads", "master", "abstention", "batching", "brevity", "group-commit")
INDISPENSABLE = ("rejoin", "lease")
"""Without these a server could break the promises of others; they cannot be left out."""
NEEDLESS_IN_EXPLORATION = ("replay", "early", "parts")
"""
What these do, a network does that loses nothing and keeps each message for ever.

The explorer's is such a one; there they would only multiply the states.
"""


class UnknownStrategyError(MultipaxosError, ValueError):
    """A strategy is not known, or may not be left out; the message says which are."""


def strategy_names(*, master: bool, without: Sequence[str] = ()) -> tuple[str, ...]:
    """
    Return the strategies of a server, outermost first.

    *master* adds those that seek mastership and use it; *without* leaves some out, to see what they
    are for. Raises UnknownStrategyError.
    """
    removable = [name for name in STRATEGIES if name not in INDISPENSABLE]
    for name in without:
        if name not in removable:
            msg = f"{name!r} cannot be left out; these can: {', '.join(removable)}"
            raise UnknownStrategyError(msg)
    return tuple(
        name for name in STRATEGIES if name not in without and (master or name not in MASTER_ONLY)
    )


def compose(strategies: Sequence[str], *, bug: str | None = None) -> type[BaseReplicatedValue]:
    """
    Weave a class from *strategies*, given by name in any order. Raises UnknownStrategyError.

    Each strategy extends the hooks of the ones after it, down to the passive base. With *bug*, the
    class is wrong on purpose: the bug's mixin comes outermost, its roles and quorums take the place
    of the right ones. Raises UnknownBugError.
    """
    for name in strategies:
        if name not in STRATEGIES:
            msg = f"{name!r} is no strategy; these are: {', '.join(STRATEGIES)}"
            raise UnknownStrategyError(msg)
    layers = [mixin for name, mixin in STRATEGIES.items() if name in strategies]
    layers.append(BaseReplicatedValue)
    if bug is None:
        return type("ReplicatedValue", tuple(layers), {})
    return _weave_in(find_bug(bug), layers)


def _weave_in(bug: Bug, layers: list[type[BaseReplicatedValue]]) -> type[BaseReplicatedValue]:
    changed: dict[str, object] = {}
    if bug.roles is not None:
        changed["roles"] = bug.roles
    quorums_of = bug.quorums
    if quorums_of is not None:

        def choose_quorums(value: BaseReplicatedValue) -> Quorums:
            return quorums_of(value.membership.servers)

        changed["choose_quorums"] = choose_quorums
    if bug.mixin is not None:
        layers = [bug.mixin, *layers]
    return type("BrokenReplicatedValue", tuple(layers), changed)


def describe(replica_class: type[BaseReplicatedValue]) -> str:
    """Return the stack that *replica_class* is woven from, one strategy a line, outermost first."""
    # The woven classes themselves have no docstring, and nothing to say.
    return "\n".join(
        f"{layer.__name__:<20} {layer.__doc__.strip().splitlines()[0]}"
        for layer in replica_class.__mro__
        if issubclass(layer, BaseReplicatedValue) and layer.__doc__ is not None
    )
