"""Real servers for the live tests: processes on loopback, with short times."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from multipaxos.chain.state_machine import Result
from multipaxos.cli.processes import (
    ServerProcess,
    end_all,
    loopback_servers,
    wait_until,
    write_config,
)
from multipaxos.client import Chosen, Client, ClientError, HistoryLink
from multipaxos.runtime.config import Config

UIDS = ("A", "B", "C")
WAIT_SECONDS_MAX = 15.0
SETTINGS = {
    "retransmit_seconds": 0.2,
    "takeover_seconds": 0.5,
    "backoff_seconds_max": 0.3,
    "sync_seconds": 0.5,
    "catch_up_seconds": 0.1,
    "rejoin_seconds": 0.1,
    "founding_grace_seconds": 0.3,
    "lease_seconds": 1.0,
    "renewal_head_start_seconds": 0.5,
    "election_seconds_max": 0.2,
}


class LiveCluster:
    """Three servers in *directory*; whoever makes one must call :meth:`end`."""

    def __init__(self, directory: Path, *, master: bool, storage: str = "sqlite") -> None:
        """Choose ports; nothing runs yet."""
        self.directory = directory
        self.config = Config(cluster="live", servers=loopback_servers(UIDS))
        self.config_path = directory / "cluster.toml"
        self.state_directory = directory / "state"
        self.options = ["--config", str(self.config_path), "--data", str(self.state_directory)]
        self.options += ["--storage", storage, *(["--master"] * master)]
        self.processes: dict[str, ServerProcess] = {}
        self.started: list[ServerProcess] = []
        write_config(self.config_path, self.config, SETTINGS)

    def start(self, *uids: str, options: Sequence[str] = ()) -> None:
        """Start servers and wait until they are ready."""
        for uid in uids:
            self.processes[uid] = ServerProcess(uid, [*self.options, *options])
            self.started.append(self.processes[uid])
        for uid in uids:
            process = self.processes[uid]
            assert wait_until(lambda p=process: p.is_ready, seconds=WAIT_SECONDS_MAX), process.lines  # type: ignore[misc]

    def kill(self, *uids: str) -> None:
        """Kill servers with kill -9."""
        for uid in uids:
            self.processes[uid].kill()

    def end(self) -> None:
        """End all servers that were ever started, and look for what none may ever print."""
        end_all(self.started)
        for process in self.started:
            assert not any("Traceback" in line for line in process.lines), process.lines

    @property
    def addresses(self) -> str:
        """Where clients find the servers, as :func:`multipaxos.connect` takes it."""
        return ",".join(str(server.client) for server in self.config.servers.values())

    def client(self, *uids: str) -> Client:
        """Return a client of *uids*, tried in this order."""
        servers = [self.config.servers[uid].client for uid in uids]
        return Client([(own.host, own.port) for own in servers])

    def propose(self, uid: str, value: str) -> Chosen:
        """Propose *value* through *uid*, which must get it chosen."""
        with self.client(uid) as client:
            outcome = client.propose(value, timeout_seconds=WAIT_SECONDS_MAX)
        assert isinstance(outcome, Chosen), outcome
        return outcome

    def get(self, uid: str) -> Result:
        """Read the value through *uid*, which must answer."""
        with self.client(uid) as client:
            outcome = client.get(timeout_seconds=WAIT_SECONDS_MAX)
        assert isinstance(outcome, Chosen), outcome
        return outcome.result

    def status(self, uid: str) -> dict[str, Any]:
        """Return how *uid* is; an empty status if it cannot be reached."""
        try:
            with self.client(uid) as client:
                return client.status()
        except ClientError:
            return {}

    def wait_until_all_vote(self) -> None:
        """
        Wait until nobody is without memory, or sits links out, and all know their chain.

        Whoever came too late to found it does, on a busy machine; none may be killed meanwhile.
        """
        for uid in UIDS:
            self.wait(
                uid,
                lambda status: status.get("phase") == "serving" and bool(status.get("chain")),
            )

    def history(self, uid: str) -> list[HistoryLink]:
        """Return all links that *uid* keeps."""
        with self.client(uid) as client:
            return client.history(100_000)

    def wait(self, uid: str, condition: Callable[[dict[str, Any]], bool]) -> None:
        """Wait until the status of *uid* is as *condition* wants it."""
        held = wait_until(lambda: condition(self.status(uid)), seconds=WAIT_SECONDS_MAX)
        assert held, (self.status(uid), self.processes[uid].lines[-30:])


@contextmanager
def running_cluster(
    directory: Path, *, master: bool, storage: str = "sqlite", options: Sequence[str] = ()
) -> Iterator[LiveCluster]:
    """Run three servers, and end them in any case."""
    cluster = LiveCluster(directory, master=master, storage=storage)
    try:
        cluster.start(*UIDS, options=options)
        yield cluster
    finally:
        cluster.end()


def keeping(directory: Path, state: str) -> AbstractContextManager[LiveCluster]:
    """Run three servers with master leases that keep a *state*."""
    return running_cluster(directory, master=True, options=["--state", state])
