"""The judge of the roles model: holds what was sent and what is on disk against the rules."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
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
from multipaxos.invariants.names import RESOLVED_MEANS_CHOSEN

Proposal: TypeAlias = tuple[ProposalID, Value]
View: TypeAlias = tuple[ProposalID, Proposal | None]
"""What is looked at of one server: what it has promised, on disk, and what it resolved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """
    What there is to say of some proposals and views.

    *broken* is the first broken rule, *chosen* what was chosen, and *heard* the acceptances that
    mislead a learner, if that is what is broken.
    """

    broken: tuple[str, str] | None
    chosen: Mapping[Proposal, tuple[PeerID, ...]]
    heard: tuple[Accepted, ...] = ()


class Judge:
    """Judges by the rules *checked*; *learners* are asked what to expect of learners apart."""

    def __init__(self, uids: tuple[PeerID, ...], quorums: Quorums, checked: frozenset[str]) -> None:
        self.uids = uids
        self.quorums = quorums
        self.checked = checked
        self.apart = quorums_apart(quorums)

    def judge(
        self,
        messages: Iterable[Accept | Accepted],
        views: tuple[View, ...],
        learners: Learners | None,
    ) -> Verdict:
        """Return the verdict on a state with these *messages* and *views*."""
        proposals = list(messages)
        accepted = [message for message in proposals if isinstance(message, Accepted)]
        chosen = choices(accepted, self.quorums)
        believed = self._believed(accepted, views, learners)
        broken = next(
            (
                found
                for rule in self._rules(proposals, accepted, chosen, views, believed)
                if (found := rule()) is not None and found[0] in self.checked
            ),
            None,
        )
        misled = broken is not None and broken[0] == RESOLVED_MEANS_CHOSEN and wrong is not None
        return Verdict(broken=broken, chosen=chosen, heard=wrong.heard if misled and wrong else ())

    def _rules(
        self,
        proposals: list[Accept | Accepted],
        accepted: list[Accepted],
        chosen: Mapping[Proposal, tuple[PeerID, ...]],
        views: tuple[View, ...],
        believed: list[Belief],
    ) -> Iterator[Callable[[], tuple[str, str] | None]]:
        requests = [message for message in proposals if isinstance(message, Accept)]
        wrong = _unfounded(believed, chosen)
        promised = {uid: view[0] for uid, view in zip(self.uids, views, strict=True)}
        yield lambda: self.apart
        yield lambda: number_reused(proposals)
        yield lambda: unsafe_request(requests, accepted, promised, self.quorums)
        yield lambda: two_chosen(chosen)
        yield lambda: None if wrong is None else _misled(wrong)
        yield lambda: _at_odds(believed)

    def _believed(
        self, accepted: list[Accepted], views: tuple[View, ...], learners: Learners | None
    ) -> list[Belief]:
        if learners is not None:
            return learners.beliefs(accepted)
        return [Belief(*view[1], ()) for view in views if view[1] is not None]


def _misled(belief: Belief) -> tuple[str, str]:
    return (
        RESOLVED_MEANS_CHOSEN,
        f"a learner resolves {belief.value} as {belief.proposal_id}, which no quorum has accepted",
    )
