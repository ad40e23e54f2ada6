"""Runs to be explained."""

from collections.abc import Callable

import pytest

from multipaxos.lab.explain import Explanation, explain
from multipaxos.lab.play import play
from multipaxos.trace import TraceEvent

Told = tuple[list[TraceEvent], Explanation]


@pytest.fixture
def told() -> Callable[[str], Told]:
    """Return what plays a script and explains its trace."""

    def play_and_explain(script: str) -> Told:
        events = list(play(script).stage.events)
        return events, explain(events)

    return play_and_explain
