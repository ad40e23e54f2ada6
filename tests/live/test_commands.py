"""The commands against real servers."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.live.cluster import UIDS, WAIT_SECONDS_MAX, LiveCluster, running_cluster

from multipaxos.cli.processes import wait_until, write_config

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCluster]:
    """Three servers with master leases, for the tests of this file that end none of them."""
    with running_cluster(tmp_path_factory.mktemp("commands"), master=True) as cluster:
        cluster.propose("A", "first")
        yield cluster


def run(
    cluster: LiveCluster, *arguments: str, config: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command on *cluster*, as its own configuration or *config* describes it."""
    path = str(config or cluster.config_path)
    return subprocess.run(
        [sys.executable, "-m", "multipaxos", *arguments, "--config", path],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_client_prints_the_link_that_holds_its_value(cluster: LiveCluster) -> None:
    """``client`` prints where the value is, and ``get`` and ``history`` find it there."""
    proposed = run(cluster, "client", "B", "hello world")

    assert proposed.returncode == 0
    words = proposed.stdout.split()
    link = int(words[2])
    assert proposed.stdout == f"chosen: link {link} = hello world\n"
    assert run(cluster, "get").stdout == "hello world\n"
    got = json.loads(run(cluster, "get", "--via", "C", "--json").stdout)
    assert got["value"] == "hello world"
    assert got["link"] >= link
    assert f'link {link}  "hello world"\n' in run(cluster, "history", "B").stdout


def test_commands_for_another_cluster_touch_nothing(cluster: LiveCluster, tmp_path: Path) -> None:
    """With the configuration of another cluster nothing is written or read: exit code 2."""
    wrong = tmp_path / "wrong.toml"
    write_config(wrong, replace(cluster.config, cluster="wrong"))
    before = cluster.status("A")["value"]

    for command in (
        ["client", "A", "lost"],
        ["client", "A", "lost", "--no-wait"],
        ["get"],
        ["get", "--via", "B"],
        ["set", "lost"],
        ["watch"],
        ["shell"],
        ["history"],
    ):
        result = run(cluster, *command, config=wrong)
        assert result.returncode == 2, result.stderr
        assert "is server A of cluster live, the configuration says A of cluster wrong" in (
            result.stderr.replace(" B ", " A ")
        )
    status = run(cluster, "status", config=wrong)
    assert status.returncode == 1
    assert status.stdout.count("another cluster's") == 3
    assert cluster.status("A")["value"] == before


def test_history_moves_on_from_a_silent_server(cluster: LiveCluster) -> None:
    """A server that takes connections and answers nothing leaves time to ask the next one."""
    os.kill(cluster.processes["A"].pid, signal.SIGSTOP)
    try:
        result = run(cluster, "history", "--timeout", "3")
    finally:
        os.kill(cluster.processes["A"].pid, signal.SIGCONT)

    assert result.returncode == 0
    assert '"first"' in result.stdout


def test_status_shows_one_master(cluster: LiveCluster) -> None:
    """``status`` shows each server, and one of them holds the lease that the others respect."""
    cluster.propose("A", "a long value that has its room")
    cluster.wait("A", lambda status: bool(status["lease"]))

    found = json.loads(run(cluster, "status", "--json").stdout)
    assert set(found) == set(UIDS)
    assert all(status["reachable"] and status["phase"] == "serving" for status in found.values())
    assert len({status["master"] for status in found.values()}) == 1
    table = run(cluster, "status")
    assert table.returncode == 0
    assert [line.split()[0] for line in table.stdout.splitlines()] == ["server", *UIDS]
    assert '"a long value that has its room"' in table.stdout.splitlines()[1]


def test_no_wait_sends_and_leaves(cluster: LiveCluster) -> None:
    """``client --no-wait`` ends at once; the value is chosen all the same."""
    result = run(cluster, "client", "A", "fire and forget", "--no-wait")

    assert result.returncode == 0
    cluster.wait("A", lambda status: status["value"] == "fire and forget")


def test_without_a_quorum_the_outcome_is_unknown(tmp_path: Path) -> None:
    """With two of three servers dead nothing can be chosen: the client says that it cannot know."""
    with running_cluster(tmp_path, master=False) as cluster:
        cluster.propose("A", "before")
        cluster.kill("B", "C")

        proposed = run(cluster, "client", "A", "perhaps", "--timeout", "0.5")
        read = run(cluster, "get", "--timeout", "0.5")
        unreached = run(cluster, "client", "B", "never sent")
        status = run(cluster, "status")

        assert (proposed.returncode, read.returncode, unreached.returncode) == (1, 1, 1)
        assert proposed.stderr.startswith("unknown: no answer in time")
        assert "Nothing was sent" in unreached.stderr
        assert status.returncode == 0
        assert status.stdout.count("not reachable") == 2
        # What could not be known comes to pass when the others return.
        cluster.start("B", "C")
        cluster.wait("B", lambda found: found.get("value") == "perhaps")
        cluster.kill(*UIDS)
        assert run(cluster, "status").returncode == 1


def test_cluster_runs_servers_and_ends_them(tmp_path: Path) -> None:
    """``cluster`` starts its servers, tells whose each line is, and ends them all with itself."""
    setup = LiveCluster(tmp_path, master=False)
    output = tmp_path / "output"
    with output.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "multipaxos", "cluster", *setup.options[:4], "--master"],
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        for uid in UIDS:
            assert wait_until(
                lambda u=uid: setup.status(u).get("phase") == "serving",  # type: ignore[misc]
                seconds=WAIT_SECONDS_MAX,
            ), output.read_text()
        setup.propose("A", "together")
        pids = [int(path.read_bytes().split()[0]) for path in setup.state_directory.glob("*.lock")]
        assert len(pids) == 3
        os.kill(pids[0], signal.SIGKILL)
        assert wait_until(
            lambda: "was killed by SIGKILL" in output.read_text(), seconds=WAIT_SECONDS_MAX
        )
        assert sum(bool(setup.status(uid)) for uid in UIDS) == 2

        process.send_signal(signal.SIGTERM)

        assert process.wait(WAIT_SECONDS_MAX) == 0
        assert not any(setup.status(uid) for uid in UIDS)
        lines = output.read_text().splitlines()
        last = next(n for n, line in enumerate(lines) if "BaseReplicatedValue" in line)
        introduction, told = lines[: last + 1], lines[last + 1 :]
        assert introduction[0] == "cluster live: servers A, B, C"
        assert "strategies, outermost first" in introduction[1]
        assert all(line.split()[0] in UIDS for line in told)
        assert not any("strategies" in line for line in told)
        assert "Traceback" not in output.read_text()
    finally:
        process.kill()
        process.wait()


