"""
The parts of a history that can be judged one by one: those that share no key.

A history is linearizable exactly if its part for each object is (Herlihy and Wing, Linearizability,
1990). Keys are objects of their own as long as no command is about two of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from multipaxos.chain.state_machine import StateMachine
from multipaxos.invariants.linearizability.operation import Operation


@dataclass(frozen=True, slots=True)
class Part:
    """The *operations* on some *keys*, which no other part has; none: on the state as a whole."""

    keys: tuple[str, ...]
    operations: tuple[Operation, ...]


def parts_of(operations: Sequence[Operation], machine: StateMachine) -> list[Part]:
    """
    Cut *operations* into parts, in the order of their keys.

    A command that names several keys joins them; one that names none is about all there is.
    """
    keys = [machine.keys(operation.command) for operation in operations]
    if not all(keys):
        return [Part((), tuple(operations))]
    groups = _joined(keys)
    members: dict[int, list[Operation]] = {}
    for operation, (first, *_) in zip(operations, keys, strict=True):
        members.setdefault(id(groups[first]), []).append(operation)
    found = {id(group): tuple(sorted(group)) for group in groups.values()}
    return [
        Part(found[group], tuple(members[group]))
        for group in sorted(members, key=found.__getitem__)
    ]


def _joined(several: Iterable[tuple[str, ...]]) -> dict[str, set[str]]:
    """Return for each key the set of those that it hangs together with."""
    groups: dict[str, set[str]] = {}
    for keys in several:
        joined = set(keys).union(*(groups.get(key, ()) for key in keys))
        groups.update(dict.fromkeys(joined, joined))
    return groups
