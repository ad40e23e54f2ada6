"""The blocking value over connected sockets: threads, watches, closing."""

import gc
import os
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from tests.client.cluster import DROP, LOSE, A, B, C, SocketCluster

from multipaxos import Value, connect
from multipaxos.chain.dictionary import Dictionary
from multipaxos.client import (
    AuthenticationError,
    BadArgumentError,
    Change,
    ClosedError,
    CommandError,
    Identity,
    NotReachableError,
    OtherServerError,
    RefusedError,
    StaleValue,
    Unknown,
    UnknownOutcomeError,
)
from multipaxos.client.blocking import BlockingShell
from multipaxos.client.steps import Close, Open, Pause, Receive, Send, Steps

ADDRESSES = "a:1,b:2,c:3"


def _connect(cluster: SocketCluster, **options: Any) -> Value:
    return connect(ADDRESSES, open_socket=cluster.connect, **options)


@pytest.fixture
def cluster() -> Iterator[SocketCluster]:
    """Yield a register on three servers."""
    cluster = SocketCluster(A, B, C)
    yield cluster
    cluster.end()


@pytest.fixture
def value(cluster: SocketCluster) -> Iterator[Value]:
    """Yield the value that they keep."""
    with _connect(cluster) as value:
        yield value


@pytest.fixture
def dictionary() -> Iterator[Value]:
    """Yield a dictionary on three servers."""
    cluster = SocketCluster(A, B, C, machine=Dictionary())
    with _connect(cluster) as value:
        yield value
    cluster.end()


def test_register_is_set_and_read(value: Value) -> None:
    """The methods without a key are those of a register."""
    assert value.get() is None
    assert value.set("hé")
    assert value.get() == "hé"
    assert value.compare_and_set("hé", "y")
    assert not value.compare_and_set(None, "z")
    assert value.stale_get() == StaleValue(value="y", link=5, server="a:1")
    assert value.status()["uid"] == "a"


def test_dictionary_has_the_methods_with_keys(dictionary: Value) -> None:
    """The methods with keys are those of a dictionary."""
    assert dictionary.set("k", "v")
    assert not dictionary.set("k", "w", nx=True)
    assert not dictionary.set("j", "w", xx=True)
    dictionary.set_many({"a:1": "1", "a:2": "2"})
    assert dictionary.get_many("a:1", "none") == ["1", None]
    assert sorted(dictionary.keys("a:*")) == ["a:1", "a:2"]
    assert sorted(dictionary.scan()) == ["a:1", "a:2", "k"]
    assert dictionary.size() == 3
    assert dictionary.exists("k", "k") == 2
    assert dictionary.append("k", "v") == 2
    assert dictionary.increment("a:1", 41) == 42
    assert dictionary.delete("k", "j") == 1
    assert dictionary.compare_and_set("k", None, "new")
    assert dictionary.stale_get("k").value == "new"
    with pytest.raises(CommandError, match="wrong number of arguments for 'get' command"):
        dictionary.get()


def test_lost_connection_is_not_seen(cluster: SocketCluster, value: Value) -> None:
    """A request whose server dies with it is done once, through another."""
    cluster.servers[A].plans.extend([LOSE])
    cluster.servers[B].plans.extend([DROP])

    assert value.set("x")
    assert len(list(cluster.changes())) == 1


