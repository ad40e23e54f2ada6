"""The one-lane client against a server that says what the test wants."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from multipaxos.client import (
    AuthenticationError,
    BadArgumentError,
    Chosen,
    Client,
    Identity,
    NotReachableError,
    OtherServerError,
    ProtocolError,
    Refused,
    Request,
    Unknown,
)

SERVER = ("server", 1)
HELLO = b"*2\r\n$10\r\nMULTIPAXOS\r\n$5\r\nHELLO\r\n"
LINK = b":4\r\n"


@contextmanager
def talking_to(*replies: bytes, **options: object) -> Iterator[tuple[Client, list[bytes]]]:
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
    try:
        with Client([SERVER], client_id="c", connect=lambda *_: near, **options) as client:  # type: ignore[arg-type]
            yield client, requests
    finally:
        near.close()
        thread.join()


@contextmanager
def silent_after(*replies: bytes) -> Iterator[Client]:
    """Yield a client whose server gives *replies*, whatever it is asked, and then says nothing."""
    near, far = socket.socketpair()
    far.sendall(b"".join(replies))
    with far, Client([SERVER], connect=lambda *_: near) as client:
        yield client


def _raising(error: Exception) -> Callable[..., socket.socket]:
    def connect(*_: object) -> socket.socket:
        raise error

    return connect


def test_value_is_sent_under_a_request_id_and_chosen() -> None:
    """Each request has the client's next id; the reply says which link holds it."""
    chosen = (b"*2\r\n:5\r\n$4\r\ntrue\r\n", b"*2\r\n:6\r\n$4\r\ntrue\r\n")
    with talking_to(LINK, *chosen) as (client, requests):
        assert client.propose("hé") == Chosen(link=5, result=True)
        assert client.propose("next") == Chosen(link=6, result=True)

    assert requests[0] == HELLO
    assert requests[1] == (
        b"*7\r\n$10\r\nMULTIPAXOS\r\n$7\r\nPROPOSE\r\n$1\r\nc\r\n$1\r\n1\r\n$1\r\n4\r\n"
        b"$3\r\nSET\r\n$3\r\nh\xc3\xa9\r\n"
    )
    assert b"$1\r\n2\r\n$1\r\n6\r\n" in requests[2]


def test_request_can_be_repeated() -> None:
    """A retry carries all names of the first attempt, so that it is applied once."""
    with (
        talking_to(LINK, b"*2\r\n:5\r\n$4\r\ntrue\r\n") as (client, _),
        talking_to(b":7\r\n", b"*2\r\n:5\r\n$4\r\ntrue\r\n") as (other, requests),
    ):
        request = client.propose_without_waiting("again")
        assert isinstance(request, Request)

        assert other.repeat(request) == Chosen(link=5, result=True)
        assert other.sequence == 0

    assert requests[1] == request.packed()
    assert request.since == 4


def test_any_command_can_be_proposed() -> None:
    """Whatever the servers' state machine knows can be asked of it."""
    with talking_to(LINK, b"*2\r\n:5\r\n$1\r\n3\r\n") as (client, requests):
        assert client.execute("INCRBY", "visits", "3") == Chosen(link=5, result=3)

    assert requests[1].endswith(b"$6\r\nINCRBY\r\n$6\r\nvisits\r\n$1\r\n3\r\n")


@pytest.mark.parametrize(
    "reply, result",
    [(b'*2\r\n:5\r\n$7\r\n"hello"\r\n', "hello"), (b"*2\r\n:0\r\n$4\r\nnull\r\n", None)],
)
def test_read_gives_the_value_and_its_link(reply: bytes, result: str | None) -> None:
    """A read's result is the value, None before the first one."""
    with talking_to(LINK, reply) as (client, _):
        outcome = client.get()

    assert isinstance(outcome, Chosen)
    assert outcome.result == result


def test_refusal_has_its_reason() -> None:
    """A refused request is in no link; the reason is the server's."""
    with talking_to(LINK, b"-REFUSED the queue is full\r\n") as (client, _):
        assert client.propose("x") == Refused(reason="the queue is full")


def test_malformed_command_is_refused() -> None:
    """What means nothing to the servers was not proposed; the reason has Redis' words."""
    with talking_to(LINK, b"-ERR unknown command 'FOO'\r\n") as (client, _):
        assert client.execute("FOO") == Refused(reason="ERR unknown command 'FOO'")


