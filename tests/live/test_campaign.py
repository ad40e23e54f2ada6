"""Campaigns in several processes and on a Dask cluster: the same table, whoever plays the runs."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from multipaxos.cli.processes import free_ports, wait_until

pytestmark = pytest.mark.live

CAMPAIGN = ("simulate", "--seed", "4", "--seconds", "5", "--runs", "28")
WAIT_SECONDS_MAX = 60.0


def command(*arguments: str) -> list[str]:
    """Return how *arguments* are given to the command in a process of its own."""
    return [sys.executable, "-m", "multipaxos", *arguments]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=WAIT_SECONDS_MAX, check=False
    )


def without_speed(output: str) -> str:
    """Return *output* without the one sentence that differs from machine to machine."""
    speed = re.compile(r"^[^\n]+ were simulated in .*?second\.$", re.MULTILINE | re.DOTALL)
    shortened, count = speed.subn("", output)
    assert count == 1, output
    return shortened


def test_several_processes_come_to_the_same_table() -> None:
    """However many processes play a campaign, it is the same one."""
    one, three = run(*CAMPAIGN, "--jobs", "1"), run(*CAMPAIGN, "--jobs", "3")

    assert (one.returncode, three.returncode) == (0, 0), three.stderr
    assert without_speed(one.stdout) == without_speed(three.stdout)
    assert one.stderr == three.stderr == ""


def test_several_processes_tell_the_same_first_violation() -> None:
    """The violation of the run with the lowest number is told, though another came earlier."""
    bug = ("simulate", "--runs", "100", "--seed", "3", "--bug", "gullible-acceptor")
    one, three = run(*bug, "--jobs", "1"), run(*bug, "--jobs", "3")

    assert (one.returncode, three.returncode) == (1, 1)
    assert one.stdout == three.stdout
    assert "I3 PromiseKept was broken" in one.stdout


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_prints_what_was_covered(jobs: str, tmp_path: Path) -> None:
    """The whole group of processes gets the signal, as from a terminal: the table, exit 130."""
    output = tmp_path / "output"
    with output.open("w") as file:
        process = subprocess.Popen(
            command("simulate", "--seed", "1", "--runs", "1000000", "--jobs", jobs),
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    wait_for(lambda: "campaign of seed 1" in output.read_text())
    if jobs == "2":
        wait_for(lambda: len(children(process.pid)) >= 2)
    time.sleep(1.0)
    os.killpg(process.pid, signal.SIGINT)

    assert process.wait(WAIT_SECONDS_MAX) == 128 + signal.SIGINT
    text = output.read_text()
    assert "Interrupted after" in text
    assert re.search(r"^all  ", text, re.MULTILINE)
    assert "Traceback" not in text


def test_a_process_that_is_killed_is_told_with_its_run() -> None:
    """What was covered, which run it was at, how to repeat that: exit 1; nobody stays behind."""
    process = subprocess.Popen(
        command("simulate", "--seed", "1", "--runs", "1000000", "--jobs", "2"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: len(children(process.pid)) >= 2)
    time.sleep(1.0)
    victim, *others = workers(process.pid)
    os.kill(victim, signal.SIGKILL)

    stdout, stderr = process.communicate(timeout=WAIT_SECONDS_MAX)
    assert process.returncode == 1
    assert "A process was killed by SIGKILL while it was at run" in stderr
    assert "multipaxos simulate --seed" in stderr
    assert re.search(r"^all  ", stdout, re.MULTILINE)
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in others))


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until *condition* holds."""
    assert wait_until(condition, seconds=WAIT_SECONDS_MAX), "waited too long"


def children(pid: int) -> list[int]:
    """Return the processes that *pid* started."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [int(word) for word in task.read_text().split()]
    return found


def workers(pid: int) -> list[int]:
    """Return those children of *pid* that play runs."""
    return [
        child
        for child in children(pid)
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


# -- Dask ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dask_address() -> Iterator[str]:
    """Run a Dask cluster on loopback: a scheduler and two workers, without any dashboard."""
    (port,) = free_ports(1, socket.SOCK_STREAM)
    address = f"tcp://127.0.0.1:{port}"
    scheduler = ["scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    worker = [
        *("worker", address, "--host", "127.0.0.1", "--no-dashboard", "--no-nanny"),
        *("--nthreads", "1"),
    ]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for arguments in (scheduler, worker, worker)
    ]
    try:
        yield address
    finally:
        # Not gently: a worker that loses its scheduler while it ends may wait for it for ever.
        for process in processes:
            process.kill()
        for process in processes:
            process.wait(WAIT_SECONDS_MAX)


def test_a_dask_cluster_comes_to_the_same_table(dask_address: str) -> None:
    """Runs that two other processes played add up as if they had been played here."""
    here = run(*CAMPAIGN, "--jobs", "1")
    there = run(*CAMPAIGN, "--dask", dask_address)

    assert there.returncode == 0, there.stderr
    assert without_speed(there.stdout) == without_speed(here.stdout)


def test_a_dask_cluster_finds_the_same_violation(dask_address: str) -> None:
    """A violation travels back whole: the diagram and the command are the same."""
    bug = ("simulate", "--runs", "20", "--seed", "3", "--bug", "gullible-acceptor")
    here, there = run(*bug, "--jobs", "1"), run(*bug, "--dask", dask_address)

    assert (here.returncode, there.returncode) == (1, 1), there.stderr
    assert there.stdout == here.stdout


def test_a_dask_cluster_that_does_not_answer_is_told() -> None:
    """A sentence with the address, and exit 2; nothing was run."""
    result = run(*CAMPAIGN, "--dask", "127.0.0.1:1")

    assert result.returncode == 2
    assert "Error: No Dask scheduler answers at 127.0.0.1:1" in result.stderr
    assert "Traceback" not in result.stderr
