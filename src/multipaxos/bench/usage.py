"""What processes use of the machine, as Linux tells it below /proc."""

import os
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Usage:
    """How much processor time a process took so far, and how much memory it holds."""

    cpu_seconds: float = 0.0
    memory_bytes: int = 0


def usage_of(pid: int, proc: Path = Path("/proc")) -> Usage | None:
    """Return what the process *pid* uses; None if there is none."""
    try:
        stat = (proc / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
        pages = (proc / str(pid) / "statm").read_text(encoding="utf-8").split()[1]
    except (OSError, IndexError):
        return None
    # The name of the program stands in parentheses, and may hold any character.
    fields = stat.rpartition(")")[2].split()
    user, system = int(fields[11]), int(fields[12])
    return Usage((user + system) / TICKS_PER_SECOND, int(pages) * PAGE_BYTES)