def test_server_may_not_know_either() -> None:
    """A server that cannot say what became of a request says so."""
    with talking_to(LINK, b"-UNKNOWN too long ago\r\n") as (client, _):
        assert client.propose("x") == Unknown(reason="too long ago")


def test_no_answer_in_time_is_unknown() -> None:
    """After the request was sent, silence is no failure: the outcome is unknown."""
    with silent_after(LINK) as client:
        assert client.propose("x", timeout_seconds=0.05) == Unknown(reason="no answer in time")


def test_connection_that_ends_leaves_the_outcome_unknown() -> None:
    """If the server dies with the request, nobody here knows whether it is in the chain."""
    with talking_to(LINK, b"") as (client, _):
        outcome = client.propose("x", timeout_seconds=10)

    assert isinstance(outcome, Unknown)


def test_late_reply_is_not_taken_for_the_next() -> None:
    """After a timeout the connection is left: the late reply belongs to the old request."""
    near, far = socket.socketpair()
    second_near, second_far = socket.socketpair()
    connections = [near, second_near]
    far.sendall(LINK)
    second_far.sendall(LINK)
    with far, second_far, Client([SERVER], connect=lambda *_: connections.pop(0)) as client:
        client.propose("first", timeout_seconds=0.05)
        second_far.sendall(b"*2\r\n:9\r\n$4\r\ntrue\r\n")

        outcome = client.propose("second", timeout_seconds=10)

    assert outcome == Chosen(link=9, result=True)


def test_value_that_was_not_waited_for_leaves_no_reply_behind() -> None:
    """The reply that nobody waits for is not taken for that to the next request."""
    near, far = socket.socketpair()
    second_near, second_far = socket.socketpair()
    connections = [near, second_near]
    far.sendall(LINK + b"*2\r\n:8\r\n$4\r\ntrue\r\n")
    second_far.sendall(LINK + b"*2\r\n:9\r\n$4\r\ntrue\r\n")
    with far, second_far, Client([SERVER], connect=lambda *_: connections.pop(0)) as client:
        client.propose_without_waiting("first")

        assert client.propose("second") == Chosen(link=9, result=True)


def test_server_that_closed_an_idle_connection_is_connected_again() -> None:
    """A server may restart between two requests: the next one opens a new connection."""
    near, far = socket.socketpair()
    second_near, second_far = socket.socketpair()
    connections = [near, second_near]
    with second_far, Client([SERVER], connect=lambda *_: connections.pop(0)) as client:
        far.sendall(LINK + b"$2\r\n{}\r\n")
        assert client.status() == {}
        far.close()
        second_far.sendall(LINK + b"$2\r\n{}\r\n")

        assert client.status() == {}


def test_refused_connection_means_that_nothing_was_sent() -> None:
    """A server that cannot be reached is an error that says so, for each server."""
    connect = _raising(ConnectionRefusedError(111, "Connection refused"))
    client = Client([("a", 1), ("b", 2)], connect=connect)

    with pytest.raises(NotReachableError, match="a:1: Connection refused; b:2: Connection refused"):
        client.propose("x")


def test_server_that_does_not_even_greet_got_no_request() -> None:
    """Before it has said who it is, a server is asked nothing: that it hangs is known in time."""
    with silent_after() as client, pytest.raises(NotReachableError, match="no answer in time"):
        client.propose("x", timeout_seconds=0.05)


def test_bad_client_id_is_found_when_it_is_given() -> None:
    """No server would take it: the error comes before anything is sent."""
    with pytest.raises(BadArgumentError, match="a client is named by 1 to 40 letters"):
        Client([SERVER], client_id="bad id!")


def test_nobody_to_ask_is_an_error() -> None:
    """Without any server nothing can be sent."""
    with pytest.raises(NotReachableError, match="there is no server to ask"):
        Client([]).propose("x")


