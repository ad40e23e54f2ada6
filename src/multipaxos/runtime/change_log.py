"""
The newest changes of the state, for those who watch it.

A change's *position* is its link, and its place among the changes of that link, from 0 on. Equal
chains give equal positions, so whoever watched at one server can go on at another.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from multipaxos.chain.effects import Changes
from multipaxos.chain.state_machine import State

CHANGES_MAX = 10_000
"""So many changes are kept at most ..."""
CHARACTERS_MAX = 16 * 2**20
"""... and about so many characters in them."""

END_OF_LINK = 2**53 - 1
"""As the place of a position: after all changes of its link."""


class Position(NamedTuple):
    """Where in the chain a change stands: *link*, and its *place* in it."""

    link: int
    place: int


@dataclass(frozen=True, slots=True)
class PlacedChange:
    """What was *changed* at a *position*: a *key* (None: the machine has none) has *value* now."""

    position: Position
    key: str | None
    value: State


class ChangesMissingError(Exception):
    """Not all changes after a position are known here; the message says from where on they are."""


class ChangeLog:
    """
    Remembers the newest changes, and wakes those who wait for the next.

    State: the changes, each with its number since this server's start; the position after which no
    change is missing (*complete_after*); those who listen, those to wake; whether it was closed.
    """

    def __init__(self, instance: int) -> None:
        """Begin at link *instance*: of what is before nothing is known."""
        self.complete_after = Position(instance - 1, END_OF_LINK)
        self._changes: deque[PlacedChange] = deque()
        self._first = 0
        self._characters = 0
        self._wake: dict[object, Callable[[], None]] = {}
        self._listeners: dict[object, Callable[[Changes], None]] = {}
        self.is_closed = False

    def take(self, changes: Changes) -> None:
        """Remember *changes*; when they skip links, all that was known is incomplete."""
        if changes.changes is None:
            self._forget(len(self._changes))
            # The skip itself has a number, so that whoever is up to date misses it.
            self._first += 1
            self.complete_after = Position(changes.link, END_OF_LINK)
        else:
            for place, (key, value) in enumerate(changes.changes):
                self._append(PlacedChange(Position(changes.link, place), key, value))
        for listener in tuple(self._listeners.values()):
            listener(changes)
        self._wake_all()

    def close(self) -> None:
        """Take no more: whoever waits learns that nothing will come."""
        self.is_closed = True
        self._wake_all()

    @property
    def next_number(self) -> int:
        """The number that the next change will have."""
        return self._first + len(self._changes)

    def number_after(self, position: Position) -> int:
        """
        Return the number of the first change after *position*, be it yet to come.

        Raises ChangesMissingError where one after it may be missing.
        """
        if position < self.complete_after:
            raise ChangesMissingError(
                f"the changes up to link {self.complete_after.link} are not known here"
            )
        # The newest come last, and most of those who ask want only them.
        number = self.next_number
        for change in reversed(self._changes):
            if change.position <= position:
                break
            number -= 1
        return number

    def since(self, number: int) -> Iterator[PlacedChange]:
        """Yield the change with *number* and all after it; ChangesMissingError if it is gone."""
        if number < self._first:
            raise ChangesMissingError(
                f"the changes up to link {self.complete_after.link} are not kept any more"
            )
        count = self.next_number - number
        # Who takes them may cause more: they are cut out first.
        yield from [self._changes[place] for place in range(-count, 0)]

    def wake(self, who: object, action: Callable[[], None] | None) -> None:
        """Call *action* for *who* after each change; None: no more."""
        if action is None:
            self._wake.pop(who, None)
        else:
            self._wake[who] = action

    def listen(self, who: object, listener: Callable[[Changes], None] | None) -> None:
        """Hand all changes to *listener* as they come; None: no more."""
        if listener is None:
            self._listeners.pop(who, None)
        else:
            self._listeners[who] = listener

    def _wake_all(self) -> None:
        for wake in tuple(self._wake.values()):
            wake()

    def _append(self, change: PlacedChange) -> None:
        self._changes.append(change)
        self._characters += _characters(change)
        while len(self._changes) > CHANGES_MAX or self._characters > CHARACTERS_MAX:
            # What is left of a link of which one is forgotten is not all of it.
            self.complete_after = max(self.complete_after, self._changes[0].position)
            self._forget(1)

    def _forget(self, count: int) -> None:
        for _ in range(count):
            self._characters -= _characters(self._changes.popleft())
        self._first += count


def _characters(change: PlacedChange) -> int:
    value = change.value
    return len(change.key or "") + (len(value) if isinstance(value, str | tuple) else 8)
