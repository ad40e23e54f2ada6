"""The client library against a server that says what the test wants."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from multipaxos.client import (
    Chosen,
    Client,
    Identity,
    NotReachableError,
    OtherServerError,
    ProtocolError,
    Refused,
    RequestID,
    Unknown,
)

SERVER = ("server", 1)


@contextmanager
def talking_to(
    *replies: bytes, identity: Identity | None = None
) -> Iterator[tuple[Client, list[bytes]]]:
    """
    Yield a client whose server gives one of *replies* to each request, and the requests.

    After the last reply the server closes the connection.
    """
    near, far = socket.socketpair()
    requests: list[bytes] = []

    def serve() -> None:
        with far:
            for reply in replies:
                requests.append(far.recv(65_536))
                if not requests[-1]:
                    return
                # In two pieces: the client must put them together.
                far.sendall(reply[:3])
                far.sendall(reply[3:])

    thread = threading.Thread(target=serve)
    thread.start()
    identities = {} if identity is None else {SERVER: identity}
    try:
        with Client(
            [SERVER], client_id="c", identities=identities, connect=lambda *_: near
        ) as client:
            yield client, requests
    finally:
        near.close()
        thread.join()


def _raising(error: Exception) -> Callable[..., socket.socket]:
    def connect(*_: object) -> socket.socket:
        raise error

    return connect


def test_value_is_sent_under_a_request_id_and_chosen() -> None:
    """Each request has the client's next id; the reply says which link holds it."""
    with talking_to(b"*2\r\n:5\r\n$-1\r\n", b"*2\r\n:6\r\n$-1\r\n") as (client, requests):
        assert client.propose("hé") == Chosen(link=5, result=None)
        assert client.propose("next") == Chosen(link=6, result=None)

    assert requests[0] == (
        b"*7\r\n$10\r\nMULTIPAXOS\r\n$7\r\nPROPOSE\r\n$1\r\nc\r\n$1\r\n1\r\n$1\r\n0\r\n"
        b"$3\r\nSET\r\n"
        b"$3\r\nh\xc3\xa9\r\n"
    )
    assert b"$1\r\n2\r\n" in requests[1]


def test_request_can_be_repeated_under_its_id() -> None:
    """A retry carries the id of the first attempt, so that it is applied once."""
    with talking_to(b"*2\r\n:5\r\n$-1\r\n") as (client, requests):
        client.propose("again", request_id=RequestID("c", 77))
        assert client.sequence == 0

    assert b"$2\r\n77\r\n" in requests[0]


@pytest.mark.parametrize(
    "reply, result", [(b"*2\r\n:5\r\n$5\r\nhello\r\n", "hello"), (b"*2\r\n:0\r\n$-1\r\n", None)]
)
def test_read_gives_the_value_and_its_link(reply: bytes, result: str | None) -> None:
    """A read's result is the value, None before the first one."""
    with talking_to(reply) as (client, _):
        outcome = client.get()

    assert isinstance(outcome, Chosen)
    assert outcome.result == result


def test_refusal_has_its_reason() -> None:
    """A refused request is in no link; the reason is the server's."""
    with talking_to(b"-REFUSED the queue is full\r\n") as (client, _):
        assert client.propose("x") == Refused(reason="the queue is full")


def test_server_may_not_know_either() -> None:
    """A server that cannot say what became of a request says so."""
    with talking_to(b"-UNKNOWN too long ago\r\n") as (client, _):
        assert client.propose("x") == Unknown(reason="too long ago")


def test_no_answer_in_time_is_unknown() -> None:
    """After the request was sent, silence is no failure: the outcome is unknown."""
    near, far = socket.socketpair()
    with far, Client([SERVER], connect=lambda *_: near) as client:
        assert client.propose("x", timeout_seconds=0.05) == Unknown(reason="no answer in time")


def test_connection_that_ends_leaves_the_outcome_unknown() -> None:
    """If the server dies with the request, nobody here knows whether it is in the chain."""
    near, far = socket.socketpair()

    def die() -> None:
        far.recv(1000)
        far.close()

    thread = threading.Thread(target=die)
    thread.start()
    with Client([SERVER], connect=lambda *_: near) as client:
        outcome = client.propose("x", timeout_seconds=10)
    thread.join()

    assert isinstance(outcome, Unknown)


def test_late_reply_is_not_taken_for_the_next() -> None:
    """After a timeout the connection is left: the late reply belongs to the old request."""
    near, far = socket.socketpair()
    second_near, second_far = socket.socketpair()
    connections = [near, second_near]

    def reply_to_the_second() -> None:
        second_far.recv(1000)
        second_far.sendall(b"*2\r\n:9\r\n$-1\r\n")

    thread = threading.Thread(target=reply_to_the_second)
    with far, second_far, Client([SERVER], connect=lambda *_: connections.pop(0)) as client:
        client.propose("first", timeout_seconds=0.05)
        thread.start()
        outcome = client.propose("second", timeout_seconds=10)
        thread.join()

    assert outcome == Chosen(link=9, result=None)


