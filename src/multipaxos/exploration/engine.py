"""
The explorer: every reachable state of a model, breadth first, the shortest disaster first.

Breadth first means that a state is discovered on one of the shortest paths that lead to it. So the
first violation that is found has no shorter run; and the counts do not depend on the order in which
a model lists its successors.
"""

import time
from collections.abc import Sequence
from typing import Generic

from multipaxos.exploration.model import Action, Model, State
from multipaxos.exploration.result import Exploration, OnProgress, Progress
from multipaxos.exploration.store import NO_PARENT, Store, path_through
from multipaxos.exploration.workers import explore_with_workers
from multipaxos.invariants.violation import InvariantViolation

PROGRESS_SECONDS = 0.2
EXPANSIONS_PER_LOOK = 256
"""So many states are expanded between two looks at the clock and at the bounds."""


def explore(
    model: Model[State, Action],
    *,
    jobs: int = 1,
    states_max: int | None = None,
    on_progress: OnProgress | None = None,
) -> Exploration[State, Action]:
    """
    Explore *model*, until all is seen, an invariant breaks, or *states_max* states are stored.

    *jobs* processes share the states; the counts of a complete exploration and the length of the
    shortest path to a violation do not depend on how many. A KeyboardInterrupt ends the search, and
    what was covered so far is returned.
    """
    if jobs > 1:
        return explore_with_workers(
            model, jobs=jobs, states_max=states_max, on_progress=on_progress
        )
    return _Search(model, states_max=states_max, on_progress=on_progress).run()


class _Search(Generic[State, Action]):
    """
    A search in this process.

    State: the states so far; the *levels* that were expanded, the newest perhaps in part; the
    *frontier*, which is the level that is discovered now; and what was found: a violation, and the
    index of the state that breaks it.
    """

    def __init__(
        self,
        model: Model[State, Action],
        *,
        states_max: int | None,
        on_progress: OnProgress | None,
    ) -> None:
        self.model = model
        self.states_max = states_max
        self.on_progress = on_progress
        self.store: Store[State] = Store()
        self.frontier: list[State] = []
        self.transitions = 0
        self.levels = 0
        self.found: tuple[InvariantViolation, int] | None = None
        self.missing = dict(model.sometimes)
        self.started = self.told = time.monotonic()

    def run(self) -> Exploration[State, Action]:
        """Search to the end, and return what was found."""
        interrupted = complete = False
        try:
            complete = self._search()
        except KeyboardInterrupt:
            interrupted = True
        seconds = time.monotonic() - self.started
        violation, position = self.found or (None, None)
        states = () if position is None else self.store.states_to(position)
        return Exploration(
            states=len(self.store.index),
            transitions=self.transitions,
            depth=self._depth(),
            complete=complete,
            interrupted=interrupted,
            violation=violation,
            path=path_through(self.model, states),
            states_on_path=states,
            missing=tuple(self.missing),
            seconds=seconds,
            bytes_per_state=self._memory_bytes() / max(1, len(self.store.index)),
        )

    def _search(self) -> bool:
        for state in self.model.initial():
            if state not in self.store.index:
                self._discover(state, NO_PARENT)
        first = 0
        while self.frontier and not self._is_found():
            self.levels += 1
            level, self.frontier = self.frontier, []
            for start in range(0, len(level), EXPANSIONS_PER_LOOK):
                if self.states_max is not None and len(self.store.index) >= self.states_max:
                    return False
                self._expand(level[start : start + EXPANSIONS_PER_LOOK], first + start)
                if self._is_found():
                    return False
                self._tell_progress()
            first += len(level)
        return not self._is_found()

    def _expand(self, states: Sequence[State], first: int) -> None:
        """Discover the successors of *states*, of which the one in front has the index *first*."""
        index, successors = self.store.index, self.model.successors
        for position, state in enumerate(states, first):
            leads_on = False
            for _, successor in successors(state):
                self.transitions += 1
                if successor not in index:
                    self._discover(successor, position)
                    if self._is_found():
                        return
                    leads_on = True
                elif not leads_on:
                    leads_on = successor != state
            if not leads_on:
                self._judge(self.model.dead_end(state), position)

    def _discover(self, state: State, parent: int) -> None:
        self.store.add(state, parent)
        self.frontier.append(state)
        self._judge(self.model.violation(state), len(self.store.parents) - 1)
        if self.missing:
            for name in [name for name, is_so in self.missing.items() if is_so(state)]:
                del self.missing[name]

    def _judge(self, violation: InvariantViolation | None, position: int) -> None:
        if violation is not None and self.found is None:
            self.found = (violation, position)

    def _is_found(self) -> bool:
        return self.found is not None

    def _tell_progress(self) -> None:
        now = time.monotonic()
        if self.on_progress is None or now - self.told < PROGRESS_SECONDS:
            return
        self.told = now
        self.on_progress(
            Progress(
                states=len(self.store.index),
                transitions=self.transitions,
                depth=self._depth(),
                frontier=len(self.frontier),
                seconds=now - self.started,
                memory_bytes=self._memory_bytes(),
            )
        )

    def _depth(self) -> int:
        # The level that is discovered now counts from its first state on.
        return self.levels + bool(self.frontier)

    def _memory_bytes(self) -> int:
        return self.store.memory_bytes(self.frontier) + 8 * len(self.frontier)
