"""What else may watch a simulated cluster: statistics, or a test."""

from collections.abc import Iterable

from multipaxos.chain.effects import Answer, Outbox, Timer
from multipaxos.chain.events import Event
from multipaxos.chain.messages import Envelope
from multipaxos.runtime import observing
from multipaxos.runtime.observing import Call


class ClusterObserver:
    """
    Sees what happens to all servers of a cluster; changes nothing.

    The methods of :class:`~multipaxos.runtime.driver.Observer` and of
    :class:`~multipaxos.simulation.network.Postal`: override those of interest. The others are never
    called, so that they cost nothing.
    """

    def delivered(self, envelope: Envelope) -> None:
        """Tell of *envelope*'s arrival, before the protocol sees it."""

    def sent(self, envelope: Envelope) -> None:
        """Tell of *envelope*'s departure."""

    def dropped(self, envelope: Envelope, reason: str) -> None:
        """Tell that *envelope* will not arrive."""

    def duplicated(self, envelope: Envelope) -> None:
        """Tell that *envelope* will arrive once more."""

    def saved(self, outbox: Outbox) -> None:
        """Tell that *outbox.save* is durable."""

    def happened(self, event: Event) -> None:
        """Tell what the protocol says of itself."""

    def timer_set(self, timer: Timer, seconds: float) -> None:
        """Tell that *timer* will fire in *seconds*."""

    def timer_cancelled(self, timer: Timer) -> None:
        """Tell that *timer* will not fire."""

    def timer_fired(self, timer: Timer) -> None:
        """Tell that *timer* fired."""

    def answered(self, answer: Answer) -> None:
        """Tell of a client's answer."""

    def halted(self, reason: str) -> None:
        """Tell that a server stops for good, with a sentence that says why."""


_NOTHING: frozenset[object] = frozenset(vars(ClusterObserver).values())


def calls_of(name: str, observers: Iterable[object]) -> tuple[Call, ...]:
    """Return the methods called *name* of those *observers* that do anything there."""
    return observing.calls_of(name, observers, idle=_NOTHING)
