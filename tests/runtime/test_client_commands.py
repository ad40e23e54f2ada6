"""What clients ask and what it means: requests in, actions out, in Redis' words."""

from dataclasses import replace

import hiredis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multipaxos.chain.dictionary import Dictionary
from multipaxos.chain.register import Register
from multipaxos.chain.requests import RequestID
from multipaxos.chain.state_machine import Failure, Result
from multipaxos.runtime.address import Address
from multipaxos.runtime.client_port import resp
from multipaxos.runtime.client_port.actions import (
    Action,
    Become,
    Greet,
    Propose,
    Quit,
    ReadStale,
    RefusedError,
    Say,
    TellInfo,
    TellRole,
    Welcome,
)
from multipaxos.runtime.client_port.arguments import values
from multipaxos.runtime.client_port.commands import interpret
from multipaxos.runtime.client_port.redis_report import info_text, role_reply, welcome
from multipaxos.runtime.client_port.service import Info, Role
from multipaxos.runtime.client_port.session import Rules, Session

RULES = Rules(machine=Register(), value_bytes_max=100)
PROTECTED = replace(RULES, password="sésame")
DICTIONARY = replace(RULES, machine=Dictionary())
STRANGER = Session(number=7, is_trusted=False)
IN_RESP3 = Session(encoding=resp.Encoding(3))
NOBODY = b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"


def ask(*arguments: str | bytes, session: Session | None = None, rules: Rules = RULES) -> Action:
    """Return what a request of these *arguments* asks for."""
    texts = [each.encode() if isinstance(each, str) else each for each in arguments]
    return interpret(texts, session=session or Session(number=7), rules=rules)


def say(*arguments: str | bytes, session: Session | None = None, rules: Rules = RULES) -> bytes:
    """Return the reply to a request that is answered at once."""
    action = ask(*arguments, session=session, rules=rules)
    assert isinstance(action, Say), action
    return action.reply


def become(*arguments: str, session: Session | None = None, rules: Rules = RULES) -> Session:
    """Return the session that a request leads to."""
    action = ask(*arguments, session=session, rules=rules)
    assert isinstance(action, Become | Welcome), action
    return action.session


# -- errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, reply",
    [
        (["SET"], b"-ERR wrong number of arguments for 'set' command\r\n"),
        (["GET", "key"], b"-ERR wrong number of arguments for 'get' command\r\n"),
        (["PING", "a", "b"], b"-ERR wrong number of arguments for 'ping' command\r\n"),
        (["CLIENT"], b"-ERR wrong number of arguments for 'client' command\r\n"),
        (["CLIENT", "ID", "x"], b"-ERR wrong number of arguments for 'client|id' command\r\n"),
        (["client", "fly"], b"-ERR unknown subcommand 'fly'.\r\n"),
        (["MULTIPAXOS"], b"-ERR wrong number of arguments for 'multipaxos' command\r\n"),
        (
            ["MULTIPAXOS", "status", "x"],
            b"-ERR wrong number of arguments for 'multipaxos|status' command\r\n",
        ),
        (["MULTIPAXOS", "HELLO", "main"], b"-ERR syntax error\r\n"),
        (["MULTIPAXOS", "x"], b"-ERR unknown subcommand 'x'.\r\n"),
        (["FLY", "a", "b"], b"-ERR unknown command 'FLY', with args beginning with: 'a' 'b' \r\n"),
        (["EXPIRE"], b"-ERR unknown command 'EXPIRE', with args beginning with: \r\n"),
        (
            ["f" * 200, "a" * 100, "b" * 100, "c"],
            b"-ERR unknown command '%b', with args beginning with: '%b' '%b' \r\n"
            % (b"f" * 128, b"a" * 100, b"b" * 25),
        ),
        ([b"\xff\r\n+OK"], b"-ERR unknown command '\\xff  +OK', with args beginning with: \r\n"),
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
            b"-ERR since must be a whole number from 0 to 9007199254740991\r\n",
        ),
        (
            ["MULTIPAXOS", "PROPOSE", "c", "1", "0", "SET"],
            b"-ERR wrong number of arguments for 'set' command\r\n",
        ),
        (
            ["MULTIPAXOS", "STALE", "SET", "x"],
            b"-ERR 'set' is no read: it cannot be stale\r\n",
        ),
        (
            ["MULTIPAXOS", "HISTORY", "-1"],
            b"-ERR count must be a whole number from 1 to 100000\r\n",
        ),
    ],
)
def test_mistakes_are_answered_as_redis_does(arguments: list[str | bytes], reply: bytes) -> None:
    """An error has Redis' form, stays one line, and changes nothing."""
    assert say(*arguments) == reply


