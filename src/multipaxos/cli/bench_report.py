"""What ``multipaxos bench`` prints of its figures."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from multipaxos.bench.measurement import Measurement
from multipaxos.bench.table import (
    CLIENT_COLUMNS,
    COST_COLUMNS,
    SERVER_COLUMNS,
    client_rows,
    cost_rows,
    server_rows,
)
from multipaxos.trace.console import AMBER, GREEN, RED


def tell(console: Console, measurements: Sequence[Measurement]) -> None:
    """Print the tables, what failovers did, and what is wrong."""
    plain = [one for one in measurements if one.failover is None]
    _tell_table(console, "What the clients saw", CLIENT_COLUMNS, client_rows(plain))
    if any(one.uses for one in plain):
        _tell_table(
            console, "What the servers took, the master first", SERVER_COLUMNS, server_rows(plain)
        )
    _tell_table(console, "What a write costs all servers", COST_COLUMNS, cost_rows(plain))
    for one in measurements:
        if one.failover is not None:
            _tell_failover(console, one)
    _tell_errors(console, measurements)
    _tell_consistency(console, measurements)


def _tell_table(
    console: Console, title: str, columns: Sequence[str], rows: Sequence[tuple[str, ...]]
) -> None:
    if not rows:
        return
    table = Table(title=title, title_justify="left", title_style="bold", box=None)
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console.print(table)
    console.print()


def _tell_failover(console: Console, one: Measurement) -> None:
    failover = one.failover
    assert failover is not None
    console.print(
        f"{one.servers} servers, {one.load.title}: {failover.killed}, the master, was killed after "
        f"{failover.killed_seconds:.2f} s. The longest time without an acknowledged write was "
        f"{failover.gap_seconds:.2f} s, from {failover.gap_began_seconds:.2f} s on. "
        f"The outcome of {one.unknown:,} writes is unknown."
    )


def _tell_errors(console: Console, measurements: Sequence[Measurement]) -> None:
    for one in measurements:
        for error, count in one.errors.items():
            console.print(Text(f"{one.load.title}: {count:,} times {error}", style=AMBER))
        if one.unknown and one.failover is None:
            said = f"{one.load.title}: the outcome of {one.unknown:,} requests is unknown"
            console.print(Text(said, style=AMBER))


def _tell_consistency(console: Console, measurements: Sequence[Measurement]) -> None:
    faults = [fault for one in measurements for fault in one.faults]
    for fault in faults:
        console.print(Text(fault, style=f"bold {RED}"))
    held = [one for one in measurements if one.counted is not None]
    if held and not faults:
        answers = sum(one.seen for one in held)
        console.print(
            Text(f"The servers counted the {answers:,} answers that the clients saw.", style=GREEN)
        )
    load = sum(one.load_cpu_seconds_per_request * one.seen for one in measurements)
    seen = sum(one.seen for one in measurements)
    if seen:
        console.print(Text(f"The load itself took {load / seen * 1e6:.1f} us a request.", "dim"))
