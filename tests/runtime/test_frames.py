"""Messages in a stream: whole again, however it was cut, and never longer than a limit."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multipaxos.runtime.messenger.frames import (
    MESSAGE_BYTES_MAX,
    FrameReader,
    FrameTooLongError,
    header,
)


@given(st.lists(st.binary(max_size=20), max_size=5), st.data())
def test_messages_come_out_as_they_went_in(messages: list[bytes], data: st.DataObject) -> None:
    """A stream has no seams: any piece may arrive by itself."""
    stream = b"".join(header(message) + message for message in messages)
    reader = FrameReader()
    read = []

    while stream:
        length = data.draw(st.integers(1, len(stream)))
        reader.feed(stream[:length])
        stream = stream[length:]
        while (message := reader.next_message()) is not None:
            read.append(message)

    assert read == messages


def test_the_length_stands_before_it_in_four_bytes() -> None:
    """Big-endian, as networks have it."""
    assert header(b"x" * 258) == b"\x00\x00\x01\x02"


@pytest.mark.parametrize("length", [MESSAGE_BYTES_MAX + 1, 2**32 - 1])
def test_a_frame_that_is_too_long_is_refused_when_it_is_announced(length: int) -> None:
    """Not when it is there: nobody makes a server gather what it will not take."""
    reader = FrameReader()

    reader.feed(struct.pack("!I", length)[:3])
    assert reader.next_message() is None
    reader.feed(struct.pack("!I", length)[3:])

    with pytest.raises(
        FrameTooLongError, match=f"a frame of {length} bytes, more than {MESSAGE_BYTES_MAX}"
    ):
        reader.next_message()


def test_the_longest_message_is_read() -> None:
    """64 MiB, at a speed that lets the server live."""
    message = bytes(MESSAGE_BYTES_MAX)
    reader = FrameReader()

    reader.feed(header(message))
    for start in range(0, len(message), 65_536):
        reader.feed(message[start : start + 65_536])

    assert reader.next_message() == message
    assert reader.next_message() is None
