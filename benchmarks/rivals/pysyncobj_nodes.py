"""Three servers of PySyncObj, whose load runs inside the leader."""

import importlib.util
import socket
import sys
from importlib.metadata import version
from pathlib import Path
from typing import ClassVar

from benchmarks.rivals.system import START_SECONDS_MAX, Child, ChildrenSystem, RivalError
from typing_extensions import override

from multipaxos.bench.driving import LoadProcess
from multipaxos.bench.measuring import Target
from multipaxos.bench.plan import LoadPlan
from multipaxos.cli.processes import free_ports, wait_until

NODE = Path(__file__).parent / "pysyncobj_node.py"

RELAY = Path(__file__).parent / "pysyncobj_relay.py"


class PySyncObjNodes(ChildrenSystem):
    """PySyncObj with its journal on disk; its leader collects writes for a tenth of a second."""

    name: ClassVar = "PySyncObj"
    batches: ClassVar = True
    durability: ClassVar = (
        "in the page cache of a majority (its journal is a mapped file that it never flushes): "
        "it survives kill -9, but no power cut"
    )

    def __init__(self, directory: Path, servers: int = 3) -> None:
        """Choose ports; start nothing yet."""
        super().__init__(directory)
        self.servers = servers
        ports = free_ports(servers, socket.SOCK_STREAM)
        self._addresses = {f"node-{place}": f"127.0.0.1:{p}" for place, p in enumerate(ports)}
        self._directories = {name: directory / name for name in self._addresses}

    @classmethod
    @override
    def missing(cls) -> str | None:
        if importlib.util.find_spec("pysyncobj") is None:
            return "PySyncObj is not installed: pip install pysyncobj."
        return None

    @classmethod
    @override
    def version(cls) -> str:
        return version("pysyncobj")

    @override
    def start(self) -> None:
        for name, own in self._addresses.items():
            directory = self._directories[name]
            directory.mkdir()
            partners = [address for address in self._addresses.values() if address != own]
            batches = "yes" if self.batches else "no"
            program = [sys.executable, str(NODE), str(directory), batches, own, *partners]
            self.children[name] = Child(program, directory / "log")
        if not wait_until(lambda: self._leader() is not None, seconds=START_SECONDS_MAX):
            self.check_running()
            raise RivalError("PySyncObj found no leader.")

    @property
    @override
    def target(self) -> Target:
        return Target(servers=self.servers, pids=self.pids, master=self._leader())

    @override
    def plan(self, plan: LoadPlan, *, everywhere: bool) -> LoadPlan:
        return plan

    @override
    def load_process(self, plan: LoadPlan) -> LoadProcess:
        leader = self._leader()
        if leader is None:
            raise RivalError("PySyncObj has no leader.")
        path = self._directories[leader] / "load.sock"
        return LoadProcess(plan, [sys.executable, str(RELAY), str(path)])

    def _leader(self) -> str | None:
        found = (name for name, own in self._directories.items() if (own / "leader").exists())
        return next(found, None)


class UnbatchedPySyncObjNodes(PySyncObjNodes):
    """PySyncObj that sends each write at once."""

    name: ClassVar = "PySyncObj, unbatched"
    batches: ClassVar = False
