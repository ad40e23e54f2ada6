"""Requests out of bytes: whole ones whatever the packets, Redis' words for what is none."""

import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.runtime.clients import request

from multipaxos.runtime.client_port.request_lines import split_line
from multipaxos.runtime.client_port.request_reader import (
    ARGUMENT_BYTES_MAX,
    ARGUMENTS_MAX,
    LIMITS,
    LIMITS_OF_STRANGERS,
    LINE_BYTES_MAX,
    REQUEST_BYTES_MAX,
    RequestError,
    RequestReader,
    limits_for,
)

# What a parser could take for the beginning of something, in the midst of a value, too.
TEASING = st.sampled_from(
    [b"*", b"*1\r\n", b"*99999", b"%100000\r\n", b"$3\r\n", b"\r\n", b"+", b"*2\r\n*9", b"~", b">7"]
)
VALUES = st.one_of(st.binary(max_size=20), st.lists(TEASING, max_size=6).map(b"".join))
ARRAYS = st.lists(VALUES, min_size=1, max_size=5)
LINES = st.lists(st.from_regex(rb"[A-Za-z0-9:$%]{1,8}", fullmatch=True), min_size=1, max_size=4)
CUTS = st.lists(st.integers(1, 30))
GARBAGE = st.one_of(
    st.binary(max_size=60),
    st.lists(
        st.one_of(
            TEASING,
            st.sampled_from([b"*3\r\n", b"_\r\n", b":1\r\n", b"$-1\r\n", b"#t\r\n", b"-E\r\n"]),
            st.sampled_from([b"$1\r\nx\r\n", b"$1\r\nxYY", b"PING\r\n", b"(1\r\n", b",1.5\r\n"]),
        ),
        max_size=12,
    ).map(b"".join),
)


def pieces(stream: bytes, cuts: list[int]) -> list[bytes]:
    """Cut *stream* into pieces of these sizes, and what is left over."""
    found = []
    for size in [*cuts, len(stream)]:
        found.append(stream[:size])
        stream = stream[size:]
    return [piece for piece in found if piece]


def read_all(reader: RequestReader, *received: bytes) -> list[object]:
    """Return the requests in what was *received*, and the text of the error that ends them."""
    found: list[object] = []
    try:
        for piece in received:
            reader.feed(piece)
            while (arguments := reader.next_request()) is not None:
                found.append(arguments)
    except RequestError as error:
        found.append(str(error))
    return found


@given(requests=st.lists(st.tuples(st.booleans(), ARRAYS, LINES), max_size=8), cuts=CUTS)
def test_requests_are_read_however_they_are_cut(
    requests: list[tuple[bool, list[bytes], list[bytes]]], cuts: list[int]
) -> None:
    """The network may cut the stream anywhere; arrays and typed lines may follow each other."""
    stream = b""
    expected = []
    for is_line, array, line in requests:
        stream += b" ".join(line) + b"\r\n" if is_line else request(*array)
        expected.append(line if is_line else array)
    reader = RequestReader()

    found = read_all(reader, *pieces(stream, cuts))

    assert found == expected
    assert len(reader) == 0


@given(garbage=GARBAGE, cuts=CUTS)
@example(garbage=b"*1\r\n$2\r\nabXX*1\r\n$4\r\nPING\r\n", cuts=[18])
@example(garbage=b"*2\r\n$1\r\nabcPING\r\n+x\r\n", cuts=[3])
def test_garbage_means_the_same_however_it_is_cut(garbage: bytes, cuts: list[int]) -> None:
    """Any bytes are requests, the beginning of one, or an error: never anything else."""
    whole = read_all(RequestReader(), garbage)
    cut = read_all(RequestReader(), *pieces(garbage, cuts))

    assert cut == whole
    assert all(isinstance(each, str) or each for each in whole)


@pytest.mark.parametrize(
    "stream, error",
    [
        (b"*16385\r\n", "invalid multibulk length"),
        (b"*1000000000\r\n$1\r\n", "invalid multibulk length"),
        (b"*x\r\n", "invalid multibulk length"),
        (b"*01\r\n", "invalid multibulk length"),
        (b"*" + b"1" * 40, "too big mbulk count string"),
        (b"*1\r\n*1\r\n", "expected '$', got '*'"),
        (b"*2\r\n$1\r\na\r\n*1000000000\r\n", "expected '$', got '*'"),
        (b"*2\r\n$2\r\nabXX%1000000000\r\n", "expected '$', got '%'"),
        (b"*1\r\n+PING\r\n", "expected '$', got '+'"),
        (b"*1\r\n:1\r\n", "expected '$', got ':'"),
        (b"*2\r\n:1", "expected '$', got ':'"),
        (b"*1\r\n\x00", r"expected '$', got '\x00'"),
        (b"*1\r\n$-1\r\n", "invalid bulk length"),
        (b"*1\r\n$1048577\r\n", "invalid bulk length"),
        (b"*1\r\n$" + b"1" * 40, "too big bulk count string"),
        (b"*3\r\n$3\r\nSET\r\n" + b"$1048576\r\n%b\r\n" % (b"x" * 2**20) * 2, "too big request"),
        (b'SET "x\r\n', "unbalanced quotes in request"),
        (b"x" * LINE_BYTES_MAX, "too big inline request"),
    ],
)
def test_what_is_no_request_is_refused_as_redis_does(stream: bytes, error: str) -> None:
    """A wrong header is refused as soon as it is there, before anything is reserved for it."""
    assert read_all(RequestReader(), stream) == [f"Protocol error: {error}"]


