"""Redis' own tools and its Python library against real servers: they work unchanged."""

import csv
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import hiredis
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from tests.live.cluster import UIDS, WAIT_SECONDS_MAX, LiveCluster, keeping, running_cluster

from multipaxos.chain import pipelines
from multipaxos.cli.processes import wait_until

pytestmark = pytest.mark.live

needs_redis_tools = pytest.mark.skipif(
    shutil.which("redis-cli") is None, reason="redis-cli and redis-benchmark are not installed"
)
PASSWORD = "sésame ouvre-toi"


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCluster]:
    """Three servers with master leases that keep a register."""
    with running_cluster(tmp_path_factory.mktemp("register"), master=True) as cluster:
        cluster.wait("C", lambda status: status["master"] is not None)
        yield cluster


@pytest.fixture(scope="module")
def dictionary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCluster]:
    """Three servers with master leases that keep a dictionary."""
    with keeping(tmp_path_factory.mktemp("dictionary"), "dictionary") as cluster:
        cluster.wait("C", lambda status: status["master"] is not None)
        yield cluster


@pytest.fixture(scope="module")
def protected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCluster]:
    """One server of three, for clients that know its password; its trace is kept."""
    directory = tmp_path_factory.mktemp("protected")
    cluster = LiveCluster(directory, master=False)
    (directory / "password").write_text(PASSWORD + "\n", encoding="utf-8")
    (directory / "password").chmod(0o600)
    config = cluster.config_path.read_text(encoding="utf-8")
    cluster.config_path.write_text(f'client_password_file = "password"\n{config}', encoding="utf-8")
    try:
        cluster.start("A", options=["--trace", str(directory / "trace")])
        yield cluster
    finally:
        cluster.end()


def port_of(cluster: LiveCluster, uid: str) -> int:
    """Return where clients find *uid*."""
    return cluster.config.servers[uid].client.port


