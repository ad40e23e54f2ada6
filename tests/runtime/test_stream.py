"""Messages that are too long for a datagram: by TCP, within bounds, lost rather than kept."""

import errno
import os
import socket
from dataclasses import replace
from typing import Any

import pytest
from tests.runtime.sockets import Connection, FakeReactor, Server, from_a, to_a
from twisted.internet.error import CannotListenError

from composable_paxos import Accept, ProposalID
from multipaxos.chain.durable import Snapshot
from multipaxos.chain.links import Founding, Updates
from multipaxos.chain.messages import CatchUp, Envelope
from multipaxos.chain.requests import RequestID, Update
from multipaxos.runtime.codec import encode_envelope
from multipaxos.runtime.config import Address, built_in_config
from multipaxos.runtime.messenger import sending_connection, stream_port, stream_sender
from multipaxos.runtime.messenger.arrivals import Refusal
from multipaxos.runtime.messenger.backoff import RETRY_SECONDS_MAX
from multipaxos.runtime.messenger.frames import MESSAGE_BYTES_MAX, FrameReader, header
from multipaxos.runtime.messenger.peer_messenger import ListenError, PeerMessenger
from multipaxos.runtime.messenger.udp import DATAGRAM_BYTES_MAX

FOUNDING = Founding(chain_id="c", machine_kind="register", founders=())
MEBIBYTE = 2**20


def catch_up(size: int, instance: int = 1) -> Envelope:
    """Return a catch-up from A to B of about *size* bytes."""
    message = CatchUp(founding=FOUNDING, snapshot=Snapshot(value="x" * size))
    return from_a(message, instance=instance)


def accept(size: int, sequence: int = 1, proposer: str = "A") -> Accept:
    """Return a request to accept about *size* bytes."""
    request_id = RequestID("c", sequence)
    update = Update(request_id=request_id, command=("SET", "x" * size), since=1)
    return Accept(proposal_id=ProposalID(2, proposer), value=Updates(updates=(update,)))


def read(stream: bytes) -> list[bytes]:
    """Return the messages in *stream*."""
    reader = FrameReader()
    reader.feed(stream)
    messages = []
    while (message := reader.next_message()) is not None:
        messages.append(message)
    return messages


def framed(message: bytes) -> bytes:
    """Return *message* as a frame."""
    return header(message) + message


def connected(server: Server) -> Connection:
    """Return a connection from another server to *server*."""
    connection = server.port.connect()
    assert connection is not None
    return connection


# ------------------------------------------------------------------------------------------ sending


def test_the_size_decides_how_a_message_travels() -> None:
    """What fits a datagram is one; the next larger message is a frame over TCP."""
    server = Server()
    spare = DATAGRAM_BYTES_MAX - len(encode_envelope(catch_up(0)))

    server.messenger.send(catch_up(spare))
    assert server.reactor.attempts == []
    server.messenger.send(catch_up(spare + 1))

    assert len(server.reactor.written) == 1
    assert server.attempt.succeed().drain() == framed(encode_envelope(catch_up(spare + 1)))


def test_it_connects_to_the_peer_address_from_its_own() -> None:
    """A machine may have several addresses: the peers know a server by the configured one."""
    server = Server()

    server.messenger.send(catch_up(MEBIBYTE))

    assert server.attempt.where == ("127.0.0.1", 7102)
    assert server.attempt.own == ("127.0.0.1", 0)


def test_a_connection_is_kept() -> None:
    """The next message goes at once."""
    server = Server()
    server.messenger.send(from_a(accept(MEBIBYTE, 1)))
    connection = server.attempt.succeed()
    connection.drain()

    server.messenger.send(from_a(accept(MEBIBYTE, 2)))

    assert read(connection.drain()) == [encode_envelope(from_a(accept(MEBIBYTE, 2)))]
    assert len(server.reactor.attempts) == 1
    assert server.refused == []


def test_each_peer_has_a_connection_of_its_own() -> None:
    """One that does not read holds up no other."""
    server = Server()

    for uid in "BC":
        server.messenger.send(replace(catch_up(MEBIBYTE), receiver=uid))

    assert [attempt.where[1] for attempt in server.reactor.attempts] == [7102, 7103]


