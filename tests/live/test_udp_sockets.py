"""The messenger on real sockets and a real reactor."""

import gc
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from twisted.internet.selectreactor import SelectReactor

from multipaxos.chain.messages import CatchUp, Envelope, Sync
from multipaxos.chain.settings import Settings
from multipaxos.runtime.clock import BootTimeClock
from multipaxos.runtime.codec import DATAGRAM_BYTES_MAX, encode_envelope, sizes, value_bytes_max
from multipaxos.runtime.config import Address, Config, built_in_config
from multipaxos.runtime.udp import ListenError, Refusal, UdpMessenger

pytestmark = pytest.mark.live

PATIENCE_SECONDS = 30.0


def free_ports(host: str, count: int) -> list[int]:
    """Return ports that no socket has at the moment."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sockets = [socket.socket(family, socket.SOCK_DGRAM) for _ in range(count)]
    for each in sockets:
        each.bind((host, 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Pair:
    """Servers A and B on one reactor, and what arrived at each."""

    def __init__(self, host: str = "127.0.0.1", name: str | None = None) -> None:
        self.host = host
        self.config = self._config(host, name or host)
        self.reactor = SelectReactor()
        self.clock = BootTimeClock(self.reactor)
        self.received: dict[str, list[Envelope]] = {"A": [], "B": []}
        self.refused: dict[str, list[str]] = {"A": [], "B": []}
        self.servers = {uid: self._server(uid) for uid in "AB"}
        for server in self.servers.values():
            server.listen(self.reactor)

    def _config(self, host: str, name: str) -> Config:
        config = built_in_config(2)
        return replace(
            config,
            servers={
                uid: replace(config.servers[uid], peer=Address(host=name, port=port))
                for uid, port in zip("AB", free_ports(host, 2), strict=True)
            },
        )

    def _server(self, uid: str) -> UdpMessenger:
        return UdpMessenger(
            self.config,
            uid,
            self.received[uid].append,
            lambda reason, _: self.refused[uid].append(reason),
        )

    def address(self, uid: str) -> tuple[str, int]:
        """Return where *uid* listens."""
        return self.host, self.config.servers[uid].peer.port

    def run_until(self, condition: Callable[[], bool]) -> None:
        """Run the reactor until *condition* holds; fail when it takes too long."""
        deadline = self.clock.seconds() + PATIENCE_SECONDS
        while not condition():
            assert self.clock.seconds() < deadline, "nothing came"
            self.reactor.iterate(0.01)

    def close(self) -> None:
        """Close both servers and the reactor."""
        for server in self.servers.values():
            server.close()
        for _ in range(3):
            self.reactor.iterate(0)
        self.reactor.removeAll()  # type: ignore[no-untyped-call]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Return two servers on loopback."""
    pair = Pair()
    yield pair
    pair.close()


def sync(sender: str, receiver: str) -> Envelope:
    """Return a message."""
    return Envelope(
        cluster="main",
        chain_id="",
        instance=7,
        sender=sender,
        receiver=receiver,
        message=Sync(votes_from=0),
    )


def test_messages_go_both_ways(pair: Pair) -> None:
    """Each server sends from the address that it listens at: the other knows it by that."""
    pair.servers["A"].send(sync("A", "B"))
    pair.servers["B"].send(sync("B", "A"))

    pair.run_until(lambda: bool(pair.received["A"] and pair.received["B"]))

    assert pair.received == {"A": [sync("B", "A")], "B": [sync("A", "B")]}
    assert pair.refused == {"A": [], "B": []}


def test_the_largest_message_arrives_whole(pair: Pair) -> None:
    """65,507 bytes: a value that a client may set can reach every server."""
    sessions_max = Settings().sessions_max
    value = "x" * (value_bytes_max(sessions_max) - 2)
    largest = max(
        sizes.largest_envelopes(value, sessions_max), key=lambda each: len(encode_envelope(each))
    )
    message = largest.message
    assert isinstance(message, CatchUp)
    spare = len(encode_envelope(largest)) - len(
        encode_envelope(replace(sync("A", "B"), message=message))
    )
    padded = replace(message, snapshot=replace(message.snapshot, value=value + "x" * spare))
    envelope = replace(sync("A", "B"), message=padded)
    assert len(encode_envelope(envelope)) == DATAGRAM_BYTES_MAX

    pair.servers["A"].send(envelope)
    pair.run_until(lambda: bool(pair.received["B"]))

    assert pair.received["B"] == [envelope]


def test_garbage_and_forgeries_do_not_stop_it(pair: Pair) -> None:
    """Random bytes, deep nesting, 64 KiB, a wrong address: counted, and the next one is served."""
    garbage = [
        b"",
        os.urandom(1000),
        b"[" * 60_000,
        b'{"type":' * 5_000,
        os.urandom(DATAGRAM_BYTES_MAX),
    ]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for datagram in garbage:
            stranger.sendto(datagram, pair.address("B"))
        stranger.sendto(encode_envelope(sync("A", "B")), pair.address("B"))
    pair.servers["A"].send(replace(sync("A", "B"), cluster="test"))
    pair.servers["A"].send(sync("A", "B"))

    pair.run_until(lambda: bool(pair.received["B"]))

    assert pair.servers["B"].refused == {
        Refusal.MALFORMED: len(garbage),
        Refusal.WRONG_ADDRESS: 1,
        Refusal.OTHER_CLUSTER: 1,
    }
    assert pair.received["B"] == [sync("A", "B")]


def test_a_burst_waits_in_the_buffer(pair: Pair) -> None:
    """While a server saves, its peers' messages pile up; the usual buffer would lose some."""
    for _ in range(100):
        pair.servers["A"].send(sync("A", "B"))

    pair.run_until(lambda: len(pair.received["B"]) == 100)

    assert pair.servers["B"].refused == {}


def test_a_peer_that_is_not_there_does_no_harm(pair: Pair) -> None:
    """The system reports a closed port to the sender; the next message is sent all the same."""
    pair.servers["B"].close()
    for _ in range(3):
        pair.reactor.iterate(0)
    for _ in range(10):
        pair.servers["A"].send(sync("A", "B"))
        pair.reactor.iterate(0)
    pair.servers["B"].listen(pair.reactor)

    pair.servers["A"].send(sync("A", "B"))
    pair.run_until(lambda: bool(pair.received["B"]))

    assert pair.received["B"][-1] == sync("A", "B")


# Twisted drops the socket that it could not bind without closing it; Python does that, and warns.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_address_in_use_gets_a_sentence(pair: Pair) -> None:
    """The same server runs already."""
    second = UdpMessenger(pair.config, "A", print, print)

    with pytest.raises(ListenError, match=r"server A cannot listen on UDP .*: Address already in"):
        second.listen(pair.reactor)
    gc.collect()


def test_host_names_are_looked_up() -> None:
    """A cluster may be configured by names."""
    pair = Pair(name="localhost")
    try:

        def has_arrived() -> bool:
            pair.servers["A"].send(sync("A", "B"))
            return bool(pair.received["B"])

        pair.run_until(has_arrived)
    finally:
        pair.close()

    assert pair.received["B"][0] == sync("A", "B")


def test_ipv6_works_as_well() -> None:
    """Where the machine has it."""
    try:
        free_ports("::1", 1)
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    pair = Pair(host="::1")
    try:
        pair.servers["A"].send(sync("A", "B"))
        pair.run_until(lambda: bool(pair.received["B"]))
    finally:
        pair.close()

    assert pair.refused == {"A": [], "B": []}
