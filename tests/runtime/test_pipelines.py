"""Pipelines at the client port: what was sent together goes through the chain as one."""

import pytest
from tests.runtime.clients import Service, request

from multipaxos.chain import pipelines
from multipaxos.chain.requests import Chosen, Outcome, Refused, Unknown
from multipaxos.chain.state_machine import Command, Failure
from multipaxos.runtime.client_port.intake import PIPELINE_CHARACTERS_MAX, PIPELINE_COMMANDS_MAX

SET_A, SET_B, GET = request("SET", "a"), request("SET", "b"), request("GET")
NAMED = request("MULTIPAXOS", "PROPOSE", "c", "7", "3", "GET")


def chosen(*results: object) -> Chosen:
    """Return the outcome of a pipeline whose commands have these *results*."""
    return Chosen(link=5, result=results)  # type: ignore[arg-type]


def waiting(service: Service) -> list[Command]:
    """Return the commands of the one request that waits for its answer."""
    (command,) = service.commands()
    return list(pipelines.commands_of(command))


def test_requests_that_came_together_go_through_the_chain_as_one() -> None:
    """Their replies come in their order, each as if its request had come alone."""
    service = Service()
    connection, transport = service.connect()

    connection.dataReceived(SET_A + GET + request("CAS", "x", "y"))
    assert service.commands() == [("PIPELINE", "2", "SET", "a", "1", "GET", "3", "CAS", "x", "y")]
    assert transport.take() == b""
    service.answer(chosen(True, "a", False))

    assert transport.take() == b"+OK\r\n$1\r\na\r\n$-1\r\n"


def test_a_request_that_came_alone_stays_alone() -> None:
    """What comes while it is in the protocol is gathered for the next turn."""
    service = Service()
    connection, transport = service.connect()

    connection.dataReceived(SET_A)
    connection.dataReceived(SET_B)
    connection.dataReceived(GET)
    ((first, command),) = service.asked
    assert command == ("SET", "a")
    service.answer(chosen())
    ((second, command),) = service.asked
    assert command == ("PIPELINE", "2", "SET", "b", "1", "GET")
    assert (second.client, second.sequence) == (first.client, first.sequence + 1)
    transport.take()
    service.answer(chosen(True, "b"))

    assert transport.take() == b"+OK\r\n$1\r\nb\r\n"


def test_reads_only_are_a_read() -> None:
    """A master may then answer them alone; with one write among them it may not."""
    service = Service()
    connection, _ = service.connect()
    connection.dataReceived(GET * 3)
    reads = service.commands()[0]
    service.answer(chosen("a", "a", "a"))
    connection.dataReceived(GET + SET_A)
    mixed = service.commands()[0]

    machine = pipelines.Pipelining(service.machine)
    assert (reads, machine.is_read(reads)) == (("READS", *("1", "GET") * 3), True)
    assert not machine.is_read(mixed)


@pytest.mark.parametrize(
    "between, reply",
    [
        (request("PING"), b"+PONG\r\n"),
        (request("FLY"), b"-ERR unknown command 'FLY', with args beginning with: \r\n"),
        (request("SET"), b"-ERR wrong number of arguments for 'set' command\r\n"),
        (request("CLIENT", "ID"), b":1\r\n"),
        (request("HELLO", "3", "SETNAME", "me"), None),
    ],
)
def test_what_needs_no_link_parts_a_pipeline(between: bytes, reply: bytes | None) -> None:
    """It is answered between the two parts: after the replies before it, before those behind."""
    service = Service()
    connection, transport = service.connect()

    connection.dataReceived(SET_A + GET + between + SET_B + GET)
    assert waiting(service) == [("SET", "a"), ("GET",)]
    service.answer(chosen(True, "a"))
    replies = transport.take()
    assert waiting(service) == [("SET", "b"), ("GET",)]
    service.answer(chosen(True, "b"))

    assert replies.startswith(b"+OK\r\n$1\r\na\r\n")
    if reply is not None:
        assert replies == b"+OK\r\n$1\r\na\r\n" + reply
    assert transport.take() == b"+OK\r\n$1\r\nb\r\n"


def test_what_stands_behind_hello_is_answered_in_its_protocol() -> None:
    """What was gathered before it is not: each request has the session of its place."""
    service = Service()
    connection, transport = service.connect()

    connection.dataReceived(GET + GET + request("HELLO", "3") + GET + GET)
    service.answer(chosen(None, None))
    assert transport.take().startswith(b"$-1\r\n$-1\r\n%7\r\n")
    service.answer(chosen(None, None))

    assert transport.take() == b"_\r\n_\r\n"


def test_nothing_behind_multi_is_done() -> None:
    """Transactions are refused; what a client meant for one is not taken for a pipeline."""
    service = Service()
    connection, transport = service.connect()

    connection.dataReceived(SET_A + GET + request("MULTI") + SET_B + SET_B + request("EXEC") + GET)
    assert waiting(service) == [("SET", "a"), ("GET",)]
    service.answer(chosen(True, "a"))

    replies = transport.take().split(b"\r\n")
    assert replies[:3] == [b"+OK", b"$1", b"a"]
    assert [reply[:1] for reply in replies[3:]] == [b"-", b"-", b"-", b"-", b""]
    assert service.commands() == [("GET",)]


def test_a_stranger_s_pipeline_begins_behind_the_password() -> None:
    """What stands before it is refused one by one."""
    service = Service(password="sesame")
    connection, transport = service.connect()

    connection.dataReceived(SET_A + SET_A + request("AUTH", "sesame") + SET_B + GET)

    refused = b"-NOAUTH Authentication required.\r\n"
    assert transport.take() == 2 * refused + b"+OK\r\n"
    assert waiting(service) == [("SET", "b"), ("GET",)]


