"""Lanes: what lets one client make many requests at a time, each under a name of its own."""

import os
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Generic, Protocol, TypeVar
from weakref import WeakSet

from multipaxos.client.servers import Progress, Servers
from multipaxos.client.steps import Endpoint
from multipaxos.client.talk import Identity, Talk


class Shell(Protocol):
    """What performs steps."""

    def close(self) -> None:
        """Close for good."""

    def abandon(self) -> None:
        """Let go of the connection without ending it: it is another process's, too."""


S = TypeVar("S", bound=Shell)


@dataclass(frozen=True, slots=True)
class Lane(Generic[S]):
    """A *talk* under one name, and the *shell* that performs it. One request at a time."""

    talk: Talk
    shell: S


def new_name(name: str) -> str:
    """Return a client's name that begins with *name* and is nobody else's."""
    return f"{name}-{secrets.token_hex(8)}"


@dataclass(slots=True, kw_only=True)
class Lanes(Generic[S]):
    """
    The lanes of one client.

    At most one request of a name is in flight, for the chain remembers only the newest request of
    each. State: the lanes that are *idle*, the one used last at the end; all *shells* that are in
    use (a watch that nobody has any more is not); whether the client is closed. Threads may share
    it.
    """

    name: str
    servers: Servers
    password: str | None
    seconds: Callable[[], float]
    make_shell: Callable[[], S]
    identities: Mapping[Endpoint, Identity] | None = None
    progress: Progress = field(default_factory=Progress)
    idle: list[Lane[S]] = field(default_factory=list)
    shells: WeakSet[S] = field(default_factory=WeakSet)
    is_closed: bool = False
    process: int = field(default_factory=os.getpid)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> Lane[S]:
        """
        Return a lane for one request, the one that was used last if it is idle.

        So a program that makes one request after the other keeps to one name, whose newer requests
        end the older ones.
        """
        with self.lock:
            if os.getpid() != self.process:
                self._begin_anew()
            if self.idle:
                return self.idle.pop()
        return self.make()

    def put_back(self, lane: Lane[S]) -> None:
        """Let the next request have *lane*."""
        with self.lock:
            self.idle.append(lane)

    def make(self) -> Lane[S]:
        """Return a new lane, for something that goes on by itself."""
        shell = self.make_shell()
        with self.lock:
            self.shells.add(shell)
            is_closed = self.is_closed
        if is_closed:
            shell.close()
        return Lane(self.make_talk(), shell)

    def make_talk(self) -> Talk:
        """Return a talk under a new name."""
        return Talk(
            new_name(self.name),
            self.servers,
            self.progress,
            seconds=self.seconds,
            rng=Random(),
            password=self.password,
            identities=self.identities,
        )

    def drop(self, lane: Lane[S]) -> None:
        """Close a lane that :meth:`make` made."""
        lane.shell.close()
        with self.lock:
            self.shells.discard(lane.shell)

    def close(self) -> None:
        """Close all lanes, those with a request, too."""
        with self.lock:
            self.is_closed = True
            shells = tuple(self.shells)
        for shell in shells:
            shell.close()

    def _begin_anew(self) -> None:
        # A forked process would make other requests under the same names as its parent, and the
        # chain would take one for the repetition of the other. The connections stay the parent's:
        # to shut them down here would end them there.
        self.process = os.getpid()
        for shell in self.shells:
            shell.abandon()
        self.idle = []
        self.shells = WeakSet()
