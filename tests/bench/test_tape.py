"""What clients send: encoded before, with the replies that they must get."""

import random
from typing import Any

import hiredis

from multipaxos.bench.plan import Content, Load
from multipaxos.bench.tape import Entry, counting_entry, encode, filling, tape


def parsed(data: bytes) -> list[Any]:
    """Return everything in *data*, as hiredis reads it."""
    reader = hiredis.Reader()
    reader.feed(data)
    found = []
    while (one := reader.gets()) is not False:
        found.append(one)
    return found


def answers_of(entry: Entry, texts: dict[bytes, bytes]) -> list[bytes | None]:
    """Return what a dictionary of *texts* answers to *entry*."""
    answers: list[bytes | None] = []
    for command in parsed(entry.request):
        match command:
            case [b"SET", key, value]:
                texts[key] = value
                answers.append(b"OK")
            case [b"GET", key]:
                answers.append(texts.get(key))
    return answers


def filled(content: Content) -> dict[bytes, bytes]:
    """Return the texts of a dictionary in which all keys of *content* were written once."""
    texts: dict[bytes, bytes] = {}
    for request in filling(content):
        [[name, *pairs]] = parsed(request)
        assert name == b"MSET"
        texts.update(zip(pairs[::2], pairs[1::2], strict=True))
    return texts


def test_replies_are_known_before() -> None:
    """Each key has one value, whoever writes it: a wrong answer cannot pass for a right one."""
    content = Content(keys=50, value_bytes=20)
    entries = tape(Load(pipeline=7, reads=0.5), content, random.Random(1))
    texts = filled(content)

    for entry in entries:
        answers = answers_of(entry, texts)

        assert entry.replies == tuple(answers)
        assert entry.expected is not None
        assert parsed(entry.expected) == answers
        assert (entry.reads, entry.writes) == (7 - answers.count(b"OK"), answers.count(b"OK"))
        assert entry.size == 7


def test_different_keys_have_different_values() -> None:
    """So the answer for another key is a wrong one; and all are as large as was asked for."""
    texts = filled(Content(keys=300, value_bytes=10))

    assert len(texts) == len(set(texts.values())) == 300
    assert {len(value) for value in texts.values()} == {10}


def test_reads_have_the_share_that_was_asked_for() -> None:
    """None, all, or about the part."""
    for share, least, most in ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.25, 0.2, 0.3)):
        entries = tape(Load(reads=share), Content(), random.Random(1))

        reads = sum(entry.reads for entry in entries) / len(entries)

        assert least <= reads <= most


def test_a_register_has_one_value() -> None:
    """There is no key in a command, and each read must see what all write."""
    content = Content(state="register", value_bytes=8)

    entries = tape(Load(pipeline=2, reads=0.5), content, random.Random(1))

    commands = {tuple(command) for entry in entries for command in parsed(entry.request)}
    assert commands == {(b"SET", content.value(0)), (b"GET",)}
    assert [parsed(request) for request in filling(content)] == [[[b"SET", content.value(0)]]]


def test_large_values_are_written_some_at_a_time() -> None:
    """No command is larger than a server takes, as long as a single value is not."""
    content = Content(keys=10, value_bytes=200_000)

    requests = list(filling(content))

    assert all(len(request) < 1_000_000 for request in requests)
    assert len(filled(content)) == 10


def test_who_counts_does_not_know_the_replies() -> None:
    """The counter says how often it was incremented: that is held against what clients saw."""
    entry = counting_entry(3, b"k")

    assert parsed(entry.request) == [[b"INCR", b"k"]] * 3
    assert entry.expected is None
    assert entry.replies is None
    assert entry.size == entry.writes == 3


def test_commands_are_encoded_as_redis_wants_them() -> None:
    """Lengths count bytes."""
    assert encode(b"SET", b"k", "é".encode()) == b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\n\xc3\xa9\r\n"
