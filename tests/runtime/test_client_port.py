"""The client port: bytes in, commands to the protocol, replies out, in order and within bounds."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from multipaxos.chain.effects import Answer
from multipaxos.chain.register import Register
from multipaxos.chain.requests import Chosen, Outcome, Refused, RequestID, Unknown
from multipaxos.chain.state_machine import Command
from multipaxos.runtime import client_port, resp
from multipaxos.runtime.client_port import ClientConnection, ClientPort
from multipaxos.runtime.commands import Say, interpret
from multipaxos.runtime.ports import StorageError


class Transport:
    """A TCP transport that keeps what is written."""

    def __init__(self) -> None:
        """Begin open, reading and empty."""
        self.written = b""
        self.closed: str | None = None
        self._reads = True

    def is_read(self) -> bool:
        """Tell whether the server reads what arrives."""
        return self._reads

    # ruff: disable[N802]
    def write(self, data: bytes) -> None:
        """Keep *data*."""
        self.written += data

    def loseConnection(self) -> None:
        """Close."""
        self.closed = "after writing"

    def abortConnection(self) -> None:
        """Close at once."""
        self.closed = "at once"

    def pauseProducing(self) -> None:
        """Stop reading."""
        self._reads = False

    def resumeProducing(self) -> None:
        """Read."""
        self._reads = True

    def registerProducer(self, producer: object, streaming: bool) -> None:
        """Take note of nothing: the test plays this part."""
        assert streaming, producer

    def unregisterProducer(self) -> None:
        """Take note of nothing."""

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Take note of nothing."""
        assert enabled

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """Take note of nothing."""
        assert enabled

    # ruff: enable[N802]

    def take(self) -> bytes:
        """Return what was written since the last time."""
        written, self.written = self.written, b""
        return written


class Service:
    """A server that keeps requests until the test answers them."""

    value_bytes_max = 100
    cluster = "main"
    uid = "A"
    machine = Register()
    instance = 7

    def __init__(self) -> None:
        """Begin without requests."""
        self.clock = Clock()
        self.port = ClientPort(self, clock=self.clock, observer=self)
        self.asked: list[tuple[RequestID, Command]] = []
        self.at_once: Callable[[RequestID], Outcome] | None = None
        self.observed: list[tuple[str, Command | Outcome]] = []

    def called(self, request_id: RequestID, command: Command) -> None:
        """Keep what a trace would tell of a call."""
        self.observed.append((f"called {request_id}", command))

    def returned(self, request_id: RequestID, command: Command, outcome: Outcome) -> None:
        """Keep what a trace would tell of a return."""
        assert command[0] in ("SET", "GET")
        self.observed.append((f"returned {request_id}", outcome))

    def read_stale(self, command: Command) -> Chosen:
        """Answer with the command's name."""
        return Chosen(link=6, result=command[0])

    def submit(self, request_id: RequestID, command: Command, *, since: int | None) -> None:
        """Keep the request, or answer it at once."""
        self.since = since
        self.asked.append((request_id, command))
        if self.at_once is not None:
            self.port.answer(Answer(request_id=request_id, outcome=self.at_once(request_id)))

    def commands(self) -> list[Command]:
        """Return the commands that wait for an answer."""
        return [command for _, command in self.asked]

    def answer(self, outcome: Outcome) -> None:
        """Answer the oldest request."""
        request_id, _ = self.asked.pop(0)
        self.port.answer(Answer(request_id=request_id, outcome=outcome))
        self.clock.advance(0)

    def status(self) -> str:
        """Return a status."""
        return '{"uid": "A"}'

    def history(self, count: int) -> str:
        """Return a history, or fail."""
        if count == 13:
            raise StorageError("the history is damaged")
        return f"[{count}]"

    def connect(self) -> tuple[ClientConnection, Transport]:
        """Open a connection."""
        connection = self.port.buildProtocol(None)
        transport = Transport()
        connection.makeConnection(transport)  # type: ignore[no-untyped-call]
        assert isinstance(connection, ClientConnection)
        return connection, transport


def request(*arguments: str | bytes) -> bytes:
    """Encode a request."""
    texts = [each.encode() if isinstance(each, str) else each for each in arguments]
    return b"*%d\r\n" % len(texts) + b"".join(b"$%d\r\n%b\r\n" % (len(t), t) for t in texts)


def say(*arguments: str | bytes) -> bytes:
    """Return the reply to a request that is answered at once."""
    texts = [each.encode() if isinstance(each, str) else each for each in arguments]
    action = interpret(texts, machine=Register(), value_bytes_max=100)
    assert isinstance(action, Say)
    return action.reply


