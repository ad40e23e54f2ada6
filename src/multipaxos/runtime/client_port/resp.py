"""
The client protocol's bytes: what a server replies, in RESP2 or RESP3, the protocols of Redis.

How requests are read, :mod:`multipaxos.runtime.client_port.request_reader` knows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from multipaxos.chain.state_machine import Failure, Result

Reply: TypeAlias = bytes

VERSIONS = (2, 3)
NEWER_VERSION = 3


def simple(text: str) -> Reply:
    """Encode a short reply that is no data, such as ``OK``."""
    return b"+%b\r\n" % text.encode()


def error(text: str) -> Reply:
    """Encode an error: its first word names it, the rest is for people; line ends become blanks."""
    line = text.replace("\r", " ").replace("\n", " ")
    return b"-%b\r\n" % line.encode(errors="backslashreplace")


def integer(number: int) -> Reply:
    """Encode an integer."""
    return b":%d\r\n" % number


def bulk(content: str | bytes) -> Reply:
    """Encode text, or bytes, of any content."""
    encoded = content.encode() if isinstance(content, str) else content
    return b"$%d\r\n%b\r\n" % (len(encoded), encoded)


def array(replies: Sequence[Reply]) -> Reply:
    """Put encoded *replies* into one."""
    return b"*%d\r\n%b" % (len(replies), b"".join(replies))


OK = simple("OK")


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a connection wants what the two versions of the protocol write differently."""

    version: int = VERSIONS[0]

    @property
    def null(self) -> Reply:
        """The reply that there is nothing."""
        return b"_\r\n" if self.version >= NEWER_VERSION else b"$-1\r\n"

    def bulk(self, text: str | None) -> Reply:
        """Encode text of any content; None is the null reply."""
        return self.null if text is None else bulk(text)

    def mapping(self, replies: Mapping[str, Reply]) -> Reply:
        """Encode *replies* by name: a map, or an array of names and replies in turn."""
        items = b"".join(bulk(name) + reply for name, reply in replies.items())
        if self.version >= NEWER_VERSION:
            return b"%%%d\r\n%b" % (len(replies), items)
        return b"*%d\r\n%b" % (2 * len(replies), items)

    def verbatim(self, text: str) -> Reply:
        """Encode *text* that people are to read as it stands."""
        if self.version < NEWER_VERSION:
            return bulk(text)
        encoded = b"txt:" + text.encode()
        return b"=%d\r\n%b\r\n" % (len(encoded), encoded)

    def result(self, told: Result) -> Reply:
        """Encode what a state machine told: True as ``OK``, False and None as the null reply."""
        match told:
            case bool():
                return OK if told else self.null
            case int():
                return integer(told)
            case str() | None:
                return self.bulk(told)
            case Failure(text=text):
                return error(text)
            case tuple():
                return array([self.result(item) for item in told])
            case _:
                assert_never(told)
