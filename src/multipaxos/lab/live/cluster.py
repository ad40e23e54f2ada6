"""The running cluster behind the page: what happens in it, and what is done to it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from threading import Lock
from typing import Any, Protocol

from multipaxos.lab.live.stream import Stream
from multipaxos.lab.live.wishes import DEEDS, Ask, Strike, Trouble, WishError, wish_of
from multipaxos.lab.run import Run, run_of_trace
from multipaxos.runtime.messenger.faults import NetworkFaults
from multipaxos.trace import TraceEvent
from multipaxos.trace.diagram.reading import with_choices
from multipaxos.trace.file import plain_event

TOLD_MAX = 2_000
"""So many events are told at once; a page that asks again is told the rest."""


class Processes(Protocol):
    """The servers as processes, each in the hand of whoever started it."""

    def state(self, uid: str) -> str:
        """Return ``up``, ``down`` or ``paused``."""

    def strike(self, deed: str, uid: str) -> None:
        """Kill, restart, pause or resume the process of *uid*."""

    def tell(self, uid: str, line: str) -> None:
        """Write *line* to the standard input of *uid*, if it is up."""

    def ask(self, uid: str, value: str) -> str:
        """Ask *uid* to set *value*, and return a sentence that says what came of it."""


class LiveCluster:
    """
    The servers *uids*, with their traces in *stream*.

    Its methods may be called from any thread. State: the *faults* that the network has on purpose.
    """

    def __init__(self, uids: Sequence[str], stream: Stream, processes: Processes) -> None:
        """Watch the cluster; its network begins whole."""
        self.uids = tuple(uids)
        self.faults = NetworkFaults()
        self._stream = stream
        self._processes = processes
        self._lock = Lock()

    def events_since(self, number: int) -> Mapping[str, Any]:
        """
        Return what happened from event *number* on, and how the servers are.

        *missing* are the events between that number and the first that is told: they are not kept.
        """
        with self._lock:
            stream = self._stream
            stream.look()
            # A page that has seen none is shown the newest ones.
            wanted = number or max(0, stream.were - TOLD_MAX)
            first = min(max(wanted, stream.oldest), stream.were)
            events = stream.between(first, first + TOLD_MAX)
            return {
                "first": first,
                "events": [plain_event(event) for event in events],
                "next": first + len(events),
                "missing": max(0, first - wanted),
                "servers": {uid: self._processes.state(uid) for uid in self.uids},
                "faults": self.faults.plain(),
            }

    def fault(self, wish: Mapping[str, Any]) -> Mapping[str, Any]:
        """Do what *wish* says and return a sentence. Raises ValueError, with one, if it cannot."""
        match wish_of(wish, self.uids):
            case Strike(deed=deed, server=server):
                return {"text": self._strike(deed, server)}
            case Trouble(faults=faults):
                return {"text": self._trouble(faults)}
            case Ask(server=server, value=value):
                if self._processes.state(server) == "down":
                    raise WishError(f"{server} is down: nobody can ask it")
                return {"text": self._processes.ask(server, value)}

    def freeze(self, since: int, until: int) -> Run:
        """Return the events from *since* up to *until* as a run, to be looked at. ValueError."""
        with self._lock:
            self._stream.look()
            events = self._stream.between(since, until)
            before = self._stream.between(0, since)
            header = self._stream.header
        if header is None or not events:
            raise WishError("nothing has happened there that is still known")
        first, last = events[0].seconds, events[-1].seconds
        title = f"{last - first:.1f} s of the running cluster"
        stretch = [event for event in events if event.kind != "trace"]
        # What the stretch is a trace of, said at its beginning, whenever the server said it.
        beginning = [replace(event, seconds=first) for event in (header, *_standing(before))]
        merged = list(with_choices([*beginning, *stretch]))
        return run_of_trace(merged, title=title, source="live")

    def _strike(self, deed: str, server: str) -> str:
        state = self._processes.state(server)
        states, done, traced = DEEDS[deed]
        if state not in states:
            raise WishError(f"{server} is {state}: there is nothing to {deed}")
        if deed == "resume":
            # One that stands still reads nothing: it is told what is wrong when it goes on again.
            self._tell(server)
        self._processes.strike(deed, server)
        if traced is not None:
            with self._lock:
                self._stream.note(traced, server, {})
        if deed == "restart":
            # A fresh process knows nothing of what is wrong with the network.
            self._tell(server)
        return f"{server} was {done}."

    def _trouble(self, faults: NetworkFaults) -> str:
        if faults.blocked != self.faults.blocked:
            with self._lock:
                blocked = [list(pair) for pair in sorted(faults.blocked)]
                self._stream.note("wires", "", {"blocked": blocked})
        self.faults = faults
        for uid in self.uids:
            # Whoever is told too much while it stands still would keep us waiting for it.
            if self._processes.state(uid) == "up":
                self._tell(uid)
        return "The network is whole." if faults == NetworkFaults() else "The network is troubled."

    def _tell(self, uid: str) -> None:
        self._processes.tell(uid, json.dumps(self.faults.plain()))


def _standing(before: Sequence[TraceEvent]) -> list[TraceEvent]:
    """Return, of what happened *before* a stretch, what is still so when it begins."""
    ends: dict[str, TraceEvent] = {}
    pauses: dict[str, TraceEvent] = {}
    wires: list[TraceEvent] = []
    for event in before:
        if event.kind == "started":
            ends.pop(event.server, None)
            pauses.pop(event.server, None)
        elif event.kind in ("crashed", "halted", "stopped"):
            ends[event.server] = event
        elif event.kind == "paused":
            pauses[event.server] = event
        elif event.kind == "resumed":
            pauses.pop(event.server, None)
        elif event.kind == "wires":
            wires = [event] if event.fields["blocked"] else []
    return [*ends.values(), *(e for uid, e in pauses.items() if uid not in ends), *wires]
