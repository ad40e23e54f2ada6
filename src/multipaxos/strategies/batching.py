"""Batching: all updates that wait when a link begins share it."""

from collections.abc import Iterable, Iterator

from typing_extensions import override

from multipaxos.chain.links import Link, Updates
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.chain.requests import Update

LINK_CHARACTERS_MAX = 48 * 1024
"""
One link holds about so many characters, unless its first update has more.

An Accept then mostly fits a datagram. That is some five hundred updates of a few words.
"""


class Batching(BaseReplicatedValue):
    """
    Makes one link of all updates that wait, the oldest first, up to a bound.

    The batch is as large as the load: while a link is in flight, updates gather for the next one. A
    lone update waits for nobody. Links stay serial, one instance after the other, so there are no
    gaps that a new master would have to close. What a second link in flight would add, and cost,
    docs/explanation/performance.md says.
    """

    @override
    def next_link(self) -> Link | None:
        link = super().next_link()
        if isinstance(link, Updates) and len(self.queue) > len(link.updates):
            return Updates(updates=tuple(_first_that_fit(self.queue.values())))
        return link


def _first_that_fit(updates: Iterable[Update]) -> Iterator[Update]:
    characters = 0
    for count, update in enumerate(updates):
        characters += update.characters
        if count and characters > LINK_CHARACTERS_MAX:
            return
        yield update
