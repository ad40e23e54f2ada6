"""The ports through which the driver acts; each has a twin in :mod:`multipaxos.simulation`."""

from collections.abc import Callable
from typing import Protocol

from multipaxos.chain.durable import DecidedLink, DurableState
from multipaxos.chain.effects import Save
from multipaxos.chain.messages import Envelope
from multipaxos.errors import MultipaxosError


class StorageError(MultipaxosError):
    """The state cannot be read or made durable; the message says what to do about it."""


class Messenger(Protocol):
    """Carries envelopes to other servers."""

    def send(self, envelope: Envelope) -> None:
        """Send *envelope*; it may be lost, doubled or late. Never raises for the network's sake."""


class Storage(Protocol):
    """Keeps one server's durable state and the history of decided links."""

    def load(self) -> DurableState | None:
        """
        Return what was saved last, or None if nothing was ever saved.

        Raises StorageError for a state that is damaged, foreign or held by another process: never
        treats it as a missing one.
        """

    def save(self, save: Save) -> None:
        """
        Make *save* durable; return when it survives a power cut.

        Raises StorageError if that cannot be promised; then the server must stop.
        """

    def history(self, count: int) -> list[DecidedLink]:
        """Return the newest *count* decided links that are kept, the oldest of them first."""

    def close(self) -> None:
        """Release the files and the lock."""


class Clock(Protocol):
    """Time that passes evenly and never jumps, in seconds since an arbitrary instant."""

    def seconds(self) -> float:
        """Return the time now, suspension of the machine included."""

    def call_later(self, delay_seconds: float, action: Callable[[], None]) -> Callable[[], None]:
        """Call *action* in *delay_seconds* or later; return what cancels it."""
