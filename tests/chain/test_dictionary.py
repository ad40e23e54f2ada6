"""The dictionary does what Redis' commands of the same names do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from immutables import Map

from multipaxos.chain.dictionary import Dictionary
from multipaxos.chain.state_machine import Command, Failure, Result

MACHINE = Dictionary()
NO_INTEGER = Failure("ERR value is not an integer or out of range")


def texts(**held: str) -> "Map[str, str]":
    """Return a state."""
    return Map(held)


@pytest.mark.parametrize(
    "before, command, after, result",
    [
        ({}, "SET k v", {"k": "v"}, True),
        ({"k": "v"}, "SET k w", {"k": "w"}, True),
        ({}, "SET k v NX", {"k": "v"}, True),
        ({"k": "v"}, "SET k w nx", {"k": "v"}, False),
        ({}, "SET k v XX", {}, False),
        ({"k": "v"}, "SET k w XX", {"k": "w"}, True),
        ({"k": "v"}, "SET k w GET", {"k": "w"}, "v"),
        ({}, "SET k w GET", {"k": "w"}, None),
        ({"k": "v"}, "SET k w GET NX", {"k": "v"}, "v"),
        ({"k": "v"}, "GET k", {"k": "v"}, "v"),
        ({}, "GET k", {}, None),
        ({"k": "v"}, "CAS k v w", {"k": "w"}, True),
        ({"k": "v"}, "CAS k u w", {"k": "v"}, False),
        ({}, "CAS k u w", {}, False),
        ({"a": "1", "b": "2"}, "DEL a b a c", {}, 2),
        ({"a": "1"}, "EXISTS a a b", {"a": "1"}, 2),
        ({}, "INCR n", {"n": "1"}, 1),
        ({"n": "-1"}, "INCR n", {"n": "0"}, 0),
        ({"n": "5"}, "INCRBY n -7", {"n": "-2"}, -2),
        ({"n": "x"}, "INCR n", {"n": "x"}, NO_INTEGER),
        ({"n": "01"}, "INCR n", {"n": "01"}, NO_INTEGER),
        ({"n": "-0"}, "INCR n", {"n": "-0"}, NO_INTEGER),
        ({"n": "-"}, "INCR n", {"n": "-"}, NO_INTEGER),
        ({"n": "٣"}, "INCR n", {"n": "٣"}, NO_INTEGER),
        (
            {"n": str(2**63 - 1)},
            "INCR n",
            {"n": str(2**63 - 1)},
            Failure("ERR increment or decrement would overflow"),
        ),
        ({"n": str(-(2**63))}, f"INCRBY n {2**63 - 1}", {"n": "-1"}, -1),
        ({}, "APPEND k ab", {"k": "ab"}, 2),
        ({"k": "a"}, "APPEND k é", {"k": "aé"}, 3),
        ({"b": "0"}, "MSET a 1 b 2 a 3", {"a": "3", "b": "2"}, True),
        ({"a": "1"}, "MGET a b a", {"a": "1"}, ("1", None, "1")),
        ({"b": "1", "ab": "2", "c": "3"}, "KEYS *b", {"b": "1", "ab": "2", "c": "3"}, ("ab", "b")),
        ({"a": "1", "b": "2"}, "DBSIZE", {"a": "1", "b": "2"}, 2),
    ],
)
def test_a_command_changes_and_returns_what_it_does_in_redis(
    before: dict[str, str], command: str, after: dict[str, str], result: Result
) -> None:
    """Each command against a state: what is there afterwards, and what its client is told."""
    words = tuple(command.split())

    assert MACHINE.refusal(words) is None
    assert MACHINE.apply(Map(before), words) == (Map(after), result)


@pytest.mark.parametrize(
    "command, fault",
    [
        ("SING", "ERR unknown command 'SING'"),
        ("SET k", "ERR wrong number of arguments for 'set' command"),
        ("SET k v EX", "ERR syntax error"),
        ("SET k v NX XX", "ERR syntax error"),
        ("SET k v NX NX", "ERR syntax error"),
        ("GET", "ERR wrong number of arguments for 'get' command"),
        ("GET a b", "ERR wrong number of arguments for 'get' command"),
        ("CAS k v", "ERR wrong number of arguments for 'cas' command"),
        ("DEL", "ERR wrong number of arguments for 'del' command"),
        ("INCRBY k 1.5", NO_INTEGER.text),
        ("INCRBY k 9223372036854775808", NO_INTEGER.text),
        ("MSET a 1 b", "ERR wrong number of arguments for 'mset' command"),
        ("SCAN x", "ERR invalid cursor"),
        ("SCAN -1", "ERR invalid cursor"),
        ("SCAN 4294967296", "ERR invalid cursor"),
        ("SCAN 0 COUNT 0", "ERR syntax error"),
        ("SCAN 0 COUNT x", NO_INTEGER.text),
        ("SCAN 0 MATCH", "ERR syntax error"),
        ("SCAN 0 TYPE string", "ERR syntax error"),
        ("SCAN 0 COUNT 5 COUNT 6", "ERR syntax error"),
        ("DBSIZE k", "ERR wrong number of arguments for 'dbsize' command"),
        (f"GET {'k' * 4097}", "ERR a key has at most 4096 characters"),
        (f"MSET a 1 {'k' * 4097} 2", "ERR a key has at most 4096 characters"),
        (f"KEYS {'[' * 1025}", "ERR a pattern has at most 1024 characters"),
        (f"SCAN 0 MATCH {'[' * 1025}", "ERR a pattern has at most 1024 characters"),
    ],
)
def test_a_command_without_the_right_form_is_refused(command: str, fault: str) -> None:
    """It gets Redis' error before anybody proposes it."""
    assert MACHINE.refusal(tuple(command.split())) == fault


