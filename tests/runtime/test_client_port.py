"""The client port: bytes in, commands to the protocol, replies out, in order and within bounds."""

import pytest
from tests.runtime.clients import Service, Transport, request

from multipaxos.chain.requests import Chosen, Outcome, Refused, RequestID, Unknown
from multipaxos.runtime.address import Address
from multipaxos.runtime.client_port import connection as client_connection
from multipaxos.runtime.client_port.request_reader import REQUEST_BYTES_MAX

CHOSEN = Chosen(link=5, result="value")
DONE = Chosen(link=5, result=True)

# -- connections -----------------------------------------------------------------------------------


def test_value_is_set_and_got() -> None:
    """SET is answered OK and GET the value, once the protocol has chosen them."""
    service = Service()
    connection, transport = service.connect()

    connection.dataReceived(request("SET", "v"))
    assert transport.take() == b""
    assert service.commands() == [("SET", "v")]
    service.answer(DONE)
    assert transport.take() == b"+OK\r\n"

    connection.dataReceived(request("GET"))
    assert service.commands() == [("GET",)]
    service.answer(CHOSEN)
    assert transport.take() == b"$5\r\nvalue\r\n"


def test_greeting_of_the_right_server_is_answered() -> None:
    """HELLO tells the link in progress, and what follows is served."""
    service = Service()
    connection, transport = service.connect()

    connection.dataReceived(request("MULTIPAXOS", "HELLO", "main", "A") + request("PING"))
    connection.dataReceived(request("MULTIPAXOS", "HELLO"))

    assert transport.take() == b":7\r\n+PONG\r\n:7\r\n"


@pytest.mark.parametrize("cluster, uid", [("other", "A"), ("main", "B"), ("MAIN", "A")])
def test_what_was_meant_for_another_server_is_not_served(cluster: str, uid: str) -> None:
    """After a HELLO to somebody else the server says who it is, and hands nothing on."""
    service = Service()
    connection, transport = service.connect()

    connection.dataReceived(request("MULTIPAXOS", "HELLO", cluster, uid) + request("SET", "v"))
    connection.dataReceived(request("SET", "v"))

    assert transport.take() == b"-OTHER server A of cluster main\r\n"
    assert transport.closed == "after writing"
    assert service.asked == []


def test_requests_of_a_connection_wait_for_each_other() -> None:
    """One thing at a time is in the protocol; the next begins when it is answered."""
    service = Service()
    connection, transport = service.connect()

    connection.dataReceived(request("SET", "a"))
    connection.dataReceived(request("SET", "b") + request("PING"))
    assert [command for _, command in service.asked] == [("SET", "a")]
    first, _ = service.asked[0]
    service.answer(DONE)
    assert transport.take() == b"+OK\r\n"
    ((second, command),) = service.asked
    assert command == ("SET", "b")
    assert (second.client, second.sequence) == (first.client, first.sequence + 1)
    service.answer(DONE)

    assert transport.take() == b"+OK\r\n+PONG\r\n"


def test_answers_at_once_serve_a_long_pipeline() -> None:
    """A server that answers at once serves thousands of waiting requests without recursion."""
    service = Service()
    service.at_once = lambda _: Chosen(link=5, result=None)
    connection, transport = service.connect()
    named = request("MULTIPAXOS", "PROPOSE", "c", "7", "3", "GET")

    connection.dataReceived(named * 5000 + request("GET") * 5000)

    assert transport.take() == b"*2\r\n:5\r\n$4\r\nnull\r\n" * 5000 + b"$-1\r\n" * 5000


