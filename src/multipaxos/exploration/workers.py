"""
Exploration by several processes: each keeps the states whose fingerprints are its share.

The search goes level by level, in rounds. In a round each process expands some states of its share
of the level, and hands each successor to the process that keeps it; that one knows whether it is
new. A new state belongs to the next level, whoever discovered it and in whichever round; so the
levels, and with them the counts and the length of the shortest path, are those of a single process.
"""

import multiprocessing
import pickle
import signal
import time
from array import array
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Generic

from multipaxos.exploration.model import Action, Model, State
from multipaxos.exploration.result import Exploration, OnProgress, Progress
from multipaxos.exploration.store import NO_PARENT, Store, path_through

EXPANSIONS_PER_ROUND = 4_000
"""So many states each process expands in a round: few rounds, and batches of a few megabytes."""


class WorkerLostError(RuntimeError):
    """A process of the search ended before the search did; the message says so in a sentence."""


MIX = 0x9E3779B97F4A7C15
"""An odd number with well spread bits: neighbouring fingerprints go to different processes."""


def explore_with_workers(
    model: Model[State, Action],
    *,
    jobs: int,
    states_max: int | None,
    on_progress: OnProgress | None,
) -> Exploration[State, Action]:
    """Explore *model* with *jobs* processes; the rest is as :func:`.engine.explore` says."""
    search = _Search(model, jobs=jobs, states_max=states_max, on_progress=on_progress)
    try:
        return search.run()
    finally:
        search.close()


@dataclass(slots=True)
class _Standing:
    """What one process reports after a round."""

    states: int = 0
    unexpanded: int = 0
    discovered: int = 0
    found: int | None = None
    memory_bytes: int = 0
    reached: list[str] = field(default_factory=list)


class _Search(Generic[State, Action]):
    """
    The search as seen by the process that was asked for it: it relays batches, and adds up.

    State: what each worker reported last, the *levels* begun, and where a violation was found.
    """

    def __init__(
        self,
        model: Model[State, Action],
        *,
        jobs: int,
        states_max: int | None,
        on_progress: OnProgress | None,
    ) -> None:
        self.model = model
        self.jobs = jobs
        self.states_max = states_max
        self.on_progress = on_progress
        self.started = time.monotonic()
        self.transitions = 0
        self.levels = 0
        self.missing = dict.fromkeys(model.sometimes)
        self.standings = [_Standing() for _ in range(jobs)]
        self.connections: list[Connection] = []
        self.processes: list[BaseProcess] = []

    def run(self) -> Exploration[State, Action]:
        """Search to the end, and return what was found."""
        interrupted = complete = False
        try:
            self._start()
            complete = self._search()
        except KeyboardInterrupt:
            interrupted = True
        except (EOFError, ConnectionError) as error:
            raise WorkerLostError(
                f"a process of the search ended after {self._sum('states'):,} states, perhaps for "
                "want of memory"
            ) from error
        seconds = time.monotonic() - self.started
        states = () if interrupted else self._states_to_violation()
        violation = None
        if states:
            violation = self.model.violation(states[-1]) or self.model.dead_end(states[-1])
        count = self._sum("states")
        return Exploration(
            states=count,
            transitions=self.transitions,
            depth=self._depth(),
            complete=complete,
            interrupted=interrupted,
            violation=violation,
            path=path_through(self.model, states),
            states_on_path=states,
            missing=tuple(self.missing),
            seconds=seconds,
            bytes_per_state=self._sum("memory_bytes") / max(1, count),
        )

    def close(self) -> None:
        """End the workers."""
        for process in self.processes:
            process.terminate()
            process.join()
        for connection in self.connections:
            connection.close()

    def _start(self) -> None:
        # A fresh interpreter for each, on every system: what this process has open, and its
        # threads, are not copied.
        context = multiprocessing.get_context("spawn")
        for number in range(self.jobs):
            here, there = context.Pipe()
            self.connections.append(here)
            process = context.Process(
                target=_work, args=(self.model, number, self.jobs, there), daemon=True
            )
            self.processes.append(process)
            process.start()
            there.close()

    def _search(self) -> bool:
        self._collect_standings()
        while self._sum("discovered"):
            if self._is_found():
                return False
            self.levels += 1
            for connection in self.connections:
                connection.send("next level")
            self._collect_standings()
            while self._sum("unexpanded"):
                if self.states_max is not None and self._sum("states") >= self.states_max:
                    return False
                self._play_round()
                if self._is_found():
                    return False
                self._tell_progress()
        return not self._is_found()

    def _play_round(self) -> None:
        for connection in self.connections:
            connection.send("expand")
        batches = []
        for connection in self.connections:
            self.transitions += connection.recv()
            batches.append([connection.recv_bytes() for _ in range(self.jobs)])
        for receiver, connection in enumerate(self.connections):
            for sender, batch in enumerate(batches):
                if sender != receiver:
                    connection.send_bytes(batch[receiver])
        self._collect_standings()

    def _collect_standings(self) -> None:
        self.standings = [connection.recv() for connection in self.connections]
        for standing in self.standings:
            for name in standing.reached:
                self.missing.pop(name, None)

    def _states_to_violation(self) -> tuple[State, ...]:
        place = next(
            (
                standing.found * self.jobs + number
                for number, standing in enumerate(self.standings)
                if standing.found is not None
            ),
            NO_PARENT,
        )
        states: list[State] = []
        while place != NO_PARENT:
            position, number = divmod(place, self.jobs)
            self.connections[number].send(position)
            portable, place = self.connections[number].recv()
            states += self.model.resident(portable)
        return tuple(reversed(states))

    def _is_found(self) -> bool:
        return any(standing.found is not None for standing in self.standings)

    def _sum(self, name: str) -> int:
        return sum(getattr(standing, name) for standing in self.standings)

    def _depth(self) -> int:
        return self.levels + bool(self._sum("discovered"))

    def _tell_progress(self) -> None:
        if self.on_progress is not None:
            self.on_progress(
                Progress(
                    states=self._sum("states"),
                    transitions=self.transitions,
                    depth=self._depth(),
                    frontier=self._sum("discovered"),
                    seconds=time.monotonic() - self.started,
                    memory_bytes=self._sum("memory_bytes"),
                )
            )


