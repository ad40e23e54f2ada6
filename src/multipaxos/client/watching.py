"""The core of a watch: every change once, in order, through whichever server tells of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import hiredis

from multipaxos.chain.requests import Chosen
from multipaxos.chain.state_machine import Failure
from multipaxos.client.calls import result_of
from multipaxos.client.errors import (
    ClientError,
    CommandError,
    NoReplyError,
    NotReachableError,
    OtherServerError,
    ProtocolError,
)
from multipaxos.client.servers import REST_SECONDS_MAX
from multipaxos.client.steps import Close, Elsewhere, Endpoint, Pause, Receive, Steps
from multipaxos.client.talk import Talk
from multipaxos.client.wire import outcome_of, pack, text_or_none
from multipaxos.runtime.change_log import END_OF_LINK

SUBSCRIBE_SECONDS_MAX = 2.0
"""A server that takes longer to begin is left for the next one."""
SILENCE_SECONDS_MAX = 3.0
"""Servers give a sign of life each second: one that is silent for so long is dead or cut off."""
BEHIND_SECONDS_MAX = 3.0
"""A server that does not reach for so long what another had reached before is cut off."""
SCOUT_SECONDS = 2.0
"""So often, while nothing happens, another server is asked whether it is ahead."""
SCOUT_SECONDS_MAX = 0.5
"""The other server must answer within this, for the watch waits meanwhile."""
GAP_SECONDS_MAX = 3.0
"""So long a server that cannot be reached is waited for, when all others lack changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """
    A new value: *value* is there now, under *key*; None if it was deleted.

    *link* and *index* say where in the chain, and grow. A register has no *key*, nor has a state
    machine of your own, whose whole state is the value, as JSON has it. If changes were
    *missed*, because no server has them all any more, *value* is the current one instead, None for
    a dictionary that is watched as a whole.
    """

    link: int
    index: int
    key: str | None
    value: Any
    missed: bool = False


def newest_link(talk: Talk, key: str | None, *, deadline: float) -> Steps[int]:
    """
    Return a link behind which all is new: every change that is asked for from now on.

    It is that of a read through the chain. A change in front of it in the same link is told by the
    read; one behind it was asked for before the read was answered. Raises what the read can raise.
    """
    # A dictionary reads no value without a key.
    for command in (("GET",), ("DBSIZE",)) if key is None else (("GET", key),):
        outcome = yield from talk.execute(command, deadline=deadline)
        try:
            result_of(outcome)
        except CommandError:
            if key is not None:
                raise
        else:
            assert isinstance(outcome, Chosen), "only that has a result"
            return outcome.link
    # A state machine of somebody's own may have neither. What is asked for from now on is in no
    # link below the one in progress; the first changes told may be some that were made before.
    return max(0, talk.progress.link - 1)


