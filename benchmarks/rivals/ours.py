"""Our own servers: with masters, SQLite and the dictionary."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import ClassVar

from benchmarks.rivals.system import System
from typing_extensions import override

from multipaxos.bench.asking import Asker
from multipaxos.bench.driving import LoadProcess
from multipaxos.bench.measuring import Target
from multipaxos.bench.plan import Content, LoadPlan
from multipaxos.bench.tally import LoadResult
from multipaxos.cli.bench_cluster import BenchCluster


class Ours(System):
    """multipaxos."""

    name: ClassVar = "multipaxos"
    durability: ClassVar = "fsync on a majority of the servers before the answer"

    def __init__(
        self,
        directory: Path,
        servers: int = 3,
        *,
        options: Sequence[str] = (),
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Choose ports; start nothing yet."""
        self.servers = servers
        self._cluster = BenchCluster(
            directory, servers, state="dictionary", options=options, settings=settings
        )

    @override
    def __exit__(self, *_: object) -> None:
        self._cluster.__exit__()

    @classmethod
    @override
    def missing(cls) -> str | None:
        return None

    @classmethod
    @override
    def version(cls) -> str:
        return version("multipaxos")

    @override
    def start(self) -> None:
        self._cluster.start()

    @property
    @override
    def target(self) -> Target:
        return self._cluster.target

    @override
    def plan(self, plan: LoadPlan, *, everywhere: bool) -> LoadPlan:
        endpoints = self._cluster.endpoints
        self._cluster.find_master()
        chosen = tuple(endpoints.values()) if everywhere else (endpoints[self._cluster.master],)
        return replace(plan, addresses=chosen)

    @override
    def load_process(self, plan: LoadPlan) -> LoadProcess:
        return LoadProcess(plan)

    @override
    def fill(self, content: Content) -> None:
        with Asker(self._cluster.endpoints[self._cluster.master]) as asker:
            asker.fill(content)

    @override
    def miscounted(self, content: Content, results: Sequence[LoadResult]) -> list[str]:
        return self._cluster.miscounted(content, results)

    @override
    def kill_leader(self) -> str:
        return self._cluster.kill_master()
