"""Quorums: how many acceptors must agree, so that any two decisions have a witness in common."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from composable_paxos.proposal_id import PeerID


@dataclass(frozen=True, slots=True, kw_only=True)
class Quorums:
    """
    The sets of *acceptors* that suffice for each phase, given by their sizes.

    Invariant (QuorumsIntersect): every quorum that promises meets every quorum that accepts. Two
    quorums of one phase need not meet. (Flexible Paxos, Howard et al., 2016, section 3)
    """

    acceptors: frozenset[PeerID]
    promise_size: int
    accept_size: int

    def __post_init__(self) -> None:
        """Refuse sizes that leave two quorums without a common acceptor: ValueError."""
        size = len(self.acceptors)
        if not (1 <= self.promise_size <= size and 1 <= self.accept_size <= size):
            msg = f"a quorum has between 1 and {size} of the {size} acceptors"
            raise ValueError(msg)
        if self.promise_size + self.accept_size <= size:
            msg = (
                f"{self.promise_size} promises and {self.accept_size} acceptances of {size} "
                "acceptors may have no acceptor in common: their sum must exceed the acceptors"
            )
            raise ValueError(msg)

    @classmethod
    def majority(cls, acceptors: Collection[PeerID]) -> Self:
        """Take more than half of *acceptors* for both phases, as in Paxos Made Simple."""
        size = len(set(acceptors)) // 2 + 1
        return cls(acceptors=frozenset(acceptors), promise_size=size, accept_size=size)

    def have_promised(self, uids: Collection[PeerID]) -> bool:
        """Tell whether the acceptors among *uids* are a quorum for phase 1."""
        return len(self.acceptors.intersection(uids)) >= self.promise_size

    def have_accepted(self, uids: Collection[PeerID]) -> bool:
        """Tell whether the acceptors among *uids* are a quorum for phase 2."""
        return len(self.acceptors.intersection(uids)) >= self.accept_size
