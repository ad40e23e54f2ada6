"""All over TCP: nothing waits behind what is long; and peers that are down are left alone."""

from dataclasses import replace
from random import Random

import pytest
from tests.runtime.sockets import Connection, Server, from_a
from tests.runtime.test_stream import MEBIBYTE, accept, catch_up, framed, read

from multipaxos.chain.messages import Envelope
from multipaxos.runtime.codec import encode_envelope
from multipaxos.runtime.messenger.arrivals import Refusal
from multipaxos.runtime.messenger.backoff import RETRY_SECONDS_MAX, RETRY_SECONDS_MIN, Backoff
from multipaxos.runtime.messenger.stream_sender import PROOF_SECONDS, SHORT_WAITING_BYTES_MAX
from multipaxos.runtime.messenger.udp import DATAGRAM_BYTES_MAX

REFUSED = ("cannot reach B: Connection was refused by other side.", "127.0.0.1:7102")


def short(sequence: int, size: int = 1) -> Envelope:
    """Return a short message from A to B."""
    return from_a(accept(size, sequence))


def connect(server: Server, envelope: Envelope) -> Connection:
    """Send *envelope*, and let the attempt to connect that follows succeed."""
    count = len(server.reactor.attempts)
    server.messenger.send(envelope)
    assert len(server.reactor.attempts) == count + 1
    return server.attempt.succeed()


# --------------------------------------------------------------------------------------- everything


@pytest.mark.parametrize("tcp_only", [False, True], ids=["auto", "tcp"])
def test_a_short_message_is_a_datagram_unless_all_goes_over_tcp(*, tcp_only: bool) -> None:
    """The longest that would fit a datagram, too."""
    server = Server(tcp_only=tcp_only)
    spare = DATAGRAM_BYTES_MAX - len(encode_envelope(catch_up(0)))
    texts = [encode_envelope(each) for each in (short(1), catch_up(spare))]

    server.messenger.send(short(1))
    server.messenger.send(catch_up(spare))

    if tcp_only:
        assert read(server.attempt.succeed().drain()) == texts
    assert [datagram for datagram, _ in server.reactor.written] == ([] if tcp_only else texts)
    assert len(server.reactor.attempts) == int(tcp_only)
    assert server.refused == []


def test_datagrams_are_taken_all_the_same() -> None:
    """Servers can be changed over one by one: some of them still send datagrams."""
    server = Server(tcp_only=True)
    envelope = replace(short(1), sender="B", receiver="A", message=accept(1, 1, "B"))

    server.arrive(envelope)

    assert server.received == [envelope]


def test_a_short_message_does_not_wait_behind_a_long_one() -> None:
    """A catch-up of many megabytes is under way; a vote that comes after it leaves at once."""
    server = Server(tcp_only=True)
    long = connect(server, catch_up(MEBIBYTE))
    begun = long.drain_once()

    connection = connect(server, short(1))
    sent = connection.drain()
    server.messenger.send(short(2))

    assert (sent, connection.drain()) == tuple(
        framed(encode_envelope(short(sequence))) for sequence in (1, 2)
    )
    assert begun + long.drain() == framed(encode_envelope(catch_up(MEBIBYTE)))


def test_short_messages_leave_together_and_in_their_order() -> None:
    """One turn of the reactor for each would be the limit of how many a second can be sent."""
    server = Server(tcp_only=True)
    for sequence in range(100):
        server.messenger.send(short(sequence))

    piece = server.attempt.succeed().drain_once()

    assert read(piece) == [encode_envelope(short(sequence)) for sequence in range(100)]


def test_a_peer_that_does_not_read_is_kept_few_short_messages() -> None:
    """As many bytes as a buffer of datagrams; the oldest go."""
    server = Server(tcp_only=True)
    connection = connect(server, short(0))
    size = 2**15
    count = SHORT_WAITING_BYTES_MAX // size + 10
    for sequence in range(1, count):
        server.messenger.send(short(sequence, size))

    sent = read(connection.drain())

    displaced = server.messenger.refused[Refusal.DISPLACED]
    assert displaced > 0
    assert sum(map(len, sent[1:])) <= SHORT_WAITING_BYTES_MAX
    assert sent[1:] == [encode_envelope(short(n, size)) for n in range(1 + displaced, count)]


