"""When a snapshot is written anew, and whether links lead from one state to the next."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from multipaxos.chain.durable import DurableState
from multipaxos.chain.effects import Save

CHECKPOINT_BYTES_MIN = 64 * 1024
"""Fewer bytes of links are quickly applied; a snapshot is not written anew for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """
    The snapshot that is on disk: it holds what the links before *instance* amount to.

    It takes *size* bytes, the links that came since take *links_size*. It *is outdated* if those
    were applied under another setting than the next ones will be.
    """

    instance: int = 0
    size: int = 0
    links_size: int = 0
    is_outdated: bool = False

    def after(self, links: Sequence[tuple[int, bytes]]) -> "Checkpoint":
        """Return the same checkpoint, with *links* more behind it."""
        more = sum(len(text) for _, text in links)
        return replace(self, links_size=self.links_size + more) if more else self

    @property
    def is_due(self) -> bool:
        """Whether a new one is to be written: it would take less room than the links since then."""
        return self.is_outdated or self.links_size > max(self.size, CHECKPOINT_BYTES_MIN)


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
