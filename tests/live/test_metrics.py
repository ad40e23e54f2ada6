"""Metrics and health of real servers, asked over HTTP."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse
from tests.live.cluster import SETTINGS, UIDS, WAIT_SECONDS_MAX, LiveCluster

from multipaxos.cli.processes import ServerProcess, end_all, free_ports, wait_until, write_config
from multipaxos.runtime.address import Address
from multipaxos.runtime.config import Config

pytestmark = pytest.mark.live


@contextmanager
def watched_cluster(directory: Path) -> Iterator[LiveCluster]:
    """Run three servers with metrics, and end them in any case."""
    cluster = LiveCluster(directory, master=False)
    taken = {server.client.port for server in cluster.config.servers.values()}
    ports = [port for port in free_ports(6, socket.SOCK_STREAM) if port not in taken]
    servers = {
        uid: replace(server, metrics=Address(host="127.0.0.1", port=port))
        for (uid, server), port in zip(cluster.config.servers.items(), ports, strict=False)
    }
    cluster.config = Config(cluster="live", servers=servers)
    write_config(cluster.config_path, cluster.config, SETTINGS)
    try:
        cluster.start(*UIDS)
        yield cluster
    finally:
        cluster.end()


def address_of(cluster: LiveCluster, uid: str) -> Address:
    """Return where *uid* tells how it is."""
    address = cluster.config.servers[uid].metrics
    assert address is not None
    return address


def ask(address: Address, path: str) -> tuple[int, str]:
    """Return the status and the body of *path*."""
    connection = HTTPConnection(address.host, address.port, timeout=WAIT_SECONDS_MAX)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def metrics(address: Address) -> dict[str, float]:
    """Return what the server at *address* counts, by name and labels."""
    status, text = ask(address, "/metrics")
    assert status == 200
    return {
        f"{sample.name} {' '.join(sample.labels.values())}".strip(): sample.value
        for family in parse(text)
        for sample in family.samples
    }


def test_a_server_counts_what_its_clients_were_told(tmp_path: Path) -> None:
    """As many links as the numbers that a client is told say, as many answers as it was given."""
    with watched_cluster(tmp_path) as cluster:
        address = address_of(cluster, "A")
        first = cluster.propose("A", "first").link
        before = metrics(address)

        links = [cluster.propose("A", f"value {number}").link for number in range(10)]

        after = metrics(address)

    def grew(name: str) -> float:
        return after[name] - before[name]

    assert after["multipaxos_link_in_progress"] == links[-1] + 1
    assert grew("multipaxos_links_resolved_total") == links[-1] - first
    assert grew("multipaxos_requests_total SET chosen") == 10
    assert grew("multipaxos_request_seconds_count write") == 10
    assert grew("multipaxos_messages_sent_total Accept") >= 20
    assert grew("multipaxos_messages_received_total Accepted") >= 10
    assert grew("multipaxos_save_seconds_count") >= 20
    assert 0 < after["multipaxos_peer_silence_seconds B"] < WAIT_SECONDS_MAX


def test_a_server_is_ready_as_long_as_it_hears_of_a_majority(tmp_path: Path) -> None:
    """Two of three die: it waits, in good health; one comes back: it is ready again."""
    with watched_cluster(tmp_path) as cluster:
        addresses = {uid: address_of(cluster, uid) for uid in UIDS}

        def is_ready(uid: str) -> bool:
            return ask(addresses[uid], "/readyz") == (200, "ok\n")

        for uid in UIDS:
            assert wait_until(lambda uid=uid: is_ready(uid), seconds=WAIT_SECONDS_MAX)  # type: ignore[misc]
        cluster.kill("B", "C")

        assert wait_until(lambda: not is_ready("A"), seconds=WAIT_SECONDS_MAX)
        status, why = ask(addresses["A"], "/readyz")
        assert status == 503
        assert why.endswith("it waits for word of 1 of B, C\n")
        assert ask(addresses["A"], "/healthz") == (200, "ok\n")
        assert metrics(addresses["A"])["multipaxos_ready"] == 0

        cluster.start("B")
        assert wait_until(lambda: is_ready("A"), seconds=WAIT_SECONDS_MAX)
        assert wait_until(lambda: is_ready("B"), seconds=WAIT_SECONDS_MAX)


def test_the_command_line_says_where_to_listen(tmp_path: Path) -> None:
    """Over the configuration's word; and a place that is taken keeps the server from starting."""
    cluster = LiveCluster(tmp_path, master=False)
    taken = {server.client.port for server in cluster.config.servers.values()}
    port, other, *_ = (each for each in free_ports(5, socket.SOCK_STREAM) if each not in taken)
    configured = replace(cluster.config.server("A"), metrics=Address(host="127.0.0.1", port=other))
    servers = {**cluster.config.servers, "A": configured}
    write_config(cluster.config_path, Config(cluster="live", servers=servers), SETTINGS)
    option = ["--metrics", f"127.0.0.1:{port}"]
    processes = [ServerProcess("A", [*cluster.options, *option])]
    try:
        assert wait_until(lambda: processes[0].is_ready, seconds=WAIT_SECONDS_MAX)
        assert any(f"HTTP 127.0.0.1:{port} for metrics" in line for line in processes[0].lines)
        assert ask(Address(host="127.0.0.1", port=port), "/healthz")[0] == 200
        status, why = ask(Address(host="127.0.0.1", port=port), "/readyz")
        assert (status, why[:22]) == (503, "it has no memory yet, ")

        processes.append(ServerProcess("B", [*cluster.options, *option]))
        assert wait_until(lambda: processes[1].exit_code is not None, seconds=WAIT_SECONDS_MAX)
        assert processes[1].exit_code == 2
        assert f"cannot listen on TCP 127.0.0.1:{port}: Address already in use" in "\n".join(
            processes[1].lines
        )
        assert ask_in_vain(other)
    finally:
        end_all(processes)


def ask_in_vain(port: int) -> bool:
    """Tell whether nobody listens at *port*."""
    try:
        ask(Address(host="127.0.0.1", port=port), "/")
    except ConnectionRefusedError:
        return True
    return False


GARBAGE = {
    "a length of 5,000 digits": b"GET / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
    "a body": b"POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
    "no HTTP": bytes(range(256)) * 400,
}


def test_garbage_at_the_http_port_stops_nobody(tmp_path: Path) -> None:
    """Each connection ends, and the server serves on."""
    with watched_cluster(tmp_path) as cluster:
        address = address_of(cluster, "A")
        for garbage in GARBAGE.values():
            with socket.create_connection((address.host, address.port), timeout=10) as connection:
                connection.sendall(garbage)
                try:
                    while connection.recv(4096):
                        pass
                except ConnectionResetError:
                    pass  # It was closed before everything was read.

        assert ask(address, "/healthz") == (200, "ok\n")
        assert cluster.propose("A", "still here").link > 0
