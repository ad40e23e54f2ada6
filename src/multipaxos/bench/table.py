"""The figures as rows of text."""

from collections.abc import Iterator, Sequence

from multipaxos.bench.measurement import Measurement, ServerUse

UNKNOWN = "-"
DIGITS = 3
LOAD_COLUMNS = ("servers", "clients", "pipeline", "reads")
CLIENT_COLUMNS = (
    *LOAD_COLUMNS, "requests/s", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "errors"
)  # fmt: skip
SERVER_COLUMNS = (
    *LOAD_COLUMNS,
    "CPU %",
    "MB",
    "saves/write",
    "messages/write",
    "writes/link",
    "CPU us/request",
)
COST_COLUMNS = (
    "clients", "pipeline", "reads", "servers", "messages/write", "times", "CPU us/request", "times"
)  # fmt: skip


def client_rows(measurements: Sequence[Measurement]) -> list[tuple[str, ...]]:
    """Return what the clients saw: a row of :data:`CLIENT_COLUMNS` each."""
    return [
        (
            *_load_cells(one),
            f"{one.requests_per_second:,.0f}",
            *map(milliseconds, (one.latency.p50, one.latency.p99)),
            *map(milliseconds, (one.latency.p999, one.latency.longest)),
            f"{sum(one.errors.values()) + one.unknown:,}",
        )
        for one in measurements
    ]


def server_rows(measurements: Sequence[Measurement]) -> list[tuple[str, ...]]:
    """Return what the servers took: a row of :data:`SERVER_COLUMNS` each, the master first."""
    return [
        (
            *_load_cells(one),
            " ".join(f"{use.cpu:.0%}".rstrip("%") for use in _master_first(one)) or UNKNOWN,
            " ".join(f"{use.memory_bytes / 1e6:.0f}" for use in _master_first(one)) or UNKNOWN,
            _number(one.saves_per_write),
            _number(one.messages_per_write),
            _number(one.writes_per_link),
            _number(microseconds(one.cpu_seconds_per_request)),
        )
        for one in measurements
    ]


def cost_rows(measurements: Sequence[Measurement]) -> list[tuple[str, ...]]:
    """
    Return how the cost of a write grows with the servers: a row of :data:`COST_COLUMNS` each.

    *times* compares with the smallest cluster under the same load. Loads that were put on one size
    only, or that read, are left out.
    """
    return [
        (
            *_load_cells(one)[1:],
            str(one.servers),
            _number(one.messages_per_write),
            _times(one.messages_per_write, base.messages_per_write),
            _number(microseconds(one.cpu_seconds_per_request)),
            _times(one.cpu_seconds_per_request, base.cpu_seconds_per_request),
        )
        for group in _by_load(measurements)
        for base in (min(group, key=lambda one: one.servers or 0),)
        for one in group
        if len({other.servers for other in group}) > 1 and not one.load.reads
    ]


def milliseconds(seconds: float | None) -> str:
    """Return *seconds* in milliseconds, with three digits that count."""
    return _number(None if seconds is None else seconds * 1e3)


def microseconds(seconds: float | None) -> float | None:
    """Return *seconds* in microseconds."""
    return None if seconds is None else seconds * 1e6


def _number(value: float | None) -> str:
    if value is None:
        return UNKNOWN
    before_point = len(str(int(value)))
    return f"{value:,.{max(0, DIGITS - before_point)}f}"


def _times(value: float | None, base: float | None) -> str:
    return f"{value / base:.2f}" if value is not None and base else UNKNOWN


def _load_cells(one: Measurement) -> tuple[str, ...]:
    servers = UNKNOWN if one.servers is None else str(one.servers)
    load = one.load
    return servers, str(load.clients), str(load.pipeline), f"{load.reads:.0%}"


def _master_first(one: Measurement) -> list[ServerUse]:
    return sorted(one.uses, key=lambda use: not use.is_master)


def _by_load(measurements: Sequence[Measurement]) -> Iterator[list[Measurement]]:
    loads = dict.fromkeys(one.load for one in measurements)
    for load in loads:
        yield [one for one in measurements if one.load == load]
