"""
I11, of what the clients of a played script saw.

Where a person delivers messages no virtual time passes, and all calls would seem to overlap. The
order of the trace's events is finer: a call that began after another had returned stands behind it.
"""

import math
from dataclasses import replace

from multipaxos.invariants.linearizability import Operation, check_linearizable
from multipaxos.invariants.names import LINEARIZABLE, NAMES, PROGRESS
from multipaxos.simulation.clients import history_of
from multipaxos.simulation.cluster import SimulatedCluster

CALLS_MAX = 60
"""The order of more calls than this is not searched for: that may take long."""


def check_calls(cluster: SimulatedCluster) -> None:
    """Raise InvariantViolation if no order of single steps explains what the clients saw."""
    if _are_few_enough(cluster):
        check_linearizable(_in_order_of_events(cluster), cluster.machine)


def judged_of(cluster: SimulatedCluster) -> list[str]:
    """Return the names of the invariants that a played run on *cluster* is held against."""
    # Whether it goes on for ever, no finite run tells.
    left_out = {PROGRESS} if _are_few_enough(cluster) else {PROGRESS, LINEARIZABLE}
    return [name for name in NAMES if name not in left_out]


def _are_few_enough(cluster: SimulatedCluster) -> bool:
    return len(cluster.calls) <= CALLS_MAX


def _in_order_of_events(cluster: SimulatedCluster) -> list[Operation]:
    """Return what the clients saw; its instants are places in the trace."""
    called: dict[object, float] = {}
    returned: dict[object, float] = {}
    for place, event in enumerate(cluster.trace.events):
        if event.kind == "called":
            called.setdefault(event.fields["request"], place)
        elif event.kind == "returned":
            returned.setdefault(event.fields["request"], place)
    return [
        replace(
            operation,
            called_at=called[operation.name],
            returned_at=returned.get(operation.name, math.inf),
        )
        for operation in history_of(cluster)
    ]