def test_all_messages_that_are_under_way_are_lost_with_their_connection() -> None:
    """Each is counted: nobody knows which of them arrived."""
    server = Server(tcp_only=True)
    for sequence in range(3):
        server.messenger.send(short(sequence))
    connection = server.attempt.succeed()

    connection.end()

    assert server.messenger.refused == {Refusal.UNREACHABLE: 3}
    assert all(reason.startswith("a message to B is lost") for reason, _ in server.refused)


# ------------------------------------------------------------------------------------------ backoff


def test_windows_double_up_to_a_bound_and_begin_anew_after_a_success() -> None:
    """Each wait is drawn from the upper half of its window."""
    backoff = Backoff(Random(7))
    windows = [RETRY_SECONDS_MIN * 2**n for n in range(5)] + [RETRY_SECONDS_MAX] * 3

    for window in windows:
        assert backoff.window == min(window, RETRY_SECONDS_MAX)
        assert window / 2 <= backoff.fail() <= window
    backoff.succeed()

    assert backoff.fail() <= RETRY_SECONDS_MIN


def test_servers_do_not_try_in_step() -> None:
    """Chance keeps those that lost the same peer apart."""
    assert len({Backoff(Random(seed)).fail() for seed in range(8)}) == 8


@pytest.mark.parametrize(
    "tcp_only, size",
    [(False, MEBIBYTE), (True, MEBIBYTE), (True, 1)],
    ids=["auto", "long", "short"],
)
def test_messages_to_a_peer_that_was_not_reached_are_dropped_for_a_while(
    *, tcp_only: bool, size: int
) -> None:
    """They are counted at once, nothing is tried, and none of them is sent later."""
    server = Server(tcp_only=tcp_only)
    server.messenger.send(short(1, size))
    server.attempt.fail()

    server.messenger.send(short(2, size))
    server.reactor.advance(RETRY_SECONDS_MIN / 2 - 0.001)
    server.messenger.send(short(3, size))
    assert len(server.reactor.attempts) == 1
    assert server.refused == [REFUSED] * 3
    server.reactor.advance(RETRY_SECONDS_MIN)
    connection = connect(server, short(4, size))

    assert read(connection.drain()) == [encode_envelope(short(4, size))]
    assert server.messenger.refused == {Refusal.UNREACHABLE: 3}


def attempts_within(server: Server, seconds: float) -> int:
    """Send something every hundredth of a second; return how many attempts fail meanwhile."""
    count = 0
    for sequence in range(round(100 * seconds)):
        before = len(server.reactor.attempts)
        server.messenger.send(short(sequence))
        if len(server.reactor.attempts) > before:
            count += 1
            server.attempt.fail()
        server.reactor.advance(0.01)
    return count


def test_a_peer_that_stays_down_is_tried_ever_more_rarely() -> None:
    """A thousand messages a second are no thousand attempts."""
    server = Server(tcp_only=True)

    first, later = attempts_within(server, 1), attempts_within(server, 10)

    assert 4 <= first <= 8
    assert 10 <= later <= 20


def test_a_success_resets_the_window() -> None:
    """A peer that was back for a while and goes again is looked for as eagerly as at first."""
    server = Server(tcp_only=True)
    attempts_within(server, 10)
    server.reactor.advance(RETRY_SECONDS_MAX)
    connection = connect(server, short(1000))
    connection.drain()
    server.reactor.advance(PROOF_SECONDS)
    connection.end()

    server.messenger.send(short(1001))
    server.attempt.fail()
    server.reactor.advance(RETRY_SECONDS_MIN)
    connect(server, short(1002))


def test_a_connection_that_is_closed_at_once_is_no_success() -> None:
    """A peer that takes no more connections would be asked for one by each message."""
    server = Server(tcp_only=True)
    for sequence in range(100):
        before = len(server.reactor.attempts)
        server.messenger.send(short(sequence))
        if len(server.reactor.attempts) > before:
            server.attempt.succeed().end()
        server.reactor.advance(0.01)

    assert 4 <= len(server.reactor.attempts) <= 8


def test_the_lines_to_other_peers_go_on() -> None:
    """Only the peer that is down is left alone."""
    server = Server(tcp_only=True)
    server.messenger.send(short(1))
    server.attempt.fail()

    connection = connect(server, replace(short(2), receiver="C"))

    assert len(read(connection.drain())) == 1


def test_a_clock_that_is_set_back_holds_nobody_up() -> None:
    """A program that a server is embedded in may go by the wall clock."""
    server = Server(tcp_only=True)
    server.messenger.send(short(1))
    server.attempt.fail()

    server.reactor.rightNow -= 3600

    connect(server, short(2))
