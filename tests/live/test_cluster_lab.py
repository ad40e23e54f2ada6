"""A real cluster behind the lab: troubled through the page's own requests, and ended with it."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from multipaxos.cli.processes import loopback_servers, wait_until, write_config
from multipaxos.runtime.config import Config

pytestmark = pytest.mark.live

WAIT_SECONDS = 60.0
LINK = re.compile(r"(http://127\.0\.0\.1:\d+)/\?token=(\S+)")


class Lab:
    """A cluster that was started with ``--lab``, and what its page can ask for."""

    def __init__(self, directory: Path, *starter: str) -> None:
        """Start three servers on free ports, by *starter* if it is given; wait for the link."""
        config = Config(cluster="lab", servers=loopback_servers("ABC"))
        path = directory / "cluster.toml"
        write_config(path, config)
        self.output = (directory / "output").open("w+")
        self.process = subprocess.Popen(
            [
                *starter,
                sys.executable,
                *("-m", "multipaxos", "cluster", "--lab", "--port", "0", "--no-browser"),
                *("--config", str(path), "--data", str(directory / "state"), "--quiet"),
            ],
            stdout=self.output,
            stderr=subprocess.STDOUT,
        )
        assert wait_until(lambda: LINK.search(self.said) is not None, seconds=WAIT_SECONDS)
        found = LINK.search(self.said)
        assert found is not None
        self.address, self.token = found[1], found[2]
        self.next = 0
        self.seen: list[Mapping[str, Any]] = []

    @property
    def said(self) -> str:
        """What was printed so far."""
        self.output.seek(0)
        return self.output.read()

    @property
    def pids(self) -> list[int]:
        """The process ids of all servers that were ever started."""
        return [int(number) for number in re.findall(r"of cluster lab, process (\d+)", self.said)]

    def ask(self, name: str, **body: Any) -> Any:
        """Ask as the page does."""
        request = urllib.request.Request(  # noqa: S310 - of the test's own server
            f"{self.address}/api/{name}",
            data=json.dumps(body).encode(),
            headers={"X-Lab-Token": self.token},
        )
        with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as reply:  # noqa: S310 - the same
            return json.load(reply)

    def wish(self, **body: Any) -> str:
        """Ask for a fault, and return what is said of it."""
        said: str = self.ask("live/fault", **body)["text"]
        return said

    def wait_for(self, condition: Callable[[Mapping[str, Any]], bool]) -> None:
        """Look at the cluster until *condition* holds of what is told."""

        def look() -> bool:
            told = self.ask("live", since=self.next)
            self.next = told["next"]
            self.seen += told["events"]
            return condition(told)

        assert wait_until(look, seconds=WAIT_SECONDS), self.said

    def set(self, server: str, value: str) -> None:
        """Have *server* set *value*, however often it must be asked."""
        assert wait_until(
            lambda: "has set" in self.wish(action="propose", server=server, value=value),
            seconds=WAIT_SECONDS,
        ), self.said

    def end(self) -> None:
        """End it, if it has not ended."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(WAIT_SECONDS)
        self.output.close()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """Start a lab, and end it in any case."""
    lab = Lab(tmp_path)
    yield lab
    lab.end()


