"""The benchmark on real servers, and its load on servers that answer as they are told."""

import csv
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.live.cluster import keeping
from tests.live.scripted import serving

from multipaxos.bench.driving import LoadFailedError, LoadProcess
from multipaxos.bench.plan import Content, Endpoint, Load, LoadPlan
from multipaxos.bench.tally import LoadResult
from multipaxos.cli.processes import free_ports, wait_until

pytestmark = pytest.mark.live

WAIT_SECONDS_MAX = 60.0


def play(
    *endpoints: Endpoint, load: Load, requests: int, content: Content | None = None
) -> LoadResult:
    """Let a load process send so many *requests*; return what it saw."""
    plan = LoadPlan(
        addresses=endpoints,
        load=load,
        content=content or Content(keys=10),
        warm_up_seconds=0.0,
        seconds=WAIT_SECONDS_MAX,
        requests_max=requests,
    )
    with LoadProcess(plan) as process:
        process.wait_until_ready(WAIT_SECONDS_MAX)
        process.begin()
        assert process.wait(WAIT_SECONDS_MAX)
        assert process.result is not None
        return process.result


def whole(_: list[bytes]) -> list[bytes]:
    """Answer OK."""
    return [b"+OK\r\n"]


def test_every_answer_is_counted() -> None:
    """As many as the server gave, whether they come one by one or in a pipeline."""
    for load in (Load(clients=3), Load(clients=3, pipeline=16)):
        with serving(whole) as [server]:
            result = play(server.endpoint, load=load, requests=480)

            assert result.writes == result.answers == server.commands == 480
            assert (result.reads, result.unknown, result.errors) == (0, 0, {})


def test_answers_in_pieces_are_put_together() -> None:
    """TCP keeps no borders between replies."""
    with serving(lambda _: [b"+O", b"K\r", b"\n"]) as [server]:
        result = play(server.endpoint, load=Load(clients=2, pipeline=4), requests=80)

    assert (result.writes, result.unknown, result.errors) == (80, 0, {})


def test_errors_and_wrong_answers_are_no_answers() -> None:
    """They are counted by their text, and are in no throughput."""
    replies = iter([b"-REFUSED busy\r\n", b"+OK\r\n", b"+KO\r\n", b"+OK\r\n"] * 5)
    with serving(lambda _: [next(replies)]) as [server]:
        result = play(server.endpoint, load=Load(), requests=20)

    assert result.writes == result.answers == 10
    assert result.errors == {"REFUSED busy": 5, "a wrong reply: b'KO' for b'OK'": 5}


def test_a_wrong_value_is_noticed() -> None:
    """Each read knows what it must see."""
    content = Content(keys=1, value_bytes=8)
    right = b"$8\r\n" + content.value(0) + b"\r\n"
    with serving(lambda _: [right], lambda _: [right.replace(b"0", b"1")]) as [first, second]:
        good = play(first.endpoint, load=Load(reads=1.0), requests=5, content=content)
        bad = play(second.endpoint, load=Load(reads=1.0), requests=5, content=content)

    assert (good.reads, good.errors) == (5, {})
    assert (bad.reads, sum(bad.errors.values())) == (0, 5)


def test_who_loses_his_connection_goes_on_at_the_next_server() -> None:
    """What was under way is unknown, and nothing else is."""
    asked = []

    def dying(command: list[bytes]) -> list[bytes]:
        asked.append(command)
        return [b"+OK\r\n"] if len(asked) < 10 else []

    with serving(dying, whole) as [first, second]:
        result = play(first.endpoint, second.endpoint, load=Load(), requests=50)

    assert result.unknown == 1
    assert result.writes == 49
    assert second.commands == 40


def test_who_counts_knows_how_often() -> None:
    """Each client has a key of its own."""
    with serving(lambda _: [b":1\r\n"]) as [server]:
        content = Content(counting=True)
        result = play(server.endpoint, load=Load(clients=4), requests=40, content=content)

    assert sum(result.counted.values()) == result.writes == 40
    assert set(result.counted) <= {0, 1, 2, 3}