@pytest.mark.parametrize(
    "outcome, reply",
    [
        (CHOSEN, b'*2\r\n:5\r\n$7\r\n"value"\r\n'),
        (Chosen(link=0, result=None), b"*2\r\n:0\r\n$4\r\nnull\r\n"),
        (Refused(reason="no\r\n+OK"), b"-REFUSED no  +OK\r\n"),
        (Unknown(reason="who knows"), b"-UNKNOWN who knows\r\n"),
    ],
)
def test_outcome_of_a_named_request(outcome: Outcome, reply: bytes) -> None:
    """A client that names its request is told the link and the result, or why there is none."""
    service = Service()
    connection, transport = service.connect()

    connection.dataReceived(request("MULTIPAXOS", "PROPOSE", "c", "7", "3", "set", "v"))
    assert service.since == 3
    assert service.asked[0] == (RequestID("c", 7), ("SET", "v"))
    service.answer(outcome)

    assert transport.take() == reply


def test_two_connections_may_wait_for_one_request() -> None:
    """A client that retries through a second connection gets its answer there too."""
    service = Service()
    first, first_transport = service.connect()
    second, second_transport = service.connect()
    propose = request("MULTIPAXOS", "PROPOSE", "c", "7", "0", "GET")

    first.dataReceived(propose)
    second.dataReceived(propose)
    service.answer(CHOSEN)

    assert first_transport.take() == second_transport.take() != b""


def test_answer_for_a_vanished_client_goes_nowhere() -> None:
    """A request goes on without its client; its answer finds nobody and harms nobody."""
    service = Service()
    connection, transport = service.connect()
    connection.dataReceived(request("SET", "v"))

    connection.connectionLost()
    service.answer(CHOSEN)

    assert transport.take() == b""
    assert not service.port.connections
    assert not service.clock.getDelayedCalls()


def test_calls_and_returns_can_be_traced() -> None:
    """An observer is told what a client asks, and then what it is told."""
    service = Service()
    connection, _ = service.connect()

    propose = request("MULTIPAXOS", "PROPOSE", "c", "7", "0", "GET")
    connection.dataReceived(request("PING") + propose)
    service.answer(CHOSEN)

    assert service.observed == [("called c/7", ("GET",)), ("returned c/7", CHOSEN)]


@pytest.mark.parametrize("ends", ["the client leaves", "the server stops", "it takes too long"])
def test_a_call_whose_connection_ends_returns_once_and_unknown(ends: str) -> None:
    """Nobody will be told the outcome any more: the trace says so at once, and never again."""
    service = Service()
    connection, _ = service.connect()
    connection.dataReceived(request("MULTIPAXOS", "PROPOSE", "c", "7", "0", "GET"))

    match ends:
        case "the server stops":
            service.port.close()
        case "it takes too long":
            service.clock.advance(client_connection.ANSWER_SECONDS_MAX)
    unknown = [outcome for what, outcome in service.observed if what == "returned c/7"]
    connection.connectionLost()
    service.answer(CHOSEN)

    returned = [outcome for what, outcome in service.observed if what == "returned c/7"]
    assert [type(outcome) for outcome in returned] == [Unknown]
    assert unknown == (returned if ends != "the client leaves" else [])


def test_status_and_history_come_at_once() -> None:
    """Questions about the server itself need no protocol; a damaged history is told as an error."""
    service = Service()
    connection, transport = service.connect()

    connection.dataReceived(request("MULTIPAXOS", "STATUS"))
    assert transport.take() == b'$12\r\n{"uid": "A"}\r\n'
    connection.dataReceived(request("MULTIPAXOS", "HISTORY", "3"))
    assert transport.take() == b"$3\r\n[3]\r\n"
    connection.dataReceived(request("MULTIPAXOS", "HISTORY", "13"))
    assert transport.take() == b"-ERR the history is damaged\r\n"


def test_quit_ends_the_connection() -> None:
    """QUIT is answered, and nothing after it is served."""
    service = Service()
    connection, transport = service.connect()

    connection.dataReceived(request("QUIT") + request("PING"))

    assert transport.take() == b"+OK\r\n"
    assert transport.closed == "after writing"


def test_protocol_error_is_told_and_ends_the_connection() -> None:
    """What is before the error is served, what is after it is not read."""
    service = Service()
    connection, transport = service.connect()

    connection.dataReceived(request("PING") + b"*1\r\n!" + request("PING"))

    assert transport.take() == b"+PONG\r\n-ERR Protocol error: expected '$', got '!'\r\n"
    assert transport.closed == "after writing"