@pytest.mark.parametrize(
    "stream",
    [
        b"*1000000000\r\n",
        b"*1\r\n" * 2000,
        b"*1024\r\n" * 2000,
        b"*1024\r\n$0\r\n" + b"*1024\r\n" * 9,
        b"*2\r\n$2\r\nabXX*1000000000\r\n",
        b"~1000000000\r\n",
        request(b"*1000000000\r\n" * 70_000),
    ],
    ids=["huge", "deep", "deep and wide", "nested", "behind a wrong end", "a set", "a value"],
)
@pytest.mark.parametrize("size", [1, 7, 4096, 10**6])
def test_what_is_announced_costs_nothing(stream: bytes, size: int) -> None:
    """Memory is needed for what arrived, not for what was announced."""
    received = pieces(stream, [size] * min(len(stream) // size, 3000))
    reader = RequestReader()
    tracemalloc.start()
    try:
        with suppress(RequestError):
            read_all(reader, *received)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 5 * len(stream) + 1_000_000


def test_the_largest_requests_are_read() -> None:
    """Many arguments, one large one, and a typed line up to its limit."""
    many = [b"x"] * ARGUMENTS_MAX
    large = [b"SET", b"x" * ARGUMENT_BYTES_MAX]
    reader = RequestReader()

    assert read_all(reader, request(*many), *pieces(request(*large), [65_536] * 20)) == [
        many,
        large,
    ]
    assert read_all(reader, b"x" * (LINE_BYTES_MAX - 1) + b"\n") == [[b"x" * (LINE_BYTES_MAX - 1)]]


def test_an_incomplete_request_is_bounded() -> None:
    """Who never ends a request is cut off before it holds more than the longest may have."""
    reader = RequestReader()
    stream = b"*1024\r\n" + b"$1000\r\n%b\r\n" % (b"x" * 1000) * 1024
    found = []
    for piece in pieces(stream, [65_536] * 20):
        found += read_all(reader, piece)
        assert len(reader) < REQUEST_BYTES_MAX

    assert len(found) == 1


def test_empty_requests_are_passed_over() -> None:
    """An empty request asks for nothing and gets no reply."""
    reader = RequestReader()
    stream = b"*0\r\n*-1\r\n\r\n  \r\n*-5\r\n" + request("PING") + b"*0\r\n"

    assert read_all(reader, stream) == [[b"PING"]]


@pytest.mark.parametrize(
    "stream, error",
    [
        (b"*11\r\n", "unauthenticated multibulk length"),
        (request(*["x"] * 11), "unauthenticated multibulk length"),
        (b"*2\r\n$4\r\nAUTH\r\n$16385\r\n", "unauthenticated bulk length"),
        (request("x" * 16_385), "unauthenticated bulk length"),
    ],
)
def test_strangers_have_less_room(stream: bytes, error: str) -> None:
    """Whoever has not given the password can make the server keep little, and in Redis' words."""
    assert read_all(RequestReader(LIMITS_OF_STRANGERS), stream) == [f"Protocol error: {error}"]


def test_limits_hold_from_the_next_request_on() -> None:
    """What stands behind the password in the same packet has the room of those who are known."""
    reader = RequestReader(LIMITS_OF_STRANGERS)
    reader.feed(request("AUTH", "secret") + request(*["x"] * 100))

    assert reader.next_request() == [b"AUTH", b"secret"]
    reader.limits = LIMITS
    assert reader.next_request() == [b"x"] * 100


@pytest.mark.parametrize(
    "line, words",
    [
        (b"SET  key\tvalue \r", [b"SET", b"key", b"value"]),
        (b"SET \"a b\" 'c d'", [b"SET", b"a b", b"c d"]),
        (rb'ECHO "\x41\n\"\q" ', [b"ECHO", b'A\n"q']),
        (rb"ECHO 'it\'s \x41'", [b"ECHO", rb"it's \x41"]),
        (b'ECHO a"b c"', [b"ECHO", b"ab c"]),
        (b'""', [b""]),
        (b'"a"b', None),
        (b'a "b', None),
        (rb"'a\'", None),
        (rb'"a\"', None),
    ],
)
def test_lines_are_cut_into_words_as_redis_does(line: bytes, words: list[bytes] | None) -> None:
    """Quotes of both kinds keep blanks together; one that is left open is an error."""
    assert split_line(line) == words


@given(st.binary(max_size=40))
def test_any_line_is_words_or_refused(line: bytes) -> None:
    """No line makes the server stumble, or work long."""
    words = split_line(line)

    assert words is None or all(isinstance(word, bytes) for word in words)


def test_limits_follow_the_largest_value() -> None:
    """Where values may be larger than usual, so may requests; never is one refused that was not."""
    small, large = limits_for(100), limits_for(5 * 2**20)

    assert small == LIMITS
    assert large.argument_bytes_max == 5 * 2**20
    assert large.request_bytes_max == 6 * 2**20
    value = b"x" * (3 * 2**20)
    reader = RequestReader(large)
    reader.feed(b"*2\r\n$3\r\nSET\r\n$%d\r\n%b\r\n" % (len(value), value))
    assert reader.next_request() == [b"SET", value]
