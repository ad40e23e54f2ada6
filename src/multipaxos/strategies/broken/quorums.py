"""Quorums that are wrong on purpose: two of them may have no acceptor in common."""

from collections.abc import Collection
from typing import Self

from typing_extensions import override

from composable_paxos import PeerID, Quorums


class _UncheckedQuorums(Quorums):
    """Quorums of any size: the ones of :mod:`composable_paxos` refuse those that do not meet."""

    @override
    def __post_init__(self) -> None:
        """Refuse nothing."""


class PromisesOfTooFew(_UncheckedQuorums):
    """
    Takes a minority's promises for enough.

    Mistake: "phase 1 only clears the way, so a few promises do". The few may not be among those
    that accepted the chosen value, and then report nothing.

    Rule: every quorum that promises meets every quorum that accepts: with promises of 1 and
    acceptances of 2 of 3 they need not (Flexible Paxos, Howard et al., 2016, section 3).

    Met: where flexible quorums are configured as two numbers and nobody adds them up; the safe way
    round, 3 promises and 1 acceptance, looks just as odd.
    """

    @classmethod
    def of(cls, acceptors: Collection[PeerID]) -> Self:
        """Take less than half of *acceptors* for phase 1, a majority for phase 2."""
        size = len(set(acceptors))
        return cls(
            acceptors=frozenset(acceptors),
            promise_size=max(1, (size - 1) // 2),
            accept_size=size // 2 + 1,
        )


class HalfIsEnough(_UncheckedQuorums):
    """
    Takes half of the servers for a majority.

    Mistake: a number of acceptors is compared with ``>=`` instead of ``>``, or rounded down. Two
    halves of a cluster cut in the middle decide each for itself.

    Rule: a majority is more than half, so that any two have an acceptor in common (Paxos Made
    Simple, 2.1).

    Met: in clusters that grew from three to four, or that span two data centres evenly; with an odd
    number of servers the mistake never shows.
    """

    @classmethod
    def of(cls, acceptors: Collection[PeerID]) -> Self:
        """Take half of *acceptors*, rounded up, for both phases."""
        half = (len(set(acceptors)) + 1) // 2
        return cls(acceptors=frozenset(acceptors), promise_size=half, accept_size=half)


class EitherMembership(_UncheckedQuorums):
    """
    Counts with the old members or with the new.

    Mistake: the members change from A, B, C to C, D, E, "in the configuration file, one server
    after the other". Meanwhile A and B are a majority of the old ones, and D and E are one of the
    new ones. Each pair decides without the other.

    Rule: a change of the members is itself decided in the chain, and takes effect some links later;
    or the members change one at a time, so that an old and a new majority have a server in common
    (Lamport, Malkhi, Zhou, Reconfiguring a State Machine, 2010, section 3).

    Met: where a cluster is moved to other machines by editing a list; in early versions of systems
    whose members could be added two at a time.
    """

    @classmethod
    def of(cls, acceptors: Collection[PeerID]) -> Self:
        """Take the first half of *acceptors* for the old members, the last half for the new."""
        part = len(set(acceptors)) // 2 + 1
        majority = part // 2 + 1
        return cls(acceptors=frozenset(acceptors), promise_size=majority, accept_size=majority)

    @override
    def have_promised(self, uids: Collection[PeerID]) -> bool:
        """Tell whether *uids* are a majority of the old members, or of the new ones."""
        members = sorted(self.acceptors)
        part = len(members) // 2 + 1
        return any(
            len(set(membership).intersection(uids)) >= self.promise_size
            for membership in (members[:part], members[-part:])
        )

    @override
    def have_accepted(self, uids: Collection[PeerID]) -> bool:
        """Tell the same of those that accepted."""
        return self.have_promised(uids)