def test_a_connection_over_which_nothing_is_sent_is_closed() -> None:
    """It would only be in the way; the next message makes a new one, and nothing is told."""
    server = Server()
    server.messenger.send(catch_up(MEBIBYTE))
    connection = server.attempt.succeed()
    connection.drain()

    server.reactor.advance(sending_connection.IDLE_SECONDS_MAX)
    assert connection.disconnected
    connection.end()
    server.messenger.send(catch_up(MEBIBYTE))

    assert len(server.reactor.attempts) == 2
    assert server.refused == []


def test_a_failed_attempt_loses_what_waits_for_it_and_a_later_message_is_tried() -> None:
    """As with datagrams: the protocol repeats what matters, later and with what is true then."""
    server = Server()
    server.messenger.send(from_a(accept(MEBIBYTE, 1)))
    server.messenger.send(from_a(accept(MEBIBYTE, 2)))
    server.attempt.fail()
    server.reactor.advance(RETRY_SECONDS_MAX)

    server.messenger.send(from_a(accept(MEBIBYTE, 3)))
    sent = read(server.attempt.succeed().drain())

    refusal = ("cannot reach B: Connection was refused by other side.", "127.0.0.1:7102")
    assert server.refused == [refusal, refusal]
    assert server.messenger.refused == {Refusal.UNREACHABLE: 2}
    assert sent == [encode_envelope(from_a(accept(MEBIBYTE, 3)))]


def test_what_waits_behind_a_broken_connection_goes_over_a_new_one() -> None:
    """Only the message that was under way is lost: part of it had left."""
    server = Server()
    server.messenger.send(from_a(accept(MEBIBYTE, 1)))
    server.messenger.send(from_a(accept(MEBIBYTE, 2)))
    connection = server.attempt.succeed()
    connection.drain_once()
    server.reactor.advance(stream_sender.PROOF_SECONDS)

    connection.end()

    assert read(server.attempt.succeed().drain()) == [encode_envelope(from_a(accept(MEBIBYTE, 2)))]
    ((reason, _),) = server.refused
    assert reason.startswith("a message to B is lost: Connection to the other side was lost")


def test_a_connection_that_broke_while_nothing_was_sent_is_no_trouble() -> None:
    """A peer may have been started anew."""
    server = Server()
    server.messenger.send(catch_up(MEBIBYTE))
    connection = server.attempt.succeed()
    connection.drain()

    connection.end()

    assert server.refused == []
    assert len(server.reactor.attempts) == 1


def test_messages_wait_in_their_order() -> None:
    """An Accept and the proposer's own Accepted leave in one outbox; both arrive."""
    server = Server()
    envelopes = [from_a(accept(MEBIBYTE, sequence)) for sequence in range(5)]

    for envelope in envelopes:
        server.messenger.send(envelope)

    assert read(server.attempt.succeed().drain()) == [*map(encode_envelope, envelopes)]


def test_a_newer_catch_up_replaces_one_that_waits() -> None:
    """It holds all that the older one did; a slow line must not fill up with old states."""
    server = Server()
    server.messenger.send(catch_up(MEBIBYTE, 1))
    connection = server.attempt.succeed()
    for instance in (2, 3, 4):
        server.messenger.send(catch_up(MEBIBYTE, instance))
    server.messenger.send(from_a(accept(MEBIBYTE)))

    sent = read(connection.drain())

    under_way, newest, other = catch_up(MEBIBYTE, 1), catch_up(MEBIBYTE, 4), accept(MEBIBYTE)
    assert sent == [*map(encode_envelope, (under_way, newest, from_a(other)))]
    assert server.refused == []


def test_a_peer_that_does_not_read_takes_no_more_and_more_memory() -> None:
    """What waits is bounded, the oldest goes; the transport holds one small piece."""
    server = Server()
    server.messenger.send(from_a(accept(MEBIBYTE, 0)))
    connection = server.attempt.succeed()
    count = stream_sender.WAITING_BYTES_MAX // MEBIBYTE + 10

    for sequence in range(1, count + 1):
        server.messenger.send(from_a(accept(MEBIBYTE, sequence)))
    held = len(connection.value())  # type: ignore[no-untyped-call]
    sent = read(connection.drain())

    kept = count - server.messenger.refused[Refusal.DISPLACED]
    assert held == sending_connection.CHUNK_BYTES + 4
    assert sent[1:] == [
        encode_envelope(from_a(accept(MEBIBYTE, sequence)))
        for sequence in range(count - kept + 1, count + 1)
    ]
    assert kept == stream_sender.WAITING_BYTES_MAX // len(sent[-1])
    assert server.refused[0][0].startswith("B does not keep up: a message of 10")


