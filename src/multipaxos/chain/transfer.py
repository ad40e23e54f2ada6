"""A snapshot on its way in parts: what its sender and its receiver keep of it."""

from collections import defaultdict
from dataclasses import replace
from itertools import accumulate

from immutables import Map

from composable_paxos import PeerID
from multipaxos.chain.durable import Snapshot
from multipaxos.chain.links import Founding
from multipaxos.chain.state_machine import State

PART_CHARACTERS = 2**19
"""A part has about so many: long enough to be worth a round trip, short enough to be no burden."""
ENTRY_CHARACTERS = 8
"""What an entry takes beside its key and its texts."""
SUFFIX_LENGTH = 2


def characters_of_state(state: State, *, enough: int | None = None) -> int:
    """Return about how many characters *state* takes in a message; where *enough* are, no more."""
    match state:
        case str():
            return len(state) + ENTRY_CHARACTERS
        case Map():
            sizes = (len(key) + characters_of_state(state[key]) for key in state)
        case tuple():
            sizes = (characters_of_state(item) for item in state)
        case _:
            return ENTRY_CHARACTERS
    total = 0
    for total in accumulate(sizes):
        if enough is not None and total > enough:
            break
    return total + ENTRY_CHARACTERS


def goes_in_parts(snapshot: Snapshot) -> bool:
    """Tell whether *snapshot* is one of many entries that are too long for one message."""
    state = snapshot.value
    return (
        isinstance(state, Map)
        and len(state) > 1
        and characters_of_state(state, enough=PART_CHARACTERS) > PART_CHARACTERS
    )


class OutgoingSnapshot:
    """
    The *snapshot* at link *at*, cut into parts as they are asked for.

    Part 0 has all but the state; the others have entries of it. To begin costs a look at all keys.
    State: the keys that are in no part yet, by their ends, which differ most; the groups of keys
    that are still to be sorted; the parts so far; and how many *characters* are in these.
    """

    def __init__(self, at: int, snapshot: Snapshot) -> None:
        """Hold *snapshot*; it is not copied, and changes no more."""
        self.at = at
        self.characters = 0
        self._snapshot = snapshot
        self._parts: list[list[str]] = [[]]
        groups: defaultdict[str, list[str]] = defaultdict(list)
        for key in snapshot.value:
            groups[key[-SUFFIX_LENGTH:]].append(key)
        # To sort a million keys at once takes seconds, in which the server could do nothing else.
        # The order of the Map itself would differ from run to run.
        self._groups = [groups[suffix] for suffix in sorted(groups, reverse=True)]
        self._keys: list[str] = []

    def part(self, number: int) -> tuple[Snapshot, bool] | None:
        """Return part *number*, and whether it is the last one; None if there is none."""
        while len(self._parts) <= number and self._is_more():
            self._parts.append(self._cut())
        if number >= len(self._parts):
            return None
        state, keys = self._snapshot.value, self._parts[number]
        is_last = number == len(self._parts) - 1 and not self._is_more()
        entries = Map({key: state[key] for key in keys})
        if number == 0:
            return replace(self._snapshot, value=entries), is_last
        return Snapshot(value=entries), is_last

    def _is_more(self) -> bool:
        return bool(self._keys or self._groups)

    def _cut(self) -> list[str]:
        keys: list[str] = []
        characters = 0
        while self._is_more() and characters < PART_CHARACTERS:
            if not self._keys:
                self._keys = sorted(self._groups.pop(), reverse=True)
            key = self._keys.pop()
            keys.append(key)
            characters += len(key) + characters_of_state(self._snapshot.value[key])
        self.characters += characters
        return keys


class IncomingSnapshot:
    """
    What has come of a snapshot at link *at*, part after part, from *helper*.

    State: the *head*, part 0; the entries so far; the *number* of the part that is to come; how
    often it was *asked* for in vain.
    """

    def __init__(self, at: int, helper: PeerID, founding: Founding, head: Snapshot) -> None:
        """Begin with part 0, the *head*."""
        self.at = at
        self.helper = helper
        self.founding = founding
        self.number = 1
        self.asked = 0
        self._head = head
        self._entries = Map[str, State]().mutate()

    def add(self, entries: Map[str, State]) -> bool:
        """Add the *entries* of the part that was to come; tell whether they are plausible."""
        if not entries or any(key in self._entries for key in entries):
            return False
        for key, item in entries.items():
            self._entries[key] = item
        self.number += 1
        self.asked = 0
        return True

    def finish(self) -> Snapshot:
        """Return the whole snapshot; nothing can be added any more."""
        return replace(self._head, value=self._entries.finish())