@pytest.mark.parametrize(
    "last, reply",
    [
        (request("QUIT"), b"+OK\r\n"),
        (b"*1\r\n!", b"-ERR Protocol error: expected '$', got '!'\r\n"),
    ],
)
def test_quit_and_garbage_wait_for_what_is_before_them(last: bytes, reply: bytes) -> None:
    """The pipeline is answered, then the end; nothing behind it is served."""
    service = Service()
    connection, transport = service.connect()

    connection.dataReceived(SET_A + GET + last + SET_B)
    assert transport.is_open()
    service.answer(chosen(True, "a"))

    assert transport.take() == b"+OK\r\n$1\r\na\r\n" + reply
    assert transport.closed == "after writing"
    assert service.asked == []


def test_requests_with_an_id_are_served_one_by_one() -> None:
    """Each has its own place in the chain, under its own name: so a client can ask again."""
    service = Service()
    connection, transport = service.connect()

    connection.dataReceived(SET_A + SET_A + NAMED + NAMED + SET_B + GET)
    asked = []
    for outcome in (chosen(True, True), Chosen(link=6, result="a"), Chosen(link=6, result="a")):
        asked += [command for _, command in service.asked]
        service.answer(outcome)
    asked += service.commands()

    assert [command[0] for command in asked] == ["PIPELINE", "GET", "GET", "PIPELINE"]
    assert transport.take() == 2 * b"+OK\r\n" + 2 * b'*2\r\n:6\r\n$3\r\n"a"\r\n'


def test_a_pipeline_has_at_most_so_many_commands() -> None:
    """The rest goes into the next ones; none is lost, and none comes out of turn."""
    service = Service()
    connection, transport = service.connect()
    sent = [("SET", str(number)) for number in range(2 * PIPELINE_COMMANDS_MAX + 3)]

    connection.dataReceived(b"".join(request(*command) for command in sent))
    parts = []
    while service.asked:
        parts.append(waiting(service))
        service.answer(chosen(*[True] * len(parts[-1])))

    assert [len(part) for part in parts] == [PIPELINE_COMMANDS_MAX, PIPELINE_COMMANDS_MAX, 3]
    assert [command for part in parts for command in part] == sent
    assert transport.take() == b"+OK\r\n" * len(sent)


def test_a_pipeline_has_at_most_so_many_characters_beyond_its_first_command() -> None:
    """As soon as it has that many, it goes."""
    service = Service(value_bytes_max=10 * PIPELINE_CHARACTERS_MAX)
    connection, _ = service.connect()
    half, whole = (request("SET", "x" * (PIPELINE_CHARACTERS_MAX // n)) for n in (2, 1))

    connection.dataReceived(whole + half + half + half + half)
    counts = []
    while service.asked:
        counts.append(len(waiting(service)))
        service.answer(chosen(*[True] * counts[-1]))

    assert counts == [1, 2, 2]


@pytest.mark.parametrize(
    "outcome, reply",
    [
        (Refused(reason="busy"), b"-REFUSED busy\r\n"),
        (Unknown(reason="who knows"), b"-UNKNOWN who knows\r\n"),
        (Chosen(link=5, result=Failure("ERR too large")), b"-ERR too large\r\n"),
    ],
)
def test_what_becomes_of_the_whole_is_told_to_each(outcome: Outcome, reply: bytes) -> None:
    """A client counts on one reply to each request."""
    service = Service()
    connection, transport = service.connect()

    connection.dataReceived(SET_A + GET + SET_B + request("PING"))
    service.answer(outcome)

    assert transport.take() == 3 * reply + b"+PONG\r\n"


def test_one_command_that_fails_is_told_so_and_the_others_are_done() -> None:
    """As if each had come alone."""
    service = Service()
    connection, transport = service.connect()

    connection.dataReceived(SET_A + GET + SET_B)
    service.answer(chosen(True, Failure("ERR no"), True))

    assert transport.take() == b"+OK\r\n-ERR no\r\n+OK\r\n"


def test_a_client_that_leaves_in_the_midst_of_a_pipeline_is_forgotten() -> None:
    """What was in the protocol goes on, as one unknown; what was read ahead is not done."""
    service = Service()
    connection, transport = service.connect()
    connection.dataReceived(SET_A + GET + NAMED + SET_B)

    connection.connectionLost()
    service.answer(chosen(True, "a"))

    assert transport.take() == b""
    assert service.asked == []
    assert not service.port.connections
    assert not service.clock.getDelayedCalls()
    (_, called), (_, returned) = service.observed
    assert called == ("PIPELINE", "2", "SET", "a", "1", "GET")
    assert isinstance(returned, Unknown)


def test_each_request_of_a_pipeline_counts() -> None:
    """INFO tells how many requests there were, not how many links they took."""
    service = Service()
    connection, transport = service.connect()

    connection.dataReceived(SET_A + GET + SET_B + request("PING"))
    service.answer(chosen(True, "a", True))
    transport.take()
    connection.dataReceived(request("INFO", "stats"))

    assert b"total_commands_processed:5\r\n" in transport.take()


@pytest.mark.parametrize("name", ["PIPELINE", "READS", "pipeline"])
def test_no_client_sends_a_pipeline_by_its_name(name: str) -> None:
    """It is how servers speak among themselves: a client gets the answer to an unknown command."""
    service = Service()
    connection, transport = service.connect()

    connection.dataReceived(request(name, "1", "GET"))
    connection.dataReceived(request("MULTIPAXOS", "PROPOSE", "c", "1", "0", name, "1", "GET"))
    connection.dataReceived(request("MULTIPAXOS", "STALE", name, "1", "GET"))

    assert transport.take().count(b"-ERR unknown command") == 3
    assert service.asked == []