@given(st.lists(st.binary(max_size=30), min_size=1, max_size=5), st.booleans(), st.booleans())
def test_any_request_means_something_or_is_refused(
    request: list[bytes], is_trusted: bool, is_dictionary: bool
) -> None:
    """Nothing that arrives raises."""
    rules = DICTIONARY if is_dictionary else PROTECTED
    interpret(request, session=Session(is_trusted=is_trusted), rules=rules)


def test_each_argument_has_its_bound() -> None:
    """A key takes nothing away from its value; what is too large is told in words."""
    assert isinstance(ask("SET", "k", "x" * 98, rules=DICTIONARY), Propose)
    assert say("SET", "k", "x" * 99, rules=DICTIONARY) == (
        b"-REFUSED the value is too large: it takes 101 bytes in a message, "
        b"and 100 is the most that fits\r\n"
    )


def test_nothing_of_a_transaction_is_done() -> None:
    """Its client sends all of it at once, is told of an error, and must be able to believe that."""
    begun = ask("MULTI")
    assert isinstance(begun, Become)
    assert begun.reply.startswith(b"-ERR transactions are not supported, nothing in this one is")

    inside = begun.session
    assert isinstance(ask("SET", "v", session=inside), Say)
    assert say("SET", "v", session=inside) == b"-ERR not done: transactions are not supported\r\n"
    ended = ask("EXEC", session=inside)
    assert isinstance(ended, Become)
    assert ended.reply.startswith(b"-EXECABORT ")
    assert isinstance(ask("SET", "v", session=ended.session), Propose)
    discarded = ask("DISCARD", session=inside)
    assert isinstance(discarded, Become)
    assert discarded.reply == b"+OK\r\n"
    assert not discarded.session.is_in_transaction


@pytest.mark.parametrize("name", ["EXEC", "DISCARD"])
def test_a_transaction_ends_only_where_one_began(name: str) -> None:
    """As in Redis."""
    assert say(name) == f"-ERR {name} without MULTI\r\n".encode()


@pytest.mark.parametrize("name", ["POST", "Host:"])
def test_web_pages_are_cut_off(name: str) -> None:
    """What a browser sends is no command, and what follows in its body is none either."""
    assert ask(name, "/", "HTTP/1.1") == Quit(reply=b"")


# -- commands --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, reply",
    [
        (["PING"], b"+PONG\r\n"),
        (["ping", b"h\xff"], b"$2\r\nh\xff\r\n"),
        (["ECHO", "hé"], b"$3\r\nh\xc3\xa9\r\n"),
        (["SELECT", "0"], b"+OK\r\n"),
        (["SELECT", "1"], b"-ERR DB index is out of range\r\n"),
        (["SELECT", "-1"], b"-ERR DB index is out of range\r\n"),
        (["SELECT", "x"], b"-ERR value is not an integer or out of range\r\n"),
        (["CLIENT", "ID"], b":7\r\n"),
        (["CLIENT", "GETNAME"], b"$-1\r\n"),
        (["CONFIG", "GET", "save"], b"*2\r\n$4\r\nsave\r\n$0\r\n\r\n"),
        (["CONFIG", "GET", "x", "AppendOnly"], b"*2\r\n$10\r\nappendonly\r\n$3\r\nyes\r\n"),
        (["COMMAND", "INFO", "nope"], b"*1\r\n$-1\r\n"),
        (["COMMAND", "DOCS", "nope"], b"*0\r\n"),
    ],
)
def test_small_talk(arguments: list[str | bytes], reply: bytes) -> None:
    """What clients ask at connect and in between is answered at once, as Redis does."""
    assert say(*arguments) == reply


