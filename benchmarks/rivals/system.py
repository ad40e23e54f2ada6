"""What all systems under comparison have in common."""

import shutil
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from multipaxos.bench.driving import LoadProcess
from multipaxos.bench.measuring import Target
from multipaxos.bench.plan import Content, LoadPlan
from multipaxos.bench.tally import LoadResult

START_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 3.0
"""What they keep is thrown away: who takes longer to end is killed."""


class RivalError(Exception):
    """A system did not do what it must; the message is a sentence."""


class System(AbstractContextManager["System"], ABC):
    """
    Some servers of a kind, in *directory*; leaving it as a context ends them.

    *durability* says in words when it answers a write.
    """

    name: ClassVar[str]
    durability: ClassVar[str]
    servers: int

    @abstractmethod
    def __init__(self, directory: Path) -> None:
        """Choose ports; start nothing yet."""

    @classmethod
    @abstractmethod
    def missing(cls) -> str | None:
        """Return what must be installed, as a sentence; None if all is there."""

    @classmethod
    @abstractmethod
    def version(cls) -> str:
        """Return which version this is."""

    @abstractmethod
    def start(self) -> None:
        """Start the servers, and wait until they serve; RivalError if they do not."""

    @property
    @abstractmethod
    def target(self) -> Target:
        """The servers, as they are measured."""

    @abstractmethod
    def plan(self, plan: LoadPlan, *, everywhere: bool) -> LoadPlan:
        """Return *plan* with the addresses of the leader, or of all servers."""

    @abstractmethod
    def load_process(self, plan: LoadPlan) -> LoadProcess:
        """Start the process that puts *plan* on this system."""

    def fill(self, content: Content) -> None:
        """Write everything once that a load reads, unless the load process does so."""

    def miscounted(self, content: Content, results: Sequence[LoadResult]) -> list[str]:  # noqa: ARG002
        """Return, as sentences, what is wrong with the counters after a failover; if it counts."""
        return []

    def kill_leader(self) -> str:
        """Kill the leader as a power cut would; return its name."""
        raise RivalError(f"{self.name} has no leader that could be killed.")


class Child:
    """A server as a child process, whose output goes to *log*."""

    def __init__(self, program: Sequence[str], log: Path) -> None:
        """Start *program*."""
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - the programs stand in these files
                program,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl+C is for whoever started it, who ends it in order.
                process_group=0,
            )

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def last_words(self) -> str:
        """The end of what it printed."""
        with suppress(OSError):
            return self._log.read_text(encoding="utf-8", errors="replace").strip()[-500:]
        return ""

    def kill(self) -> None:
        """End it at once, by its process id (kill -9)."""
        self._process.kill()
        self._process.wait()

    def ask_to_end(self) -> None:
        """Ask it to end."""
        if self.is_running:
            self._process.terminate()

    def end(self) -> None:
        """Wait until it ended, and kill it if it does not."""
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()


class ChildrenSystem(System, ABC):
    """A system whose servers are children of this process, by name."""

    def __init__(self, directory: Path) -> None:
        """Keep everything in *directory*; start nothing yet."""
        self.directory = directory
        self.children: dict[str, Child] = {}

    @override
    def __exit__(self, *_: object) -> None:
        for child in self.children.values():
            child.ask_to_end()
        for child in self.children.values():
            child.end()

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of those that run."""
        return {name: child.pid for name, child in self.children.items() if child.is_running}

    def check_running(self) -> None:
        """Raise a RivalError if one of them has ended."""
        for name, child in self.children.items():
            if not child.is_running:
                raise RivalError(f"{self.name}: {name} ended: {child.last_words}")


def installed(program: str) -> str | None:
    """Return where *program* is; None if it is not installed."""
    return shutil.which(program)


def said_by(*program: str) -> str:
    """Return what *program* prints."""
    done = subprocess.run(program, capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout.strip()
