"""
Operations whose outcome nobody knows: where they may have happened.

One of them is given its place only where that makes a difference, right before the operation that
tells the difference. Nothing is lost by that: wherever another order explains a history, move each
optional operation behind the next definite one, or leave it out, as long as that changes neither
what anybody was told nor what is there afterwards; in the end there is none left to move.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from multipaxos.chain.state_machine import State, StateMachine
from multipaxos.invariants.linearizability.operation import Operation
from multipaxos.invariants.linearizability.stepping import fits, step


@dataclass(frozen=True, slots=True)
class Detour:
    """
    Optional operations, *taken* by position one after the other, and where that leads.

    *index* is the definite operation that comes then, and needed them all. The *state* is the one
    after all of these.
    """

    taken: tuple[int, ...]
    index: int
    state: State


@dataclass(slots=True)
class Effort:
    """How many tries a search has *left*."""

    left: int


class Detours:
    """The ways from one definite operation to the next over *optional* ones."""

    def __init__(
        self,
        definite: Sequence[Operation],
        optional: Sequence[Operation],
        machine: StateMachine,
        effort: Effort,
    ) -> None:
        """Know the operations, each kind in the order of the calls; spend no more than *effort*."""
        self.definite = definite
        self.optional = optional
        self.machine = machine
        self.effort = effort
        self._keys = [frozenset(machine.keys(o.command)) for o in definite]
        self._optional_keys = [frozenset(machine.keys(o.command)) for o in optional]
        self._by_link = sorted(range(len(optional)), key=self._promising)

    def of(
        self,
        state: State,
        used: int,
        indices: Sequence[int],
        earliest_return: float,
        length_max: int | None,
    ) -> Iterator[Detour]:
        """
        Yield the detours from *state* to those definite operations at *indices*, shortest first.

        Those *used* already, and those called after the *earliest_return* of what is not done, have
        no place there. At most *length_max* are taken one after the other.
        """
        available = self._relevant(used, indices, earliest_return)
        ways: list[tuple[tuple[int, ...], State, int]] = [((), state, used)]
        seen = {(used, state)}
        length = 0
        while ways and (length_max is None or length < length_max):
            longer: list[tuple[tuple[int, ...], State, int]] = []
            length += 1
            for taken, there, done in ways:
                for index in self._different(available, done):
                    self.effort.left -= 1
                    if self.effort.left <= 0:
                        return
                    after, _ = step(self.machine, there, self.optional[index])
                    then = done | 1 << index
                    if after == there or (then, after) in seen:
                        continue
                    seen.add((then, after))
                    if any((then & ~(1 << one), after) in seen for one in taken):
                        continue  # Without that one it comes to the same.
                    way = (*taken, index)
                    longer.append((way, after, then))
                    yield from self._arrivals(state, way, after, indices)
            ways = longer

    def _arrivals(
        self, begin: State, taken: tuple[int, ...], state: State, indices: Sequence[int]
    ) -> Iterator[Detour]:
        for index in indices:
            after, result = step(self.machine, state, self.definite[index])
            if fits(self.definite[index], result) and all(
                self._needs(begin, taken, place, index, after) for place in range(len(taken))
            ):
                yield Detour(taken, index, after)

    def _needs(
        self, begin: State, taken: tuple[int, ...], place: int, index: int, after: State
    ) -> bool:
        """
        Tell whether the optional operation at *place* makes a difference to the definite one.

        It makes none if that one is told the same without it, and the state comes to the same, be
        it that the optional one happens afterwards, or not at all.
        """
        state = begin
        for one in (*taken[:place], *taken[place + 1 :]):
            state, _ = step(self.machine, state, self.optional[one])
        state, result = step(self.machine, state, self.definite[index])
        if not fits(self.definite[index], result):
            return True
        return after not in (state, step(self.machine, state, self.optional[taken[place]])[0])

    def _relevant(self, used: int, indices: Sequence[int], earliest_return: float) -> list[int]:
        """
        Return what may make a difference to those at *indices*: what hangs together with a key.

        Who names keys has to do with these only; who names none, with everything.
        """
        waiting = [
            index
            for index in self._by_link
            if not used >> index & 1 and self.optional[index].called_at <= earliest_return
        ]
        if not all(self._keys[index] for index in indices):
            return waiting
        keys = frozenset[str]().union(*(self._keys[index] for index in indices))
        while True:
            found = [
                index
                for index in waiting
                if not self._optional_keys[index] or self._optional_keys[index] & keys
            ]
            if not all(self._optional_keys[index] for index in found):
                return waiting
            wider = keys.union(*(self._optional_keys[index] for index in found))
            if wider == keys:
                return found
            keys = wider

    def _different(self, available: Sequence[int], done: int) -> Iterator[int]:
        """Yield those not *done*; of equal ones the first called: they could change places."""
        tried = set()
        for index in available:
            command = self.optional[index].command
            if not done >> index & 1 and command not in tried:
                tried.add(command)
                yield index

    def _promising(self, index: int) -> tuple[bool, int, int]:
        link = self.optional[index].link
        return link is None, link or 0, index