def test_one_connection_too_many_is_told_so() -> None:
    """Beyond the limit a client is turned away; when another leaves there is room again."""
    service = Service(connections_max=1)
    first, _ = service.connect()
    turned_away = service.port.buildProtocol(None)
    transport = Transport()

    turned_away.makeConnection(transport)  # type: ignore[no-untyped-call]

    assert transport.take() == b"-ERR max number of clients reached\r\n"
    assert transport.closed == "after writing"
    first.connectionLost()
    service.connect()


def test_idle_connection_is_closed() -> None:
    """Who asks nothing for long is disconnected; who waits for an answer may wait longer."""
    service = Service()
    _, idle = service.connect()
    waiting_connection, waiting = service.connect()
    waiting_connection.dataReceived(request("GET"))

    service.clock.advance(client_connection.IDLE_SECONDS_MAX)
    assert idle.closed == "at once"
    assert waiting.closed is None
    # What it sends meanwhile makes nobody's answer come sooner.
    waiting_connection.dataReceived(request("PING"))
    left_seconds = client_connection.ANSWER_SECONDS_MAX - client_connection.IDLE_SECONDS_MAX
    service.clock.advance(left_seconds - 1)
    assert waiting.closed is None
    service.clock.advance(1)
    assert waiting.closed == "at once"


def test_whoever_was_answered_may_be_idle_again() -> None:
    """The time for an answer, and the time for the next request, each begin when they begin."""
    service = Service()
    connection, transport = service.connect()

    for waits_seconds in (client_connection.ANSWER_SECONDS_MAX - 1, 2):
        service.clock.advance(client_connection.IDLE_SECONDS_MAX - 1)
        connection.dataReceived(request("GET"))
        service.clock.advance(waits_seconds)
        service.answer(CHOSEN)
    service.clock.advance(client_connection.IDLE_SECONDS_MAX - 1)
    assert transport.is_open()
    service.clock.advance(1)

    assert transport.closed == "at once"


def test_client_that_does_not_read_is_not_served() -> None:
    """While a client leaves its replies unread, nothing of it is read or served."""
    service = Service()
    connection, transport = service.connect()

    connection.pauseProducing()
    assert not transport.is_read()
    connection.dataReceived(request("PING"))
    assert transport.take() == b""
    connection.resumeProducing()

    assert transport.take() == b"+PONG\r\n"
    assert transport.is_read()


