"""The servers of the demo: real processes that are asked, killed and started again."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from rich.text import Text

from multipaxos.chain.requests import Chosen
from multipaxos.chain.state_machine import Result
from multipaxos.cli.processes import (
    ServerProcess,
    end_all,
    loopback_servers,
    wait_until,
    write_config,
)
from multipaxos.client import Client, ClientError, HistoryLink
from multipaxos.runtime.config import Config

UIDS = ("A", "B", "C")
WAIT_SECONDS_MAX = 10.0
HISTORY_COUNT = 1000


class StepFailedError(Exception):
    """Something did not happen as announced; the message says what."""


class DemoCluster:
    """
    Three servers on free ports of this machine, with their state in *directory*.

    State: the newest process of each server. All that is said of a server was asked of it.
    """

    def __init__(self, directory: Path, *, colour: bool) -> None:
        """Choose ports; start nothing yet. *colour* is for excerpts of the servers' output."""
        self.directory = directory
        self.config = Config(cluster="demo", servers=loopback_servers(UIDS))
        self.processes: dict[str, ServerProcess] = {}
        self._colour = colour
        self._started: list[ServerProcess] = []
        self._config_path = directory / "cluster.toml"
        write_config(self._config_path, self.config)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        end_all(self._started)

    # -- processes ---------------------------------------------------------------------------------

    def start(self, *uids: str, master: bool = False) -> None:
        """Start servers and wait until they are ready."""
        options = ["--config", str(self._config_path), "--data", str(self.directory / "state")]
        options += ["--master"] * master
        for uid in uids:
            self.processes[uid] = ServerProcess(uid, options, colour=self._colour)
            self._started.append(self.processes[uid])
        for uid in uids:
            self.wait(lambda uid=uid: self.processes[uid].is_ready, f"server {uid} gets ready")  # type: ignore[misc]

    def stop_all(self) -> None:
        """End all servers, as Ctrl+C would."""
        codes = {uid: process.terminate() for uid, process in self.processes.items()}
        check(set(codes.values()) == {0}, f"all servers end cleanly: exit codes {codes}")

    def kill(self, uid: str) -> None:
        """Kill *uid* as a power cut would."""
        self.processes[uid].kill()
        check(self.status(uid) is None, f"server {uid} is dead")

    # -- questions ---------------------------------------------------------------------------------

    def status(self, uid: str) -> dict[str, Any] | None:
        """Return how *uid* is; None if it cannot be reached."""
        try:
            with self._client(uid) as client:
                return client.status(timeout_seconds=WAIT_SECONDS_MAX)
        except ClientError:
            return None

    def propose(self, uid: str, value: str) -> int:
        """Propose *value* through *uid*; return the link that holds it."""
        with self._client(uid) as client:
            return self._chosen(client.propose(value, timeout_seconds=WAIT_SECONDS_MAX), uid).link

    def compare_and_set(self, uid: str, expected: str, new: str) -> bool:
        """Set the value to *new* through *uid* if it is *expected*; tell whether it was."""
        with self._client(uid) as client:
            outcome = client.execute("CAS", expected, new, timeout_seconds=WAIT_SECONDS_MAX)
            return self._chosen(outcome, uid).result is True

    def get(self, uid: str) -> Result:
        """Return the value as *uid* reads it."""
        with self._client(uid) as client:
            return self._chosen(client.get(timeout_seconds=WAIT_SECONDS_MAX), uid).result

    def history(self, uid: str) -> list[HistoryLink]:
        """Return the links that *uid* keeps."""
        with self._client(uid) as client:
            return client.history(HISTORY_COUNT, timeout_seconds=WAIT_SECONDS_MAX)

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until *condition* holds; it stands for *what*."""
        check(wait_until(condition, seconds=WAIT_SECONDS_MAX), what)

    def wait_for_status(
        self, uid: str, condition: Callable[[dict[str, Any]], bool], what: str
    ) -> None:
        """Wait until *uid* says of itself what *condition* wants; that stands for *what*."""

        def holds() -> bool:
            found = self.status(uid)
            return found is not None and condition(found)

        self.wait(holds, what)

    def output(self, uid: str, *words: str) -> list[Text]:
        """Return the lines of *uid*'s present life that contain one of *words*."""
        lines = self.processes[uid].output
        return [line for line in lines if any(word in line.plain for word in words)]

    def output_of_link(self, uid: str, link: int) -> list[Text]:
        """Return what *uid* prints of *link* until it finds it decided."""
        decided = f"{uid}  link {link} = "
        self.wait(
            lambda: bool(self.output(uid, decided)), f"{uid} prints that link {link} is decided"
        )
        lines = [line for line in self.output(uid, f"link {link} ") if "Sync" not in line.plain]
        end = next(place for place, line in enumerate(lines) if decided in line.plain)
        return lines[: end + 1]

    def _client(self, uid: str) -> Client:
        own = self.config.servers[uid].client
        return Client([(own.host, own.port)])

    def _chosen(self, outcome: Any, uid: str) -> Chosen:
        check(isinstance(outcome, Chosen), f"server {uid} answers, instead of: {outcome}")
        assert isinstance(outcome, Chosen)
        return outcome


def check(holds: bool, what: str) -> None:
    """Fail the step unless *what* *holds*."""
    if not holds:
        raise StepFailedError(f"it is not so that {what}")


def masters(statuses: Sequence[dict[str, Any] | None]) -> list[str]:
    """Return who of the servers holds a master's lease."""
    return [
        found["uid"]
        for found in statuses
        if found is not None and found["lease"] and found["lease"]["kind"] == "held"
    ]
