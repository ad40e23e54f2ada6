"""The methods as pairs of command and answer, and what clients check before they ask."""

import pytest
from tests.client.cluster import A, B, C

from multipaxos.chain.durable import Session, Snapshot
from multipaxos.chain.ledger import outcome_so_far
from multipaxos.chain.requests import Chosen, Outcome, Refused, RequestID, Unknown, Update
from multipaxos.chain.state_machine import Failure, Result
from multipaxos.client import calls
from multipaxos.client.calls import Call
from multipaxos.client.errors import (
    AuthenticationError,
    BadArgumentError,
    ClientError,
    CommandError,
    NotReachableError,
    ProtocolError,
    RefusedError,
    UnknownOutcomeError,
)
from multipaxos.client.fate import Fate
from multipaxos.client.servers import (
    Progress,
    Servers,
    check_name,
    check_timeout,
    parse_addresses,
    shown,
)
from multipaxos.client.wire import refusal_of, text_or_none
from multipaxos.errors import MultipaxosError


@pytest.mark.parametrize(
    "call, command",
    [
        (calls.set_value("v", nx=False, xx=False), "SET v"),
        (calls.set_value("k", "v", nx=True, xx=False), "SET k v NX"),
        (calls.set_value("k", "v", nx=False, xx=True), "SET k v XX"),
        (calls.get(), "GET"),
        (calls.get("k"), "GET k"),
        (calls.compare_and_set("a", "b"), "CAS a b"),
        (calls.compare_and_set(None, "b"), "CAS b"),
        (calls.compare_and_set("k", "a", "b"), "CAS k a b"),
        (calls.compare_and_set("k", None, "b"), "SET k b NX"),
        (calls.delete("a", "b"), "DEL a b"),
        (calls.exists("a", "b"), "EXISTS a b"),
        (calls.increment("k", -3), "INCRBY k -3"),
        (calls.append("k", "t"), "APPEND k t"),
        (calls.set_many({"a": "1", "b": "2"}), "MSET a 1 b 2"),
        (calls.get_many("a", "b"), "MGET a b"),
        (calls.keys("a*"), "KEYS a*"),
        (calls.scan("7", "a*"), "SCAN 7 MATCH a* COUNT 100"),
        (calls.size(), "DBSIZE"),
    ],
)
def test_method_sends_its_command(call: Call[object], command: str) -> None:
    """Each method is a command of Redis, or one that follows its ways."""
    assert call.command == tuple(command.split())


def test_forms_that_could_be_taken_for_another_are_mistakes() -> None:
    """What cannot be meant is a TypeError at once, before anything is sent."""
    for mistake in (
        lambda: calls.set_value(nx=False, xx=False),
        lambda: calls.set_value("v", nx=True, xx=False),
        lambda: calls.set_value("a", "b", "c", nx=False, xx=False),
        lambda: calls.get("a", "b"),
        lambda: calls.compare_and_set("a"),
        lambda: calls.compare_and_set("a", "b", "c", "d"),
        lambda: calls.increment("k", 1.5),  # type: ignore[arg-type]
        lambda: calls.increment("k", True),
        lambda: refusal_of(calls.compare_and_set("a", None).command),
        lambda: refusal_of(("SET", 7)),  # type: ignore[arg-type]
    ):
        with pytest.raises(TypeError):
            mistake()


@pytest.mark.parametrize(
    "outcome, error, text",
    [
        (Refused(reason="busy: 9"), RefusedError, "busy: 9"),
        (Refused(reason="ERR syntax error"), CommandError, "syntax error"),
        (Refused(reason="NOAUTH Authentication required."), AuthenticationError, "password"),
        (Unknown(reason="no answer in time"), UnknownOutcomeError, "no answer in time"),
        (Chosen(link=1, result=Failure("ERR no integer")), CommandError, "no integer"),
        (Chosen(link=1, result=Failure("WRONGTYPE no")), CommandError, "WRONGTYPE no"),
        (Chosen(link=1, result=3), ProtocolError, "3"),
        (Chosen(link=1, result=("a",)), ProtocolError, "a"),
    ],
)
def test_outcome_without_a_result_is_an_error(
    outcome: Outcome, error: type[ClientError], text: str
) -> None:
    """Each kind has its own error, all under one root; what has another type is no answer."""
    with pytest.raises(error, match=text) as raised:
        calls.get().answer(outcome)

    assert isinstance(raised.value, MultipaxosError)


