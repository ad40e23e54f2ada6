"""Requests in the protocol of Redis, encoded before the load begins, with the replies they get."""

import random
from collections.abc import Iterator
from typing import NamedTuple

from multipaxos.bench.plan import Content, Load

ENTRIES_MAX = 2048
TAPE_BYTES_MAX = 1 << 26
OK = b"+OK\r\n"
OK_REPLY = b"OK"


class Entry(NamedTuple):
    """
    What a client sends at once, and what must come back.

    *replies* are the same as *expected*, one by one and parsed. Whoever counts does not know them
    before: both are None.
    """

    request: bytes
    expected: bytes | None
    replies: tuple[bytes, ...] | None
    reads: int
    writes: int

    @property
    def size(self) -> int:
        """How many requests it holds."""
        return self.reads + self.writes


def encode(*arguments: bytes) -> bytes:
    """Return a command as clients of Redis send it."""
    parts = [b"*%d\r\n" % len(arguments)]
    parts += [b"$%d\r\n%b\r\n" % (len(argument), argument) for argument in arguments]
    return b"".join(parts)


def tape(load: Load, content: Content, rng: random.Random) -> list[Entry]:
    """Return what the clients of *load* send, over and over, as drawn from *rng*."""
    bytes_max = TAPE_BYTES_MAX // max(1, content.value_bytes * load.pipeline)
    length = max(4, min(ENTRIES_MAX, bytes_max))
    return [_entry(load, content, rng) for _ in range(length)]


def counting_entry(pipeline: int, key: bytes) -> Entry:
    """Return *pipeline* increments of *key*."""
    return Entry(encode(b"INCR", key) * pipeline, None, None, 0, pipeline)


def filling(content: Content, bytes_max: int = 1 << 19) -> Iterator[bytes]:
    """Yield the commands that write all keys once, some at a time: each is answered with OK."""
    if content.state == "register":
        yield encode(b"SET", content.value(0))
        return
    together = max(1, bytes_max // (content.value_bytes + 64))
    for first in range(0, content.keys, together):
        numbers = range(first, min(first + together, content.keys))
        pairs = [(content.key(number), content.value(number)) for number in numbers]
        yield encode(b"MSET", *(part for pair in pairs for part in pair))


def _entry(load: Load, content: Content, rng: random.Random) -> Entry:
    requests, expected, replies, reads = [], [], [], 0
    for _ in range(load.pipeline):
        number = rng.randrange(content.keys)
        target = () if content.state == "register" else (content.key(number),)
        value = content.value(number)
        if rng.random() < load.reads:
            reads += 1
            requests.append(encode(b"GET", *target))
            expected.append(b"$%d\r\n%b\r\n" % (len(value), value))
            replies.append(value)
        else:
            requests.append(encode(b"SET", *target, value))
            expected.append(OK)
            replies.append(OK_REPLY)
    writes = load.pipeline - reads
    return Entry(b"".join(requests), b"".join(expected), tuple(replies), reads, writes)