CHOSEN = Chosen(link=5, result="value")

# -- requests in bytes -----------------------------------------------------------------------------


@given(
    requests=st.lists(st.lists(st.binary(max_size=20), min_size=1, max_size=5), max_size=5),
    cuts=st.lists(st.integers(1, 30)),
)
def test_requests_are_read_however_they_are_cut(
    requests: list[list[bytes]], cuts: list[int]
) -> None:
    """The network may cut the stream anywhere: the same requests are read."""
    stream = b"".join(request(*each) for each in requests)
    reader = resp.RequestReader()
    found = []

    while stream:
        size = cuts.pop() if cuts else len(stream)
        reader.feed(stream[:size])
        stream = stream[size:]
        while (arguments := reader.next_request()) is not None:
            found.append(arguments)

    assert found == requests
    assert len(reader) == 0


@given(st.binary())
def test_garbage_is_read_or_refused(garbage: bytes) -> None:
    """Any bytes are requests, the beginning of one, or an error; never anything else."""
    reader = resp.RequestReader()
    reader.feed(garbage)
    with suppress(resp.RequestError):
        while (arguments := reader.next_request()) is not None:
            assert arguments


@pytest.mark.parametrize(
    "stream, error",
    [
        (b"PING\r\n", "expected '*', got 'P'"),
        (b"\x00", r"expected '\*', got '\\x00'"),
        (b"*17\r\n", "invalid multibulk length"),
        (b"*1000000000\r\n", "invalid multibulk length"),
        (b"*x\r\n", "invalid multibulk length"),
        (b"*" + b"1" * 20, "too big mbulk count string"),
        (b"*1\r\n*1\r\n", r"expected '\$', got '\*'"),
        (b"*1\r\n$-1\r\n", "invalid bulk length"),
        (b"*1\r\n$1048577\r\n", "invalid bulk length"),
        (b"*1\r\n$" + b"1" * 20, "too big bulk count string"),
    ],
)
def test_what_is_no_request_is_refused_as_redis_does(stream: bytes, error: str) -> None:
    """A wrong count or length is refused before anything is reserved for it."""
    reader = resp.RequestReader()
    reader.feed(stream)
    with pytest.raises(resp.RequestError, match=error.replace("'*'", r"'\*'")):
        reader.next_request()


def test_empty_requests_are_passed_over() -> None:
    """An empty request asks for nothing and gets no reply."""
    reader = resp.RequestReader()
    reader.feed(b"*0\r\n*-1\r\n" + request("PING"))
    assert reader.next_request() == [b"PING"]


# -- commands --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, reply",
    [
        (["PING"], b"+PONG\r\n"),
        (["ping", "hé"], b"$3\r\nh\xc3\xa9\r\n"),
        (["SET"], b"-ERR wrong number of arguments for 'set' command\r\n"),
        (["GET", "key"], b"-ERR wrong number of arguments for 'get' command\r\n"),
        (["MULTIPAXOS"], b"-ERR wrong number of arguments for 'multipaxos' command\r\n"),
        (
            ["MULTIPAXOS", "status", "x"],
            b"-ERR wrong number of arguments for 'multipaxos|status' command\r\n",
        ),
        (["MULTIPAXOS", "x"], b"-ERR unknown subcommand 'x'.\r\n"),
        (["FLY", "a", "b"], b"-ERR unknown command 'FLY', with args beginning with: 'a' 'b'\r\n"),
        ([b"\xff\r\n+OK"], b"-ERR unknown command '\\xff +OK', with args beginning with: \r\n"),
        (["SET", b"a\xff"], b"-REFUSED the value is not UTF-8 text: byte 0xff at position 1\r\n"),
        (
            ["SET", b"\xed\xa0\x80"],
            b"-REFUSED the value is not UTF-8 text: byte 0xed at position 0\r\n",
        ),
        (
            ["SET", "x" * 99],
            (
                b"-REFUSED the value is too large: it takes 101 bytes in a message, "
                b"and 100 is the most that fits\r\n"
            ),
        ),
        (
            ["MULTIPAXOS", "PROPOSE", "c d", "1", "0", "GET"],
            b"-ERR a client is named by 1 to 40 letters, digits or '_', '-', '.', ':'\r\n",
        ),
        (
            ["MULTIPAXOS", "PROPOSE", "c", "0", "0", "GET"],
            b"-ERR sequence must be a whole number from 1 to 9007199254740991\r\n",
        ),
        (
            ["MULTIPAXOS", "PROPOSE", "c", "9", "0" * 5000, "GET"],
            b"-ERR sequence must be a whole number from 1 to 9007199254740991\r\n",
        ),
        (
            ["MULTIPAXOS", "PROPOSE", "c", "1", "0", "SET"],
            b"-ERR syntax error: after the sequence comes SET value, or GET\r\n",
        ),
        (
            ["MULTIPAXOS", "HISTORY", "-1"],
            b"-ERR count must be a whole number from 1 to 100000\r\n",
        ),
    ],
)
def test_commands_are_answered_as_redis_does(arguments: list[str | bytes], reply: bytes) -> None:
    """What needs no protocol is answered at once; errors have Redis' form and stay one line."""
    assert say(*arguments) == reply