def test_commands_of_the_state_machine_are_proposed() -> None:
    """In any spelling; the result has its form in the protocol that the client speaks."""
    plain = ask("set", "v")
    newer = ask("GET", session=IN_RESP3)
    named = ask("MULTIPAXOS", "propose", "c", "3", "8", "get")

    assert isinstance(plain, Propose)
    assert (plain.request_id, plain.command, plain.since) == (None, ("SET", "v"), None)
    assert plain.reply_of(1, False) == b"$-1\r\n"
    assert isinstance(newer, Propose)
    assert newer.reply_of(1, None) == b"_\r\n"
    assert isinstance(named, Propose)
    assert (named.request_id, named.command, named.since) == (RequestID("c", 3), ("GET",), 8)
    assert named.reply_of(1, True) == b"*2\r\n:1\r\n$4\r\ntrue\r\n"


def test_what_needs_the_server_becomes_an_action() -> None:
    """The rest is for the connection to perform."""
    assert ask("QUIT") == Quit(reply=b"+OK\r\n")
    assert ask("ROLE") == TellRole()
    assert ask("INFO") == ask("INFO", "all", "server") == TellInfo(sections=frozenset())
    assert ask("INFO", "Server", "stats") == TellInfo(sections=frozenset({"server", "stats"}))
    assert ask("MULTIPAXOS", "HELLO") == Greet()
    assert ask("MULTIPAXOS", "HELLO", "m", "A") == Greet(cluster="m", uid="A")
    assert ask("MULTIPAXOS", "STALE", "get") == ReadStale(command=("GET",))


def test_clients_learn_which_commands_there_are() -> None:
    """COMMAND has Redis' table: arity, flags, and where the keys are."""
    reader = hiredis.Reader()
    reader.feed(say("COMMAND", "INFO", "mset", "get", "ping", "client", rules=DICTIONARY))
    mset, get, ping, client = reader.gets()
    reader.feed(say("COMMAND", rules=DICTIONARY) + say("COMMAND", "COUNT", rules=DICTIONARY))

    assert mset[:6] == [b"mset", -3, [b"write", b"denyoom"], 1, -2, 2]
    assert get[:6] == [b"get", 2, [b"readonly"], 1, 1, 1]
    assert ping[:2] == [b"ping", -1]
    assert ping[3:6] == [0, 0, 0]
    assert client[:2] == [b"client", -2]
    assert len(reader.gets()) == reader.gets()
    reader.feed(say("COMMAND", "DOCS", "set", rules=DICTIONARY, session=IN_RESP3))
    assert reader.gets()[b"set"][b"summary"] == b"SET key value [NX | XX] [GET]"


# -- the session -----------------------------------------------------------------------------------


def test_clients_have_names() -> None:
    """SETNAME and SETINFO are kept for GETNAME and INFO; RESET forgets them."""
    session = become("CLIENT", "SETNAME", "ann")
    session = become("CLIENT", "SETINFO", "LIB-NAME", "redis-py", session=session)
    session = become("CLIENT", "SETINFO", "lib-ver", "8.1", session=session)
    session = become("HELLO", "3", session=session)

    assert say("CLIENT", "GETNAME", session=session) == b"$3\r\nann\r\n"
    info = say("CLIENT", "INFO", session=session)
    assert info.startswith(b"=")
    for field in (b"id=7 ", b"name=ann ", b"resp=3 ", b"lib-name=redis-py ", b"lib-ver=8.1\n"):
        assert field in info
    assert become("RESET", session=session) == Session(number=7)


