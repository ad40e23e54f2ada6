"""The proposals of a run: who promised, what was reported, who accepted."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from composable_paxos import ProposalID
from multipaxos.lab.explain.words import NOTHING
from multipaxos.trace import parse_proposal

BALLOTS_MAX = 1000
"""So many proposals of one link are remembered: more are no run, but an attack on its reader."""
VOTERS_MAX = 100
"""So many servers' votes on one proposal are."""


@lru_cache(maxsize=4096)
def rank(proposal_id: str) -> ProposalID:
    """Return the proposal that is written as *proposal_id*, to compare it with others."""
    return parse_proposal(proposal_id)


def proposer_of(proposal_id: str) -> str:
    """Return who issued *proposal_id*."""
    return rank(proposal_id).uid


@dataclass(frozen=True, slots=True)
class Report:
    """What an acceptor says in its promise: the proposal that it *accepted* last, its *value*."""

    accepted: str
    value: Any


@dataclass(slots=True)
class Ballot:
    """
    One proposal of one link, as far as the trace has told of it.

    Who *promised* it and when it reached the proposer, with the report; who *accepted* it, and at
    which place of the trace; who *refused* it, as far as the proposer knows; the *value* that it
    stands for, and the place where it was *asked* for first, None before that.
    """

    link: int
    proposal_id: str
    promised: dict[str, Report] = field(default_factory=dict)
    accepted: dict[str, int] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    value: Any = None
    asked: int | None = None

    def promise(self, uid: str, report: Report) -> None:
        """Note that the promise of *uid* reached the proposer: the first one counts."""
        if len(self.promised) < VOTERS_MAX:
            self.promised.setdefault(uid, report)

    def accept(self, uid: str, place: int) -> None:
        """Note that *uid* has accepted, as is told at *place*."""
        if len(self.accepted) < VOTERS_MAX:
            self.accepted.setdefault(uid, place)

    def refuse(self, uid: str, promised: str) -> None:
        """Note that the proposer knows of the refusal of *uid*, which has *promised* more."""
        if len(self.refused) < VOTERS_MAX:
            self.refused[uid] = promised

    @property
    def proposer(self) -> str:
        """The server that issued the number."""
        return proposer_of(self.proposal_id)

    @property
    def is_number_one(self) -> bool:
        """Whether it is the number that belongs to the master."""
        return rank(self.proposal_id).number == 1

    @property
    def binding(self) -> tuple[str, Report] | None:
        """The highest acceptance that was reported, and by whom; None if there was none."""
        bound = [one for one in self.promised.items() if one[1].accepted != NOTHING]
        return max(bound, key=lambda one: rank(one[1].accepted), default=None)


class Ballots:
    """
    All proposals of a run, by link and number.

    State: the ballots; those of each link, in the order in which they were met.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._by_link: dict[int, dict[str, Ballot]] = {}

    def of(self, link: int, proposal_id: str) -> Ballot:
        """Return the ballot *proposal_id* of *link*, a new one when it is met first."""
        ballots = self._by_link.setdefault(link, {})
        ballot = ballots.get(proposal_id)
        if ballot is None:
            ballot = Ballot(link, proposal_id)
            if len(ballots) < BALLOTS_MAX:
                ballots[proposal_id] = ballot
        return ballot

    def find(self, link: int, proposal_id: str) -> Ballot | None:
        """Return that ballot if it was met."""
        return self._by_link.get(link, {}).get(proposal_id)

    def in_link(self, link: int) -> Mapping[str, Ballot]:
        """Return all ballots of *link*."""
        return self._by_link.get(link, {})

    def accepted_below(self, link: int, proposal_id: str) -> Ballot | None:
        """Return the highest ballot below *proposal_id* that anybody has accepted."""
        below = [
            ballot
            for ballot in self.in_link(link).values()
            if ballot.accepted and rank(ballot.proposal_id) < rank(proposal_id)
        ]
        return max(below, key=lambda ballot: rank(ballot.proposal_id), default=None)

    def numbers(self, link: object) -> Collection[str]:
        """Return the numbers that were met in *link*; in any link, if it is None."""
        if isinstance(link, int):
            return self._by_link.get(link, {}).keys()
        return {number for ballots in self._by_link.values() for number in ballots}
