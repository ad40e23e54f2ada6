"""JSON text of the wire's structures, and back."""

from typing import TypeVar

import msgspec

from multipaxos.runtime.codec.errors import MalformedDatagramError

T = TypeVar("T")


def encode(structure: msgspec.Struct, decoder: msgspec.json.Decoder[T]) -> bytes:
    """Return *structure* as JSON; MalformedDatagramError if *decoder* would not read it."""
    try:
        text = msgspec.json.encode(structure)
    except UnicodeEncodeError as error:
        raise MalformedDatagramError(str(error)) from error
    # msgspec checks what it reads, not what it writes. What we send or save must be readable.
    decode(text, decoder)
    return text


def decode(text: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Return the structure in *text*; MalformedDatagramError for anything else."""
    try:
        return decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedDatagramError(str(error)) from error
