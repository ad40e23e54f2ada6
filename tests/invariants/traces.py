"""Traces as the servers of a real cluster write them, made by simulated ones."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from multipaxos.chain.effects import Timer
from multipaxos.chain.state_machine import Command, StateMachine
from multipaxos.composition import compose, strategy_names
from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.trace import TraceEvent
from multipaxos.trace.file import format_line

UIDS = ("A", "B", "C")
UNKNOWN_TO_SERVERS = frozenset(
    {"chosen", "dropped", "duplicated", "crashed", "wiped", "clock rate", "wires", "disk"}
)

Fields = dict[str, Any]

BY_SNAPSHOT = strategy_names(master=True, without=("replay", "early"))
PLAIN_BY_SNAPSHOT = strategy_names(master=False, without=("replay", "early"))
"""Who missed a link catches up with all that the links amount to, and the trace shows that."""


def worked() -> SimulatedCluster:
    """
    Return a cluster that founded a chain, elected A, wrote, read, and lost C for a while.

    B was killed and started again in between.
    """
    cluster = SimulatedCluster(replica_class=compose(BY_SNAPSHOT), seed=3)
    cluster.start()
    driver = cluster.servers["A"].driver
    assert driver is not None
    assert cluster.run_until(lambda: driver.seconds_left(Timer.ELECTION) > 0, limit_seconds=5.0)
    cluster.submit("C", ("SET", "before any master"))
    cluster.run_for(0.02)
    cluster.hurry("A", Timer.ELECTION)
    cluster.run_for(0.5)
    for number in range(3):
        cluster.submit("B", ("SET", f"v{number}"), client="writer", sequence=number + 1)
        cluster.run_for(0.2)
        cluster.submit("A", ("GET",), client="reader", sequence=number + 1)
        cluster.run_for(0.2)
    cluster.crash("B")
    cluster.submit("A", ("SET", "without B"))
    cluster.run_for(0.5)
    cluster.restart("B")
    cluster.run_for(3.0)
    cluster.submit("C", ("SET", "last"))
    cluster.run_for(3.0)
    assert not cluster.unanswered
    return cluster


def counted(machine: StateMachine, *commands: Command) -> SimulatedCluster:
    """Return a cluster that founded a chain for *machine*, took *commands*, and brought C up."""
    cluster = SimulatedCluster(machine=machine, strategies=PLAIN_BY_SNAPSHOT, seed=3)
    cluster.start()
    cluster.run_for(3.0)
    cluster.crash("C")
    for number, command in enumerate(commands):
        cluster.submit("AB"[number % 2], command, client="ann", sequence=number + 1)
        cluster.run_for(0.5)
    cluster.restart("C")
    cluster.run_for(3.0)
    assert not cluster.unanswered
    return cluster


def split(
    events: Iterable[TraceEvent], *, clock: str = "boot-1", about: Fields | None = None
) -> dict[str, list[Fields]]:
    """Return the lines that each server would have written of *events*, as objects."""
    files: dict[str, list[Fields]] = {uid: [] for uid in UIDS}
    for event in events:
        if event.server not in files or event.kind in UNKNOWN_TO_SERVERS:
            continue
        lines = files[event.server]
        if event.kind == "started":
            header = {
                "time": event.seconds,
                "server": event.server,
                "kind": "trace",
                "version": 3,
                "engine": "server",
                "cluster": "test",
                "servers": list(UIDS),
                "clock": clock,
                "about": about or {},
            }
            lines.append(header)
        fields = json.loads(format_line(event))
        fields.pop("id", None)
        lines.append(fields)
    return files


def write(directory: Path, files: dict[str, list[Fields]]) -> list[Path]:
    """Write *files* below *directory*; return their paths."""
    paths = []
    for uid, lines in files.items():
        path = directory / f"{uid}.ndjson"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="ascii")
        paths.append(path)
    return paths


def find(lines: list[Fields], wanted: Callable[[Fields], bool]) -> int:
    """Return where the first line that is *wanted* stands."""
    return next(place for place, line in enumerate(lines) if wanted(line))
