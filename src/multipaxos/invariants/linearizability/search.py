"""
The search for one order of single steps, part by part.

It is the search of Wing and Gong (Testing and Verifying Concurrent Objects, 1993) with Lowe's
memory of the configurations already seen (Testing for Linearizability, 2017).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from multipaxos.chain.register import Register
from multipaxos.chain.state_machine import State, StateMachine
from multipaxos.invariants.linearizability.detours import Detour, Detours, Effort
from multipaxos.invariants.linearizability.links import links_explain
from multipaxos.invariants.linearizability.operation import History, Operation, Status
from multipaxos.invariants.linearizability.parts import Part, parts_of
from multipaxos.invariants.linearizability.stepping import changes_nothing, fits, step

LAST_STEPS = 3
"""How many of the steps before the impasse are kept to explain it."""

DETOURS = (1, 2, 4, None)
"""
So many operations of unknown outcome in a row are tried at most; where that explains nothing, more.

One is mostly enough, and there are far more ways to put many in a row.
"""

TRIES_MAX = 200_000
"""
After so many configurations and detours the search gives up, and takes the history for wrong.

That the links' order explains nothing is known by then; of a cluster that keeps a chain, it should.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Impasse:
    """
    The furthest point that any order of steps reached, where none explains all.

    *open_calls* are those that had to come next there, and could not; *state* is what there was
    then, *last_steps* what had come before. *gave_up* if not all orders were tried.
    """

    part: Part
    state: State
    last_steps: tuple[Operation, ...]
    open_calls: tuple[Operation, ...]
    gave_up: bool = False


def find_violation(history: History, machine: StateMachine | None = None) -> tuple[Operation, ...]:
    """
    Return () if *history* is linearizable, else the calls that were open at the first impasse.

    The specification is the *machine*, by default a register. Refused operations did not happen;
    those of unknown status happened at any time after their call, or never.
    """
    impasse = find_impasse(history, machine or Register())
    return () if impasse is None else impasse.open_calls


def find_impasse(history: History, machine: StateMachine) -> Impasse | None:
    """Return None if *history* is linearizable, else where the search in the first part ended."""
    for part in parts_of([o for o in history if _tells(o, machine)], machine):
        if not links_explain(part.operations, machine, machine.initial()):
            impasse = _search(part, machine)
            if impasse is not None:
                return impasse
    return None


def _tells(operation: Operation, machine: StateMachine) -> bool:
    """Tell whether *operation* says anything: a read without a result does not."""
    if operation.status is Status.UNKNOWN:
        return not machine.is_read(operation.command)
    return operation.status is Status.OK


def _search(part: Part, machine: StateMachine) -> Impasse | None:
    search = _Search(part, machine)
    impasse: Impasse | None = None
    for length_max in DETOURS:
        impasse = search.run(length_max)
        if impasse is None or search.is_complete(length_max) or impasse.gave_up:
            break
    return impasse


Configuration: TypeAlias = tuple[int, int, int, State]
"""
What is done and what the state is then.

The first definite operation that is not done; a bit for each one from there on that is; a bit for
each optional one that is; the state.
"""

Step: TypeAlias = tuple[Configuration, tuple[Operation, ...]]
"""What operations lead to, and which ones: a definite one, perhaps after optional ones."""


class _Search:
    """
    The search through all orders for one *part*.

    *definite* operations have returned, so each must have its place; *optional* ones have a place
    or none. Both in the order of their calls. To keep configurations small, all definite operations
    below the first that is not done are done. State: the *effort* that is left.
    """

    def __init__(self, part: Part, machine: StateMachine) -> None:
        ordered = sorted(part.operations, key=lambda o: (o.called_at, o.known_at, o.name))
        self.part = part
        self.machine = machine
        self.definite = [o for o in ordered if o.known_at < math.inf]
        self.optional = [o for o in ordered if o.known_at == math.inf]
        self.effort = Effort(TRIES_MAX)
        self.detours = Detours(self.definite, self.optional, machine, self.effort)
        self._free = [changes_nothing(machine, o) for o in self.definite]

    def is_complete(self, length_max: int | None) -> bool:
        """Tell whether detours of at most *length_max* are all there are."""
        return length_max is None or length_max >= len(self.optional)

    def run(self, length_max: int | None) -> Impasse | None:
        """Return None if there is an order that explains all, with detours up to *length_max*."""
        start: Configuration = (0, 0, 0, self.machine.initial())
        seen = {start}
        path: list[tuple[Configuration, tuple[Operation, ...], Iterator[Step]]]
        path = [(start, (), self._steps(start, length_max))]
        furthest: tuple[Configuration, int, tuple[Operation, ...]] = (start, 0, ())
        while path and self.effort.left > 0:
            here, _, steps = path[-1]
            if here[0] == len(self.definite):
                return None
            progress = here[0] + here[1].bit_count()
            if progress > furthest[1]:
                last = [o for _, operations, _ in path[-LAST_STEPS:] for o in operations]
                furthest = (here, progress, tuple(last[-LAST_STEPS:]))
            for following, operations in steps:
                if following not in seen:
                    seen.add(following)
                    path.append((following, operations, self._steps(following, length_max)))
                    break
            else:
                path.pop()
        return self._impasse(furthest[0], furthest[2])

    def _impasse(self, there: Configuration, last_steps: tuple[Operation, ...]) -> Impasse:
        open_calls = tuple(self.definite[index] for index in self._open(there[0], there[1])[0])
        return Impasse(
            part=self.part,
            state=there[3],
            last_steps=last_steps,
            open_calls=open_calls,
            gave_up=self.effort.left <= 0,
        )

    def _open(self, first: int, done: int) -> tuple[list[int], float]:
        """
        Return which definite operations may come next, and when the first of them returned.

        An operation may come next if no other that is not done returned before it was called.
        """
        earliest_return = math.inf
        indices = []
        for index in range(first, len(self.definite)):
            operation = self.definite[index]
            if operation.called_at > earliest_return:
                break
            if not done >> (index - first) & 1:
                indices.append(index)
                earliest_return = min(earliest_return, operation.returned_at)
        return indices, earliest_return

    def _steps(self, here: Configuration, length_max: int | None) -> Iterator[Step]:
        first, done, used, state = here
        indices, earliest_return = self._open(first, done)
        direct: list[Step] = []
        for index in sorted(indices, key=lambda index: _promising(self.definite[index])):
            self.effort.left -= 1
            operation = self.definite[index]
            after, result = step(self.machine, state, operation)
            if not fits(operation, result):
                continue
            taken = (*_with(first, done, index), used, after), (operation,)
            if self._free[index] and after == state:
                # What changes nothing and fits may come at once: it is in nobody's way.
                yield taken
                return
            direct.append(taken)
        yield from direct
        for detour in self.detours.of(state, used, indices, earliest_return, length_max):
            yield self._after(here, detour)

    def _after(self, here: Configuration, detour: Detour) -> Step:
        first, done, used, _ = here
        optional = [self.optional[index] for index in detour.taken]
        for index in detour.taken:
            used |= 1 << index
        following = (*_with(first, done, detour.index), used, detour.state)
        return following, (*optional, self.definite[detour.index])


def _promising(operation: Operation) -> tuple[float, float]:
    """
    Order what may come next: by link, and without links by return.

    It decides what is tried first and nothing else.
    """
    link = math.inf if operation.link is None else operation.link
    return link, operation.returned_at


def _with(first: int, done: int, index: int) -> tuple[int, int]:
    """Return *first* and *done* with *index* done, too."""
    done |= 1 << (index - first)
    ones = (~done & (done + 1)).bit_length() - 1
    return first + ones, done >> ones