def _work(model: Model[Any, Any], number: int, jobs: int, connection: Connection) -> None:
    # A Ctrl+C reaches all processes of the terminal; the one that was asked for the search ends us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, ConnectionError):
        # It was killed: nobody is left to work for.
        _serve(model, number, jobs, connection)


def _serve(model: Model[Any, Any], number: int, jobs: int, connection: Connection) -> None:
    share = _Share(model, number, jobs)
    share.begin()
    connection.send(share.standing())
    while True:
        command = connection.recv()
        if command == "next level":
            share.begin_level()
            connection.send(share.standing())
        elif command == "expand":
            connection.send(share.expand())
            for batch in share.take_batches():
                connection.send_bytes(batch)
            for _ in range(jobs - 1):
                share.receive(connection.recv_bytes())
            connection.send(share.standing())
        else:
            connection.send(share.state_at(command))


class _Share(Generic[State, Action]):
    """
    One process's share of the states.

    State: the states kept here; the *level* that is expanded, and how far; the *frontier*, which is
    the next level; and the batches for each process: states, and the places of their parents. The
    place of the state at index i of process n is i * jobs + n.
    """

    def __init__(self, model: Model[State, Action], number: int, jobs: int) -> None:
        self.model = model
        self.number = number
        self.jobs = jobs
        self.store: Store[State] = Store()
        self.level: list[State] = []
        self.level_first = 0
        self.expanded = 0
        self.frontier: list[State] = []
        self.found: int | None = None
        self.missing = dict(model.sometimes)
        self.reached: list[str] = []
        self.batches: list[dict[State, int]] = [{} for _ in range(jobs)]

    def begin(self) -> None:
        """Take this process's share of the first states."""
        for state in self.model.initial():
            if self._keeper(state) == self.number:
                self._take(state, NO_PARENT)

    def begin_level(self) -> None:
        """Go on with the states that were discovered."""
        self.level_first += len(self.level)
        self.level, self.frontier = self.frontier, []
        self.expanded = 0

    def expand(self) -> int:
        """Expand the next states of the level; return the number of transitions."""
        successors, batches, transitions = self.model.successors, self.batches, 0
        states = self.level[self.expanded : self.expanded + EXPANSIONS_PER_ROUND]
        first = self.level_first + self.expanded
        self.expanded += len(states)
        for position, state in enumerate(states, first):
            leads_on = False
            place = position * self.jobs + self.number
            for _, successor in successors(state):
                transitions += 1
                leads_on = leads_on or successor != state
                batches[self._keeper(successor)].setdefault(successor, place)
            if not leads_on and self.model.dead_end(state) is not None:
                self.found = self.found if self.found is not None else position
        return transitions

    def take_batches(self) -> list[bytes]:
        """Return for each other process what it is to look at; take what stays here, forget all."""
        messages = []
        for keeper, batch in enumerate(self.batches):
            if keeper == self.number:
                # What stays here need not be made fit to travel.
                for state, parent in batch.items():
                    self._take(state, parent)
                messages.append(b"")
                continue
            portable = self.model.portable(list(batch))
            messages.append(pickle.dumps((portable, array("Q", batch.values())), protocol=5))
        self.batches = [{} for _ in range(self.jobs)]
        return messages

    def receive(self, message: bytes) -> None:
        """Take the new ones among the states of a batch."""
        portable, parents = pickle.loads(message)  # noqa: S301 - written by our own processes
        for state, parent in zip(self.model.resident(portable), parents, strict=True):
            self._take(state, parent)

    def standing(self) -> _Standing:
        """Return what is to be reported now."""
        reached, self.reached = self.reached, []
        return _Standing(
            states=len(self.store.index),
            unexpanded=len(self.level) - self.expanded,
            discovered=len(self.frontier),
            found=self.found,
            memory_bytes=self.store.memory_bytes(self.frontier or self.level)
            + 8 * (len(self.frontier) + len(self.level)),
            reached=reached,
        )

    def state_at(self, position: int) -> tuple[Any, int]:
        """Return the state at an index of the store, for any process, and its parent's place."""
        state = self.store.states_at([position])[position]
        return self.model.portable([state]), self.store.parents[position]

    def _take(self, state: State, parent: int) -> None:
        if state in self.store.index:
            return
        self.store.add(state, parent)
        self.frontier.append(state)
        if self.found is None and self.model.violation(state) is not None:
            self.found = len(self.store.parents) - 1
        if self.missing:
            for name in [name for name, is_so in self.missing.items() if is_so(state)]:
                del self.missing[name]
                self.reached.append(name)

    def _keeper(self, state: State) -> int:
        return (self.model.fingerprint(state) * MIX >> 32) % self.jobs