def test_flood_behind_a_request_waits_outside() -> None:
    """Of a client that keeps sending behind its request, a bounded part is kept in memory."""
    service = Service()
    connection, transport = service.connect()
    connection.dataReceived(request("GET"))
    assert transport.is_read()

    connection.dataReceived(request("PING") * (REQUEST_BYTES_MAX // 14 + 1))
    assert not transport.is_read()
    service.answer(CHOSEN)

    assert transport.is_read()


def test_any_request_resets_the_idle_clock() -> None:
    """A client that asks now and then stays; one whose machine died is found out by its silence."""
    service = Service()
    connection, transport = service.connect()

    for _ in range(3):
        service.clock.advance(client_connection.IDLE_SECONDS_MAX - 1)
        connection.dataReceived(request("PING"))
    assert transport.is_open()
    # Half a request is no sign of life: it would hold its place for ever.
    service.clock.advance(client_connection.IDLE_SECONDS_MAX - 1)
    connection.dataReceived(b"*1\r\n")
    service.clock.advance(1)

    assert transport.closed == "at once"
    connection.connectionLost()
    assert not service.clock.getDelayedCalls()


def test_closing_the_port_closes_all() -> None:
    """When the server stops, its clients are cut off: who waits does not know its outcome."""
    service = Service()
    _, first = service.connect()
    _, second = service.connect()

    service.port.close()

    assert (first.closed, second.closed) == ("at once", "at once")


# -- as Redis --------------------------------------------------------------------------------------


def test_a_stranger_is_served_once_the_password_is_there() -> None:
    """Before that nothing reaches the protocol, also in the same packet."""
    service = Service(password="sesame")
    connection, transport = service.connect()

    connection.dataReceived(request("GET") + request("AUTH", "wrong") + request("GET"))
    assert service.asked == []
    assert transport.take() == (
        b"-NOAUTH Authentication required.\r\n"
        b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"
        b"-NOAUTH Authentication required.\r\n"
    )
    connection.dataReceived(request("AUTH", "sesame") + request("MULTIPAXOS", *["x"] * 11))
    connection.dataReceived(request("GET"))

    assert transport.take() == b"+OK\r\n-ERR unknown subcommand 'x'.\r\n"
    assert service.commands() == [("GET",)]


def test_a_stranger_s_large_request_is_not_even_read() -> None:
    """Whoever is not known yet cannot make the server keep much."""
    service = Service(password="sesame")
    connection, transport = service.connect()

    connection.dataReceived(b"*2\r\n$4\r\nAUTH\r\n$1000000\r\n")

    assert transport.take() == b"-ERR Protocol error: unauthenticated bulk length\r\n"
    assert transport.closed == "after writing"


def test_the_password_is_in_no_trace() -> None:
    """What clients ask is observed, but not how they were let in."""
    service = Service(password="sesame")
    connection, _ = service.connect()

    connection.dataReceived(request("AUTH", "sesame") + request("GET"))

    assert "sesame" not in repr(service.observed)
    assert "sesame" not in repr(connection.session)
    assert "sesame" not in repr(service.port.rules)


def test_a_connection_may_change_its_protocol() -> None:
    """HELLO is answered in the protocol that it asks for, and all that follows."""
    service = Service()
    connection, transport = service.connect()

    connection.dataReceived(request("HELLO", "3"))
    assert transport.take().startswith(b"%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n")
    connection.dataReceived(request("GET"))
    service.answer(Chosen(link=5, result=None))
    assert transport.take() == b"_\r\n"
    connection.dataReceived(request("RESET") + request("CLIENT", "GETNAME"))

    assert transport.take() == b"+RESET\r\n$-1\r\n"


def test_connections_have_numbers_and_addresses() -> None:
    """A client can say which connection it is."""
    service = Service()
    service.connect()
    connection, transport = service.connect()

    connection.dataReceived(request("CLIENT", "INFO"))

    assert b"id=2 addr=127.0.0.1:50000 laddr=127.0.0.1:7001 " in transport.take()


def test_role_and_info_come_from_the_server() -> None:
    """ROLE names the master; INFO counts the clients and what they asked."""
    service = Service(connections_max=2)
    service.master = Address(host="127.0.0.1", port=7002)
    connection, transport = service.connect()
    service.connect()
    service.port.buildProtocol(None)

    connection.dataReceived(request("ROLE"))
    assert transport.take().startswith(b"*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:7002\r\n")
    connection.dataReceived(request("INFO"))

    info = transport.take().decode()
    for line in (
        "# Server",
        "redis_version:7",
        "connected_clients:2",
        "maxclients:2",
        "total_connections_received:2",
        "rejected_connections:1",
        "total_commands_processed:2",
    ):
        assert f"{line}\r\n" in info


def test_typed_lines_are_served() -> None:
    """A person with a plain terminal is a client, too."""
    service = Service()
    connection, transport = service.connect()

    connection.dataReceived(b"ping\r\nSET 'two words'\r\n")

    assert transport.take() == b"+PONG\r\n"
    assert service.commands() == [("SET", "two words")]


def test_stale_reads_come_at_once() -> None:
    """What this server has, with the link as of which it is so."""
    service = Service()
    connection, transport = service.connect()

    connection.dataReceived(request("MULTIPAXOS", "STALE", "get"))

    assert transport.take() == b'*2\r\n:6\r\n$5\r\n"GET"\r\n'
