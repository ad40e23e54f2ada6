"""
Messages in a stream of bytes: each is one frame, its length in four bytes (big-endian) before it.

Twisted's Int32StringReceiver reads the same frames, but joins anew all that it has with each piece
that arrives: a frame of 64 MiB takes it 15 seconds, in which a server could do nothing else.
"""

import struct

MESSAGE_BYTES_MAX = 80 * 2**20
"""
A longer message is not sent, and a longer frame is not read.

So much takes a catch-up with the largest value and the longest results of all sessions.
"""

_LENGTH = struct.Struct("!I")


class FrameTooLongError(Exception):
    """A frame is announced that is longer than any message; the text says how long."""


def header(message: bytes) -> bytes:
    """Return what precedes *message* in the stream."""
    assert len(message) <= MESSAGE_BYTES_MAX
    return _LENGTH.pack(len(message))


class FrameReader:
    """
    Cuts a stream of bytes into messages.

    State: the bytes that are not yet part of a message. No more memory is taken than bytes arrived.
    """

    def __init__(self) -> None:
        """Begin without any byte."""
        self._buffer = bytearray()

    def feed(self, received: bytes) -> None:
        """Add the bytes that were *received*."""
        self._buffer += received

    def next_message(self) -> bytes | None:
        """
        Return the next message, or None while it is not complete.

        Raises FrameTooLongError as soon as a length above MESSAGE_BYTES_MAX is read; nothing after
        it can be read.
        """
        if len(self._buffer) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._buffer)
        if length > MESSAGE_BYTES_MAX:
            raise FrameTooLongError(f"a frame of {length} bytes, more than {MESSAGE_BYTES_MAX}")
        end = _LENGTH.size + length
        if len(self._buffer) < end:
            return None
        with memoryview(self._buffer) as whole:
            message = bytes(whole[_LENGTH.size : end])
        del self._buffer[:end]
        return message
