"""The messenger: what it sends in datagrams, and what it refuses, without a real socket."""

import errno
import os
import socket
from dataclasses import replace
from queue import Queue
from threading import current_thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runtime.sockets import B_ADDRESS, FakeReactor, Server, from_a, to_a
from twisted.internet.error import CannotListenError, MessageLengthError

from composable_paxos import LOWEST, Accept, Accepted, Nack, Prepare, Promise, ProposalID
from multipaxos.chain.links import Nothing
from multipaxos.chain.messages import Envelope, Sync
from multipaxos.runtime.codec import encode_envelope
from multipaxos.runtime.config import Address, Config, ServerConfig, built_in_config
from multipaxos.runtime.messenger.arrivals import Refusal
from multipaxos.runtime.messenger.peer_messenger import ListenError, PeerMessenger
from multipaxos.runtime.messenger.peers import RESOLVE_SECONDS, look_up, run_in_thread
from multipaxos.runtime.messenger.udp import DATAGRAM_BYTES_MAX

TWO_A, TWO_B = ProposalID(2, "A"), ProposalID(2, "B")


# ------------------------------------------------------------------------------------------ arrival


@pytest.mark.parametrize(
    "message",
    [
        Sync(votes_from=0),
        Prepare(proposal_id=TWO_B),
        Accept(proposal_id=TWO_B, value=Nothing()),
        Promise(acceptor="B", proposal_id=TWO_A, accepted_id=LOWEST, accepted_value=None),
        Accepted(acceptor="B", proposal_id=TWO_A, value=Nothing()),
        Nack(acceptor="B", proposal_id=TWO_A, promised_id=TWO_B),
    ],
)
def test_a_peers_own_message_is_handed_on(message: Any) -> None:
    """A request is its proposer's, a reply its acceptor's."""
    server = Server()

    server.arrive(to_a(message))

    assert server.received == [to_a(message)]
    assert server.refused == []


@pytest.mark.parametrize(
    "envelope, address, refusal, sentence",
    [
        (
            to_a(cluster="test"),
            B_ADDRESS,
            Refusal.OTHER_CLUSTER,
            "a message of another cluster, test",
        ),
        (to_a(receiver="C"), B_ADDRESS, Refusal.OTHER_RECEIVER, "a message to C, not A"),
        (to_a(sender="X"), B_ADDRESS, Refusal.UNKNOWN_SENDER, "X is no other server"),
        (to_a(sender="A"), ("127.0.0.1", 7101), Refusal.UNKNOWN_SENDER, "A is no other server"),
        (
            to_a(),
            ("127.0.0.1", 7103),
            Refusal.WRONG_ADDRESS,
            "B sends from 127.0.0.1:7102, not from here",
        ),
        (to_a(), ("127.0.0.2", 7102), Refusal.WRONG_ADDRESS, "B sends from"),
        (
            to_a(Prepare(proposal_id=TWO_A)),
            B_ADDRESS,
            Refusal.WRONG_SPEAKER,
            "B speaks in the name of A",
        ),
        (
            to_a(Accept(proposal_id=ProposalID(2, "C"), value=Nothing())),
            B_ADDRESS,
            Refusal.WRONG_SPEAKER,
            "B speaks in the name of C",
        ),
        (
            to_a(Promise(acceptor="C", proposal_id=TWO_A, accepted_id=LOWEST, accepted_value=None)),
            B_ADDRESS,
            Refusal.WRONG_SPEAKER,
            "in the name of C",
        ),
        (
            to_a(Accepted(acceptor="A", proposal_id=TWO_A, value=Nothing())),
            B_ADDRESS,
            Refusal.WRONG_SPEAKER,
            "in the name of A",
        ),
        (
            to_a(Nack(acceptor="C", proposal_id=TWO_A, promised_id=TWO_B)),
            B_ADDRESS,
            Refusal.WRONG_SPEAKER,
            "in the name of C",
        ),
    ],
)
def test_what_does_not_belong_is_refused_counted_and_told(
    envelope: Envelope, address: tuple[str, int], refusal: Refusal, sentence: str
) -> None:
    """Cluster, receiver, sender, address and speaker must fit."""
    server = Server()

    server.arrive(envelope, address)

    ((reason, told_address),) = server.refused
    assert server.received == []
    assert server.messenger.refused == {refusal: 1}
    assert sentence in reason
    assert told_address == f"{address[0]}:{address[1]}"


@given(st.binary(max_size=100))
def test_garbage_is_counted_and_never_raises(datagram: bytes) -> None:
    """Whatever arrives: the server serves the next datagram."""
    server = Server()

    server.messenger.udp.datagramReceived(datagram, B_ADDRESS)
    server.arrive(to_a())

    assert server.messenger.refused == {Refusal.MALFORMED: 1}
    assert server.refused[0][0].startswith("malformed datagram: ")
    assert server.received == [to_a()]