def test_server_that_closed_an_idle_connection_is_connected_again() -> None:
    """A server may restart between two requests: the next one opens a new connection."""
    near, far = socket.socketpair()
    second_near, second_far = socket.socketpair()
    connections = [near, second_near]
    with second_far, Client([SERVER], connect=lambda *_: connections.pop(0)) as client:
        far.sendall(b"$2\r\n{}\r\n")
        assert client.status() == {}
        far.close()
        second_far.sendall(b"$2\r\n{}\r\n")

        assert client.status() == {}


def test_refused_connection_means_that_nothing_was_sent() -> None:
    """A server that cannot be reached is an error that says so, for each server."""
    connect = _raising(ConnectionRefusedError(111, "Connection refused"))
    client = Client([("a", 1), ("b", 2)], connect=connect)

    with pytest.raises(NotReachableError, match="a:1: Connection refused; b:2: Connection refused"):
        client.propose("x")


def test_next_server_is_tried() -> None:
    """The first server that can be reached takes the request."""
    near, far = socket.socketpair()

    def connect(endpoint: tuple[str, int], _: float) -> socket.socket:
        if endpoint == ("dead", 1):
            raise ConnectionRefusedError(111, "Connection refused")
        return near

    far.sendall(b"*2\r\n:1\r\n$-1\r\n")
    with far, Client([("dead", 1), ("alive", 2)], connect=connect) as client:
        assert client.propose("x") == Chosen(link=1, result=None)


@pytest.mark.parametrize(
    "reply",
    [b"HTTP/1.1 400\r\n", b"-ERR unknown command\r\n", b"+OK\r\n", b"*1\r\n:1\r\n", b":1\r\n"],
)
def test_other_replies_are_no_outcome(reply: bytes) -> None:
    """What answers something else is no server of ours, and the error says what it answered."""
    with talking_to(reply) as (client, _), pytest.raises(ProtocolError):
        client.propose("x")


def test_value_that_no_server_reads_is_refused_at_once() -> None:
    """Neither lone surrogates nor more than a server reads are sent."""
    client = Client([], connect=_raising(AssertionError("nothing may be sent")))

    for value in ("\ud800", "x" * (1024 * 1024 + 1)):
        assert isinstance(client.propose(value), Refused)
        assert isinstance(client.propose_without_waiting(value), Refused)


def test_history_and_status_are_json() -> None:
    """Status and history come as JSON, and are asked with the count."""
    history = b'[{"link": 3, "holds": {"type": "Nothing"}}]'
    with talking_to(b"$%d\r\n%b\r\n" % (len(history), history)) as (client, requests):
        (link,) = client.history(7)

    assert (link.number, link.holds) == (3, {"type": "Nothing"})
    assert requests[0].endswith(b"HISTORY\r\n$1\r\n7\r\n")


def test_unanswered_question_is_as_if_nobody_was_there() -> None:
    """A status that does not come changes nothing: the server counts as not reachable."""
    near, far = socket.socketpair()
    with (
        far,
        Client([SERVER], connect=lambda *_: near) as client,
        pytest.raises(NotReachableError, match="no answer in time"),
    ):
        client.status(timeout_seconds=0.05)


HELLO = b"*4\r\n$10\r\nMULTIPAXOS\r\n$5\r\nHELLO\r\n$4\r\nmain\r\n$1\r\nA\r\n"


def _client_of_a(near: socket.socket) -> Client:
    return Client([SERVER], identities={SERVER: Identity("main", "A")}, connect=lambda *_: near)


def test_first_request_of_a_connection_says_whom_it_is_meant_for() -> None:
    """The question who is there travels in front of the first request, and of no other."""
    replies = b"+OK\r\n*2\r\n:5\r\n$-1\r\n", b"*2\r\n:6\r\n$-1\r\n"
    with talking_to(*replies, identity=Identity("main", "A")) as (client, requests):
        assert client.propose("first") == Chosen(link=5, result=None)
        assert client.propose("second") == Chosen(link=6, result=None)

    assert requests[0].startswith(HELLO)
    assert requests[0].endswith(b"first\r\n")
    assert b"HELLO" not in requests[1]


@pytest.mark.parametrize("ask", [Client.propose, Client.propose_without_waiting])
def test_another_server_is_an_error_that_names_both(ask: Callable[[Client, str], object]) -> None:
    """Who answers, and who should: the sentence has both, also where the outcome is not awaited."""
    near, far = socket.socketpair()
    far.sendall(b"-OTHER server A of cluster main-of-5\r\n")
    with far, _client_of_a(near) as client, pytest.raises(OtherServerError) as raised:
        ask(client, "x")

    assert str(raised.value) == (
        "server:1 is server A of cluster main-of-5, the configuration says A of cluster main"
    )


def test_server_without_greetings_is_another_version() -> None:
    """Who does not know HELLO is no server of this version."""
    near, far = socket.socketpair()
    far.sendall(b"-ERR unknown subcommand 'HELLO'.\r\n")
    with far, _client_of_a(near) as client, pytest.raises(ProtocolError, match="HELLO"):
        client.status()