# -- connections -----------------------------------------------------------------------------------


def test_value_is_set_and_got() -> None:
    """SET is answered OK and GET the value, once the protocol has chosen them."""
    service = Service()
    connection, transport = service.connect()

    connection.dataReceived(request("SET", "v"))
    assert transport.take() == b""
    assert service.commands() == [("SET", "v")]
    service.answer(CHOSEN)
    assert transport.take() == b"+OK\r\n"

    connection.dataReceived(request("GET"))
    assert service.commands() == [("GET",)]
    service.answer(CHOSEN)
    assert transport.take() == b"$5\r\nvalue\r\n"


def test_greeting_of_the_right_server_is_answered() -> None:
    """HELLO with this server's cluster and uid is OK, and what follows is served."""
    service = Service()
    connection, transport = service.connect()

    connection.dataReceived(request("MULTIPAXOS", "HELLO", "main", "A") + request("PING"))

    assert transport.take() == b"+OK\r\n+PONG\r\n"


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
    """One request at a time is in the protocol; the next begins when it is answered."""
    service = Service()
    connection, transport = service.connect()

    connection.dataReceived(request("SET", "a") + request("SET", "b") + request("PING"))
    assert [command for _, command in service.asked] == [("SET", "a")]
    first, _ = service.asked[0]
    service.answer(CHOSEN)
    assert transport.take() == b"+OK\r\n"
    ((second, command),) = service.asked
    assert command == ("SET", "b")
    assert (second.client, second.sequence) == (first.client, first.sequence + 1)
    service.answer(CHOSEN)

    assert transport.take() == b"+OK\r\n+PONG\r\n"


def test_answers_at_once_serve_a_long_pipeline() -> None:
    """A server that answers at once serves thousands of waiting requests without recursion."""
    service = Service()
    service.at_once = lambda _: CHOSEN
    connection, transport = service.connect()

    connection.dataReceived(request("SET", "a") * 5000)

    assert transport.take() == b"+OK\r\n" * 5000


@pytest.mark.parametrize(
    "outcome, reply",
    [
        (CHOSEN, b"*2\r\n:5\r\n$5\r\nvalue\r\n"),
        (Chosen(link=0, result=None), b"*2\r\n:0\r\n$-1\r\n"),
        (Refused(reason="no\r\n+OK"), b"-REFUSED no +OK\r\n"),
        (Unknown(reason="who knows"), b"-UNKNOWN who knows\r\n"),
    ],
)
def test_outcome_of_a_named_request(outcome: Outcome, reply: bytes) -> None:
    """A client that names its request is told the link and the result, or why there is none."""
    service = Service()
    connection, transport = service.connect()

    connection.dataReceived(request("MULTIPAXOS", "PROPOSE", "c", "7", "0", "set", "v"))
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
            service.clock.advance(client_port.ANSWER_SECONDS_MAX)
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

    connection.dataReceived(request("PING") + b"!" + request("PING"))

    assert transport.take() == b"+PONG\r\n-ERR Protocol error: expected '*', got '!'\r\n"
    assert transport.closed == "after writing"


def test_one_connection_too_many_is_told_so() -> None:
    """Beyond the limit a client is turned away; when another leaves there is room again."""
    service = Service()
    service.port.connections_max = 1
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

    service.clock.advance(client_port.IDLE_SECONDS_MAX)
    assert idle.closed == "at once"
    assert waiting.closed is None
    service.clock.advance(client_port.ANSWER_SECONDS_MAX)
    assert waiting.closed == "at once"


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

    connection.dataReceived(request("PING") * (client_port.WAITING_BYTES_MAX // 14 + 1))
    assert not transport.is_read()
    service.answer(CHOSEN)

    assert transport.is_read()


def test_closing_the_port_closes_all() -> None:
    """When the server stops, its clients are cut off: who waits does not know its outcome."""
    service = Service()
    _, first = service.connect()
    _, second = service.connect()

    service.port.close()

    assert (first.closed, second.closed) == ("at once", "at once")