def test_next_server_is_tried() -> None:
    """The first server that can be reached takes the request."""
    near, far = socket.socketpair()

    def connect(endpoint: tuple[str, int], _: float) -> socket.socket:
        if endpoint == ("dead", 1):
            raise ConnectionRefusedError(111, "Connection refused")
        return near

    far.sendall(LINK + b"*2\r\n:1\r\n$4\r\ntrue\r\n")
    with far, Client([("dead", 1), ("alive", 2)], connect=connect) as client:
        assert client.propose("x") == Chosen(link=1, result=True)


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 400\r\n",
        b"-WHAT is this\r\n",
        b"+OK\r\n",
        b"*1\r\n:1\r\n",
        b":1\r\n",
        b"*2\r\n:1\r\n$1\r\n{\r\n",
        b'*2\r\n:1\r\n$9\r\n{"a": {}}\r\n',
    ],
)
def test_other_replies_are_no_outcome(reply: bytes) -> None:
    """What answers something else is no server of ours, and the error says what it answered."""
    with talking_to(LINK, reply) as (client, _), pytest.raises(ProtocolError):
        client.propose("x")


def test_value_that_no_server_reads_is_refused_at_once() -> None:
    """Neither lone surrogates nor more than a server reads are sent."""
    client = Client([], connect=_raising(AssertionError("nothing may be sent")))

    for value in ("\ud800", "x" * (64 * 1024 * 1024 + 1)):
        assert isinstance(client.propose(value), Refused)
        assert isinstance(client.propose_without_waiting(value), Refused)


def test_history_and_status_are_json() -> None:
    """Status and history come as JSON, and are asked with the count."""
    history = b'[{"link": 3, "holds": {"type": "Nothing"}}]'
    with talking_to(LINK, b"$%d\r\n%b\r\n" % (len(history), history)) as (client, requests):
        (link,) = client.history(7)

    assert (link.number, link.holds) == (3, {"type": "Nothing"})
    assert requests[1].endswith(b"HISTORY\r\n$1\r\n7\r\n")


def test_unanswered_question_is_as_if_nobody_was_there() -> None:
    """A status that does not come changes nothing: the server counts as not reachable."""
    with silent_after(LINK) as client, pytest.raises(NotReachableError, match="no answer in time"):
        client.status(timeout_seconds=0.05)


def _client_of_a(near: socket.socket) -> Client:
    return Client([SERVER], identities={SERVER: Identity("main", "A")}, connect=lambda *_: near)


def test_greeting_of_a_connection_says_whom_it_is_meant_for() -> None:
    """The question who is there comes before the first request, and before no other."""
    replies = (LINK, b"*2\r\n:5\r\n$4\r\ntrue\r\n", b"*2\r\n:6\r\n$4\r\ntrue\r\n")
    with talking_to(*replies, identities={SERVER: Identity("main", "A")}) as (client, requests):
        client.propose("first")
        client.propose("second")

    assert requests[0] == b"*4" + HELLO[2:] + b"$4\r\nmain\r\n$1\r\nA\r\n"
    assert not any(b"HELLO" in request for request in requests[1:])


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


def test_password_is_told_in_front_of_the_greeting() -> None:
    """Both travel in one packet; a wrong password is an error that says so."""
    wrong = b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"
    with (
        talking_to(wrong + b"-NOAUTH Authentication required.\r\n", password="p") as (
            client,
            requests,
        ),
        pytest.raises(AuthenticationError, match="invalid username-password pair"),
    ):
        client.status()

    assert requests[0] == b"*2\r\n$4\r\nAUTH\r\n$1\r\np\r\n" + HELLO


DOCS = (
    b"*4\r\n$3\r\nget\r\n*4\r\n$7\r\nsummary\r\n$7\r\nGET key\r\n$5\r\ngroup\r\n$7\r\ngeneric\r\n"
    b"$4\r\nping\r\n*4\r\n$7\r\nsummary\r\n$4\r\nPING\r\n$5\r\ngroup\r\n$10\r\nconnection\r\n"
)


def test_usages_are_those_of_the_state_machine() -> None:
    """What is about the connection is of no concern to whoever wants the value."""
    with talking_to(LINK, DOCS) as (client, requests):
        assert client.usages() == {"GET": "GET key"}

    assert requests[-1] == b"*2\r\n$7\r\nCOMMAND\r\n$4\r\nDOCS\r\n"


def test_server_without_usages_is_another_version() -> None:
    """An answer that describes nothing is an error, not an empty description."""
    with (
        talking_to(LINK, b"-ERR unknown subcommand 'DOCS'.\r\n") as (client, _),
        pytest.raises(ProtocolError, match="COMMAND DOCS"),
    ):
        client.usages()
