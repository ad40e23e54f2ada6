"""Proposal numbers: they order the attempts to get a value chosen."""

from typing import NamedTuple, TypeAlias

PeerID: TypeAlias = str
"""The name of a server, unique in its cluster: ``A``, ``B``, ``C`` ..."""


class ProposalID(NamedTuple):
    """
    A proposal's number, made unique by the name of the server that issues it.

    Ordered by *number*, then by *uid*, so that any two proposals compare and no two servers can
    issue the same one. (Paxos Made Simple, 2.2: "different proposals have different numbers")
    """

    number: int
    uid: PeerID

    def __str__(self) -> str:
        """Write the proposal as the literature does: ``2.A``."""
        return f"{self.number}.{self.uid}"


LOWEST = ProposalID(0, "")
"""Below every proposal that a server can issue: "nothing promised", "nothing accepted"."""