def test_what_is_too_long_for_a_datagram_is_none() -> None:
    """IPv6 could carry some more; no server sends it, so that any network will do."""
    server = Server()

    server.messenger.udp.datagramReceived(b" " * (DATAGRAM_BYTES_MAX + 1), B_ADDRESS)

    assert server.refused == [
        ("malformed datagram: 65508 bytes, more than 65507", "127.0.0.1:7102"),
    ]
    assert server.messenger.refused == {Refusal.MALFORMED: 1}


def test_an_ipv6_address_is_told_in_brackets() -> None:
    """As a configuration writes it."""
    server = Server()

    server.messenger.udp.datagramReceived(b"", ("::1", 9))

    assert server.refused[0][1] == "[::1]:9"


# ------------------------------------------------------------------------------------------ sending


def test_a_message_is_one_datagram_to_the_configured_address() -> None:
    """As the codec writes it."""
    server = Server()

    server.messenger.send(from_a())

    assert server.reactor.written == [(encode_envelope(from_a()), B_ADDRESS)]


@pytest.mark.parametrize(
    "error, sentence",
    [
        (OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH)), "Network is unreachable"),
        (OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)), "temporarily unavailable"),
        (MessageLengthError("message too long"), "message too long"),
        (ValueError("IPv4 port write() called with IPv6 address"), "IPv6"),
    ],
)
def test_a_send_that_fails_is_counted_and_the_next_one_is_tried(
    error: Exception, sentence: str
) -> None:
    """The network's trouble is never the protocol's: it retransmits."""
    server = Server()
    server.reactor.error = error
    server.messenger.send(from_a())
    server.reactor.error = None

    server.messenger.send(from_a())

    ((reason, address),) = server.refused
    assert reason.startswith("cannot reach B: ")
    assert sentence in reason
    assert address == "127.0.0.1:7102"
    assert server.messenger.refused == {Refusal.UNREACHABLE: 1}
    assert len(server.reactor.written) == 1


def test_what_cannot_be_written_is_counted() -> None:
    """A name, for example, that no peer would read."""
    server = Server()

    server.messenger.send(from_a(cluster="two words"))

    assert server.messenger.refused == {Refusal.UNSENDABLE: 1}
    assert server.refused[0][0].startswith("cannot be sent: ")
    assert server.reactor.written == []


def test_a_message_to_nobody_is_counted() -> None:
    """There is no such server."""
    server = Server()

    server.messenger.send(replace(from_a(), receiver="X"))

    assert server.refused == [("cannot reach X: there is no other server of that name", "X")]


def test_after_closing_nothing_is_sent_and_nothing_raises() -> None:
    """A timer may still fire while a server ends."""
    server = Server()

    server.messenger.close()
    server.messenger.send(from_a())
    server.messenger.close()

    assert not server.reactor.is_open
    assert server.messenger.refused == {Refusal.UNREACHABLE: 1}


# ---------------------------------------------------------------------------------------- listening


def test_it_listens_at_the_configured_address_only_and_reads_whole_datagrams() -> None:
    """Not at every interface; and a datagram that is too long is not cut to one that is not."""
    server = Server()

    assert server.reactor.interface == ("127.0.0.1", 7101)
    assert server.reactor.packet_bytes_max > 65_507
    assert server.reactor.handle.options == [
        (socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 2**20),
        (socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * 2**20),
    ]


def test_a_system_that_grants_no_buffer_is_no_reason_to_stop() -> None:
    """The buffer only makes bursts less likely to be lost."""
    reactor = FakeReactor()
    reactor.handle.error = OSError(errno.ENOBUFS, "no")

    PeerMessenger(built_in_config(), "A", print, print).listen(reactor)

    assert reactor.is_open


def test_an_address_in_use_gets_a_sentence() -> None:
    """The user sees which server, which address, and the system's reason."""
    reactor = FakeReactor()
    cause = OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    reactor.error = CannotListenError("127.0.0.1", 7101, cause)  # type: ignore[no-untyped-call]

    with pytest.raises(ListenError) as caught:
        PeerMessenger(built_in_config(), "A", print, print).listen(reactor)

    assert str(caught.value) == (
        "server A cannot listen on UDP 127.0.0.1:7101: Address already in use"
    )