def test_demo_passes() -> None:
    """The demo verifies all its steps, in less than half a minute, and leaves nothing behind."""
    demo = subprocess.run(
        [sys.executable, "-m", "multipaxos", "demo"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert demo.returncode == 0, demo.stdout
    assert demo.stdout.count("\n    ok  ") == 10
    assert demo.stderr == ""
    assert all(len(line) <= 80 for line in demo.stdout.splitlines())


def test_closed_terminal_leaves_nothing_of_the_demo(tmp_path: Path) -> None:
    """SIGHUP ends the demo as Ctrl+C does: its servers end, and its directory is removed."""
    demo = subprocess.Popen(
        [sys.executable, "-m", "multipaxos", "demo"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        # Who runs the tests under nohup ignores SIGHUP, and so would its child.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # noqa: PLW1509
    )
    try:
        assert wait_until(
            lambda: len(list(tmp_path.glob("multipaxos-demo-*/state/*.lock"))) == 3,
            seconds=WAIT_SECONDS_MAX,
        )
        pids = [int(path.read_bytes().split()[0]) for path in tmp_path.glob("*/state/*.lock")]

        demo.send_signal(signal.SIGHUP)

        assert demo.wait(WAIT_SECONDS_MAX) == 130
        assert list(tmp_path.iterdir()) == []
        assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    finally:
        demo.kill()
        demo.communicate()


def test_root_commands_do_the_same(cluster: LiveCluster) -> None:
    """``python client.py`` is ``multipaxos client``."""
    client = subprocess.run(
        [sys.executable, "client.py", "A", "short", "--config", str(cluster.config_path)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        cwd=Path(__file__).parents[2],
    )

    assert client.returncode == 0
    assert client.stdout.endswith("= short\n")
