"""The messenger on real sockets and a real reactor."""

import gc
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace

import pytest
from twisted.internet.selectreactor import SelectReactor

from composable_paxos import Promise, ProposalID
from multipaxos.chain.durable import Snapshot
from multipaxos.chain.links import Founding, Updates
from multipaxos.chain.messages import CatchUp, Envelope, Sync
from multipaxos.chain.requests import RequestID, Update
from multipaxos.runtime.clock import BootTimeClock
from multipaxos.runtime.codec import encode_envelope
from multipaxos.runtime.config import Address, Config, built_in_config
from multipaxos.runtime.messenger.arrivals import Refusal
from multipaxos.runtime.messenger.frames import MESSAGE_BYTES_MAX
from multipaxos.runtime.messenger.peer_messenger import ListenError, PeerMessenger
from multipaxos.runtime.messenger.udp import DATAGRAM_BYTES_MAX

pytestmark = pytest.mark.live

PATIENCE_SECONDS = 30.0
MEBIBYTE = 2**20


def free_ports(host: str, count: int) -> list[int]:
    """Return ports that no socket has at the moment, be it for datagrams or for streams."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    ports: list[int] = []
    with ExitStack() as stack:
        while len(ports) < count:
            datagrams = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
            datagrams.bind((host, 0))
            port = datagrams.getsockname()[1]
            stream = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
            with suppress(OSError):
                stream.bind((host, port))
                ports.append(port)
    return ports


class Pair:
    """Servers A and B on one reactor, and what arrived at each."""

    def __init__(
        self, host: str = "127.0.0.1", name: str | None = None, *, tcp_only: bool = False
    ) -> None:
        self.tcp_only = tcp_only
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

    def _server(self, uid: str) -> PeerMessenger:
        return PeerMessenger(
            self.config,
            uid,
            self.received[uid].append,
            lambda reason, _: self.refused[uid].append(reason),
            tcp_only=self.tcp_only,
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


@pytest.fixture(params=[False, True], ids=["auto", "tcp"])
def either_pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """Return two servers on loopback, for each of the transports."""
    pair = Pair(tcp_only=request.param)
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


def test_messages_go_both_ways(either_pair: Pair) -> None:
    """Each server sends from the address that it listens at: the other knows it by that."""
    either_pair.servers["A"].send(sync("A", "B"))
    either_pair.servers["B"].send(sync("B", "A"))

    either_pair.run_until(lambda: bool(either_pair.received["A"] and either_pair.received["B"]))

    assert either_pair.received == {"A": [sync("B", "A")], "B": [sync("A", "B")]}
    assert either_pair.refused == {"A": [], "B": []}


def catch_up(size: int) -> Envelope:
    """Return a message from A to B that has *size* bytes."""

    def with_value(value: str) -> Envelope:
        founding = Founding(chain_id="c", machine_kind="register", founders=())
        message = CatchUp(founding=founding, snapshot=Snapshot(value=value))
        return replace(sync("A", "B"), message=message)

    return with_value("x" * (size - len(encode_envelope(with_value("")))))


@pytest.mark.parametrize("size", [DATAGRAM_BYTES_MAX, DATAGRAM_BYTES_MAX + 1, MESSAGE_BYTES_MAX])
def test_a_message_of_any_size_arrives_whole(either_pair: Pair, size: int) -> None:
    """The longest datagram, and beyond it the shortest and the longest frame in a stream."""
    envelope = catch_up(size)

    either_pair.servers["A"].send(envelope)
    either_pair.run_until(lambda: bool(either_pair.received["B"]))

    assert either_pair.received["B"] == [envelope]
    assert either_pair.refused == {"A": [], "B": []}


def test_long_messages_go_both_ways_and_on_and_on(either_pair: Pair) -> None:
    """The connections are kept, and each server's source address is the one it is known by."""
    received = either_pair.received
    back = replace(catch_up(MEBIBYTE), sender="B", receiver="A")

    for count in range(1, 4):
        either_pair.servers["A"].send(catch_up(MEBIBYTE))
        either_pair.servers["B"].send(back)
        either_pair.run_until(lambda n=count: [*map(len, received.values())] == [n, n])  # type: ignore[misc]

    assert either_pair.received == {"A": [back] * 3, "B": [catch_up(MEBIBYTE)] * 3}
    assert [len(each.stream_port.connections) for each in either_pair.servers.values()] == [1, 1]


