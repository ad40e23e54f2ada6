"""Learners on their own: what one of them may come to believe, for each set of acceptances."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from composable_paxos import Accepted, Learner, PaxosInstance, ProposalID, Quorums, Value
from multipaxos.exploration.copies import copy_of, frozen


class Belief(NamedTuple):
    """A *value* that a learner resolves, as proposal *proposal_id*, after hearing of *heard*."""

    proposal_id: ProposalID
    value: Value
    heard: tuple[Accepted, ...]


class Learners:
    """
    Plays every order of deliveries of acceptances to one real learner.

    State: its local states, and the steps between them that were worked out so far.
    """

    def __init__(self, new_instance: Callable[[], PaxosInstance], quorums: Quorums) -> None:
        """Begin with a learner as *new_instance* makes it."""
        # What belongs to the learner; the instance's other parts must not move when it learns.
        self.own = frozenset(vars(Learner(quorums)))
        self.instances = [new_instance()]
        self.numbers = {frozen(self.instances[0]): 0}
        self.steps: dict[tuple[int, Accepted], int] = {}

    def beliefs(self, acceptances: Iterable[Accepted]) -> list[Belief]:
        """Return what a learner may resolve that hears of some of *acceptances*, in any order."""
        messages = list(acceptances)
        found: list[Belief] = []
        ways: dict[int, tuple[Accepted, ...]] = {0: ()}
        queue = [0]
        for number in queue:
            resolution = self.instances[number].resolution
            if resolution is not None:
                # A learner that has resolved looks at nothing more: see Learner.receive_accepted.
                found.append(Belief(resolution.proposal_id, resolution.value, ways[number]))
                continue
            for message in messages:
                after = self._step(number, message)
                if after not in ways:
                    ways[after] = (*ways[number], message)
                    queue.append(after)
        return found

    def _step(self, number: int, message: Accepted) -> int:
        after = self.steps.get((number, message))
        if after is None:
            instance = copy_of(self.instances[number])
            instance.receive_accepted(message)
            content = frozen(instance)
            before = frozen(self.instances[number])
            moved = {
                name for (name, now), (_, then) in zip(content, before, strict=True) if now != then
            }
            assert moved <= self.own, f"to learn changes {moved}: explore with learners in place"
            after = self.numbers.setdefault(content, len(self.instances))
            if after == len(self.instances):
                self.instances.append(instance)
            self.steps[number, message] = after
        return after