@pytest.mark.parametrize(
    "pattern, key, matches",
    [
        ("a*", "abc", True),
        ("*", "", True),
        ("**", "x\ny", True),
        ("a*b*c", "axxbyyc", True),
        ("a*b*c", "axxcyyb", False),
        ("*ab*ab", "ab", False),
        ("h?llo", "hello", True),
        ("h?llo", "hllo", False),
        ("h[ae]llo", "hallo", True),
        ("h[^e]llo", "hello", False),
        ("h[a-c]llo", "hbllo", True),
        ("h[c-a]llo", "hbllo", True),
        (r"a\*b", "a*b", True),
        (r"a\*b", "axb", False),
        (r"[\]]", "]", True),
        (r"[\^a]", "^", True),
        ("[!a]", "!", True),
        ("[]", "x", False),
        ("[^]", "x", True),
        ("[", "[", True),
        ("a-]", "a-]", True),
        ("\\", "\\", True),
        ("(?:x)+", "xx", False),
        ("*a" * 12 + "b", "a" * 3000, False),
        ("[" * 1024, "[" * 1024, True),
        ("*" + "[ab]" * 250 + "c*", "a" * 4096, False),
    ],
)
def test_a_pattern_finds_the_keys_that_it_would_find_in_redis(
    pattern: str, key: str, *, matches: bool
) -> None:
    """Stars, question marks, classes and escapes; and none takes for ever."""
    _, found = MACHINE.apply(Map({key: "v"}), ("KEYS", pattern))

    assert found == ((key,) if matches else ())


@given(st.text(alphabet=r"ab*?[]^-\!", max_size=8), st.text(alphabet="ab*[]^-\\", max_size=6))
def test_any_text_is_a_pattern(pattern: str, key: str) -> None:
    """No pattern is an error: Redis knows none either."""
    _, found = MACHINE.apply(Map({key: "v"}), ("KEYS", pattern))

    assert found in ((), (key,))


@pytest.mark.parametrize("count", [1, 10, 1000])
def test_a_scan_finds_every_key_once(count: int) -> None:
    """From cursor to cursor until it is 0 again; keys that come and go meanwhile do not matter."""
    state = Map({f"key{number}": "v" for number in range(500)})
    found: list[Result] = []
    cursor, steps = "0", 0
    while True:
        _, result = MACHINE.apply(state, ("SCAN", cursor, "COUNT", str(count)))
        assert isinstance(result, tuple)
        next_cursor, keys = result
        assert isinstance(next_cursor, str)
        assert isinstance(keys, tuple)
        cursor, steps = next_cursor, steps + 1
        found += keys
        state = state.set(f"new{steps}", "v")
        if cursor == "0":
            break

    assert sorted(key for key in map(str, found) if key.startswith("key")) == sorted(
        f"key{number}" for number in range(500)
    )
    assert steps <= 64


def test_a_scan_can_look_for_a_pattern() -> None:
    """MATCH leaves keys out, not steps."""
    _, result = MACHINE.apply(texts(ab="1", b="2"), ("SCAN", "0", "match", "a*"))

    assert result == ("0", ("ab",))


@pytest.mark.parametrize(
    "command, changes",
    [
        (("SET", "a", "2"), (("a", "2"),)),
        (("SET", "a", "1"), ()),
        (("DEL", "a", "b"), (("a", None),)),
        (("MSET", "b", "2", "a", "1", "c", "3"), (("b", "2"), ("c", "3"))),
        (("INCR", "a"), (("a", "2"),)),
    ],
)
def test_a_command_tells_which_keys_it_changed(
    command: Command, changes: tuple[tuple[str, str | None], ...]
) -> None:
    """Who watches a key is told its new text, None when it is gone, nothing if it stays."""
    before = texts(a="1")

    after, _ = MACHINE.apply(before, command)

    assert MACHINE.changes(before, after, command) == changes


def test_no_command_changes_the_state_it_is_given() -> None:
    """Snapshots of different links share what is equal in them."""
    state = texts(a="1", b="2")
    for command in (("SET", "a", "x"), ("DEL", "a", "b"), ("MSET", "a", "x"), ("INCR", "a")):
        MACHINE.apply(state, command)

    assert state == texts(a="1", b="2")


def test_reads_are_told_from_writes() -> None:
    """What reads may be answered by a master alone; what writes never."""
    reads = {name for name in MACHINE.forms if MACHINE.is_read((name,))}

    assert reads == {"GET", "EXISTS", "MGET", "KEYS", "SCAN", "DBSIZE"}


def test_its_summary_counts_the_keys() -> None:
    """A status shows no whole dictionary."""
    assert MACHINE.summary(texts(a="1")) == "1 key"
    assert MACHINE.summary(MACHINE.initial()) == "0 keys"
