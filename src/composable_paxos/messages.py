"""
The messages of single-decree Paxos, all of them.

A verb that asks is a request, a participle answers it. A reply names the *acceptor* that gives it;
a request needs no sender, because the proposal's *uid* is the proposer, and that is where
:class:`Promise` and :class:`Nack` go.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

from composable_paxos.proposal_id import PeerID, ProposalID

Value: TypeAlias = Any
"""What the servers agree on. Opaque here: carried and compared, never looked into; not None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepare:
    """Phase 1a, proposer to acceptors: promise to ignore everything below this number."""

    proposal_id: ProposalID


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """
    Phase 1b, acceptor to proposer: promised, and this is what I accepted last.

    *accepted_id* is ``LOWEST`` and *accepted_value* None where nothing was accepted.
    """

    acceptor: PeerID
    proposal_id: ProposalID
    accepted_id: ProposalID
    accepted_value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept:
    """Phase 2a, proposer to acceptors: accept this value under this number."""

    proposal_id: ProposalID
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """
    Phase 2b, acceptor to learners: I accepted this value under this number.

    *value* may be None, for learners that can know it: a number stands for one value, and whoever
    accepted the same proposal holds it.
    """

    acceptor: PeerID
    proposal_id: ProposalID
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Nack:
    """
    Acceptor to proposer: refused, because I promised *promised_id*.

    Not needed for safety; it spares the proposer a wait. (Paxos Made Simple, 2.2)
    """

    acceptor: PeerID
    proposal_id: ProposalID
    promised_id: ProposalID


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """Not sent: a learner's finding that *value* is chosen, and by which *acceptors*."""

    proposal_id: ProposalID
    value: Value
    acceptors: frozenset[PeerID]


Message: TypeAlias = Prepare | Promise | Accept | Accepted | Nack
