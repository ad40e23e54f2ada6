"""
Requests out of a connection's bytes: arrays of bulk strings, and lines as a person types them.

The arrays are parsed by hiredis. But hiredis was made for clients, which trust their server: it
reserves memory for as many elements as an array announces before it has read one (17 bytes can
hold it up for seconds), it takes types that no request has, and it knows no typed lines. So

- it is never given a large count that nobody has looked at: from where one might stand, the headers
  of the request are followed first, and then it is given that request alone;
- what it finds is taken as a request only if its own packer writes the very bytes that came;
- whatever is no complete request by that is left to the headers to judge, in Redis' words.
"""

import re
from collections import deque
from dataclasses import dataclass
from typing import Any

import hiredis

from multipaxos.runtime.client_port.request_lines import split_line

ARGUMENTS_MAX = 16 * 1024
"""A request has at most this many arguments, the command's name included."""
ARGUMENT_BYTES_MAX = 1024 * 1024
"""An argument has at most this many bytes; more, where a value may have more."""
REQUEST_BYTES_MAX = 2 * ARGUMENT_BYTES_MAX
"""A request has at most this many: room to answer one that is too large with a clear error."""
LINE_BYTES_MAX = 64 * 1024
"""A typed line has at most this many bytes, its end included."""
STRANGERS_ARGUMENTS_MAX = 10
"""The same for those who have not given the password yet ..."""
STRANGERS_ARGUMENT_BYTES_MAX = 16 * 1024
"""... as in Redis."""

_HEADER_BYTES_MAX = 32
_PIECE_BYTES = 4096
"""So much the parser is given at a time without a look at the headers."""

_ARRAY = ord("*")
_LARGE_COUNT = re.compile(rb"[*%~>|](?:[0-9]{3}|[0-9]{0,2}\Z)")
"""Where an array, a map or the like of a hundred or more may begin, or will when more arrives."""
_NUMBER = re.compile(rb"0|-?[1-9][0-9]*")

# Its type hint speaks of one argument; it takes any number.
_pack: Any = hiredis.pack_command


class RequestError(Exception):
    """What was read is no request; the message is the one that Redis gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How large requests may be, and the *word* for a count or a length above that."""

    arguments_max: int
    argument_bytes_max: int
    request_bytes_max: int = REQUEST_BYTES_MAX
    word: str


def limits_for(value_bytes_max: int) -> Limits:
    """Return the limits of requests with values of up to *value_bytes_max*."""
    argument_bytes_max = max(ARGUMENT_BYTES_MAX, value_bytes_max)
    return Limits(
        arguments_max=ARGUMENTS_MAX,
        argument_bytes_max=argument_bytes_max,
        request_bytes_max=argument_bytes_max + REQUEST_BYTES_MAX - ARGUMENT_BYTES_MAX,
        word="invalid",
    )


LIMITS = limits_for(ARGUMENT_BYTES_MAX)
LIMITS_OF_STRANGERS = Limits(
    arguments_max=STRANGERS_ARGUMENTS_MAX,
    argument_bytes_max=STRANGERS_ARGUMENT_BYTES_MAX,
    word="unauthenticated",
)