def test_a_long_message_to_a_server_that_is_down_is_lost_and_a_later_one_is_not(
    either_pair: Pair,
) -> None:
    """Nobody listens there for a while; then it is started again."""
    either_pair.servers["A"].send(catch_up(MEBIBYTE))
    either_pair.run_until(lambda: bool(either_pair.received["B"]))
    either_pair.servers["B"].close()
    either_pair.run_until(lambda: not either_pair.servers["B"].stream_port.connections)

    def is_refused() -> bool:
        either_pair.servers["A"].send(catch_up(MEBIBYTE))
        return any("refused" in reason for reason in either_pair.refused["A"])

    either_pair.run_until(is_refused)
    either_pair.servers["B"].listen(either_pair.reactor)
    either_pair.received["B"].clear()

    def is_received() -> bool:
        either_pair.servers["A"].send(catch_up(MEBIBYTE))
        return bool(either_pair.received["B"])

    either_pair.run_until(is_received)
    assert either_pair.received["B"][0] == catch_up(MEBIBYTE)


def test_a_peer_that_does_not_read_is_given_only_so_much(either_pair: Pair) -> None:
    """What does not leave is dropped, and the server goes on: B is a socket that is never read."""
    either_pair.servers["B"].close()
    for _ in range(3):
        either_pair.reactor.iterate(0)
    with socket.create_server(either_pair.address("B")) as deaf:
        either_pair.servers["A"].send(catch_up(30 * MEBIBYTE))
        connections = []
        deaf.setblocking(False)

        def is_connected() -> bool:
            with suppress(BlockingIOError):
                connections.append(deaf.accept()[0])
            return bool(connections)

        either_pair.run_until(is_connected)
        for number in range(5):
            other = promise(30 * MEBIBYTE + number)
            forwarded = replace(catch_up(30 * MEBIBYTE), message=other)
            either_pair.servers["A"].send(forwarded)
            either_pair.reactor.iterate(0)
        connections[0].close()

    assert either_pair.servers["A"].refused == {Refusal.DISPLACED: 3}


def promise(size: int) -> Promise:
    """Return a message with about *size* bytes."""
    update = Update(request_id=RequestID("c", 1), command=("SET", "x" * size), since=1)
    return Promise(
        acceptor="A",
        proposal_id=ProposalID(3, "B"),
        accepted_id=ProposalID(2, "A"),
        accepted_value=Updates(updates=(update,)),
    )


def test_garbage_in_a_stream_does_not_stop_it(either_pair: Pair) -> None:
    """Whatever a connection brings, the next one is served."""
    garbage = [b"\xff" + os.urandom(1000), b"\xff" * 4, b"\0\0\0\x02{}", b"\0" * 4]
    for stream in garbage:
        with socket.create_connection(either_pair.address("B")) as stranger:
            stranger.sendall(stream)
            before = either_pair.servers["B"].refused.total()
            either_pair.run_until(lambda n=before: either_pair.servers["B"].refused.total() > n)  # type: ignore[misc]

    either_pair.servers["A"].send(catch_up(MEBIBYTE))
    either_pair.run_until(lambda: bool(either_pair.received["B"]))

    assert either_pair.servers["B"].refused.keys() == {Refusal.MALFORMED}
    assert either_pair.received["B"] == [catch_up(MEBIBYTE)]


def test_garbage_and_forgeries_do_not_stop_it(either_pair: Pair) -> None:
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
            stranger.sendto(datagram, either_pair.address("B"))
        stranger.sendto(encode_envelope(sync("A", "B")), either_pair.address("B"))
    either_pair.servers["A"].send(replace(sync("A", "B"), cluster="test"))
    either_pair.servers["A"].send(sync("A", "B"))

    either_pair.run_until(lambda: bool(either_pair.received["B"]))

    assert either_pair.servers["B"].refused == {
        Refusal.MALFORMED: len(garbage),
        Refusal.WRONG_ADDRESS: 1,
        Refusal.OTHER_CLUSTER: 1,
    }
    assert either_pair.received["B"] == [sync("A", "B")]


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
    second = PeerMessenger(pair.config, "A", print, print)

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
