"""What survives a crash: one frozen value, and the history of decided links beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from composable_paxos import AcceptorState
from multipaxos.chain.links import Founders, Founding, Link, NewMaster
from multipaxos.chain.state_machine import Result, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The newest request of one client that is in the chain: *sequence*, its *link*, *result*."""

    sequence: int
    link: int
    result: Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """
    All that the links so far amount to; equal on every server at the same instance.

    *value* is the state machine's state. *sessions*, by client and least recently used first, is
    never changed in place; requests in links below *forgotten_before*
    may be remembered no more. *master* is the newest NewMaster link.
    """

    value: State = None
    sessions: Mapping[str, Session] = field(default_factory=dict)
    forgotten_before: int = 0
    master: NewMaster | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DurableState:
    """
    What a server must remember across a crash; saved as one.

    *instance* is the link in progress and *acceptor* this server's votes on it. It votes on no
    link below *votes_from*, because it may have forgotten a vote there. *birth* names the life that
    began when the server had no memory; *founders* are those it founded a chain with, if it did;
    *founding* is link 0, once known.
    """

    birth: str
    founders: Founders = ()
    founding: Founding | None = None
    instance: int = 0
    votes_from: int = 0
    acceptor: AcceptorState = field(default_factory=AcceptorState)
    snapshot: Snapshot = field(default_factory=Snapshot)

    @property
    def chain_id(self) -> str:
        """The chain's name; empty until link 0 is known."""
        return "" if self.founding is None else self.founding.chain_id


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedLink:
    """A link for the history: its number and what it holds."""

    number: int
    link: Link