def test_an_own_name_that_is_unknown_gets_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server cannot listen at a name that its machine does not know."""

    def know_nothing(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", know_nothing)
    config = built_in_config()
    a = replace(config.servers["A"], peer=Address(host="no-such-host.invalid", port=7101))
    config = replace(config, servers={**config.servers, "A": a})

    with pytest.raises(ListenError) as caught:
        PeerMessenger(config, "A", print, print).listen(FakeReactor())

    assert str(caught.value) == (
        "server A cannot listen on UDP no-such-host.invalid:7101: Name or service not known"
    )


def test_an_ipv6_address_is_listened_on_as_one() -> None:
    """The peers are then looked up in IPv6, too."""
    reactor = FakeReactor()
    config = built_in_config()
    a = replace(config.servers["A"], peer=Address(host="::1", port=7101))

    PeerMessenger(replace(config, servers={"A": a}), "A", print, print).listen(reactor)

    assert reactor.interface == ("::1", 7101)


# -------------------------------------------------------------------------------------- host names


class Names:
    """A name service that the test controls."""

    def __init__(self) -> None:
        self.known: dict[str, tuple[tuple[str, int], ...]] = {}
        self.asked: list[str] = []

    def __call__(self, address: Address, family: int) -> tuple[tuple[str, int], ...]:
        """Look up *address*."""
        assert family == socket.AF_INET
        self.asked.append(address.host)
        if address.host not in self.known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return self.known[address.host]


def named_config() -> Config:
    """Return a cluster in which B has a host name."""
    config = built_in_config()
    b = ServerConfig(
        uid="B",
        peer=Address(host="b.example.com", port=7102),
        client=config.servers["B"].client,
    )
    return replace(config, servers={**config.servers, "B": b})


def test_a_name_is_looked_up_in_a_thread_and_then_used() -> None:
    """The reactor is not held up; until the name is known, messages to it are counted."""
    names = Names()
    names.known["b.example.com"] = (("10.0.0.2", 7102), ("10.0.0.3", 7102))
    server = Server(named_config(), look_up=names)
    server.messenger.send(from_a())
    assert server.refused == [("cannot reach B: b.example.com is still being looked up", "B")]

    server.reactor.run_threads()
    server.messenger.send(from_a())

    assert server.reactor.written == [(encode_envelope(from_a()), ("10.0.0.2", 7102))]
    assert names.asked == ["b.example.com"]


def test_a_message_may_come_from_any_address_of_a_name() -> None:
    """A machine with two addresses sends from either."""
    names = Names()
    names.known["b.example.com"] = (("10.0.0.2", 7102), ("10.0.0.3", 7102))
    server = Server(named_config(), look_up=names)
    server.reactor.run_threads()

    for host in ("10.0.0.2", "10.0.0.3", "10.0.0.4"):
        server.arrive(to_a(), (host, 7102))

    assert len(server.received) == 2
    assert server.refused == [
        ("B sends from b.example.com:7102, not from here", "10.0.0.4:7102"),
    ]


def test_a_peer_whose_name_appears_later_is_found() -> None:
    """A machine may be started after ours: its name is asked for again and again."""
    names = Names()
    server = Server(named_config(), look_up=names)
    server.reactor.run_threads()
    server.messenger.send(from_a())
    assert server.refused[0][0] == (
        "cannot reach B: b.example.com is not known: Name or service not known"
    )

    names.known["b.example.com"] = (("10.0.0.2", 7102),)
    server.reactor.advance(RESOLVE_SECONDS)
    server.reactor.run_threads()
    server.messenger.send(from_a())

    assert len(server.reactor.written) == 1


def test_a_name_that_cannot_be_looked_up_any_more_keeps_its_address() -> None:
    """A name service that is down must not take the cluster with it."""
    names = Names()
    names.known["b.example.com"] = (("10.0.0.2", 7102),)
    server = Server(named_config(), look_up=names)
    server.reactor.run_threads()

    del names.known["b.example.com"]
    server.reactor.advance(RESOLVE_SECONDS)
    server.reactor.run_threads()
    server.messenger.send(from_a())

    assert len(server.reactor.written) == 1


def test_a_slow_name_service_is_asked_once_at_a_time() -> None:
    """Threads do not pile up behind it."""
    server = Server(named_config(), look_up=Names())

    for _ in range(5):
        server.reactor.advance(RESOLVE_SECONDS)

    assert len(server.reactor.threads) == 1


def test_closing_ends_the_looking_up() -> None:
    """Nothing is left in the reactor; an answer that is still to come does no harm."""
    server = Server(named_config(), look_up=Names())

    server.messenger.close()
    server.reactor.run_threads()

    assert server.reactor.getDelayedCalls() == []


def test_numeric_addresses_are_never_looked_up() -> None:
    """They work without any name service."""
    server = Server(look_up=Names())

    assert server.reactor.threads == []
    assert server.reactor.getDelayedCalls() == []


def test_the_system_is_asked_for_datagram_addresses() -> None:
    """A numeric address is its own answer."""
    assert look_up(Address(host="127.0.0.1", port=7101), socket.AF_INET) == (("127.0.0.1", 7101),)
    with pytest.raises(socket.gaierror):
        look_up(Address(host="127.0.0.1", port=7101), socket.AF_INET6)


def test_a_look_up_does_not_run_in_the_reactors_thread() -> None:
    """It may take as long as the name service takes."""
    threads: Queue[str] = Queue()

    run_in_thread(lambda: threads.put(current_thread().name))

    assert threads.get(timeout=60) != current_thread().name