def test_threads_share_a_value(dictionary: Value) -> None:
    """Each request in flight has a name of its own, so none is taken for another's repetition."""
    barrier = threading.Barrier(8)

    def increment() -> None:
        barrier.wait()
        for _ in range(25):
            dictionary.increment("n")

    threads = [threading.Thread(target=increment) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert dictionary.get("n") == "200"


def test_one_thread_keeps_to_one_name(cluster: SocketCluster, value: Value) -> None:
    """A program that makes one request after the other makes them all under one name."""
    for text in ("x", "y", "z"):
        value.set(text)

    assert len({words[0] for words in cluster.servers[A].proposals()}) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_forked_process_makes_requests_under_other_names(
    cluster: SocketCluster, value: Value
) -> None:
    """Parent and child would otherwise name different requests alike, and one would be skipped."""
    value.set("x")
    pid = os.getpid

    os.getpid = lambda: pid() + 1
    try:
        value.set("y")
        value.close()
    finally:
        os.getpid = pid

    assert len({words[0] for words in cluster.servers[A].proposals()}) == 2


def test_outcomes_without_a_result_are_errors(cluster: SocketCluster, value: Value) -> None:
    """Methods raise what execute returns."""
    cluster.servers[A].plans.append(b"-REFUSED the value is too large\r\n")
    with pytest.raises(RefusedError, match="too large"):
        value.set("x")
    cluster.servers[A].plans.append(b"-UNKNOWN it waited so long that it may be forgotten\r\n")
    with pytest.raises(UnknownOutcomeError, match="it waited so long"):
        value.set("x")
    with pytest.raises(CommandError, match="unknown command"):
        value.increment("n")
    with pytest.raises(RefusedError, match="lone surrogates"):
        value.set("\ud800")


def test_connect_tells_at_once_what_is_wrong(cluster: SocketCluster) -> None:
    """A wrong address, time, name or password is found where it is written."""
    with pytest.raises(BadArgumentError, match="addresses"):
        connect("a")
    with pytest.raises(BadArgumentError, match="timeout_seconds"):
        connect("a:1", timeout_seconds=0)
    with pytest.raises(BadArgumentError, match="name"):
        connect("a:1", name="two words")
    cluster.servers[A].password = "secret"
    with pytest.raises(AuthenticationError, match="asks for a password"):
        _connect(cluster)
    for server in cluster.servers.values():
        server.is_down = True
    with pytest.raises(NotReachableError, match="Connection refused"):
        _connect(cluster, timeout_seconds=0.05)


def test_watch_tells_what_is_set_after_it_began(value: Value) -> None:
    """What was set before is not told; what is set from then on is, by whomever."""
    value.set("before")
    with value.watch() as changes:
        value.set("x")
        value.set("y")

        assert next(changes) == Change(link=3, index=0, key=None, value="x")
        assert next(changes).value == "y"


def test_watch_goes_on_at_another_server(cluster: SocketCluster, value: Value) -> None:
    """When the server that told of the changes dies, another one does."""
    with value.watch() as changes:
        value.set("x")
        assert next(changes).value == "x"
        cluster.kill(A)
        value.set("y")

        assert next(changes).value == "y"


@pytest.mark.parametrize("what", ["watch", "value"])
def test_close_from_another_thread_ends_a_watch(value: Value, what: str) -> None:
    """A loop over changes ends when the watch, or the whole value, is closed."""
    changes = value.watch()
    value.set("x")
    seen = []
    first = threading.Event()

    def follow() -> None:
        for change in changes:
            seen.append(change.value)
            first.set()

    thread = threading.Thread(target=follow)
    thread.start()
    first.wait()
    (changes if what == "watch" else value).close()
    thread.join()

    assert seen == ["x"]
    assert list(changes) == []


def test_watch_that_nobody_has_any_more_is_gone(value: Value) -> None:
    """A loop that is left keeps no connection, though nobody closed the watch."""
    value.set("x")
    shells = value._lanes.shells  # noqa: SLF001 - to see what it keeps

    changes = value.watch()
    value.set("y")
    assert next(changes).value == "y"
    assert len(shells) == 2
    del changes
    gc.collect()

    assert len(shells) == 1


def test_closed_value_asks_nobody(cluster: SocketCluster) -> None:
    """After close every call is an error; to close twice is none."""
    value = _connect(cluster)
    value.close()
    value.close()

    with pytest.raises(ClosedError):
        value.set("x")
    assert cluster.servers[A].proposals() == []


def test_request_under_way_is_unknown_when_its_value_is_closed(cluster: SocketCluster) -> None:
    """A request that was sent may be chosen, closed or not."""
    value = _connect(cluster, timeout_seconds=60)
    cluster.servers[A].is_hung = True
    shell = next(iter(value._lanes.shells))  # noqa: SLF001 - to see that it was sent
    outcomes: list[object] = []
    thread = threading.Thread(target=lambda: outcomes.append(value.execute("SET", "x")))
    thread.start()
    while not cluster.servers[A].proposals():
        threading.Event().wait(0.001)
    value.close()
    thread.join()

    assert isinstance(outcomes[0], Unknown)
    assert shell.run(_nothing()) is None


def _nothing() -> Steps[None]:
    yield Close()


def test_shell_performs_each_step_over_one_connection() -> None:
    """What fails is told as the error that the core expects; a pause ends when the shell closes."""
    near, far = socket.socketpair()
    shell = BlockingShell(lambda *_: near, seconds=lambda: 10.0)

    def steps() -> Steps[str]:
        yield Open(server=A, deadline=11)
        yield Send(request=b"x", deadline=11)
        shell.close()
        yield Pause(seconds=1000)
        try:
            yield Receive(deadline=11)
        except Exception as error:  # noqa: BLE001 - that is what is asked
            return str(error)
        return ""

    assert shell.run(steps()) == "the server closed the connection"
    assert far.recv(10) == b"x"
    assert far.recv(10) == b""
    far.close()


def test_shell_that_is_closed_while_it_connects_keeps_no_connection() -> None:
    """Whoever closes sees no socket yet: the one that opens it must look again."""
    near, far = socket.socketpair()

    def connect_and_close(*_: object) -> socket.socket:
        shell.close()
        return near

    shell = BlockingShell(connect_and_close, seconds=lambda: 10.0)

    def steps() -> Steps[None]:
        yield Open(server=A, deadline=11)

    with far, pytest.raises(ClosedError):
        shell.run(steps())
    assert near.fileno() < 0


# -- whom it means ---------------------------------------------------------------------------------

IDENTITIES = {A: Identity("main", "A"), B: Identity("main", "B")}


def test_strangers_get_no_request(cluster: SocketCluster) -> None:
    """Where all are others than those that were meant, that is told at once, and no one waits."""
    for server in cluster.servers.values():
        server.greeting = b"-OTHER server A of cluster other\r\n"
    identities = {**IDENTITIES, C: Identity("main", "C")}

    with pytest.raises(OtherServerError) as raised:
        _connect(cluster, identities=identities, timeout_seconds=3600.0)

    assert str(raised.value).startswith("a:1 is server A of cluster other, the configuration says")
    assert str(raised.value).count("the configuration says") == 3


def test_a_stranger_is_left_for_those_that_are_meant(cluster: SocketCluster) -> None:
    """One wrong address among others does no harm."""
    cluster.servers[A].greeting = b"-OTHER server A of cluster other\r\n"

    with _connect(cluster, identities=IDENTITIES) as value:
        assert value.set("x")

    assert ["MULTIPAXOS", "HELLO", "main", "B"] in cluster.servers[B].asked
    assert not cluster.servers[A].proposals()


def test_a_stranger_and_nobody_are_waited_for(cluster: SocketCluster) -> None:
    """Who is away may be the one that is meant: only those that answer can be wrong."""
    cluster.servers[A].greeting = b"-OTHER server A of cluster other\r\n"
    for server in (B, C):
        cluster.servers[server].is_down = True

    with pytest.raises(NotReachableError, match="is server A of cluster other"):
        _connect(cluster, identities=IDENTITIES, timeout_seconds=0.2)