def run(
    cluster: LiveCluster, program: str, *arguments: str, uid: str = "A", typed: str | None = None
) -> str:
    """Run one of Redis' tools against *uid*, with what is *typed*, and return what it prints."""
    done = subprocess.run(
        [program, "-p", str(port_of(cluster, uid)), *arguments],
        env={**os.environ, "NO_COLOR": "1"},
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout + done.stderr


def redis_cli(cluster: LiveCluster, *arguments: str, uid: str = "A") -> str:
    """Run redis-cli against *uid*, and return what it prints."""
    return run(cluster, "redis-cli", *arguments, uid=uid).rstrip("\n")


def library(cluster: LiveCluster, uid: str, **options: Any) -> "redis.Redis":
    """Return redis-py's client of *uid*."""
    return redis.Redis(port=port_of(cluster, uid), decode_responses=True, **options)


def connect(cluster: LiveCluster, uid: str) -> socket.socket:
    """Open a plain connection to *uid*."""
    address = ("127.0.0.1", port_of(cluster, uid))
    return socket.create_connection(address, timeout=WAIT_SECONDS_MAX)


def receive(connection: socket.socket) -> Any:
    """Return one reply."""
    reader = hiredis.Reader()
    while (reply := reader.gets()) is False:
        received = connection.recv(65_536)
        assert received, "the server closed the connection"
        reader.feed(received)
    return reply


def receive_to_the_end(connection: socket.socket) -> bytes:
    """Return all that arrives until the server closes the connection."""
    received = b""
    while chunk := connection.recv(65_536):
        received += chunk
    return received


def request(*arguments: bytes) -> bytes:
    """Encode a request."""
    return b"*%d\r\n" % len(arguments) + b"".join(b"$%d\r\n%b\r\n" % (len(a), a) for a in arguments)


# -- redis-cli -------------------------------------------------------------------------------------


@needs_redis_tools
def test_redis_cli_keeps_a_register(register: LiveCluster) -> None:
    """``SET value`` and ``GET``, through any server, in both versions of the protocol."""
    assert redis_cli(register, "SET", "hello world", uid="A") == "OK"
    assert {redis_cli(register, "GET", uid=uid) for uid in UIDS} == {"hello world"}
    assert redis_cli(register, "-3", "GET", uid="B") == "hello world"
    assert redis_cli(register, "CAS", "hello world", "bye", uid="C") == "OK"
    assert redis_cli(register, "--no-raw", "CAS", "hello world", "no", uid="B") == "(nil)"
    wrong = redis_cli(register, "SET", "a", "b")
    assert wrong.startswith("ERR wrong number of arguments for 'set' command")


@needs_redis_tools
def test_redis_cli_keeps_a_dictionary(dictionary: LiveCluster) -> None:
    """The commands for strings that there are, and a scan through all keys."""
    assert redis_cli(dictionary, "MSET", "ann", "1", "bob", "2", uid="A") == "OK"
    assert redis_cli(dictionary, "INCR", "ann", uid="B") == "2"
    assert redis_cli(dictionary, "MGET", "ann", "bob", uid="C").splitlines() == ["2", "2"]
    assert {"ann", "bob"} <= set(redis_cli(dictionary, "--scan", uid="B").splitlines())
    assert "unknown command 'LPUSH', with args beginning with: 'l' 'x'" in redis_cli(
        dictionary, "LPUSH", "l", "x"
    )


@needs_redis_tools
def test_redis_cli_is_told_about_the_server(register: LiveCluster) -> None:
    """INFO and ROLE name the master, as each server sees it."""
    master = register.status("A")["master"]
    follower = next(uid for uid in UIDS if uid != master)

    assert redis_cli(register, "ROLE", uid=master).splitlines()[0] == "master"
    role = redis_cli(register, "ROLE", uid=follower).splitlines()
    assert role[:3] == ["slave", "127.0.0.1", str(port_of(register, master))]
    assert "role:slave" in redis_cli(register, "INFO", "replication", uid=follower).splitlines()
    assert f"uid:{master}" in redis_cli(register, "INFO", uid=master).splitlines()


@needs_redis_tools
def test_redis_cli_takes_lines_from_a_pipe(register: LiveCluster) -> None:
    """Many commands over one connection, with quotes."""
    typed = 'SET "a \\"quoted\\" word"\nGET\nPING\n'

    assert run(register, "redis-cli", typed=typed, uid="B") == 'OK\na "quoted" word\nPONG\n'


# -- redis-benchmark -------------------------------------------------------------------------------


@needs_redis_tools
@pytest.mark.parametrize("options", [[], ["-P", "16"], ["-3"]], ids=["plain", "pipeline", "RESP3"])
def test_redis_benchmark_runs(dictionary: LiveCluster, options: list[str]) -> None:
    """Without a warning or an error; it measures each of the tests that apply."""
    tests = "ping,set,get,incr,mset"
    shown = run(
        dictionary, "redis-benchmark", "-t", tests, "-n", "200", "-c", "5", "--csv", *options
    )

    assert "WARNING" not in shown
    assert "rror" not in shown
    measured = [row[0] for row in csv.reader(shown.splitlines())][1:]
    assert measured == ["PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "MSET (10 keys)"]


# -- redis-py --------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [2, 3])
def test_redis_py_works(dictionary: LiveCluster, protocol: int) -> None:
    """It connects as it always does, and each result has the type that it expects."""
    with library(dictionary, "A", protocol=protocol, client_name="ann") as client:
        assert client.ping()
        client.delete("k", "n")
        assert client.get("k") is None
        assert client.set("k", "v")
        assert not client.set("k", "w", nx=True)
        assert client.set("k", "w", get=True) == "v"
        assert [client.incr("n"), client.incrby("n", 41)] == [1, 42]
        assert client.mget("k", "nope") == ["w", None]
        assert client.append("k", "π") == 3
        assert "k" in set(client.scan_iter("k*"))
        assert client.exists("k", "k", "nope") == 2
        assert client.client_getname() == "ann"
        assert client.client_info()["lib-name"] == "redis-py"
        assert client.info()["redis_version"] == "7.2.0"
        assert client.info("keyspace")["db0"]["keys"] == client.dbsize()
        assert client.config_get("save") == {"save": ""}
        assert client.command()["mset"]["step_count"] == 2
        assert client.command_count() == len(client.command())
        with pytest.raises(redis.ResponseError, match="unknown command 'EXPIRE'"):
            client.expire("k", 3)
        with pytest.raises(redis.ResponseError, match="not an integer"):
            client.incr("k")


def test_redis_py_has_other_databases_refused(dictionary: LiveCluster) -> None:
    """There is one database, number 0."""
    with (
        library(dictionary, "A", db=1) as client,
        pytest.raises(redis.ResponseError, match="DB index is out of range"),
    ):
        client.ping()


def test_a_pipeline_keeps_its_order(dictionary: LiveCluster) -> None:
    """A hundred requests in one packet, through a server that hands them on: replies in order."""
    master = dictionary.status("A")["master"]
    follower = next(uid for uid in UIDS if uid != master)
    with library(dictionary, follower) as client:
        client.delete("count")
        pipeline = client.pipeline(transaction=False)
        for number in range(50):
            pipeline.incr("count")
            pipeline.echo(str(number))

        replies = pipeline.execute()

    assert replies[::2] == list(range(1, 51))
    assert replies[1::2] == [str(number) for number in range(50)]


def test_a_transaction_of_redis_py_is_not_done_in_part(dictionary: LiveCluster) -> None:
    """Its pipelines are transactions unless told otherwise: they fail as a whole, in words."""
    own = dictionary.config.servers["A"].client
    with redis.Redis(host=own.host, port=own.port) as client:
        client.set("in-transaction", "0")
        pipeline = client.pipeline()
        pipeline.incr("in-transaction").incr("in-transaction")
        with pytest.raises(redis.ResponseError, match="transactions are not supported"):
            pipeline.execute()
        assert client.get("in-transaction") == b"0"

        plain = client.pipeline(transaction=False)
        assert plain.incr("in-transaction").incr("in-transaction").execute() == [1, 2]


def test_every_server_takes_every_command(dictionary: LiveCluster) -> None:
    """What is written through one is read through all, at once."""
    for number, uid in enumerate(UIDS * 2):
        with library(dictionary, uid) as client:
            client.set("shared", str(number))
        for other in UIDS:
            with library(dictionary, other) as client:
                assert client.get("shared") == str(number)


# -- the password ----------------------------------------------------------------------------------


def test_strangers_are_turned_away(protected: LiveCluster) -> None:
    """Without the password, or with a wrong one, redis-py says so."""
    once = Retry(NoBackoff(), 0)
    for protocol in (2, 3):
        for password, reason in (
            (None, "Authentication required|must be called with the client already authenticated"),
            ("wrong", "invalid username-password pair"),
        ):
            with (
                library(protected, "A", protocol=protocol, password=password, retry=once) as client,
                pytest.raises(redis.AuthenticationError, match=reason),
            ):
                client.ping()


def test_whoever_knows_the_password_is_served(protected: LiveCluster) -> None:
    """In both protocols, with the name of the user or without; it is in no file of the server."""
    for protocol in (2, 3):
        for username in (None, "default"):
            options = {"protocol": protocol, "password": PASSWORD, "username": username}
            with library(protected, "A", **options) as client:
                assert client.ping()
    if shutil.which("redis-cli"):
        assert redis_cli(protected, "--no-auth-warning", "-a", PASSWORD, "PING") == "PONG"

    written = "".join(protected.processes["A"].lines) + (protected.directory / "trace").read_text()
    assert PASSWORD not in written
    assert json.dumps(PASSWORD) not in written


def test_the_commands_know_the_password(protected: LiveCluster) -> None:
    """The configuration that names it is theirs, too; it is not shown."""
    done = subprocess.run(
        [sys.executable, "-m", "multipaxos", "status", "--config", str(protected.config_path)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert "Authentication" not in done.stdout
    assert done.stdout.count("not reachable") == 2
    assert PASSWORD not in done.stdout + done.stderr


@needs_redis_tools
def test_redis_benchmark_knows_the_password(protected: LiveCluster) -> None:
    """It says it and pings in one packet, in two forms of the protocol."""
    shown = run(
        protected, "redis-benchmark", "-a", PASSWORD, "-t", "ping", "-n", "50", "-c", "2", "--csv"
    )

    assert "rror" not in shown
    assert len(shown.splitlines()) == 3


def test_a_stranger_must_keep_it_short(protected: LiveCluster) -> None:
    """Whoever is not known cannot make the server keep large requests."""
    with connect(protected, "A") as connection:
        connection.sendall(b"*2\r\n$4\r\nAUTH\r\n$100000\r\n")

        assert receive_to_the_end(connection) == (
            b"-ERR Protocol error: unauthenticated bulk length\r\n"
        )


# -- many clients, slow clients, broken clients ----------------------------------------------------


def test_a_thousand_connections_are_served(register: LiveCluster) -> None:
    """All open at once, each is answered; one more is told that it is one too many."""
    wanted = 1000 - register_connections(register)
    with ExitStack() as stack:
        connections = [stack.enter_context(connect(register, "A")) for _ in range(wanted)]
        for connection in connections:
            connection.sendall(request(b"PING"))
        assert all(connection.recv(100) == b"+PONG\r\n" for connection in connections)
        with connect(register, "A") as one_too_many:
            assert receive_to_the_end(one_too_many) == b"-ERR max number of clients reached\r\n"

        # Fifty at a time: more updates than may wait are refused as busy.
        for first in range(0, wanted, 50):
            for connection in connections[first : first + 50]:
                connection.sendall(request(b"GET"))
            for connection in connections[first : first + 50]:
                assert not isinstance(receive(connection), hiredis.ReplyError)
    assert wait_until(lambda: register_connections(register) == 0, seconds=WAIT_SECONDS_MAX)


def register_connections(cluster: LiveCluster) -> int:
    """Return how many clients A has, the one that asks not counted."""
    with library(cluster, "A") as client:
        return int(client.info("clients")["connected_clients"]) - 1


def test_who_does_not_read_holds_nobody_up(dictionary: LiveCluster) -> None:
    """Two thousand large replies that nobody reads stay outside; others are served meanwhile."""
    value = "x" * 100_000
    with library(dictionary, "A") as client, connect(dictionary, "A") as deaf:
        client.set("large", value)
        before = client.info("stats")["total_commands_processed"]
        deaf.sendall(request(b"GET", b"large") * 2000)

        with ThreadPoolExecutor(4) as pool:
            sizes = list(pool.map(lambda _: len(client.get("large") or ""), range(50)))

        assert sizes == [len(value)] * 50
        assert client.ping()
        # It has been served as far as buffers reach, and goes on where it stopped.
        served = client.info("stats")["total_commands_processed"] - before
        assert served < 1000
        assert receive(deaf) == value.encode()


def test_a_protocol_error_closes_its_connection_only(register: LiveCluster) -> None:
    """What is before the error is served; another connection does not notice."""
    with connect(register, "A") as broken, library(register, "A") as other:
        assert other.ping()
        broken.sendall(request(b"PING") + b"*1\r\n:1\r\n" + request(b"SET", b"lost"))

        assert receive_to_the_end(broken) == (
            b"+PONG\r\n-ERR Protocol error: expected '$', got ':'\r\n"
        )
        assert other.ping()
        assert other.execute_command("GET") != "lost"


def test_a_web_page_cannot_speak_to_a_server(register: LiveCluster) -> None:
    """What a browser posts is cut off before its body, which may hold commands."""
    page = b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\nSET stolen\r\n"
    with connect(register, "A") as browser:
        browser.sendall(page)

        assert receive_to_the_end(browser) == b""
    with library(register, "A") as client:
        assert client.execute_command("GET") != "stolen"


@pytest.mark.parametrize("data", [b"*1000000000\r\n$1\r\n", b"%1000000000\r\n", b"$" * 70_000])
def test_what_is_announced_holds_nobody_up(register: LiveCluster, data: bytes) -> None:
    """A huge count costs the server neither time nor memory."""
    with connect(register, "A") as attacker, library(register, "A") as client:
        attacker.sendall(data)

        assert client.ping()
        used = Path(f"/proc/{register.processes['A'].pid}/statm")
        if used.exists():
            assert int(used.read_text(encoding="ascii").split()[1]) * 4096 < 500e6


def test_a_pipeline_goes_through_the_chain_together(dictionary: LiveCluster) -> None:
    """Through any server; one command that fails keeps no other from being done."""
    for uid in UIDS:
        with library(dictionary, uid) as client:
            client.set("text", "x")
            pipeline = client.pipeline(transaction=False)
            for number in range(40):
                pipeline.set(f"{uid}-{number}", str(number))
                pipeline.get(f"{uid}-{number}")
            pipeline.incr("text")
            pipeline.delete(f"{uid}-0")

            replies = pipeline.execute(raise_on_error=False)
            reads = client.pipeline(transaction=False)
            for number in range(40):
                reads.get(f"{uid}-{number}")

        assert replies[:80:2] == [True] * 40
        assert replies[1:80:2] == [str(number) for number in range(40)]
        assert isinstance(replies[80], redis.ResponseError)
        assert replies[81] == 1
        assert reads.execute() == [None, *(str(number) for number in range(1, 40))]

        packed = [
            update["command"]
            for link in dictionary.history(uid)
            if isinstance(link.holds, dict)
            for update in link.holds.get("updates", ())
            if update["command"][0] == "PIPELINE"
        ]
        found = [command for one in packed for command in pipelines.commands_of(tuple(one))]
        assert sum(command[:2] == ("SET", f"{uid}-7") for command in found) == 1
