"""On what machine the figures came about: without that they say nothing."""

import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from multipaxos.bench.disk import kind_of_disk


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A machine, and the programs that everything else stands on."""

    processor: str
    processors: int
    memory_bytes: int
    system: str
    python: str
    multipaxos: str
    file_system: str

    @property
    def title(self) -> str:
        """The machine in words."""
        return (
            f"{self.processors} x {self.processor}, {self.memory_bytes / 1e9:.0f} GB, "
            f"{self.file_system or 'an unknown file system'}, {self.system}, "
            f"Python {self.python}, multipaxos {self.multipaxos}"
        )


def this_machine(directory: Path) -> Machine:
    """Return the machine that this runs on; its state is kept in *directory*."""
    return Machine(
        processor=_processor(),
        processors=os.cpu_count() or 1,
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        multipaxos=version("multipaxos"),
        file_system=kind_of_disk(directory),
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
