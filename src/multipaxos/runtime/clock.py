"""The real clock: boot time from the operating system, scheduling from the reactor."""

import secrets
import time
from collections.abc import Callable
from pathlib import Path

from twisted.internet.base import ReactorBase

from multipaxos.runtime.reactor import Scheduler

_BOOT_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", None)


def boot_seconds() -> float:
    """
    Return the seconds since the machine booted, time asleep included where the system counts it.

    Linux does (CLOCK_BOOTTIME); elsewhere, the monotonic clock may stand still during a suspension.
    """
    return time.monotonic() if _BOOT_CLOCK is None else time.clock_gettime(_BOOT_CLOCK)


def clock_name() -> str:
    """
    Return what names the clock of :func:`boot_seconds`: readings of clocks of one name compare.

    On Linux that is this boot of the machine, with the time namespace, which shifts the clock.
    Elsewhere no two processes are known to have the same clock: each gets a name of its own.
    """
    try:
        boot_id = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot_id} {Path('/proc/self/ns/time').readlink()}"
    except OSError:
        return f"process {secrets.token_hex(16)}"


class BootTimeClock:
    """
    The :class:`~multipaxos.runtime.ports.Clock` of a real server.

    Invariant (NeverEarly): an action runs when *seconds* itself says so. The reactor only wakes us;
    where it wakes us too early, we go on waiting.
    """

    def __init__(self, reactor: Scheduler, *, seconds: Callable[[], float] = boot_seconds) -> None:
        """Take the time from *seconds* and let *reactor* wake us."""
        self._reactor = reactor
        self._seconds = seconds

    def seconds(self) -> float:
        """Return the time now, in seconds since the machine booted."""
        return self._seconds()

    def call_later(self, delay_seconds: float, action: Callable[[], None]) -> Callable[[], None]:
        """Call *action* in *delay_seconds* or later; return what cancels it, at any time."""
        return _Alarm(self._reactor, self._seconds, delay_seconds, action).cancel


class _Alarm:
    """One *action* to come, at *deadline*."""

    def __init__(
        self,
        reactor: Scheduler,
        seconds: Callable[[], float],
        delay_seconds: float,
        action: Callable[[], None],
    ) -> None:
        self._reactor = reactor
        self._seconds = seconds
        self._action = action
        self._deadline = seconds() + delay_seconds
        self._call = reactor.callLater(max(0.0, delay_seconds), self._wake)

    def cancel(self) -> None:
        """Prevent the action, if it is still to come."""
        if self._call.active():
            self._call.cancel()

    def _wake(self) -> None:
        left_seconds = self._deadline - self._seconds()
        if left_seconds > 0:
            self._call = self._reactor.callLater(left_seconds, self._wake)
        else:
            self._action()


def make_count(reactor: ReactorBase, seconds: Callable[[], float] = boot_seconds) -> None:
    """
    Let *reactor*, on which nothing may be scheduled yet, go by *seconds* instead of the wall clock.

    If somebody set that back by an hour, it would wake nobody for an hour. Only for a process that
    is a server and nothing else: the reactor of another program is not ours to change.
    """
    if reactor.getDelayedCalls():
        raise RuntimeError("make the clock before anything is scheduled on its reactor")
    # The reactor asks this attribute for the time everywhere; replacing it is the known way around
    # Twisted's issue 2424, programs that misbehave when the system clock is changed.
    reactor.seconds = seconds
