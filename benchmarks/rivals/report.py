"""What the comparison prints, and the section that it writes for benchmarks/README.md."""

from collections.abc import Sequence
from typing import Any

from benchmarks.rivals.cases import CASES, Case
from benchmarks.rivals.findings import Findings, errors_of, shortfalls, verdicts
from benchmarks.rivals.system import System
from rich.console import Console
from rich.table import Table

from multipaxos.bench.machine import Machine
from multipaxos.bench.table import milliseconds

Rows = list[tuple[str, ...]]

FIGURE_COLUMNS = ("load", "system", "requests/s", "p50 ms", "p99 ms")
VERDICT_COLUMNS = ("load", "against", "wanted", "found", "")


def figure_rows(findings: Findings, systems: Sequence[str]) -> Rows:
    """Return the medians of each case and system."""
    return [
        (case.title, system, *_medians(findings, system, case))
        for case in CASES
        for system in systems
        if (system, case.name) in findings.measurements
    ]


def other_rows(findings: Findings, writes: int) -> Rows:
    """Return what is no load: failovers, memory, and costs by the number of servers."""
    rows: Rows = [
        ("time without acknowledged writes", system, _seconds(gaps))
        for system, gaps in findings.gaps.items()
    ]
    rows += [
        (f"memory of a server after {writes:,} writes", system, f"{size / 1e6:.0f} MB")
        for system, size in findings.memory.items()
    ]
    for servers in findings.costs:
        cost = findings.cost(servers)
        assert cost is not None
        rows.append(
            (
                f"a write, {servers} servers",
                "multipaxos",
                f"{cost.cpu_seconds * 1e6:.0f} us of processor, {cost.messages:.2f} messages",
            )
        )
    return rows


def verdict_rows(findings: Findings) -> Rows:
    """Return how what is wanted stands."""
    return [(v.load, v.against, v.wanted, v.found, v.word) for v in verdicts(findings)]


def remarks(findings: Findings) -> list[str]:
    """Return what falls short, what failed, and what is missing, each as a sentence."""
    titles = {case.name: case.title for case in CASES}
    return [*shortfalls(verdicts(findings)), *errors_of(findings, titles), *findings.notes]


def tell(console: Console, findings: Findings, systems: Sequence[str], writes: int) -> None:
    """Print everything."""
    _tell_table(console, FIGURE_COLUMNS, figure_rows(findings, systems))
    _tell_table(console, ("measured", "system", "found"), other_rows(findings, writes))
    _tell_table(console, VERDICT_COLUMNS, verdict_rows(findings))
    for sentence in remarks(findings):
        console.print(sentence)


def markdown(
    findings: Findings, systems: Sequence[type[System]], machine: Machine, writes: int, how: str
) -> str:
    """Return everything as a section of a Markdown document."""
    names = [system.name for system in systems]
    lines = ["### Last results", "", f"Measured on {machine.title}; {how}.", ""]
    rows: Rows = [(system.name, system.version(), system.durability) for system in systems]
    lines += _markdown_table(("system", "version", "a write is durable by"), rows)
    lines += _markdown_table(VERDICT_COLUMNS, verdict_rows(findings))
    lines += _markdown_table(FIGURE_COLUMNS, figure_rows(findings, names))
    lines += _markdown_table(("measured", "system", "found"), other_rows(findings, writes))
    lines += [f"- {sentence}" for sentence in remarks(findings)]
    return "\n".join(lines).rstrip() + "\n"


def document_of(findings: Findings, machine: Machine) -> dict[str, Any]:
    """Return everything, each repetition by itself, for JSON."""
    return {
        "machine": machine,
        "measurements": [
            {"system": system, "case": case, "repetitions": measurements}
            for (system, case), measurements in findings.measurements.items()
        ],
        "gap_seconds": findings.gaps,
        "memory_bytes": findings.memory,
        "costs": findings.costs,
        "verdicts": verdicts(findings),
        "notes": findings.notes,
    }


def _medians(findings: Findings, system: str, case: Case) -> tuple[str, str, str]:
    speed = findings.speed(system, case)
    return (
        "-" if speed is None else f"{speed:,.0f}",
        milliseconds(findings.latency(system, case)),
        milliseconds(findings.latency(system, case, "p99")),
    )


def _seconds(gaps: Sequence[float]) -> str:
    each = ", ".join(f"{gap:.2f}" for gap in sorted(gaps))
    return f"{each} s"


def _tell_table(console: Console, columns: Sequence[str], rows: Rows) -> None:
    if not rows:
        return
    table = Table(box=None)
    for place, name in enumerate(columns):
        is_number = columns is FIGURE_COLUMNS and place > 1
        table.add_column(name, justify="right" if is_number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console.print(table)
    console.print()


def _markdown_table(columns: Sequence[str], rows: Rows) -> list[str]:
    if not rows:
        return []
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return [*lines, ""]