@pytest.mark.parametrize(
    "arguments, reply",
    [
        (
            ["CLIENT", "SETNAME", "a b"],
            b"-ERR Client names cannot contain spaces, newlines or special characters.\r\n",
        ),
        (
            ["CLIENT", "SETNAME", "n" * 2000],
            b"-ERR Client names cannot contain spaces, newlines or special characters.\r\n",
        ),
        (
            ["CLIENT", "SETINFO", "lib-ver", "a\n"],
            b"-ERR lib-ver cannot contain spaces, newlines or special characters.\r\n",
        ),
        (["CLIENT", "SETINFO", "x", "y"], b"-ERR Unrecognized option 'x'\r\n"),
        (["HELLO", "x"], b"-ERR Protocol version is not an integer or out of range\r\n"),
        (["HELLO", "4"], b"-NOPROTO unsupported protocol version\r\n"),
        (["HELLO", "3", "AUTH", "x"], b"-ERR Syntax error in HELLO option 'AUTH'\r\n"),
        (["HELLO", "3", "SETNAME"], b"-ERR Syntax error in HELLO option 'SETNAME'\r\n"),
    ],
)
def test_a_session_is_not_changed_by_a_mistake(arguments: list[str], reply: bytes) -> None:
    """A name without blanks, a protocol that there is."""
    assert say(*arguments) == reply


@pytest.mark.parametrize("version", [2, 3])
def test_hello_says_what_this_is(version: int) -> None:
    """A map in RESP3, names and values in turn in RESP2; it is Redis, as far as clients care."""
    session = become("HELLO", str(version), "SETNAME", "ann")
    reader = hiredis.Reader(encoding="utf-8")
    reader.feed(welcome(session, Role(link=3)))
    told = reader.gets()
    found = told if version == 3 else dict(zip(told[::2], told[1::2], strict=True))

    assert (session.name, session.encoding.version) == ("ann", version)
    assert found == {
        "server": "redis",
        "version": "7.2.0",
        "proto": version,
        "id": 7,
        "mode": "standalone",
        "role": "master",
        "modules": [],
    }


def test_hello_without_a_version_keeps_it() -> None:
    """Whoever only asks goes on as before."""
    assert become("HELLO", session=IN_RESP3) == IN_RESP3


# -- the password ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments", [["AUTH", "sésame"], ["AUTH", "default", "sésame"], ["auth", "default", "sésame"]]
)
def test_whoever_knows_the_password_is_trusted(arguments: list[str]) -> None:
    """With the name of the only user, or without."""
    assert become(*arguments, session=STRANGER, rules=PROTECTED).is_trusted


def test_hello_takes_the_password() -> None:
    """As client libraries give it; without it HELLO is refused."""
    hello = ["HELLO", "3", "AUTH", "default", "sésame"]

    assert become(*hello, session=STRANGER, rules=PROTECTED).is_trusted
    assert say(*hello[:-1], "x", session=STRANGER, rules=PROTECTED) == NOBODY
    assert say("HELLO", "3", session=STRANGER, rules=PROTECTED).startswith(b"-NOAUTH HELLO must")


@pytest.mark.parametrize(
    "arguments, reply",
    [
        (["AUTH", "wrong"], NOBODY),
        (["AUTH", ""], NOBODY),
        (["AUTH", "root", "sésame"], NOBODY),
        (["AUTH", "a", "b", "c"], b"-ERR syntax error\r\n"),
        (["AUTH"], b"-ERR wrong number of arguments for 'auth' command\r\n"),
        (["GET"], b"-NOAUTH Authentication required.\r\n"),
        (["PING"], b"-NOAUTH Authentication required.\r\n"),
        (["NONSENSE"], b"-NOAUTH Authentication required.\r\n"),
        (["MULTIPAXOS", "HELLO"], b"-NOAUTH Authentication required.\r\n"),
    ],
)
def test_strangers_are_told_nothing(arguments: list[str], reply: bytes) -> None:
    """Until the password is there, all that can be asked is to be let in, or out."""
    assert say(*arguments, session=STRANGER, rules=PROTECTED) == reply
    assert ask("QUIT", session=STRANGER, rules=PROTECTED) == Quit(reply=b"+OK\r\n")


