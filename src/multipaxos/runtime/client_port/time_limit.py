"""The time that a connection may be silent."""

from collections.abc import Callable

from multipaxos.runtime.reactor import DelayedCall, Scheduler


class TimeLimit:
    """
    Acts when a time is over that is begun anew again and again.

    To move a timer costs more than to look at the time, and every request begins the time anew. So
    the timer stays where it is; when it fires too early, it is set for the rest. State: when the
    time *ends*, and the timer, with when it *fires*.
    """

    def __init__(self, clock: Scheduler, action: Callable[[], object]) -> None:
        """Do *action* when the time is over that :meth:`begin` begins."""
        self._clock = clock
        self._action = action
        self._timer: DelayedCall | None = None
        self._ends = self._fires = 0.0

    def begin(self, seconds: float) -> None:
        """Begin anew: so many *seconds* from now on."""
        self._ends = self._clock.seconds() + seconds
        if self._timer is not None and self._ends < self._fires:
            self.stop()
        if self._timer is None:
            self._set(seconds)

    def stop(self) -> None:
        """Do nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set(self, seconds: float) -> None:
        self._fires = self._clock.seconds() + seconds
        self._timer = self._clock.callLater(seconds, self._look)

    def _look(self) -> None:
        self._timer = None
        left_seconds = self._ends - self._clock.seconds()
        if left_seconds > 0:
            self._set(left_seconds)
        else:
            self._action()
