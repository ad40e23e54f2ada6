"""
The search for one order of single steps, key by key.

It is the search of Wing and Gong (Testing and Verifying Concurrent Objects, 1993) with Lowe's
memory of the configurations already seen (Testing for Linearizability, 2017). A history is
linearizable exactly if each key's part of it is (Herlihy and Wing, Linearizability, 1990).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from multipaxos.invariants.linearizability.operation import (
    Function,
    History,
    Operation,
    Status,
    Value,
)
from multipaxos.invariants.linearizability.stepping import changes_nothing, fits, step

LAST_STEPS = 3
"""How many of the steps before the impasse are kept to explain it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Impasse:
    """
    The furthest point that any order of steps reached, where none explains all.

    *open_calls* are those that had to come next there, and could not; *value* is what the *key*
    held, *last_steps* what had come before.
    """

    key: str
    value: Value
    last_steps: tuple[Operation, ...]
    open_calls: tuple[Operation, ...]


def find_violation(history: History, *, initial: Value = None) -> tuple[Operation, ...]:
    """
    Return () if *history* is linearizable, else the calls that were open at the first impasse.

    *initial* is what each key holds before. Refused operations did not happen; those of unknown
    status happened at any time after their call, or never.
    """
    impasse = find_impasse(history, initial=initial)
    return () if impasse is None else impasse.open_calls


def find_impasse(history: History, *, initial: Value = None) -> Impasse | None:
    """Return None if *history* is linearizable, else where the search for the first key ended."""
    by_key: dict[str, list[Operation]] = {}
    for operation in history:
        if operation.status is not Status.REFUSED:
            by_key.setdefault(operation.key, []).append(operation)
    for key in sorted(by_key):
        impasse = _KeySearch(key, by_key[key]).run(initial)
        if impasse is not None:
            return impasse
    return None


Configuration: TypeAlias = tuple[int, int, int, Value]
"""
What is done and what the key holds then.

The first definite operation that is not done; a bit for each one from there on that is; a bit for
each optional one that is; the value.
"""

Step: TypeAlias = tuple[Configuration, Operation]
"""What an operation leads to, and which one."""


class _KeySearch:
    """
    The search through all orders for one *key*.

    *definite* operations have returned, so each must have its place; *optional* ones have a place
    or none. Both in the order of their calls. To keep configurations small, all definite operations
    below the first that is not done are done.
    """

    def __init__(self, key: str, operations: Sequence[Operation]) -> None:
        ordered = sorted(operations, key=lambda o: (o.called_at, o.known_at, o.name))
        self.key = key
        self.definite = [o for o in ordered if o.known_at < math.inf]
        self.optional = _worth_trying([o for o in ordered if o.known_at == math.inf], ordered)
        self.definite_free = [changes_nothing(o) for o in self.definite]

    def run(self, initial: Value) -> Impasse | None:
        """Return None if there is an order that explains all."""
        start: Configuration = (0, 0, 0, initial)
        seen = {start}
        path: list[tuple[Configuration, Operation | None, Iterator[Step]]]
        path = [(start, None, self._steps(start))]
        furthest: tuple[Configuration, int, tuple[Operation, ...]] = (start, 0, ())
        while path:
            here, _, steps = path[-1]
            if here[0] == len(self.definite):
                return None
            progress = here[0] + here[1].bit_count()
            if progress > furthest[1]:
                last = tuple(o for _, o, _ in path[-LAST_STEPS:] if o is not None)
                furthest = (here, progress, last)
            for following, operation in steps:
                if following not in seen:
                    seen.add(following)
                    path.append((following, operation, self._steps(following)))
                    break
            else:
                path.pop()
        return self._impasse(furthest[0], furthest[2])

    def _impasse(self, there: Configuration, last_steps: tuple[Operation, ...]) -> Impasse:
        open_calls = tuple(self.definite[index] for index in self._open(there[0], there[1])[0])
        return Impasse(key=self.key, value=there[3], last_steps=last_steps, open_calls=open_calls)

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

    def _steps(self, here: Configuration) -> Iterator[Step]:
        first, done, used, value = here
        indices, earliest_return = self._open(first, done)
        for index in indices:
            # What changes nothing and fits may come at once: it is in nobody's way.
            if self.definite_free[index]:
                operation = self.definite[index]
                after, result = step(value, operation.function, operation.arguments)
                if fits(operation, result):
                    yield (*_with(first, done, index), used, after), operation
                    return
        for index in sorted(indices, key=lambda index: _promising(self.definite[index])):
            operation = self.definite[index]
            after, result = step(value, operation.function, operation.arguments)
            if not self.definite_free[index] and fits(operation, result):
                yield (*_with(first, done, index), used, after), operation
        yield from self._optional_steps(here, indices, earliest_return)

    def _optional_steps(
        self, here: Configuration, indices: list[int], earliest_return: float
    ) -> Iterator[Step]:
        first, done, used, value = here
        tried = set()
        for index, operation in enumerate(self.optional):
            if operation.called_at > earliest_return:
                return
            # Of equal ones the first called comes first: they could change places in any order.
            asked = (operation.function, operation.arguments)
            if used >> index & 1 or asked in tried:
                continue
            tried.add(asked)
            after, _ = step(value, operation.function, operation.arguments)
            if after != value and self._is_seen(after, indices, used | 1 << index):
                yield (first, done, used | 1 << index, after), operation

    def _is_seen(self, value: Value, indices: list[int], used: int) -> bool:
        """
        Tell whether a step that may follow shows *value*: otherwise, why should it have been set.

        A set shows nothing of what was there before.
        """
        for index in indices:
            operation = self.definite[index]
            if operation.function is not Function.SET:
                _, result = step(value, operation.function, operation.arguments)
                if fits(operation, result):
                    return True
        return any(
            not used >> index & 1
            for index, operation in enumerate(self.optional)
            if operation.function is not Function.SET
        )


def _promising(operation: Operation) -> tuple[float, float]:
    """
    Order what may come next: by link, and without links by return.

    It decides what is tried first and nothing else; of a correct server's history the order of the
    links explains everything at the first attempt, however many calls were open at once.
    """
    link = math.inf if operation.link is None else operation.link
    return link, operation.returned_at


def _with(first: int, done: int, index: int) -> tuple[int, int]:
    """Return *first* and *done* with *index* done, too."""
    done |= 1 << (index - first)
    ones = (~done & (done + 1)).bit_length() - 1
    return first + ones, done >> ones


def _worth_trying(optional: list[Operation], history: Sequence[Operation]) -> list[Operation]:
    """
    Leave out the *optional* operations that cannot explain anything.

    Those are reads; and where all that was done to a key is get and set, also writes of a value
    that nobody read.
    """
    writes = [o for o in optional if o.function is not Function.GET]
    if all(o.function in (Function.GET, Function.SET) for o in history):
        read = {o.result for o in history if o.function is Function.GET and o.known_at < math.inf}
        return [o for o in writes if o.arguments[0] in read]
    return writes