class Watching:
    """
    A watch, of one *key* or of all that there is.

    State: the position behind which everything is still to be told; the *source* that tells it,
    None if there is none; the *candidate* to ask next. Of the source: the link that it must reach
    (*goal*), since when, and when another server is asked the next time.
    """

    def __init__(self, talk: Talk, scout: Talk, *, link: int, key: str | None) -> None:
        """
        Begin behind *link*, without a connection.

        *talk* is for the watch alone; *scout* asks the other servers, over connections of its own.
        """
        self.link = link
        self.index = END_OF_LINK
        self.source: Endpoint | None = None
        self._talk = talk
        self._scout = scout
        self._key = key
        self._candidate = talk.servers.from_preferred()[0]
        self._scouted = self._candidate
        self._goal = 0
        self._goal_since = 0.0
        self._scout_at = 0.0

    def next_change(self) -> Steps[Change]:
        """Return the next change, whenever it comes; ClosedError once the client is closed."""
        while True:
            change = yield from (self._subscribe() if self.source is None else self._listen())
            if change is not None:
                return change

    # -- a source of changes -----------------------------------------------------------------------

    def _listen(self) -> Steps[Change | None]:
        change = None
        try:
            push = yield Receive(deadline=self._talk.seconds() + SILENCE_SECONDS_MAX)
            match push:
                case [b"change", int(link), int(index), key, bytes(value)]:
                    change = self._take(link, index, text_or_none(key), json.loads(value))
                    yield from self._check_progress(link + 1)
                case [b"beat", int(link)]:
                    # All that was changed in front of this link has been told.
                    self.link, self.index = max((self.link, self.index), (link - 1, END_OF_LINK))
                    yield from self._check_progress(link)
                    yield from self._look_around()
                case _:
                    # A gap, or something that no server says: what is missing, another may have.
                    yield from self._leave()
        except (NoReplyError, ProtocolError, ValueError):
            yield from self._leave()
        return change

    def _take(self, link: int, index: int, key: str | None, value: Any) -> Change | None:
        if (link, index) <= (self.link, self.index):
            return None
        self.link, self.index = link, index
        return Change(link=link, index=index, key=key, value=value)

    def _leave(self, successor: Endpoint | None = None) -> Steps[None]:
        self._candidate = successor or self._talk.servers.after(self.source)
        self.source = None
        self._talk.server = None
        yield Close()

    # -- whether it keeps up -----------------------------------------------------------------------

    def _check_progress(self, link: int) -> Steps[None]:
        """Leave the source, which is at *link*, if another was further for long: it is cut off."""
        assert self.source is not None, "somebody is listened to"
        now = self._talk.seconds()
        newest = self._talk.progress
        newest.hear(link, self.source)
        if link >= self._goal:
            self._goal, self._goal_since = newest.link, now
        elif now - self._goal_since > BEHIND_SECONDS_MAX:
            yield from self._leave(newest.server)

    def _look_around(self) -> Steps[None]:
        now = self._talk.seconds()
        servers = self._talk.servers
        if self.source is None or now < self._scout_at or len(servers.endpoints) == 1:
            return
        self._scout_at = now + SCOUT_SECONDS
        self._scouted = servers.after(self._scouted)
        if self._scouted == self.source:
            self._scouted = servers.after(self._scouted)
        yield Elsewhere(steps=self._ask_for_progress(self._scouted))

    def _ask_for_progress(self, server: Endpoint) -> Steps[None]:
        self._scout.server = None
        try:
            # What it says of its progress, all talks of this client share.
            yield from self._scout.attend(
                server, deadline=self._scout.seconds() + SCOUT_SECONDS_MAX
            )
        except ClientError:
            return

    # -- finding a source --------------------------------------------------------------------------

    def _subscribe(self) -> Steps[Change | None]:
        """Find a source; or return what is there now, if nobody has all changes any more."""
        servers = self._talk.servers
        lacking: dict[Endpoint, float] = {}
        for number in count(1):
            server = self._candidate
            has_all = yield from self._ask_to_watch(server)
            if has_all:
                self._begin(server)
                return None
            if has_all is False:
                lacking.setdefault(server, self._talk.seconds())
                change = (yield from self._skip()) if self._is_hopeless(lacking) else None
                if change is not None:
                    return change
            self._candidate = servers.after(server)
            if number % len(servers.endpoints) == 0:
                yield Pause(seconds=REST_SECONDS_MAX)
        raise AssertionError("who counts never ends")

    def _begin(self, source: Endpoint) -> None:
        now = self._talk.seconds()
        self.source = source
        self._goal, self._goal_since = 0, now
        self._scout_at = now + SCOUT_SECONDS

    def _is_hopeless(self, lacking: Mapping[Endpoint, float]) -> bool:
        """Tell whether all lack changes, or the others have been away for too long."""
        if len(lacking) == len(self._talk.servers.endpoints):
            return True
        return self._talk.seconds() - min(lacking.values()) > GAP_SECONDS_MAX

    def _ask_to_watch(self, server: Endpoint) -> Steps[bool | None]:
        """Return whether *server* has all changes from here on; None if it did not say."""
        talk = self._talk
        deadline = talk.seconds() + SUBSCRIBE_SECONDS_MAX
        key = () if self._key is None else (self._key,)
        try:
            yield from talk.attend(server, deadline=deadline)
            packed = pack("MULTIPAXOS", "WATCH", self.link, self.index, *key)
            reply = yield from talk.ask(packed, deadline=deadline)
        except (NoReplyError, NotReachableError, ProtocolError, OtherServerError):
            # A stranger at one of the addresses is as good as nobody.
            return None
        if not isinstance(reply, hiredis.ReplyError):
            return True
        if str(reply).startswith("ERR "):
            raise CommandError(str(reply).removeprefix("ERR "))
        return False if str(reply).startswith("GAP ") else None

    def _skip(self) -> Steps[Change | None]:
        """
        Take what the server that is connected has as the current value, and go on behind it.

        It is read from the server's own state, which is that behind a whole link: a read through
        the chain may stand in front of other changes of its link, and they would be lost.
        """
        read = yield from self._read(("GET",) if self._key is None else ("GET", self._key))
        link = (yield from self._newest_link()) if read is None else read.link
        if link is None or (link, END_OF_LINK) <= (self.link, self.index):
            return None
        self.link, self.index = link, END_OF_LINK
        value = read.result if read is not None and isinstance(read.result, str) else None
        return Change(link=self.link, index=self.index, key=self._key, value=value, missed=True)

    def _newest_link(self) -> Steps[int | None]:
        """Return the newest link of the server that is connected, where no one value is read."""
        talk = self._talk
        try:
            reply = yield from talk.ask(
                pack("MULTIPAXOS", "STATUS"), deadline=talk.seconds() + SUBSCRIBE_SECONDS_MAX
            )
        except (NoReplyError, NotReachableError, ProtocolError):
            return None
        link = json.loads(reply)["link"] if isinstance(reply, bytes) else None
        return link if isinstance(link, int) else None

    def _read(self, command: tuple[str, ...]) -> Steps[Chosen | None]:
        talk = self._talk
        try:
            reply = yield from talk.ask(
                pack("MULTIPAXOS", "STALE", *command),
                deadline=talk.seconds() + SUBSCRIBE_SECONDS_MAX,
            )
            outcome = outcome_of(reply)
        except (NoReplyError, NotReachableError, ProtocolError):
            return None
        if isinstance(outcome, Chosen) and not isinstance(outcome.result, Failure):
            return outcome
        return None
