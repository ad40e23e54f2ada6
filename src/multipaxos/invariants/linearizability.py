"""
Finding out whether one order of single steps explains what a register's clients saw (I11).

The search of Wing and Gong (Testing and Verifying Concurrent Objects, 1993) with Lowe's memory of
the configurations already seen (Testing for Linearizability, 2017).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from typing_extensions import override


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """
    One call of one client, from *called_at* to *returned_at* (infinite: nobody knows its outcome).

    A write sets *value*; a read (*is_write* false) returned *value*.
    """

    name: str
    is_write: bool
    value: str | None
    called_at: float
    returned_at: float = math.inf

    @override
    def __str__(self) -> str:
        """Write the operation with its interval."""
        verb = "write" if self.is_write else "read"
        returned = "?" if self.returned_at == math.inf else f"{self.returned_at:.6f}"
        return f"{self.name} {verb} {self.value!r} [{self.called_at:.6f}, {returned}]"


def find_violation(
    history: Sequence[Operation], *, initial: str | None = None
) -> tuple[Operation, ...]:
    """
    Return () if *history* is linearizable, else what cannot be explained.

    That is: the calls that were open at the furthest point which any order of steps could reach.
    Reads without a result explain nothing and are left out; so are writes of unknown outcome that
    no read returned, for they need not have happened.
    """
    operations = _relevant(history)
    finished = (1 << len(operations)) - 1
    start = (0, initial)
    seen = {start}
    furthest = (0, initial)
    path = [(start, _steps(operations, start))]
    while path:
        state, steps = path[-1]
        if state[0].bit_count() > furthest[0].bit_count():
            furthest = state
        if _only_optional_left(operations, finished & ~state[0]):
            return ()
        following = next((step for step in steps if step not in seen), None)
        if following is None:
            path.pop()
        else:
            seen.add(following)
            path.append((following, _steps(operations, following)))
    return tuple(operations[index] for index in _open_calls(operations, furthest[0]))


def _relevant(history: Sequence[Operation]) -> list[Operation]:
    read = {o.value for o in history if not o.is_write and o.returned_at < math.inf}
    return sorted(
        (o for o in history if o.returned_at < math.inf or (o.is_write and o.value in read)),
        key=lambda o: (o.called_at, o.returned_at, o.name),
    )


def _only_optional_left(operations: list[Operation], left: int) -> bool:
    while left:
        index = (left & -left).bit_length() - 1
        if operations[index].returned_at < math.inf:
            return False
        left &= left - 1
    return True


def _open_calls(operations: list[Operation], done: int) -> Iterator[int]:
    """Yield which operations may come next: no other that is not done ended before they began."""
    earliest_return = math.inf
    first = (~done & (done + 1)).bit_length() - 1
    for index in range(first, len(operations)):
        operation = operations[index]
        if operation.called_at > earliest_return:
            return
        if not done >> index & 1:
            earliest_return = min(earliest_return, operation.returned_at)
            yield index


def _steps(
    operations: list[Operation], state: tuple[int, str | None]
) -> Iterator[tuple[int, str | None]]:
    done, value = state
    candidates = [
        index
        for index in _open_calls(operations, done)
        if operations[index].is_write or operations[index].value == value
    ]
    for index in candidates:
        # A read that fits may come at once: it changes nothing for the others.
        if not operations[index].is_write:
            yield done | 1 << index, value
            return
    for index in candidates:
        yield done | 1 << index, operations[index].value
