"""Who watches is told of each change once, in order, and never past a gap without a word."""

import json
from collections.abc import Callable

import pytest
from hiredis import Reader
from twisted.internet.task import Clock

from multipaxos.chain.effects import Changes
from multipaxos.runtime import change_log
from multipaxos.runtime.change_log import (
    END_OF_LINK,
    ChangeLog,
    ChangesMissingError,
    Position,
)
from multipaxos.runtime.client_port import resp
from multipaxos.runtime.client_port.watch_feed import BEAT_SECONDS, WatchFeed


class Watcher:
    """A client that watches: it keeps what it is told, as plain lists."""

    def __init__(
        self, log: ChangeLog, position: Position, key: str | None = None, *, version: int = 2
    ) -> None:
        """Begin to watch."""
        self.clock = Clock()
        self.told: list[list[object]] = []
        self.gaps = 0
        self.on_write: Callable[[], None] = lambda: None
        self._reader = Reader(encoding="utf-8")
        self.feed = WatchFeed(
            log,
            position,
            key,
            clock=self.clock,
            instance=lambda: 7,
            encoding=resp.Encoding(version),
            write=self._write,
            on_gap=self._end,
        )
        self.feed.start()

    def _write(self, push: bytes) -> None:
        self._reader.feed(push)
        said, *rest = self._reader.gets()
        if said == "change":
            rest[-1] = json.loads(rest[-1])
        self.told.append([said, *rest])
        self.on_write()

    def _end(self) -> None:
        self.gaps += 1


def change(log: ChangeLog, link: int, *changes: tuple[str | None, object]) -> None:
    """Let *link* change something."""
    log.take(Changes(link=link, changes=changes))


def test_what_came_before_and_what_comes_is_told_in_order() -> None:
    """From the position on, each change once."""
    log = ChangeLog(1)
    change(log, 1, (None, "a"))
    change(log, 2, (None, "b"))
    watcher = Watcher(log, Position(1, END_OF_LINK))
    change(log, 3, (None, "c"))

    assert watcher.told == [["change", 2, 0, None, "b"], ["change", 3, 0, None, "c"]]


def test_one_key_is_told_without_the_others() -> None:
    """Of a link that changes many keys, its place tells which of them it was."""
    log = ChangeLog(1)
    watcher = Watcher(log, Position(0, END_OF_LINK), "k", version=3)
    change(log, 1, ("j", "1"), ("k", "2"), ("k", None))

    assert watcher.told == [["change", 1, 1, "k", "2"], ["change", 1, 2, "k", None]]


def test_a_server_that_is_behind_does_not_repeat_what_the_watcher_knows() -> None:
    """The watcher comes from a server that was further: what it knows comes here only now."""
    log = ChangeLog(1)
    watcher = Watcher(log, Position(2, 0))
    change(log, 1, (None, "a"))
    change(log, 2, (None, "b"))
    change(log, 3, (None, "c"))

    assert watcher.told == [["change", 3, 0, None, "c"]]


def test_a_beat_says_that_the_server_is_there() -> None:
    """Each second, with the link in progress; until the watch ends."""
    watcher = Watcher(ChangeLog(1), Position(0, END_OF_LINK))

    watcher.clock.advance(BEAT_SECONDS)
    watcher.clock.advance(BEAT_SECONDS)
    watcher.feed.stop()
    watcher.clock.advance(10 * BEAT_SECONDS)

    assert watcher.told == [["beat", 7], ["beat", 7]]
    assert watcher.clock.getDelayedCalls() == []


def test_who_does_not_read_is_told_nothing_and_misses_nothing() -> None:
    """What waits stays with the server, each change once; not in an output that grows."""
    log = ChangeLog(1)
    watcher = Watcher(log, Position(0, END_OF_LINK))
    watcher.on_write = watcher.feed.pause
    for link in (1, 2, 3):
        change(log, link, (None, str(link)))
    watcher.clock.advance(BEAT_SECONDS)

    assert watcher.told == [["change", 1, 0, None, "1"]]
    watcher.on_write = lambda: None
    watcher.feed.resume()
    assert [told[-1] for told in watcher.told] == ["1", "2", "3"]


def test_who_reads_too_slowly_is_told_of_the_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The memory is bounded: then the watch ends with the link up to which changes are missing."""
    monkeypatch.setattr(change_log, "CHANGES_MAX", 2)
    log = ChangeLog(1)
    watcher = Watcher(log, Position(0, END_OF_LINK))
    watcher.feed.pause()
    for link in range(1, 6):
        change(log, link, (None, str(link)))
    watcher.feed.resume()
    change(log, 6, (None, "6"))

    assert watcher.told == [["gap", 3]]
    assert watcher.gaps == 1


def test_a_catch_up_ends_every_watch() -> None:
    """The links that were skipped may have changed something; another server may know what."""
    log = ChangeLog(1)
    watcher = Watcher(log, Position(0, END_OF_LINK))
    log.take(Changes(link=9, changes=None))

    assert watcher.told == [["gap", 9]]


def test_a_watch_cannot_begin_in_a_gap() -> None:
    """Whoever asks is told at once, and asks another server."""
    with pytest.raises(ChangesMissingError):
        Watcher(ChangeLog(5), Position(3, END_OF_LINK))
