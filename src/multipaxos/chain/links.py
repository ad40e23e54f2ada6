"""What one link of the chain can hold. Tagged by kind, so that no kind is taken for another."""

from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

from composable_paxos import PeerID
from multipaxos.chain.requests import Update

Founders: TypeAlias = tuple[tuple[PeerID, str], ...]
"""Servers that began without memory, each with the *birth* that names that life."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Founding:
    """
    Link 0: gives the chain its name.

    The *founders* may vote from this link on: they cannot have forgotten a vote. *machine_kind* is
    the kind of state machine that the chain was begun for.
    """

    chain_id: str
    machine_kind: str
    founders: Founders


@dataclass(frozen=True, slots=True, kw_only=True)
class Updates:
    """Commands for the state machine, applied in this order."""

    updates: tuple[Update, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMaster:
    """
    Elects *uid*, or renews its lease, for *lease_seconds* on every server's own clock.

    The *bid* lets the proposer tell this very proposal from one that it made before a crash.
    """

    uid: PeerID
    lease_seconds: float
    bid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """A link that decides nothing: it closes an instance (the literature's no-op)."""


Link: TypeAlias = Founding | Updates | NewMaster | Nothing


UPDATE_CHARACTERS = 160
"""What an update takes beside its arguments, in a message as in memory: about, and at most."""


def characters_of(link: Link) -> int:
    """Return about how many characters *link* takes in a message; its values make it long."""
    if not isinstance(link, Updates):
        return UPDATE_CHARACTERS
    arguments = chain.from_iterable(update.command for update in link.updates)
    return UPDATE_CHARACTERS * len(link.updates) + sum(map(len, arguments))
