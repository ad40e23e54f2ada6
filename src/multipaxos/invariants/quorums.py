"""
The quorums in use: which sets of servers each server takes for enough (I6).

Nothing here knows how a quorum is counted. Each server is asked about every set of servers, once;
from then on the answers are looked up.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import combinations
from typing import Protocol

from composable_paxos import PeerID
from multipaxos.invariants.names import QUORUMS_INTERSECT
from multipaxos.invariants.violation import InvariantViolation


class Quorums(Protocol):
    """What tells whether a set of servers suffices for each phase."""

    def have_promised(self, uids: Collection[PeerID]) -> bool:
        """Tell whether the promises of *uids* suffice to ask for acceptance."""

    def have_accepted(self, uids: Collection[PeerID]) -> bool:
        """Tell whether a proposal that *uids* accepted is chosen."""


class Majorities:
    """More than half of *servers*, for both phases: what is assumed of who says nothing."""

    def __init__(self, servers: Collection[PeerID]) -> None:
        """Count these."""
        self.servers = frozenset(servers)

    def have_promised(self, uids: Collection[PeerID]) -> bool:
        """Tell whether *uids* are more than half."""
        return 2 * len(self.servers.intersection(uids)) > len(self.servers)

    def have_accepted(self, uids: Collection[PeerID]) -> bool:
        """Tell whether *uids* are more than half."""
        return self.have_promised(uids)


class QuorumsInUse:
    """
    What each of the *servers* takes for a quorum; sets of servers are bits of a number.

    State: for each server and phase, one answer for every set. Until a server says otherwise it
    uses majorities.
    """

    def __init__(self, servers: Sequence[PeerID]) -> None:
        """Begin with majorities of *servers*."""
        self.servers = tuple(servers)
        self.bits = {uid: 1 << place for place, uid in enumerate(self.servers)}
        self._used: dict[PeerID, Quorums] = {}
        majorities = Majorities(self.servers)
        suffices = self._table(majorities.have_promised)
        self._promising = dict.fromkeys(self.servers, suffices)
        self._accepting = dict.fromkeys(self.servers, suffices)
        self.chosen = suffices
        """For every set whether some server takes what it accepted for chosen."""

    def use(self, uid: PeerID, quorums: Quorums) -> None:
        """Let *uid* use *quorums* from now on."""
        if self._used.get(uid) == quorums:
            return
        self._used[uid] = quorums
        alike = next((u for u, q in self._used.items() if u != uid and q == quorums), None)
        if alike is None:
            self._promising[uid] = self._table(quorums.have_promised)
            self._accepting[uid] = self._table(quorums.have_accepted)
        else:
            self._promising[uid] = self._promising[alike]
            self._accepting[uid] = self._accepting[alike]
        self.chosen = bytes(map(max, zip(*self._accepting.values(), strict=True)))

    def may_ask(self, uid: PeerID, promised_by: int) -> bool:
        """Tell whether the promises of *promised_by* suffice for *uid* to ask for acceptance."""
        return bool(self._promising[uid][promised_by])

    def quorums_within(self, uid: PeerID, able: int) -> Iterator[int]:
        """Yield the smallest sets within *able* whose promises suffice for *uid*."""
        yield from _smallest(self._promising[uid], able)

    def names(self, members: int) -> tuple[PeerID, ...]:
        """Return the uids of *members*."""
        return tuple(uid for uid, bit in self.bits.items() if members & bit)

    def check(self) -> None:
        """I6: every set that suffices to promise meets every set that suffices to accept."""
        everybody = (1 << len(self.servers)) - 1
        for asker, promising in self._promising.items():
            for promised_by in _smallest(promising, everybody):
                for counter, accepting in self._accepting.items():
                    if accepting[everybody & ~promised_by]:
                        apart = next(_smallest(accepting, everybody & ~promised_by))
                        self._violate(asker, promised_by, counter, apart)

    def _violate(self, asker: PeerID, promised_by: int, counter: PeerID, apart: int) -> None:
        raise InvariantViolation(
            QUORUMS_INTERSECT,
            None,
            f"{asker} takes the promises of {self.shown(promised_by)} for a quorum, and "
            f"{counter} takes the acceptances of {self.shown(apart)} for one: no server is in both",
        )

    def shown(self, members: int) -> str:
        """Write *members* as people do: ``A, B and C``."""
        return in_words(self.names(members))

    def others(self, members: int) -> str:
        """Write who is not among *members*."""
        return self.shown((1 << len(self.servers)) - 1 & ~members)

    def _table(self, suffices: Callable[[Collection[PeerID]], bool]) -> bytes:
        return bytes(suffices(self.names(members)) for members in range(1 << len(self.servers)))


def in_words(names: Sequence[PeerID]) -> str:
    """Join *names* with commas and a last "and"; "nobody" if there are none."""
    if len(names) <= 1:
        return names[0] if names else "nobody"
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _smallest(suffices: bytes, within: int) -> Iterator[int]:
    """Yield the sets that suffice and of which no part does, the fewest members first."""
    bits = [1 << place for place in range(within.bit_length()) if within >> place & 1]
    found: list[int] = []
    for size in range(len(bits) + 1):
        for members in combinations(bits, size):
            whole = sum(members)
            if suffices[whole] and not any(part & whole == part for part in found):
                found.append(whole)
                yield whole
