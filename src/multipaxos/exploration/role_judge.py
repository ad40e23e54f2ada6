"""The judge of the roles model: holds what was sent and what is on disk against the rules."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

from composable_paxos import Accept, Accepted, PeerID, ProposalID, Quorums, Value
from multipaxos.exploration.role_checks import (
    choices,
    number_reused,
    quorums_apart,
    two_chosen,
    unsafe_request,
)
from multipaxos.exploration.role_learners import Belief, Learners
from multipaxos.invariants.names import AGREEMENT, RESOLVED_MEANS_CHOSEN

Proposal: TypeAlias = tuple[ProposalID, Value]
View: TypeAlias = tuple[ProposalID, Proposal | None]
"""What is looked at of one server: what it has promised, on disk, and what it resolved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """
    What there is to say of some proposals and views.

    *broken* is the first broken rule, *chosen* what was chosen, and *beliefs* those of learners, if
    they are what is wrong.
    """

    broken: tuple[str, str] | None
    chosen: Mapping[Proposal, tuple[PeerID, ...]]
    beliefs: tuple[Belief, ...] = ()


class Judge:
    """Judges by the rules *checked*, in the order in which one leads to the next."""

    def __init__(self, uids: tuple[PeerID, ...], quorums: Quorums, checked: frozenset[str]) -> None:
        """Judge servers *uids* that count with *quorums*."""
        self.uids = uids
        self.quorums = quorums
        self.checked = checked
        self.apart = quorums_apart(quorums)

    def judge(
        self,
        proposals: Sequence[Accept | Accepted],
        views: tuple[View, ...],
        learners: Learners | None,
    ) -> Verdict:
        """
        Return the verdict on a state with these *proposals* and *views*.

        With *learners*, they say what a learner may come to believe; without, the views do.
        """
        accepted = [message for message in proposals if isinstance(message, Accepted)]
        chosen = choices(accepted, self.quorums)
        if learners is not None:
            beliefs = learners.beliefs(accepted)
        else:
            beliefs = [Belief(*view[1], ()) for view in views if view[1] is not None]
        for broken, wrong in self._broken(proposals, accepted, chosen, views, beliefs):
            if broken is not None and broken[0] in self.checked:
                return Verdict(broken=broken, chosen=chosen, beliefs=wrong)
        return Verdict(broken=None, chosen=chosen)

    def _broken(
        self,
        proposals: Sequence[Accept | Accepted],
        accepted: Sequence[Accepted],
        chosen: Mapping[Proposal, tuple[PeerID, ...]],
        views: tuple[View, ...],
        beliefs: Sequence[Belief],
    ) -> Iterator[tuple[tuple[str, str] | None, tuple[Belief, ...]]]:
        requests = [message for message in proposals if isinstance(message, Accept)]
        promised = {uid: view[0] for uid, view in zip(self.uids, views, strict=True)}
        yield self.apart, ()
        yield number_reused(proposals), ()
        yield unsafe_request(requests, accepted, promised, self.quorums), ()
        yield two_chosen(chosen), ()
        yield from _unfounded(beliefs, chosen)
        yield from _at_odds(beliefs)


def _unfounded(
    beliefs: Iterable[Belief], chosen: Mapping[Proposal, tuple[PeerID, ...]]
) -> Iterator[tuple[tuple[str, str], tuple[Belief, ...]]]:
    for belief in beliefs:
        if (belief.proposal_id, belief.value) not in chosen:
            text = (
                f"a learner resolves {belief.value} as {belief.proposal_id}, "
                "which no quorum has accepted"
            )
            yield (RESOLVED_MEANS_CHOSEN, text), (belief,)


def _at_odds(
    beliefs: Sequence[Belief],
) -> Iterator[tuple[tuple[str, str], tuple[Belief, ...]]]:
    for one, other in combinations(beliefs, 2):
        if one.value != other.value:
            text = (
                f"one learner resolves {one.value} as {one.proposal_id}, "
                f"another {other.value} as {other.proposal_id}"
            )
            yield (AGREEMENT, text), (one, other)
