"""One Redis that saves each write before it answers; it is not replicated."""

import socket
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from benchmarks.rivals.system import START_SECONDS_MAX, Child, ChildrenSystem, RivalError, said_by
from benchmarks.rivals.system import installed as path_of
from typing_extensions import override

from multipaxos.bench.asking import Asker, find_master
from multipaxos.bench.driving import LoadProcess
from multipaxos.bench.measuring import Target
from multipaxos.bench.plan import Content, LoadPlan
from multipaxos.cli.processes import free_ports, wait_until


class OneRedis(ChildrenSystem):
    """Redis, whose load is the same as ours."""

    name: ClassVar = "Redis"
    durability: ClassVar = "fsync on one server before the answer (appendfsync always); no replica"

    def __init__(self, directory: Path) -> None:
        """Choose a port; start nothing yet."""
        super().__init__(directory)
        self.servers = 1
        self._endpoint = ("127.0.0.1", free_ports(1, socket.SOCK_STREAM)[0])

    @classmethod
    @override
    def missing(cls) -> str | None:
        if path_of("redis-server") is None:
            return "Redis is not installed: apt install redis-server."
        return None

    @classmethod
    @override
    def version(cls) -> str:
        words = said_by("redis-server", "--version").split()
        return next((word[2:] for word in words if word.startswith("v=")), "unknown")

    @override
    def start(self) -> None:
        options = {
            "port": str(self._endpoint[1]),
            "bind": self._endpoint[0],
            "dir": str(self.directory),
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
            "daemonize": "no",
        }
        words = [word for option, value in options.items() for word in (f"--{option}", value)]
        self.children["redis"] = Child(["redis-server", *words], self.directory / "redis.log")
        is_there = wait_until(
            lambda: find_master((self._endpoint,)) is not None, seconds=START_SECONDS_MAX
        )
        if not is_there:
            self.check_running()
            raise RivalError("Redis does not answer.")

    @property
    @override
    def target(self) -> Target:
        return Target(servers=1, pids=self.pids, master="redis")

    @override
    def plan(self, plan: LoadPlan, *, everywhere: bool) -> LoadPlan:
        return replace(plan, addresses=(self._endpoint,))

    @override
    def load_process(self, plan: LoadPlan) -> LoadProcess:
        return LoadProcess(plan)

    @override
    def fill(self, content: Content) -> None:
        with Asker(self._endpoint) as asker:
            asker.fill(content)