def test_a_connection_on_which_nothing_moves_is_given_up() -> None:
    """A peer that hangs, or whose network is cut, is tried anew; while a slow one goes on."""
    server = Server()
    server.messenger.send(from_a(accept(MEBIBYTE, 1)))
    connection = server.attempt.succeed()
    for _ in range(3):
        server.reactor.advance(sending_connection.STALL_SECONDS_MAX - 1)
        connection.drain_once()
        assert not connection.disconnected
    server.messenger.send(from_a(accept(MEBIBYTE, 2)))

    server.reactor.advance(sending_connection.STALL_SECONDS_MAX)
    assert connection.disconnected
    connection.end()

    assert server.refused == [
        ("a message to B is lost: for 10 seconds nothing more could be sent", "127.0.0.1:7102"),
    ]
    assert read(server.attempt.succeed().drain()) == [encode_envelope(from_a(accept(MEBIBYTE, 2)))]


def test_the_system_is_asked_to_give_up_as_early_and_to_send_at_once() -> None:
    """
    What is in the system's buffer is not seen to stall; Linux can be told how long is long.

    And it would hold a short message back until the last one is acknowledged.
    """
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is None:
        pytest.skip("this system cannot be told")
    server = Server()
    server.messenger.send(catch_up(MEBIBYTE))

    connection = server.attempt.succeed()

    assert connection.handle.options == [
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        (socket.IPPROTO_TCP, option, 10_000),
    ]


def test_a_message_longer_than_any_frame_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A state that has grown beyond the limit: said, and not sent."""
    monkeypatch.setattr("multipaxos.runtime.messenger.peer_messenger.MESSAGE_BYTES_MAX", MEBIBYTE)
    server = Server()

    server.messenger.send(catch_up(MEBIBYTE))

    ((reason, _),) = server.refused
    assert reason.startswith("cannot be sent: 1048")
    assert server.messenger.refused == {Refusal.UNSENDABLE: 1}
    assert server.reactor.attempts == []


def test_after_closing_nothing_is_sent() -> None:
    """Attempts end, connections close, no timer is left, and nothing raises."""
    server = Server()
    for uid in "BC":
        server.messenger.send(replace(catch_up(MEBIBYTE), receiver=uid))
    connection = server.reactor.attempts[0].succeed()
    incoming = connected(server)

    server.messenger.close()
    for each in (connection, incoming):
        assert each.disconnected
        each.end()
    server.messenger.send(catch_up(MEBIBYTE))

    assert server.reactor.attempts[1].is_stopped
    assert not server.port.is_open
    assert server.reactor.getDelayedCalls() == []
    assert server.refused == [("cannot reach B: the socket is closed", "127.0.0.1:7102")]
    assert len(server.reactor.attempts) == 2


# ------------------------------------------------------------------------------------------ arrival


def test_a_frame_is_a_message() -> None:
    """Several may come over one connection, cut anywhere."""
    server = Server()
    envelopes = [to_a(accept(MEBIBYTE, sequence, "B")) for sequence in range(3)]

    connected(server).arrive(b"".join(framed(encode_envelope(each)) for each in envelopes))

    assert server.received == envelopes
    assert server.refused == []


@pytest.mark.parametrize(
    "envelope, refusal",
    [
        (to_a(cluster="test"), Refusal.OTHER_CLUSTER),
        (to_a(receiver="C"), Refusal.OTHER_RECEIVER),
        (to_a(sender="X"), Refusal.UNKNOWN_SENDER),
        (to_a(sender="A"), Refusal.UNKNOWN_SENDER),
        (to_a(accept(1)), Refusal.WRONG_SPEAKER),
    ],
)
def test_what_does_not_belong_is_refused_as_in_a_datagram(
    envelope: Envelope, refusal: Refusal
) -> None:
    """The same checks; the connection goes on, for the next message may be good."""
    server = Server()
    connection = connected(server)

    connection.arrive(framed(encode_envelope(envelope)))
    connection.arrive(framed(encode_envelope(to_a())))

    assert server.messenger.refused == {refusal: 1}
    assert server.refused[0][1] == "127.0.0.1:40000"
    assert server.received == [to_a()]


def three_hosts() -> Server:
    """Return server A of a cluster whose servers have hosts of their own."""
    config = built_in_config()
    servers = {
        uid: replace(server, peer=Address(host=f"127.0.0.{number}", port=7101))
        for number, (uid, server) in enumerate(config.servers.items(), 1)
    }
    return Server(replace(config, servers=servers))


def test_a_message_must_come_from_its_senders_host() -> None:
    """The port of a connection says nothing, the host does."""
    server = three_hosts()
    for host in ("127.0.0.2", "127.0.0.3"):
        connection = server.port.connect(host)
        assert connection is not None
        connection.arrive(framed(encode_envelope(to_a())))

    assert server.received == [to_a()]
    assert server.refused == [
        ("B sends from 127.0.0.2:7101, not from here", "127.0.0.3:40000"),
    ]


def test_a_stranger_is_not_let_in() -> None:
    """Nothing is gathered for a host that has no server of the cluster."""
    server = three_hosts()

    assert server.port.connect("127.0.0.9") is None

    assert server.messenger.refused == {Refusal.WRONG_ADDRESS: 1}
    assert server.refused == [
        (
            "a connection, but no other server of this cluster has this address",
            "127.0.0.9:40000",
        ),
    ]


def test_garbage_in_a_frame_is_counted() -> None:
    """The frame's end is known: the next one is read."""
    server = Server()

    connected(server).arrive(framed(b"{") + framed(b"") + framed(encode_envelope(to_a())))

    assert server.messenger.refused == {Refusal.MALFORMED: 2}
    assert server.received == [to_a()]