class RequestReader:
    """
    Cuts a stream of bytes into requests.

    State: the *stream*, of which the next request *begins* at a known place; the requests from
    there on that are *ready*, each with its length; the parser, and up to where it was *fed*; the
    *headers* of the next request, as far as they were followed.

    Invariant: the parser has read exactly the requests before *begin* and those that are ready, and
    holds what follows them up to *fed*.
    """

    def __init__(self, limits: Limits = LIMITS) -> None:
        """Begin without any byte. The *limits* may be changed between two requests."""
        self.limits = limits
        self._stream = bytearray()
        self._begin = 0
        self._parser = hiredis.Reader()
        self._fed = 0
        self._headers = _Headers()
        self._ready: deque[tuple[list[bytes], int]] = deque()

    def __len__(self) -> int:
        """Return how many bytes wait."""
        return len(self._stream) - self._begin

    def feed(self, received: bytes) -> None:
        """Add the bytes that were *received*."""
        del self._stream[: self._begin]
        self._fed -= self._begin
        self._begin = 0
        self._stream += received

    def next_request(self) -> list[bytes] | None:
        """
        Return the next request's arguments, at least one, or None while it is not complete.

        Raises RequestError for anything that is no request, or exceeds the limits; nothing after it
        can be read.
        """
        if self._ready:
            first, length = self._ready.popleft()
            self._begin += length
            return first
        while self._begin < len(self._stream):
            is_array = self._stream[self._begin] == _ARRAY
            request = self._next_array() if is_array else self._next_line()
            # As in Redis, an empty request asks for nothing and gets no reply.
            if request != []:
                return request
        return None

    # -- arrays ------------------------------------------------------------------------------------

    def _next_array(self) -> list[bytes] | None:
        # The limits may change with a request: a stranger's are read one by one.
        if self.limits is not LIMITS_OF_STRANGERS and self._parse_all():
            return self.next_request()
        request = self._parse_ahead()
        if request is not None:
            return request
        end = self._headers.follow(self._stream, self._begin, self.limits)
        return None if end is None else self._parse_alone(end)

    def _parse_all(self) -> bool:
        """Make ready what of the next piece are requests; False if none is, or one may be wrong."""
        self._feed_parser()
        gets = self._parser.gets
        found: list[Any] = []
        try:
            while (request := gets()) is not False:
                found.append(request)
            packed = [_pack(tuple(request)) for request in found]
        except (hiredis.HiredisError, TypeError):
            self._restart_parser()
            return False
        whole = b"".join(packed)
        is_good = self._stream.startswith(whole, self._begin) and all(
            map(self._is_allowed, found, packed)
        )
        if not is_good or [] in found:
            self._restart_parser()
            return False
        self._ready.extend(zip(found, map(len, packed), strict=True))
        if found and self._headers.arguments is not None:
            self._headers = _Headers()
        return bool(found)

    def _parse_ahead(self) -> list[bytes] | None:
        """Return the next request, if it is one by all rules and harmless to parse at once."""
        try:
            found: Any = self._parser.gets()
            if found is False:
                self._feed_parser()
                found = self._parser.gets()
            if found is False:
                return None
            # What has no bulk strings only is written otherwise, or cannot be written at all.
            packed: bytes = _pack(tuple(found))
        except (hiredis.HiredisError, TypeError):
            self._restart_parser()
            return None
        if not (self._stream.startswith(packed, self._begin) and self._is_allowed(found, packed)):
            self._restart_parser()
            return None
        request: list[bytes] = found
        self._begin += len(packed)
        if self._headers.arguments is not None:
            self._headers = _Headers()
        return request

    def _feed_parser(self) -> None:
        end = min(len(self._stream), self._fed + _PIECE_BYTES)
        large_count = _LARGE_COUNT.search(self._stream, self._fed, end)
        if large_count is not None:
            end = large_count.start()
        if end > self._fed:
            self._parser.feed(bytes(self._stream[self._fed : end]))
            self._fed = end

    def _is_allowed(self, request: list[bytes], packed: bytes) -> bool:
        limits = self.limits
        return len(request) <= limits.arguments_max and (
            len(packed) <= limits.argument_bytes_max
            or max(map(len, request)) <= limits.argument_bytes_max
        )

    def _parse_alone(self, end: int) -> list[bytes]:
        """Return the request up to *end*, whose headers were found to be right."""
        parser = hiredis.Reader()
        parser.feed(bytes(self._stream[self._begin : end]))
        request = parser.gets() if self._headers.arguments else []
        assert isinstance(request, list), "what the headers say, the parser finds"
        self._begin = end
        self._headers = _Headers()
        self._restart_parser()
        return request

    # -- lines -------------------------------------------------------------------------------------

    def _next_line(self) -> list[bytes] | None:
        end = self._stream.find(b"\n", self._begin, self._begin + LINE_BYTES_MAX)
        if end < 0:
            if len(self) >= LINE_BYTES_MAX:
                raise RequestError("Protocol error: too big inline request")
            return None
        words = split_line(bytes(self._stream[self._begin : end]))
        if words is None:
            raise RequestError("Protocol error: unbalanced quotes in request")
        self._begin = end + 1
        self._restart_parser()
        return words

    # -- own affairs -------------------------------------------------------------------------------

    def _restart_parser(self) -> None:
        self._parser = hiredis.Reader()
        self._fed = self._begin


class _Headers:
    """
    The headers of one request, followed while its bytes arrive; what they announce is passed over.

    State: how many *arguments* the first one announced, None before it is there; how many of them
    were passed; and the place of the next header, counted from where the request begins.
    """

    __slots__ = ("_passed", "_place", "arguments")

    def __init__(self) -> None:
        self.arguments: int | None = None
        self._passed = 0
        self._place = 0

    def follow(self, stream: bytearray, begin: int, limits: Limits) -> int | None:
        """Return where the request that begins at *begin* ends, or None while it is not there."""
        if self.arguments is None:
            header = _read_header(stream, begin, b"*")
            if header is None:
                return None
            count, place = header
            if count > limits.arguments_max:
                raise RequestError(f"Protocol error: {limits.word} multibulk length")
            self.arguments = max(0, count)
            self._place = place - begin
        while self._passed < self.arguments:
            header = _read_header(stream, begin + self._place, b"$")
            if header is None:
                return None
            length, place = header
            if not 0 <= length <= limits.argument_bytes_max:
                word = "invalid" if length < 0 else limits.word
                raise RequestError(f"Protocol error: {word} bulk length")
            # As in Redis, nobody looks at the two bytes that end an argument.
            after = place + length + len(b"\r\n")
            if after - begin > limits.request_bytes_max:
                raise RequestError("Protocol error: too big request")
            if after > len(stream):
                return None
            self._place = after - begin
            self._passed += 1
        return begin + self._place


def _read_header(stream: bytearray, place: int, mark: bytes) -> tuple[int, int] | None:
    """Return the number behind *mark* at *place*, and where it ends: None if it is not there."""
    found = bytes(stream[place : place + _HEADER_BYTES_MAX])
    if not found:
        return None
    if not found.startswith(mark):
        got = chr(found[0]) if 32 <= found[0] < 127 else f"\\x{found[0]:02x}"  # noqa: PLR2004
        raise RequestError(f"Protocol error: expected '{mark.decode()}', got '{got}'")
    number, end, _ = found[1:].partition(b"\r\n")
    kind = "multibulk" if mark == b"*" else "bulk"
    if not end and len(found) < _HEADER_BYTES_MAX:
        return None
    if not end:
        raise RequestError(f"Protocol error: too big {kind.replace('multi', 'm')} count string")
    if not _NUMBER.fullmatch(number):
        raise RequestError(f"Protocol error: invalid {kind} length")
    return int(number), place + 1 + len(number) + len(end)
