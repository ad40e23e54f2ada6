"""The figures as files: JSON with everything, and CSV for spreadsheets."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from multipaxos.bench.machine import Machine
from multipaxos.bench.measurement import Latency, Measurement
from multipaxos.bench.plan import Load

KIND = "multipaxos bench"
VERSION = 1
RESULTS = "results.json"
LOADS = "loads.csv"
OVER_TIME = "over-time.csv"

LATENCY_FIELDS = ("p50_seconds", "p99_seconds", "p999_seconds", "max_seconds")


class NotReplaceableError(Exception):
    """A directory holds something that must not be replaced; the message is a sentence."""


def check_directory(directory: Path) -> None:
    """
    Make *directory* if there is none, and look whether the figures can go there.

    NotReplaceableError: they would replace what is no benchmark's; OSError: they cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / RESULTS
    if path.exists() and not _is_ours(path):
        raise NotReplaceableError(
            f"{path} exists and is not the result of a benchmark: it is left as it is. Name "
            "another directory."
        )
    for name in (RESULTS, LOADS, OVER_TIME):
        (directory / name).open("ab").close()


def write_files(
    directory: Path,
    measurements: Sequence[Measurement],
    *,
    machine: Machine,
    options: Mapping[str, object],
) -> None:
    """Write the *measurements* to *directory*, with what is needed to repeat them."""
    document = {
        "kind": KIND,
        "version": VERSION,
        "machine": machine,
        "options": options,
        "measurements": measurements,
    }
    encoded = msgspec.json.format(msgspec.json.encode(document), indent=2)
    (directory / RESULTS).write_bytes(encoded + b"\n")
    (directory / LOADS).write_text(loads_csv(measurements), encoding="utf-8")
    (directory / OVER_TIME).write_text(over_time_csv(measurements), encoding="utf-8")


def loads_csv(measurements: Sequence[Measurement]) -> str:
    """Return a line for each load; what is not known is empty. Uses are the master's and a sum."""
    columns = ["servers", "clients", "pipeline", "reads", "failover", "requests_per_second"]
    columns += [*LATENCY_FIELDS, "errors", "unknown", "seen", "counted"]
    columns += ["cpu_of_master", "cpu_of_all", "memory_bytes_of_master", "memory_bytes_max"]
    columns += ["saves_per_write", "messages_per_write", "writes_per_link"]
    columns += ["cpu_seconds_per_request", "load_cpu_seconds_per_request"]
    columns += ["gap_seconds"]
    return _csv(columns, [_load_cells(one) for one in measurements])


def over_time_csv(measurements: Sequence[Measurement]) -> str:
    """Return a line for each tenth of a second of each load."""
    columns = ["servers", "clients", "pipeline", "reads", "failover", "second"]
    columns += ["requests_per_second", *LATENCY_FIELDS]
    return _csv(
        columns,
        [
            [*_what(one), each.second, each.requests_per_second, *_latency_cells(each.latency)]
            for one in measurements
            for each in one.slices
        ],
    )


def _is_ours(path: Path) -> bool:
    try:
        document = msgspec.json.decode(path.read_bytes() or b"{}")
    except msgspec.DecodeError:
        return False
    # An empty file is one that an interrupted run left behind.
    return isinstance(document, dict) and document.get("kind", KIND) == KIND


def _load_cells(one: Measurement) -> list[object]:
    master = next((use for use in one.uses if use.is_master), None)
    return [
        *_what(one),
        one.requests_per_second,
        *_latency_cells(one.latency),
        sum(one.errors.values()),
        one.unknown,
        one.seen,
        one.counted,
        master and master.cpu,
        sum(use.cpu for use in one.uses) if one.uses else None,
        master and master.memory_bytes,
        max((use.memory_bytes for use in one.uses), default=None),
        one.saves_per_write,
        one.messages_per_write,
        one.writes_per_link,
        one.cpu_seconds_per_request,
        one.load_cpu_seconds_per_request,
        one.failover and one.failover.gap_seconds,
    ]


def _what(one: Measurement) -> list[object]:
    load: Load = one.load
    return [one.servers, load.clients, load.pipeline, load.reads, int(one.failover is not None)]


def _latency_cells(latency: Latency) -> list[float | None]:
    return [latency.p50, latency.p99, latency.p999, latency.longest]


def _csv(columns: Sequence[str], lines: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(lines)
    return text.getvalue()
