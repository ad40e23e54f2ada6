"""What the command line of the comparison asks for."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rivals.system import System

MOST = {"seconds": 3600, "warm_up": 3600, "repeat": 1000, "memory_writes": 1_000_000_000}
PHASES = ("loads", "failover", "memory", "costs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for."""

    directory: Path
    phases: Sequence[str]
    systems: Sequence[type[System]]
    seconds: float
    warm_up_seconds: float
    repeat: int
    memory_writes: int
    server_options: Sequence[str]


def read_arguments(description: str | None) -> argparse.Namespace:
    """Return the options of the command line; an error ends the program."""
    parser = argparse.ArgumentParser(description=description)
    add = parser.add_argument
    add("--short", action="store_true", help="a quick look: one second, once, few writes")
    add("--seconds", type=float, help="how long each load is measured; 5")
    add("--warm-up", type=float, help="how long it runs before; 1")
    add("--repeat", type=int, help="how often each load is put on each system; 3")
    add("--memory-writes", type=int, help="after how many writes memory is looked at; 1000000")
    add("--phases", default=",".join(PHASES), help="which parts are done")
    add("--server-options", default="", help="more options of our servers")
    add("--data", type=Path, help="where all servers keep their state; a disk")
    add("--markdown", type=Path, metavar="FILE", help="write a section for README.md")
    add("--json", type=Path, metavar="FILE", help="write all measurements")
    found = parser.parse_args()
    usual = (1.0, 0.5, 1, 20_000) if found.short else (5.0, 1.0, 3, 1_000_000)
    for name, value in zip(("seconds", "warm_up", "repeat", "memory_writes"), usual, strict=True):
        if getattr(found, name) is None:
            setattr(found, name, value)
        if not 0 < getattr(found, name) <= MOST[name]:
            parser.error(f"--{name.replace('_', '-')} must be above 0 and at most {MOST[name]:,}")
    unknown = set(found.phases.split(",")) - set(PHASES)
    if unknown:
        parser.error(f"--phases takes {', '.join(PHASES)}, not {', '.join(sorted(unknown))}")
    if found.data is not None and not found.data.is_dir():
        parser.error(f"--data: there is no directory {found.data}")
    for path in (found.markdown, found.json):
        if path is not None and not path.parent.is_dir():
            parser.error(f"{path} cannot be written: there is no directory {path.parent}")
    return found