def is_running(pid: int) -> bool:
    """Tell whether the process *pid* exists, and is no zombie that nobody has waited for."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_real_cluster_is_troubled_from_the_page_and_recovers(lab: Lab) -> None:
    """Killed, started, paused, cut and healed; all is told, and a stretch becomes a run."""
    lab.set("A", "first")
    # Killed without a state to come back to, it would need both others; one will stand still.
    lab.wait_for(lambda _: any(_is_saved(each, "B") for each in lab.seen))

    lab.wish(action="kill", server="B")
    lab.wait_for(lambda told: told["servers"]["B"] == "down")
    lab.set("A", "without B")
    lab.wish(action="restart", server="B")
    lab.wait_for(lambda told: told["servers"]["B"] == "up")

    lab.wish(action="pause", server="C")
    lab.wait_for(lambda told: told["servers"]["C"] == "paused")
    lab.set("A", "without C")
    lab.wish(action="resume", server="C")

    lab.wish(action="network", blocked=[["A", "C"]], loss=0.0, delay_seconds=0.0)
    lab.set("A", "with B")
    lab.wait_for(lambda _: any(each["kind"] == "dropped" for each in lab.seen))
    lab.wish(action="network", blocked=[])
    lab.set("C", "healed")
    lab.wait_for(lambda _: any(_is_healed(each) for each in lab.seen))

    run = lab.ask("live/freeze", since=0, until=lab.next)
    lost = [each for each in lab.seen if each["kind"] == "dropped"]
    assert {(each["sender"], each["receiver"]) for each in lost} == {("A", "C")}
    assert {each["reason"] for each in lost} == {"partition on purpose"}
    assert {"crashed", "paused", "resumed", "wires"} <= {each["kind"] for each in lab.seen}
    assert len(run["decisions"]) >= 5
    assert run["violations"] == []


def _is_saved(event: Mapping[str, Any], server: str) -> bool:
    return bool(event["kind"] == "saved" and event["server"] == server)


def _is_healed(event: Mapping[str, Any]) -> bool:
    value = event.get("link")
    return event["kind"] in ("resolved", "learned") and "healed" in json.dumps(value)


def test_a_bad_wish_is_refused_and_the_cluster_goes_on(lab: Lab) -> None:
    """With a sentence."""
    with pytest.raises(urllib.error.HTTPError) as error:
        lab.wish(action="restart", server="A")

    assert "nothing to restart" in json.load(error.value)["error"]
    lab.set("A", "still here")


def test_the_page_sees_what_happens_while_a_server_is_asked_in_vain(lab: Lab) -> None:
    """Nobody waits for an answer that takes long, for without a quorum there is none."""
    lab.set("A", "x")
    for server in "BC":
        lab.wish(action="kill", server=server)

    said = lab.wish(action="propose", server="A", value="alone")

    assert said.startswith("A has not answered yet")
    lab.wait_for(lambda _: any("alone" in json.dumps(each) for each in lab.seen))


def test_a_server_that_stands_still_does_not_hold_up_the_lab(lab: Lab) -> None:
    """However often the network changes meanwhile; it learns of the last change in the end."""
    lab.wish(action="pause", server="C")
    blocked = [[one, other] for one in "ABC" for other in "ABC" if one != other]

    for number in range(1000):
        lab.wish(action="network", blocked=blocked, loss=number / 1000)
    lab.wish(action="network", blocked=[["C", "A"]])
    lab.wish(action="resume", server="C")

    lab.wait_for(lambda _: any(_is_cut_off(each, "C", "A") for each in lab.seen))
    lab.wish(action="network")
    lab.set("C", "goes on")


def _is_cut_off(event: Mapping[str, Any], sender: str, receiver: str) -> bool:
    way = (event.get("sender"), event.get("receiver"))
    return bool(event["kind"] == "dropped" and way == (sender, receiver))


def test_ctrl_c_ends_the_servers_too_even_one_that_stands_still(lab: Lab) -> None:
    """Nothing is left behind."""
    lab.set("A", "x")
    lab.wish(action="pause", server="B")

    lab.process.send_signal(signal.SIGINT)

    assert lab.process.wait(WAIT_SECONDS) == 0
    assert not [pid for pid in lab.pids if is_running(pid)]


def test_a_lab_under_nohup_outlives_its_terminal(tmp_path: Path) -> None:
    """As a cluster without a page does."""
    lab = Lab(tmp_path, "nohup")
    try:
        lab.process.send_signal(signal.SIGHUP)

        lab.set("A", "still here")
    finally:
        lab.end()


def test_no_server_outlives_a_lab_that_is_killed(lab: Lab) -> None:
    """Each sees the end of its standard input; even one that stands still ends."""
    lab.set("A", "x")
    lab.wish(action="pause", server="B")
    pids = lab.pids

    os.kill(lab.process.pid, signal.SIGKILL)
    lab.process.wait(WAIT_SECONDS)

    assert len(pids) == 3
    assert wait_until(lambda: not any(map(is_running, pids)), seconds=WAIT_SECONDS)


def test_a_port_that_is_taken_is_told_and_no_server_is_left(lab: Lab, tmp_path: Path) -> None:
    """The second lab ends with a sentence and an exit code."""
    port = lab.address.rpartition(":")[2]
    config = Config(cluster="other", servers=loopback_servers("ABC"))
    write_config(tmp_path / "other.toml", config)

    done = subprocess.run(
        [
            sys.executable,
            *("-m", "multipaxos", "cluster", "--lab", "--port", port, "--no-browser", "--quiet"),
            *("--config", str(tmp_path / "other.toml"), "--data", str(tmp_path / "other")),
        ],
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )

    assert done.returncode == 1
    assert f"cannot listen on port {port}" in done.stderr
    pids = [int(number) for number in re.findall(r"process (\d+)", done.stdout)]
    assert not [pid for pid in pids if is_running(pid)]
