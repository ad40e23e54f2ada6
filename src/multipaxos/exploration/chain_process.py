"""
A real server's process as a value: copied before it is touched, and told apart by all it holds.

Exploration goes back and forth between thousands of states of one server. Each is a real object of
a composed class, built once; an event runs on a copy. The copy shares what cannot change, and
nothing else: an object that two states shared would carry news from one branch of time into
another, and hide violations.
"""

from collections import deque
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, fields, replace
from enum import Enum
from random import Random
from typing import Any, TypeVar, cast

from typing_extensions import override

from composable_paxos import PaxosInstance
from multipaxos.chain.durable import DurableState
from multipaxos.chain.effects import LocalRead, Outbox, SetTimer, Timer
from multipaxos.chain.replicated_value import BaseReplicatedValue

T = TypeVar("T")

SHARED = frozenset({"membership", "settings", "machine", "quorums", "rng"})
"""Attributes that are given to every object of a server and never changed, or set anew by us."""

IRRELEVANT = SHARED | {
    "_durable",  # a copy of what stands in other attributes, kept to compare faster
    "_durable_parts",  # the same
    "saved",  # what is on the disk
    "backoff_seconds",  # how long a timer runs: here each may fire at any moment
    "asked",  # whether a Sync is on its way: see NEEDLESS
}
"""Attributes that make no difference to what a server does next in this model."""

NEEDLESS = frozenset({Timer.SYNC, Timer.CATCH_UP})
"""
Timers that serve nothing but the question who is behind, which is always asked here.

Each server greets all others when it starts, and the network keeps that greeting for ever. So a
server at a later link can answer it at any moment with what the links so far amount to. Any other
Sync gets the same answer, and has no other effect; that it is sent, when, and by whom makes no
difference to what can happen.
"""

NAME_BITS = 64

ATOMS = (str, int, float, bytes, bool, type(None), Enum)


class Chance(Random):
    """
    The chance that a process is given: without surprise, and part of its state.

    Delays make no difference, as a timer may fire at any moment. A name is built from the server,
    the life and the link in which it is drawn, and how many were drawn there before: as unique as
    64 random bits, and the same whatever happened elsewhere before.
    """

    def __init__(self, *, server: int, life: int, drawn: tuple[int, int]) -> None:
        """Go on after the draws of the *life* so far: *drawn* is the last one's link and count."""
        super().__init__(0)
        self.server = server
        self.life = life
        self.drawn = drawn
        self.owner: BaseReplicatedValue | None = None

    @override
    def uniform(self, a: float, b: float) -> float:
        """Return *a*: timers fire at any moment anyway."""
        return a

    @override
    def choice(self, seq: Any) -> Any:
        """Refuse: a choice would have to be explored, and the only one there is serves SYNC."""
        raise NotImplementedError(f"a choice among {seq}")

    @override
    def getrandbits(self, k: int, /) -> int:
        """Draw a name of *k* = 64 bits: 16 each for server, life, link and count."""
        assert k == NAME_BITS, "only names are drawn"
        assert self.owner is not None, "the chance belongs to a process"
        link, count = self.drawn
        instance = self.owner.instance
        self.drawn = (instance, count + 1 if instance == link else 1)
        return (self.server + 1) << 48 | self.life << 32 | instance << 16 | self.drawn[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """
    One server between two events.

    *replica* is the protocol's object; whoever calls it works on a :func:`copy_of`. The *disk* is
    what was saved last, *timers* are those that run, *reads* wait for a look at the clock, *life*
    counts the restarts, *drawn* is the newest draw of a name; *halted* once the server stopped.
    """

    replica: BaseReplicatedValue
    disk: DurableState
    timers: frozenset[Timer] = frozenset()
    reads: tuple[LocalRead, ...] = ()
    life: int = 0
    drawn: tuple[int, int] = (0, 0)
    halted: bool = False

    def key(self) -> Hashable:
        """Return what tells this process from others; equal keys behave equally."""
        return (
            value_of(self.replica),
            value_of(self.disk),
            self.timers,
            value_of(self.reads),
            self.life,
            self.drawn,
            self.halted,
        )

    def after(self, outbox: Outbox) -> "Process":
        """Return the process after its driver performed *outbox*."""
        timers = set(self.timers)
        for change in outbox.timers:
            timers.discard(change.timer)
            if isinstance(change, SetTimer) and change.timer not in NEEDLESS:
                timers.add(change.timer)
        return replace(
            self,
            disk=self.disk if outbox.save is None else outbox.save.state,
            timers=frozenset(timers),
            reads=outbox.reads + self.reads,
            halted=self.halted or outbox.halt is not None,
        )


def copy_of(value: T) -> T:
    """
    Return *value* as a copy that shares only what cannot change.

    Raises TypeError for a kind of object that is not known here: rather than share it in silence.
    """
    return cast("T", _copy(value))


def _copy(value: Any) -> Any:
    kind = type(value)
    if isinstance(value, ATOMS):
        return value
    if kind is dict:
        return {key: _copy(item) for key, item in value.items()}
    if kind is set:
        return set(value)
    if kind in (list, tuple, deque):
        return kind(_copy(item) for item in value)
    if kind is frozenset or isinstance(value, tuple) or _is_frozen(value):
        return value
    if isinstance(value, BaseReplicatedValue | PaxosInstance):
        twin = object.__new__(kind)
        for name, item in vars(value).items():
            vars(twin)[name] = item if name in SHARED else _copy(item)
        return twin
    raise TypeError(f"cannot copy a {kind.__name__}: say here how")


def value_of(value: Any) -> Hashable:
    """
    Return what is equal for equal contents of *value*, hashable, and not changed with it.

    The order of a dictionary is part of it: the queue's is that of the proposals to come.
    """
    found: Hashable
    if isinstance(value, BaseReplicatedValue | PaxosInstance):
        attributes = sorted(vars(value).items())
        found = tuple((name, value_of(item)) for name, item in attributes if name not in IRRELEVANT)
    elif isinstance(value, Mapping):
        found = tuple((key, value_of(item)) for key, item in value.items())
    elif type(value) in (tuple, list, deque):
        found = tuple(map(value_of, value))
    elif type(value) in (set, frozenset):
        found = frozenset(map(value_of, value))
    elif isinstance(value, (*ATOMS, tuple)):
        found = value
    elif _is_frozen(value):
        found = _value_of_frozen(value)
    else:
        raise TypeError(f"cannot tell a {type(value).__name__} from others: say here how")
    return found


def _value_of_frozen(value: Any) -> Hashable:
    try:
        hash(value)
    except TypeError:
        return type(value), *(value_of(getattr(value, field.name)) for field in fields(value))
    return cast("Hashable", value)


def _is_frozen(value: Any) -> bool:
    parameters = getattr(type(value), "__dataclass_params__", None)
    return parameters is not None and bool(parameters.frozen)