def test_servers_that_nobody_reaches_are_told() -> None:
    """The load does not begin, and says why."""
    [port] = free_ports(1, socket.SOCK_STREAM)
    plan = LoadPlan(
        addresses=(("host.invalid", port),),
        load=Load(),
        content=Content(),
        warm_up_seconds=0.0,
        seconds=1.0,
    )
    with (
        LoadProcess(plan) as process,
        pytest.raises(LoadFailedError, match=r"cannot find host\.invalid"),
    ):
        process.wait_until_ready(WAIT_SECONDS_MAX)


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the benchmark as a person does."""
    return subprocess.run(
        [sys.executable, "-m", "multipaxos", "bench", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_figures_of_a_run_are_consistent(tmp_path: Path) -> None:
    """What the servers counted is what the clients saw, for every load; files hold the same."""
    output = tmp_path / "output"

    done = bench(
        *("--clients", "1,8", "--pipeline", "1,4", "--reads", "0,0.5", "--seconds", "1"),
        *("--warm-up", "0.1", "--keys", "20", "--data", str(tmp_path / "data")),
        *("--output", str(output)),
    )

    assert (done.returncode, done.stderr) == (0, ""), done
    measurements = json.loads((output / "results.json").read_bytes())["measurements"]
    assert len(measurements) == 8
    for one in measurements:
        assert one["seen"] == one["counted"] > 0
        assert (one["errors"], one["unknown"], one["faults"]) == ({}, 0, [])
        assert one["requests_per_second"] * one["seconds"] <= one["seen"] + 0.5
        answered = sum(each["requests_per_second"] for each in one["slices"])
        assert answered * 0.1 == pytest.approx(one["requests_per_second"] * one["seconds"])
        latency = one["latency"]
        assert 0 < latency["p50"] <= latency["p99"] <= latency["p999"] <= latency["longest"]
        assert [use["is_master"] for use in one["uses"]].count(True) == 1
        assert all(use["memory_bytes"] > 1_000_000 for use in one["uses"])
        # A majority of three saves each link, and each message is one of an accepted link's.
        assert one["saves_per_write"] > 0
        assert one["messages_per_write"] > 0
    with (output / "loads.csv").open(encoding="utf-8") as lines:
        assert [line["counted"] for line in csv.DictReader(lines)] == [
            str(one["counted"]) for one in measurements
        ]
    seen = sum(one["seen"] for one in measurements)
    assert f"The servers counted the {seen:,} answers that the clients saw." in done.stdout
    assert (output / "throughput.svg").exists()
    assert list((tmp_path / "data").iterdir()) == []


def test_a_failover_loses_nothing(tmp_path: Path) -> None:
    """The master dies while clients count: what was acknowledged is there."""
    done = bench(
        *("--clients", "1", "--pipeline", "1", "--seconds", "0.2", "--warm-up", "0.1"),
        *("--failover", "--output", str(tmp_path / "output"), "--data", str(tmp_path / "data")),
    )

    assert (done.returncode, done.stderr) == (0, ""), done
    document = json.loads((tmp_path / "output/results.json").read_bytes())
    plain, failover = document["measurements"]
    assert plain["failover"] is None
    assert failover["faults"] == []
    assert failover["seen"] > 0
    told = failover["failover"]
    assert told["killed"] in {"A", "B", "C"}
    assert told["gap_began_seconds"] + told["gap_seconds"] > told["killed_seconds"]
    assert len(failover["uses"]) == 2
    assert f"{told['killed']}, the master, was killed after" in done.stdout
    assert (tmp_path / "output/failover.png").exists()


def test_who_interrupts_leaves_nothing_behind(tmp_path: Path) -> None:
    """Ctrl+C, twice: servers, load and files are gone, and the exit code says so."""
    data = tmp_path / "data"
    arguments = ["--clients", "1", "--pipeline", "1", "--seconds", "600", "--data", str(data)]
    running = subprocess.Popen(
        [sys.executable, "-m", "multipaxos", "bench", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

    def states() -> int:
        return len(list(data.glob("*/state/*.sqlite3")))

    assert wait_until(lambda: states() == 3, seconds=WAIT_SECONDS_MAX)
    running.send_signal(signal.SIGINT)
    running.send_signal(signal.SIGINT)
    _, told = running.communicate(timeout=WAIT_SECONDS_MAX)

    assert (running.returncode, told) == (130, "")
    assert list(data.iterdir()) == []


def test_servers_of_others_are_measured_and_left_as_they_were(tmp_path: Path) -> None:
    """What they keep stays; the keys of the benchmark are gone when it ends."""
    with keeping(tmp_path, "dictionary") as cluster:
        with cluster.client("A") as client:
            client.execute("SET", "mine", "1")
        done = bench(
            *("--via", cluster.addresses, "--clients", "2", "--pipeline", "1", "--keys", "5"),
            *("--seconds", "0.2", "--warm-up", "0.1"),
        )
        with cluster.client("B") as client:
            kept = client.execute("KEYS", "*")

    assert (done.returncode, done.stderr) == (0, ""), done
    assert "What the clients saw" in done.stdout
    assert "What the servers took" not in done.stdout
    assert getattr(kept, "result", None) == ("mine",)


def test_a_server_of_another_kind_is_told(tmp_path: Path) -> None:
    """A register takes no keys: a sentence, and nothing is overwritten."""
    with keeping(tmp_path, "register") as cluster:
        cluster.propose("A", "mine")
        done = bench("--via", cluster.addresses, "--seconds", "0.2")
        kept = cluster.get("A")

    assert done.returncode == 1
    assert "answered: ERR unknown command 'MSET'" in done.stderr
    assert kept == "mine"
