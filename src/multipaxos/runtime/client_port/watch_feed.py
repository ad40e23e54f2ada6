"""A connection that watches: it is told of each change, in order, as long as it reads."""

from collections.abc import Callable

import msgspec

from multipaxos.chain.state_machine import thaw
from multipaxos.runtime.change_log import (
    ChangeLog,
    ChangesMissingError,
    PlacedChange,
    Position,
)
from multipaxos.runtime.client_port import resp
from multipaxos.runtime.reactor import DelayedCall, Scheduler

BEAT_SECONDS = 1.0
"""Without a change for so long, the watcher is told that this server is still there."""


class WatchFeed:
    """
    Writes the changes of *key* (None: all) behind a position, and a beat where there are none.

    Nothing is written while the watcher does not read (:meth:`pause`); what it misses then waits in
    the *log*, and when it is gone from there the watch ends with a gap. State: the number of the
    next change; whether the watcher does not read, and
    whether the watch is over.
    """

    def __init__(
        self,
        log: ChangeLog,
        position: Position,
        key: str | None,
        *,
        clock: Scheduler,
        instance: Callable[[], int],
        encoding: resp.Encoding,
        write: Callable[[resp.Reply], object],
        on_gap: Callable[[], None],
    ) -> None:
        """
        Find where to begin: ChangesMissingError where that is not known any more.

        *write* is given what the watcher is told, *on_gap* is called after the last of it.
        """
        self._log = log
        self._key = key
        self._clock = clock
        self._instance = instance
        self._encoding = encoding
        self._write = write
        self._on_gap = on_gap
        self._position = position
        self._number = log.number_after(position)
        self._is_paused = self._is_over = False
        self._beat: DelayedCall | None = None

    def start(self) -> None:
        """Tell what there is, and go on."""
        self._log.wake(self, self._tell)
        self._plan_beat()
        self._tell()

    def stop(self) -> None:
        """Tell nothing more."""
        self._is_over = True
        self._log.wake(self, None)
        if self._beat is not None and self._beat.active():
            self._beat.cancel()
        self._beat = None

    def pause(self) -> None:
        """Wait: the watcher does not read."""
        self._is_paused = True

    def resume(self) -> None:
        """Go on: it reads."""
        self._is_paused = False
        self._tell()

    def _tell(self) -> None:
        if not self._may_write():
            return
        try:
            for change in self._log.since(self._number):
                # Each write may fill the output, and each may end the watch.
                if not self._may_write():
                    break
                self._number += 1
                # A server that is behind is told by its watchers what it will come to yet.
                if change.position > self._position and self._key in (None, change.key):
                    self._write(_push(change, self._encoding))
        except ChangesMissingError:
            self.stop()
            gap = resp.integer(self._log.complete_after.link)
            self._write(resp.array([resp.bulk("gap"), gap]))
            self._on_gap()

    def _may_write(self) -> bool:
        return not (self._is_paused or self._is_over)

    def _plan_beat(self) -> None:
        self._beat = self._clock.callLater(BEAT_SECONDS, self._write_beat)

    def _write_beat(self) -> None:
        if self._may_write():
            link = resp.integer(self._instance())
            self._write(resp.array([resp.bulk("beat"), link]))
        self._plan_beat()


def _push(change: PlacedChange, encoding: resp.Encoding) -> resp.Reply:
    link, place = change.position
    value = msgspec.json.encode(thaw(change.value))
    return resp.array(
        [
            resp.bulk("change"),
            resp.integer(link),
            resp.integer(place),
            encoding.bulk(change.key),
            resp.bulk(value),
        ]
    )