def test_a_frame_that_is_too_long_ends_the_connection() -> None:
    """Nothing behind it can be read; what came before it was taken."""
    server = Server()
    connection = connected(server)

    connection.arrive(framed(encode_envelope(to_a())) + b"\xff\xff\xff\xff" + b"x" * 100_000)

    assert connection.disconnected
    assert server.received == [to_a()]
    assert server.messenger.refused[Refusal.MALFORMED] >= 1
    assert server.refused[0] == (
        f"malformed datagram: a frame of 4294967295 bytes, more than {MESSAGE_BYTES_MAX}",
        "127.0.0.1:40000",
    )


def test_only_so_many_connections_are_taken() -> None:
    """Each may hold a part of a message; when one ends, there is room again."""
    server = Server()
    connections = [connected(server) for _ in range(stream_port.CONNECTIONS_MAX)]

    assert server.port.connect() is None
    connections[0].end()

    assert server.port.connect() is not None
    assert server.messenger.refused == {Refusal.CROWDED: 1}
    assert "more than the 64 that are taken" in server.refused[0][0]


def test_a_silent_connection_is_closed() -> None:
    """Its peer may be gone without a word; while bytes come it is left alone."""
    server = Server()
    connection = connected(server)
    for _ in range(3):
        server.reactor.advance(stream_port.SILENCE_SECONDS_MAX - 1)
        connection.arrive(b"\x00")

    server.reactor.advance(stream_port.SILENCE_SECONDS_MAX - 1)
    was_open = not connection.disconnected
    server.reactor.advance(1)

    assert (was_open, connection.disconnected) == (True, True)
    connection.end()
    assert server.reactor.getDelayedCalls() == []
    assert server.refused == []


def test_a_message_that_ends_the_server_is_the_last() -> None:
    """What stands behind it in the same piece of the stream finds nobody."""
    server = Server()

    def end(_: Any) -> None:
        server.received.append(to_a())
        server.messenger.close()

    server.messenger._arrivals._on_envelope = end  # noqa: SLF001 - the driver's part
    connected(server).arrive(2 * framed(encode_envelope(to_a())))

    assert server.received == [to_a()]


# ---------------------------------------------------------------------------------------- listening


def test_it_listens_at_the_peer_address() -> None:
    """The same host and number as for datagrams."""
    assert Server().port.where == ("127.0.0.1", 7101)


def test_a_port_that_others_have_gets_a_sentence() -> None:
    """It says which of the two transports; the other is given back."""
    reactor = FakeReactor()
    cause = OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    reactor.tcp_error = CannotListenError("127.0.0.1", 7101, cause)  # type: ignore[no-untyped-call]

    with pytest.raises(ListenError) as caught:
        PeerMessenger(built_in_config(), "A", print, print).listen(reactor)

    assert str(caught.value) == (
        "server A cannot listen on TCP 127.0.0.1:7101: Address already in use"
    )
    assert not reactor.is_open