def test_reset_asks_for_the_password_again() -> None:
    """A connection that goes back into a pool is nobody's."""
    assert not become("RESET", rules=PROTECTED).is_trusted


def test_a_password_that_nobody_asked_for() -> None:
    """Without a password AUTH is a mistake, except in the form that client libraries send."""
    assert say("AUTH", "x") == (
        b"-ERR AUTH <password> called without any password configured for the default user. "
        b"Are you sure your configuration is correct?\r\n"
    )
    assert become("AUTH", "default", "x").is_trusted
    assert say("AUTH", "root", "x") == NOBODY


def test_a_password_is_not_shown() -> None:
    """Neither where the rules are printed nor in an error."""
    assert "sésame" not in repr(PROTECTED)
    assert b"wrong" not in say("AUTH", "wrong", session=STRANGER, rules=PROTECTED)


# -- replies ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "told, older, newer",
    [
        (True, b"+OK\r\n", b"+OK\r\n"),
        (False, b"$-1\r\n", b"_\r\n"),
        (None, b"$-1\r\n", b"_\r\n"),
        (-7, b":-7\r\n", b":-7\r\n"),
        ("π", b"$2\r\n\xcf\x80\r\n", b"$2\r\n\xcf\x80\r\n"),
        (Failure("ERR no\nline"), b"-ERR no line\r\n", b"-ERR no line\r\n"),
        (("a", (None, 1)), b"*2\r\n$1\r\na\r\n*2\r\n$-1\r\n:1\r\n", None),
    ],
)
def test_results_in_both_protocols(told: Result, older: bytes, newer: bytes | None) -> None:
    """Done, not done, nothing, a number, a text, an error, or several of them."""
    assert resp.Encoding(2).result(told) == older
    assert resp.Encoding(3).result(told) == (newer or older.replace(b"$-1", b"_"))


def test_info_has_the_sections_that_were_asked_for() -> None:
    """In Redis' form: a title, and a field a line."""
    info: Info = {"Server": {"redis_version": "7.2.0", "tcp_port": 1}, "Stats": {"x": 2}}

    assert info_text(info, frozenset({"stats"})) == "# Stats\r\nx:2\r\n"
    assert info_text(info, frozenset()) == (
        "# Server\r\nredis_version:7.2.0\r\ntcp_port:1\r\n\r\n# Stats\r\nx:2\r\n"
    )
    assert info_text(info, frozenset({"nope"})) == ""


def test_role_names_the_master() -> None:
    """A server that hands on its clients' requests says to whom, and how far it is itself."""
    master = Address(host="b.example.org", port=7002)

    assert role_reply(Role(link=5)) == b"*3\r\n$6\r\nmaster\r\n:5\r\n*0\r\n"
    assert role_reply(Role(link=5, master=master)) == (
        b"*5\r\n$5\r\nslave\r\n$13\r\nb.example.org\r\n:7002\r\n$7\r\nconnect\r\n:5\r\n"
    )
    followed = Role(link=5, master=master, is_followed=True)
    assert b"$9\r\nconnected\r\n" in role_reply(followed)


def test_all_texts_of_a_command_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each may be as large as a value; so many that no message holds them are refused."""
    monkeypatch.setattr("multipaxos.runtime.client_port.arguments.COMMAND_BYTES_MAX", 150)

    fits = values([b"x" * 70, b"y" * 70], 100)
    with pytest.raises(RefusedError, match="takes 160 bytes in a message, and 150 is the most"):
        values([b"x" * 78, b"y" * 78], 100)

    assert fits == ("x" * 70, "y" * 70)
