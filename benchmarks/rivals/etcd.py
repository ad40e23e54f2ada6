"""Three servers of etcd, as they are by default: each write is on the disks of a majority."""

import json
import os
import socket
import subprocess
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from benchmarks.rivals.system import START_SECONDS_MAX, Child, ChildrenSystem, RivalError, said_by
from benchmarks.rivals.system import installed as path_of
from typing_extensions import override

from multipaxos.bench.driving import LoadProcess
from multipaxos.bench.measuring import Target
from multipaxos.bench.plan import LoadPlan
from multipaxos.cli.processes import free_ports, wait_until

GO_SOURCES = Path("/usr/share/gocode")
LOAD_SOURCE = Path(__file__).parents[1] / "etcd_load" / "main.go"
STATUS_SECONDS_MAX = 2.0


class Etcd(ChildrenSystem):
    """etcd. Its load is a program in Go, built in *directory*."""

    name: ClassVar = "etcd"
    arguments: ClassVar[list[str]] = []
    durability: ClassVar = "fsync on a majority of the servers before the answer"

    def __init__(self, directory: Path, servers: int = 3, *, load_program: Path) -> None:
        """Choose ports; start nothing yet."""
        super().__init__(directory)
        self.servers = servers
        self._load_program = load_program
        ports = free_ports(2 * servers, socket.SOCK_STREAM)
        names = [f"etcd-{place}" for place in range(servers)]
        self._clients = dict(zip(names, ports[:servers], strict=True))
        self._peers = dict(zip(names, ports[servers:], strict=True))

    @classmethod
    @override
    def missing(cls) -> str | None:
        if path_of("etcd") is None:
            return "etcd is not installed: apt install etcd-server."
        if path_of("go") is None or not (GO_SOURCES / "src/go.etcd.io/etcd/clientv3").is_dir():
            return "the load on etcd cannot be built: apt install golang-go golang-etcd-server-dev."
        return None

    @classmethod
    @override
    def version(cls) -> str:
        return said_by("etcd", "--version").partition("\n")[0].rpartition(" ")[2]

    @override
    def start(self) -> None:
        cluster = ",".join(f"{name}={_url(port)}" for name, port in self._peers.items())
        for name in self._clients:
            client, peer = _url(self._clients[name]), _url(self._peers[name])
            options = {
                "name": name,
                "data-dir": str(self.directory / name),
                "listen-client-urls": client,
                "advertise-client-urls": client,
                "listen-peer-urls": peer,
                "initial-advertise-peer-urls": peer,
                "initial-cluster": cluster,
                "initial-cluster-state": "new",
                # It prints a line for each slow request, which would cost it time.
                "log-level": "error",
            }
            words = [word for option, value in options.items() for word in (f"--{option}", value)]
            self.children[name] = Child(["etcd", *words], self.directory / f"{name}.log")
        if not wait_until(lambda: self._leader() is not None, seconds=START_SECONDS_MAX):
            self.check_running()
            raise RivalError("etcd found no leader.")

    @property
    @override
    def target(self) -> Target:
        return Target(servers=self.servers, pids=self.pids, master=self._leader())

    @override
    def plan(self, plan: LoadPlan, *, everywhere: bool) -> LoadPlan:
        if not wait_until(lambda: self._leader() is not None, seconds=START_SECONDS_MAX):
            raise RivalError("etcd has no leader.")
        leader = self._leader()
        assert leader is not None
        ports = self._clients.values() if everywhere else [self._clients[leader]]
        return replace(plan, addresses=tuple(("127.0.0.1", port) for port in ports))

    @override
    def load_process(self, plan: LoadPlan) -> LoadProcess:
        return LoadProcess(plan, [str(self._load_program), *self.arguments])

    @override
    def kill_leader(self) -> str:
        leader = self._leader()
        if leader is None:
            raise RivalError("etcd has no leader.")
        self.children[leader].kill()
        return leader

    def _leader(self) -> str | None:
        for name, port in self._clients.items():
            status = _status(port)
            if status and status.get("leader", "0") == status["header"]["member_id"]:
                return name
        return None


class SharedEtcd(Etcd):
    """etcd whose callers share a few connections: they are one program then, and no clients."""

    name: ClassVar = "etcd, 4 connections"
    arguments: ClassVar = ["4"]


def build_load(directory: Path) -> Path:
    """Build the load on etcd in *directory* from Debian's sources; return the program."""
    program = directory / "etcd_load"
    environment = {
        **os.environ,
        "GO111MODULE": "off",
        "GOPATH": str(GO_SOURCES),
        "GOFLAGS": "",
        "GOCACHE": str(directory / "go-cache"),
    }
    done = subprocess.run(  # noqa: S603
        ["go", "build", "-o", str(program), str(LOAD_SOURCE)],  # noqa: S607
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RivalError(f"The load on etcd cannot be built: {done.stderr.strip()[-500:]}")
    return program


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _status(port: int) -> dict[str, Any] | None:
    address = f"{_url(port)}/v3/maintenance/status"
    request = urllib.request.Request(address, data=b"{}")  # noqa: S310 - it is our own
    try:
        with urllib.request.urlopen(request, timeout=STATUS_SECONDS_MAX) as reply:  # noqa: S310
            found: dict[str, Any] = json.load(reply)
            return found
    except (OSError, ValueError):
        return None
