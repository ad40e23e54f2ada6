"""
Lamport's specifications of Paxos, as models: Paxos (messages) and Voting (votes).

After the TLA+ modules ``Paxos`` and ``Voting`` (Lamport, "Paxos", the TLA+ examples). Steps that
change nothing are left out: they lead to no other state.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import combinations, product

from typing_extensions import override

from multipaxos.exploration.model import Model
from multipaxos.invariants.violation import InvariantViolation

Delta = tuple[str, int]
"""A step by name, and the bits that it flips."""

NONE = -1
"""No ballot: nothing promised, nothing voted for."""


class Part:
    """Steps that depend on the bits of *mask* alone, worked out once for each pattern of these."""

    def __init__(self, mask: int, steps: Callable[[int], Iterator[Delta]]) -> None:
        self.mask = mask
        self.steps = steps
        self.known: dict[int, list[Delta]] = {}

    def deltas(self, bits: int) -> list[Delta]:
        """Return the steps for a pattern that is new."""
        found = self.known[bits] = list(self.steps(bits))
        return found


class LamportPaxos(Model[int, str]):
    """
    The specification ``Paxos``: each message ever sent stays in the set *msgs*.

    A state is an int: five bits for each acceptor (its *maxBal*, and its vote: *maxVBal* and
    *maxVal*), then one bit for each message that may be sent. A step of an acceptor reads its own
    five bits and the messages 1a and 2a; the step 2a of a ballot reads that ballot's 1b and 2a. So
    the steps that a few bits of the state allow are worked out once for each pattern of these bits.
    """

    def __init__(self, *, acceptors: int = 3, values: int = 2, ballots: int = 2) -> None:
        self.acceptors = range(acceptors)
        self.values = range(values)
        self.ballots = range(ballots)
        self.quorums = list(combinations(self.acceptors, acceptors // 2 + 1))
        self.votes = [(NONE, NONE), *product(self.ballots, self.values)]
        assert len(self.votes) <= 8
        assert ballots < 4
        self.bit: dict[tuple[object, ...], int] = {}
        for message in self._messages():
            self.bit[message] = 1 << (5 * acceptors + len(self.bit))
        kinds: dict[tuple[object, ...], int] = {}
        for message, bit in self.bit.items():
            for kind in ((message[0],), (message[0], message[1])):
                kinds[kind] = kinds.get(kind, 0) | bit
        self.accepted = kinds["2b",]
        self.parts: list[Part] = [Part(kinds["1a",], self._phase_1a)]
        for acceptor in self.acceptors:
            mask = (31 << 5 * acceptor) | kinds["1a",] | kinds["2a",]
            self.parts.append(Part(mask, partial(self._acceptor, acceptor)))
        for ballot in self.ballots:
            mask = kinds["1b", ballot] | kinds["2a", ballot]
            self.parts.append(Part(mask, partial(self._phase_2a, ballot)))
        self.verdicts: dict[int, InvariantViolation | None] = {}

    def _messages(self) -> Iterator[tuple[object, ...]]:
        for ballot in self.ballots:
            yield "1a", ballot
            for value in self.values:
                yield "2a", ballot, value
            for acceptor in self.acceptors:
                for vote in self.votes:
                    if vote[0] < ballot:
                        yield "1b", ballot, acceptor, vote
                for value in self.values:
                    yield "2b", ballot, acceptor, value

    @override
    def __reduce__(self) -> tuple[object, ...]:
        return _paxos, (len(self.acceptors), len(self.values), len(self.ballots))

    @override
    def initial(self) -> Iterable[int]:
        return [0]

    @override
    def successors(self, state: int) -> list[tuple[str, int]]:
        found = []
        for part in self.parts:
            bits = state & part.mask
            deltas = part.known.get(bits)
            for name, delta in part.deltas(bits) if deltas is None else deltas:
                found.append((name, state ^ delta))
        return found

    @override
    def violation(self, state: int) -> InvariantViolation | None:
        bits = state & self.accepted
        if bits not in self.verdicts:
            chosen = {
                value
                for ballot, value, quorum in product(self.ballots, self.values, self.quorums)
                if all(bits & self.bit["2b", ballot, a, value] for a in quorum)
            }
            self.verdicts[bits] = (
                InvariantViolation("I1 Agreement", None, f"{sorted(chosen)} are chosen")
                if len(chosen) > 1
                else None
            )
        return self.verdicts[bits]

    # -- the steps of the specification ------------------------------------------------------------

    def _phase_1a(self, bits: int) -> Iterator[Delta]:
        for ballot in self.ballots:
            if not bits & self.bit["1a", ballot]:
                yield f"Phase1a({ballot})", self.bit["1a", ballot]

    def _acceptor(self, a: int, bits: int) -> Iterator[Delta]:
        own = bits >> 5 * a & 31
        max_bal, vote = (own & 3) - 1, self.votes[own >> 2]

        def after(ballot: int, vote: tuple[int, int], message: tuple[object, ...]) -> int:
            new = ballot + 1 | self.votes.index(vote) << 2
            return (own ^ new) << 5 * a | self.bit[message]

        for ballot in self.ballots:
            if bits & self.bit["1a", ballot] and ballot > max_bal:
                yield f"Phase1b({a}) {ballot}", after(ballot, vote, ("1b", ballot, a, vote))
            for value in self.values:
                is_asked = bits & self.bit["2a", ballot, value]
                # Who voted for it before would only say so again.
                if is_asked and ballot >= max_bal and vote != (ballot, value):
                    delta = after(ballot, (ballot, value), ("2b", ballot, a, value))
                    yield f"Phase2b({a}) {ballot} {value}", delta

    def _phase_2a(self, ballot: int, bits: int) -> Iterator[Delta]:
        if any(bits & self.bit["2a", ballot, value] for value in self.values):
            return
        for value in self.values:
            if any(self._shows_safe(bits, ballot, value, quorum) for quorum in self.quorums):
                yield f"Phase2a({ballot}, {value})", self.bit["2a", ballot, value]

    def _shows_safe(self, bits: int, ballot: int, value: int, quorum: tuple[int, ...]) -> bool:
        promises = [
            (a, vote)
            for a in quorum
            for vote in self.votes
            if vote[0] < ballot and bits & self.bit["1b", ballot, a, vote]
        ]
        if {a for a, _ in promises} != set(quorum):
            return False
        highest = max(vote[0] for _, vote in promises)
        return highest == NONE or (highest, value) in (vote for _, vote in promises)


def _paxos(acceptors: int, values: int, ballots: int) -> LamportPaxos:
    return LamportPaxos(acceptors=acceptors, values=values, ballots=ballots)


Acceptor = tuple[int, frozenset[tuple[int, int]]]


class LamportVoting(Model[tuple[Acceptor, ...], str]):
    """The specification ``Voting``: a state is, for each acceptor, its *maxBal* and its *votes*."""

    def __init__(self, *, acceptors: int = 3, values: int = 2, ballots: int = 2) -> None:
        self.acceptors = range(acceptors)
        self.values = range(values)
        self.ballots = range(ballots)
        self.quorums = list(combinations(self.acceptors, acceptors // 2 + 1))

    @override
    def initial(self) -> Iterable[tuple[Acceptor, ...]]:
        return [((NONE, frozenset()),) * len(self.acceptors)]

    @override
    def successors(self, state: tuple[Acceptor, ...]) -> Iterator[tuple[str, tuple[Acceptor, ...]]]:
        for a, (max_bal, votes) in enumerate(state):
            for ballot in self.ballots:
                if ballot > max_bal:
                    new = (ballot, votes)
                    yield f"IncreaseMaxBal({a}, {ballot})", (*state[:a], new, *state[a + 1 :])
                for value in self.values:
                    if self._may_vote(state, a, ballot, value):
                        new = (ballot, votes | {(ballot, value)})
                        yield f"VoteFor({a}, {ballot}, {value})", (*state[:a], new, *state[a + 1 :])

    @override
    def violation(self, state: tuple[Acceptor, ...]) -> InvariantViolation | None:
        chosen = {
            value
            for ballot, value, quorum in product(self.ballots, self.values, self.quorums)
            if all((ballot, value) in state[a][1] for a in quorum)
        }
        if len(chosen) > 1:
            return InvariantViolation("I1 Agreement", None, f"{sorted(chosen)} are chosen")
        return None

    def _may_vote(self, state: tuple[Acceptor, ...], a: int, ballot: int, value: int) -> bool:
        if state[a][0] > ballot or any(vote[0] == ballot for vote in state[a][1]):
            return False
        if any(vote[0] == ballot and vote[1] != value for _, votes in state for vote in votes):
            return False
        return any(self._shows_safe(state, quorum, ballot, value) for quorum in self.quorums)

    def _shows_safe(
        self, state: tuple[Acceptor, ...], quorum: tuple[int, ...], ballot: int, value: int
    ) -> bool:
        if any(state[a][0] < ballot for a in quorum):
            return False
        below = [vote for a in quorum for vote in state[a][1] if vote[0] < ballot]
        highest = max((vote[0] for vote in below), default=NONE)
        return highest == NONE or (highest, value) in below
