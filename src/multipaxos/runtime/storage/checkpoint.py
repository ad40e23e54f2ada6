"""When a checkpoint is due, what changed since the last one, and whether links lead somewhere."""

from binascii import crc32
from collections.abc import Sequence

from immutables import Map

from multipaxos.chain.durable import DurableState
from multipaxos.chain.effects import Save
from multipaxos.chain.links import Link, Updates
from multipaxos.chain.state_machine import State, StateMachine

CHECKPOINT_BYTES_MIN = 512 * 1024
"""Fewer bytes of links are quickly applied; no checkpoint is written for them."""
LARGE_UPDATE_BYTES = 32 * 1024
"""Where updates have more bytes on average, more bytes are as quickly applied ..."""
CHECKPOINT_BYTES_OF_LARGE = 16 * 2**20
"""... and to write each value again at once would double what it takes to save it."""


class Checkpoint:
    """
    The checkpoint on disk: it holds what the links before *instance* amount to.

    State: how many bytes its snapshot takes; the *links* that came since, of a keyed state, and the
    bytes and updates of all that came; whether it *is outdated*: what comes next is kept under
    another setting.
    """

    def __init__(self, *, uid: str, is_keyed: bool) -> None:
        """Begin without one. *uid* spreads the servers' checkpoints over different links."""
        # All servers apply the same links. If all wrote at the same link, their clients would wait.
        self._bytes_min = CHECKPOINT_BYTES_MIN + crc32(uid.encode()) % (CHECKPOINT_BYTES_MIN // 2)
        self._is_keyed = is_keyed
        self.instance = 0
        self.is_outdated = False
        self.links: list[Link] = []
        self._links_size = 0
        self._updates = 0
        self._size = 0

    @property
    def is_due(self) -> bool:
        """Whether it is to be written anew: that takes less room than the links since then."""
        are_large = self._links_size > LARGE_UPDATE_BYTES * self._updates
        least = CHECKPOINT_BYTES_OF_LARGE if are_large else self._bytes_min
        return self.is_outdated or self._links_size > max(self._size, least)

    def follow(self, link: Link, size: int) -> None:
        """Take note of one *link* more behind it."""
        if self._is_keyed:
            self.links.append(link)
        self._links_size += size
        self._updates += len(link.updates) if isinstance(link, Updates) else 1

    def renew(self, instance: int, size: int) -> None:
        """Take note of a checkpoint with a snapshot of *size* bytes, at *instance*."""
        self.instance = instance
        self.is_outdated = False
        self.links = []
        self._links_size = self._updates = 0
        self._size = size


def entries_of(machine: StateMachine, state: State) -> Map[str, State] | None:
    """Return the entries of *state*, if it is kept entry by entry; None if as a whole."""
    return state if machine.is_keyed and isinstance(state, Map) else None


def keys_named(
    links: Sequence[Link], machine: StateMachine, *, at_most: int
) -> tuple[str, ...] | None:
    """
    Return the keys that the updates in *links* name, each once.

    None if there are more than *at_most* updates: to look at so many keys costs less.
    """
    updates = [link.updates for link in links if isinstance(link, Updates)]
    if sum(map(len, updates)) > at_most:
        return None
    return machine.keys_of_all(update.command for some in updates for update in some)


def lead_there(save: Save, before: DurableState | None) -> bool:
    """Tell whether the state of *save* is what its links make of the state *before*."""
    if before is None:
        return False
    state = save.state
    if state.instance == before.instance:
        return state.snapshot is before.snapshot
    return fill([decided.number for decided in save.decided], before.instance, state.instance)


def fill(numbers: Sequence[int], since: int, until: int) -> bool:
    """Tell whether *numbers* are those from *since* on and before *until*, in order."""
    # A catch-up may skip so many links that they had better not be listed.
    return len(numbers) == until - since and all(
        number == since + place for place, number in enumerate(numbers)
    )