@pytest.mark.parametrize(
    "call, result",
    [
        (calls.set_value("v", nx=False, xx=False), None),
        (calls.size(), True),
        (calls.get_many("a"), "a"),
        (calls.scan("0", "*"), ("0",)),
    ],
)
def test_result_of_another_type_is_no_answer(call: Call[object], result: Result) -> None:
    """A server that answers a count with a text is no server of this version."""
    with pytest.raises(ProtocolError):
        call.answer(Chosen(link=1, result=result))


def test_reasons_of_the_chain_are_known_to_be_final() -> None:
    """What the chain itself says of a request, no other server will think better of."""
    session = Session(sequence=2, link=5, result=True)
    snapshot = Snapshot(sessions={"c": session}, forgotten_before=9)

    for client in ("c", "d"):
        update = Update(request_id=RequestID(client, 1), command=("GET",), since=1)
        outcome = outcome_so_far(snapshot, update)
        assert isinstance(outcome, Unknown)
        reply = _error(f"UNKNOWN {outcome.reason}")
        assert Fate().judge(A, reply) == outcome


def test_fate_without_any_attempt_is_not_reachable() -> None:
    """If there was no time to try anything, nothing was sent."""
    with pytest.raises(NotReachableError, match="no time"):
        Fate().outcome()


def _error(text: str) -> object:
    import hiredis  # noqa: PLC0415 - the parser's own class

    return hiredis.ReplyError(text)


@pytest.mark.parametrize(
    "addresses",
    ["a:1,b:2, [::1]:3", ["a:1", "b:2", "[::1]:3"], ("a:1 ", " b:2", "[::1]:3")],
)
def test_addresses_are_a_text_or_texts(addresses: str | list[str]) -> None:
    """Both forms name the same servers, in their order."""
    assert parse_addresses(addresses) == (A, B, ("::1", 3))


@pytest.mark.parametrize(
    "addresses",
    [
        "",
        [],
        "a",
        "a:0",
        "a:70000",
        "a:1,,b:2",
        [7],
        None,
        7,
        b"a:1",
        "http://a:1",
        "0.0.0.0:1",
        ["a:1,b:2"],
    ],
)
def test_bad_addresses_are_named(addresses: str | list[str]) -> None:
    """A mistyped address is found when it is given, with a sentence."""
    with pytest.raises(BadArgumentError, match="addresses"):
        parse_addresses(addresses)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), "5", None, True])
def test_bad_timeout_is_named(seconds: float) -> None:
    """Only a positive number of seconds is a time to wait."""
    with pytest.raises(ValueError, match="timeout_seconds must be a positive number"):
        check_timeout(seconds)


@pytest.mark.parametrize("name", ["", "a b", "ü", "x" * 24])
def test_bad_name_is_named(name: str) -> None:
    """A name that the servers would not take is found when it is given."""
    with pytest.raises(BadArgumentError, match="name must be"):
        check_name(name)


def test_servers_are_tried_in_a_circle() -> None:
    """Each is preferred until it fails; a server that is named twice is one server."""
    servers = Servers([A, B, A, C])

    servers.failed(B)
    assert servers.from_preferred() == (A, B, C)
    servers.failed(A)
    assert servers.from_preferred() == (B, C, A)
    assert servers.after(C) == A


def test_progress_never_goes_back() -> None:
    """The newest link in progress is what counts, and who told of it."""
    progress = Progress()
    progress.hear(5, A)
    progress.hear(3, B)

    assert (progress.link, progress.server) == (5, A)


def test_addresses_are_shown_as_they_are_written() -> None:
    """Brackets belong to an IPv6 address."""
    assert [shown(A), shown(("::1", 3))] == ["a:1", "[::1]:3"]


def test_text_in_a_reply_is_text_or_nothing() -> None:
    """Other types are no text; bytes that are no UTF-8 are shown as what they are."""
    assert [text_or_none(b"x"), text_or_none(None), text_or_none(b"\xff")] == ["x", None, "\\xff"]
    with pytest.raises(ProtocolError):
        text_or_none(7)


def test_empty_command_is_refused() -> None:
    """Nothing is not a command."""
    assert refusal_of(()) == Refused(reason="ERR there is no command")
