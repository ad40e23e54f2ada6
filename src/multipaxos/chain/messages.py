"""
The messages between servers beyond Paxos itself, and the envelope that carries every message.

As in :mod:`composable_paxos.messages`, a verb asks or tells, a participle answers.
"""

from dataclasses import dataclass
from typing import TypeAlias

from composable_paxos import Message, PeerID, ProposalID
from multipaxos.chain.durable import DecidedLink, Snapshot
from multipaxos.chain.links import Founders, Founding
from multipaxos.chain.requests import RequestID, Update
from multipaxos.chain.state_machine import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """
    Any server to a random other: the envelope says which link I am at; help whoever is behind.

    *votes_from*, where it lies above the envelope's instance, says that the sender must sit out the
    links below it and waits for them to be closed.
    """

    votes_from: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchUp:
    """Server to one that is behind: all that the links below the envelope's instance amount to."""

    founding: Founding
    snapshot: Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Server to one that is a little behind: the *links* from yours on, one after the other."""

    links: tuple[DecidedLink, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotPart:
    """
    Server to one that is far behind: a part of what the links below *at* amount to.

    Part *number* 0 of the *snapshot* has no entries of its state, each other part has nothing but
    some of them. One of them *is last*; the receiver asks for the others.
    """

    founding: Founding
    at: int
    number: int
    is_last: bool
    snapshot: Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchPart:
    """Server that is far behind to its helper: send me part *number* of the snapshot at *at*."""

    at: int
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherChain:
    """Server to one whose envelope named another chain: mine is the envelope's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """Server to the master: propose these updates of my clients."""

    updates: tuple[Update, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """Master to the server that forwarded a read: its *result*, as of *link*."""

    request_id: RequestID
    link: int
    result: Result


@dataclass(frozen=True, slots=True, kw_only=True)
class WhereAreYou:
    """Server without memory to all others: which link are you at? *birth* names my present life."""

    birth: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IAmAt:
    """
    Any server to one without memory, in answer to the question it asked in its life *asked_in*.

    *birth* is the answering server's own. It is a *newborn* if it began without state and has
    accepted nothing since. *may_have_voted_on* is the highest link on which it may have voted,
    *founders* are those whom it founds a chain with, *founding* is the chain's first link, where
    known.
    """

    asked_in: str
    birth: str
    newborn: bool
    may_have_voted_on: int
    founders: Founders
    founding: Founding | None


ChainMessage: TypeAlias = (
    Sync
    | CatchUp
    | Decided
    | SnapshotPart
    | FetchPart
    | OtherChain
    | Forward
    | Answered
    | WhereAreYou
    | IAmAt
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """
    A message on its way from *sender* to *receiver*, about link *instance* of one chain.

    *cluster* is the configured name; *chain_id* is empty until the sender knows link 0.
    *decided_by* is the proposal under which the link before *instance* was decided; None where the
    sender does not say.
    """

    cluster: str
    chain_id: str
    instance: int
    sender: PeerID
    receiver: PeerID
    message: Message | ChainMessage
    decided_by: ProposalID | None = None
