"""
The newest changes of the state, for those who watch it.

A change's *position* is its link, and its place among the changes of that link, from 0 on. Equal
chains give equal positions, so whoever watched at one server can go on at another.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from multipaxos.chain.effects import Applied, Changes
from multipaxos.chain.ledger import changes_of
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

    What a link changed is found out when somebody asks. State: the changes, each with its number
    since this server's start; what was *applied* since, in links and characters; the position after
    which no change is missing (*complete_after*); those who listen, those to wake; whether it was
    closed.
    """

    def __init__(self, instance: int) -> None:
        """Begin at link *instance*: of what is before nothing is known."""
        self._complete_after = Position(instance - 1, END_OF_LINK)
        self._applied: deque[tuple[Applied, int]] = deque()
        self._applied_commands = self._applied_characters = 0
        self._changes: deque[PlacedChange] = deque()
        self._first = 0
        self._characters = 0
        self._wake: dict[object, Callable[[], None]] = {}
        self._listeners: dict[object, Callable[[Changes], None]] = {}
        self.is_closed = False

    def take(self, news: Changes | Applied) -> None:
        """Remember what a link changed; where links were skipped, what was known has a gap."""
        if isinstance(news, Applied):
            self._put_off(news)
            if not (self._listeners or self._wake):
                return
            news = self._find_out()
        else:
            self._find_out()
            self._remember(news)
        for listener in tuple(self._listeners.values()):
            listener(news)
        self._wake_all()

    def close(self) -> None:
        """Take no more: whoever waits learns that nothing will come."""
        self.is_closed = True
        self._wake_all()

    @property
    def complete_after(self) -> Position:
        """The position after which no change is missing here."""
        self._find_out()
        return self._complete_after

    @property
    def next_number(self) -> int:
        """The number that the next change will have."""
        self._find_out()
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
        self._find_out()
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

    def _put_off(self, applied: Applied) -> None:
        characters = sum(sum(map(len, command)) for command in applied.commands)
        self._applied.append((applied, characters))
        self._applied_commands += len(applied.commands)
        self._applied_characters += characters
        while len(self._applied) > 1 and (
            self._applied_commands > CHANGES_MAX or self._applied_characters > CHARACTERS_MAX
        ):
            forgotten, characters = self._applied.popleft()
            self._applied_commands -= len(forgotten.commands)
            self._applied_characters -= characters
            self._remember(Changes(link=forgotten.link, changes=None))

    def _find_out(self) -> Changes:
        """Find out what was changed by all that was put off; return the newest link's changes."""
        newest = Changes(link=0, changes=())
        while self._applied:
            applied, _ = self._applied.popleft()
            found = changes_of(applied.commands, applied.before, applied.machine)
            newest = Changes(link=applied.link, changes=found)
            self._remember(newest)
        self._applied_commands = self._applied_characters = 0
        return newest

    def _remember(self, changes: Changes) -> None:
        if changes.changes is None:
            self._forget(len(self._changes))
            # The skip itself has a number, so that whoever is up to date misses it.
            self._first += 1
            self._complete_after = Position(changes.link, END_OF_LINK)
        else:
            for place, (key, value) in enumerate(changes.changes):
                self._append(PlacedChange(Position(changes.link, place), key, value))

    def _wake_all(self) -> None:
        for wake in tuple(self._wake.values()):
            wake()

    def _append(self, change: PlacedChange) -> None:
        self._changes.append(change)
        self._characters += _characters(change)
        while len(self._changes) > CHANGES_MAX or self._characters > CHARACTERS_MAX:
            # What is left of a link of which one is forgotten is not all of it.
            self._complete_after = max(self._complete_after, self._changes[0].position)
            self._forget(1)

    def _forget(self, count: int) -> None:
        for _ in range(count):
            self._characters -= _characters(self._changes.popleft())
        self._first += count


def _characters(change: PlacedChange) -> int:
    value = change.value
    return len(change.key or "") + (len(value) if isinstance(value, str | tuple) else 8)
