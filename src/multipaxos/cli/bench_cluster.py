"""The servers of the benchmark: real processes with metrics, of which one may be killed."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from typing_extensions import override

from multipaxos.bench.asking import Asker, find_holder
from multipaxos.bench.counts import CountsError, counts_at
from multipaxos.bench.measuring import Target
from multipaxos.bench.plan import Content, Endpoint
from multipaxos.bench.tally import LoadResult
from multipaxos.cli.bench_failures import BenchFailedError
from multipaxos.cli.processes import (
    ServerProcess,
    end_all,
    loopback_servers,
    wait_until,
    write_config,
)
from multipaxos.runtime.address import Address
from multipaxos.runtime.config import Config, ConfigError, ServerConfig, load_config

UIDS = "ABCDEFGHI"
START_SECONDS_MAX = 30.0


class BenchCluster(AbstractContextManager["BenchCluster"]):
    """
    So many servers on free ports of this machine, with their state in *directory*.

    State: the process of each server, and who was the *master* when it was last looked for.
    """

    def __init__(
        self,
        directory: Path,
        servers: int,
        *,
        state: str,
        options: Sequence[str] = (),
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Choose ports; start nothing yet. Each server is started with these *options*, too."""
        self.config = Config(cluster="bench", servers=_servers_with_metrics(UIDS[:servers]))
        self.processes: dict[str, ServerProcess] = {}
        self.master = ""
        config_path = directory / "cluster.toml"
        write_config(config_path, self.config, dict(settings or {}))
        # A setting that makes no sense is told before a server stumbles over it.
        try:
            load_config(config_path)
        except ConfigError as error:
            # The file is ours, and gone when somebody reads this.
            raise ConfigError(str(error).replace(f"in {config_path}", "--setting", 1)) from error
        self._options = ["--config", str(config_path), "--data", str(directory / "state")]
        self._options += ["--master", "--quiet", "--brief", "--state", state, *options]

    @override
    def __exit__(self, *_: object) -> None:
        end_all(list(self.processes.values()))

    def start(self) -> None:
        """Start all servers, and wait until they serve and have a master."""
        for uid in self.config.servers:
            self.processes[uid] = ServerProcess(uid, self._options)
        wait_until(lambda: all(map(self._is_ready, self.processes)), seconds=START_SECONDS_MAX)
        for uid in self.processes:
            self._check(uid)
        self.find_master()

    def find_master(self) -> None:
        """Find out who is the master by now; BenchFailedError if nobody becomes it."""

        def is_found() -> bool:
            found = find_holder(self.endpoints.values())
            self.master = next((uid for uid, own in self.endpoints.items() if own == found), "")
            return bool(self.master)

        if not wait_until(is_found, seconds=START_SECONDS_MAX):
            raise BenchFailedError("No server became the master.")

    @property
    def endpoints(self) -> dict[str, Endpoint]:
        """Where the clients of each server go, by uid."""
        servers = self.config.servers.values()
        return {server.uid: (server.client.host, server.client.port) for server in servers}

    @property
    def target(self) -> Target:
        """The servers, as a load sees them."""
        return Target(
            servers=len(self.processes),
            pids={uid: process.pid for uid, process in self.processes.items()},
            metrics={uid: _metrics_of(server) for uid, server in self.config.servers.items()},
            master=self.master,
        )

    def kill_master(self) -> str:
        """Kill whoever is the master by now, as a power cut would; return the uid."""
        self.find_master()
        self.processes[self.master].kill()
        return self.master

    def miscounted(self, content: Content, results: Sequence[LoadResult]) -> list[str]:
        """
        Return, as sentences, what the counters of *content* say against what clients saw.

        Each counts what was acknowledged at least; all together, at most what may have been done.
        """
        alive = [uid for uid, process in self.processes.items() if process.exit_code is None]
        seen = {number: n for result in results for number, n in result.counted.items()}
        with Asker(self.endpoints[alive[0]]) as asker:
            found = {n: int(asker.ask(b"GET", content.key(n)) or 0) for n in seen}
        lost = sum(max(0, seen[number] - found[number]) for number in seen)
        faults = [f"{lost:,} acknowledged writes are lost."] if lost else []
        most = sum(seen.values()) + sum(result.unknown for result in results)
        if sum(found.values()) > most:
            faults.append(
                f"{sum(found.values()):,} writes were applied, of {most:,} that were asked for."
            )
        return faults

    def _is_ready(self, uid: str) -> bool:
        process = self.processes[uid]
        if process.exit_code is not None:
            return True  # It will not get ready any more; who asks next says so.
        if not process.is_ready:
            return False
        try:
            counts_at(_metrics_of(self.config.servers[uid]))
        except CountsError:
            return False
        return True

    def _check(self, uid: str) -> None:
        process = self.processes[uid]
        if process.exit_code is not None or not self._is_ready(uid):
            said = " ".join(process.lines[-3:]) or "it said nothing"
            raise BenchFailedError(f"Server {uid} did not start: {said}")


def _servers_with_metrics(uids: str) -> dict[str, ServerConfig]:
    # Twice as many servers have ports enough for the metrics of the first half, all of them free.
    found = list(loopback_servers([f"{place}" for place in range(2 * len(uids))]).values())
    return {
        uid: replace(own, uid=uid, metrics=Address(host="127.0.0.1", port=spare.client.port))
        for uid, own, spare in zip(uids, found, found[len(uids) :], strict=False)
    }


def _metrics_of(server: ServerConfig) -> Endpoint:
    assert server.metrics is not None
    return server.metrics.host, server.metrics.port
