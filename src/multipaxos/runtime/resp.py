"""
The client protocol's bytes: RESP2, the protocol of Redis, as a server needs it.

Requests are parsed here and not by hiredis, which the client uses: hiredis reserves the memory for
as many arguments as a request announces before it has read one of them, so that 17 bytes can hold
the server up for seconds.
"""

from collections.abc import Sequence
from typing import TypeAlias, assert_never

from multipaxos.chain.state_machine import Failure, Result

ARGUMENTS_MAX = 16
"""A request has at most this many arguments, the command's name included."""

ARGUMENT_BYTES_MAX = 1024 * 1024
"""An argument has at most this many bytes: room to answer a too large value with a clear error."""

_HEADER_BYTES_MAX = 16

Reply: TypeAlias = bytes


class RequestError(Exception):
    """What was read is no request; the message is the one that Redis gives."""


class RequestReader:
    """
    Cuts a stream of bytes into requests: arrays of bulk strings.

    State: the bytes that are not yet part of a request.
    """

    def __init__(self) -> None:
        """Begin without any byte."""
        self._buffer = bytearray()

    def __len__(self) -> int:
        """Return how many bytes wait."""
        return len(self._buffer)

    def feed(self, received: bytes) -> None:
        """Add the bytes that were *received*."""
        self._buffer += received

    def next_request(self) -> list[bytes] | None:
        """
        Return the next request's arguments, at least one, or None while it is not complete.

        Raises RequestError for anything that is no request, or exceeds the limits above; nothing
        after it can be read.
        """
        while self._buffer:
            count, position = self._read_header(b"*", 0)
            if position < 0:
                return None
            if count > ARGUMENTS_MAX:
                raise RequestError("Protocol error: invalid multibulk length")
            if count > 0:
                return self._read_arguments(count, position)
            # As in Redis, an empty request asks for nothing and gets no reply.
            del self._buffer[:position]
        return None

    def _read_arguments(self, count: int, position: int) -> list[bytes] | None:
        arguments = []
        for _ in range(count):
            length, start = self._read_header(b"$", position)
            if start < 0:
                return None
            if not 0 <= length <= ARGUMENT_BYTES_MAX:
                raise RequestError("Protocol error: invalid bulk length")
            position = start + length + 2
            if len(self._buffer) < position:
                return None
            arguments.append(bytes(self._buffer[start : start + length]))
        del self._buffer[:position]
        return arguments

    def _read_header(self, mark: bytes, position: int) -> tuple[int, int]:
        """Return the number behind *mark* at *position* and where it ends: -1 if not yet there."""
        found = bytes(self._buffer[position : position + _HEADER_BYTES_MAX])
        if not found:
            return 0, -1
        if not found.startswith(mark):
            got = chr(found[0]) if 32 <= found[0] < 127 else f"\\x{found[0]:02x}"  # noqa: PLR2004
            raise RequestError(f"Protocol error: expected '{mark.decode()}', got '{got}'")
        number, end, _ = found[1:].partition(b"\r\n")
        if not end:
            if len(found) < _HEADER_BYTES_MAX:
                return 0, -1
            kind = "mbulk" if mark == b"*" else "bulk"
            raise RequestError(f"Protocol error: too big {kind} count string")
        if not number.removeprefix(b"-").isdigit():
            kind = "multibulk" if mark == b"*" else "bulk"
            raise RequestError(f"Protocol error: invalid {kind} length")
        return int(number), position + 1 + len(number) + 2


def simple(text: str) -> Reply:
    """Encode a short reply that is no data, such as ``OK``."""
    return b"+%b\r\n" % text.encode()


def error(text: str) -> Reply:
    """Encode an error: its first word names it, the rest is for people; line ends become blanks."""
    return b"-%b\r\n" % " ".join(text.splitlines()).encode(errors="backslashreplace")


def integer(number: int) -> Reply:
    """Encode an integer."""
    return b":%d\r\n" % number


def bulk(text: str | None) -> Reply:
    """Encode text of any content; None is the null reply."""
    if text is None:
        return b"$-1\r\n"
    encoded = text.encode()
    return b"$%d\r\n%b\r\n" % (len(encoded), encoded)


def array(replies: Sequence[Reply]) -> Reply:
    """Put encoded *replies* into one."""
    return b"*%d\r\n%b" % (len(replies), b"".join(replies))


def result(told: Result) -> Reply:
    """Encode what a state machine told: True as ``OK``, False and None as the null reply."""
    match told:
        case bool():
            return simple("OK") if told else bulk(None)
        case int():
            return integer(told)
        case str() | None:
            return bulk(told)
        case Failure(text=text):
            return error(text)
        case tuple():
            return array([result(item) for item in told])
        case _:
            assert_never(told)
