"""
The wire format: messages in JSON that a person can read in a packet capture.

A message is one flat JSON object in UTF-8: a UDP datagram, or, if it is too long for one, a frame
in a TCP stream. Its ``type`` tells which message it is; the envelope's fields are the same in all
(here broken into lines)::

    {
        "type": "accept",
        "cluster": "main",
        "chain": "9c61f0",
        "link": 5,
        "from": "A",
        "to": "B",
        "proposal": [2, "A"],
        "value": {
            "kind": "updates",
            "updates": [{"client": "c1", "sequence": 7, "since": 5, "do": ["SET", "hi"]}],
        },
    }

The fields of each message and link, their character sets and ranges, stand in
:mod:`multipaxos.runtime.codec.wire`. A proposal is ``[number, uid]``; ``null`` where there is none.
A value may be any text except one with lone surrogates, which UTF-8 cannot write.

What is decoded equals what was encoded, exactly. Whatever is wrong with the bytes, decoding raises
:class:`MalformedDatagramError`; encoding raises it for what decoding would refuse. Both storages
write durable state in the same terms.
"""

import re

import msgspec

from multipaxos.chain.durable import DurableState, Snapshot
from multipaxos.chain.messages import Envelope
from multipaxos.runtime.codec import envelopes, parts, wire
from multipaxos.runtime.codec.errors import MalformedDatagramError
from multipaxos.runtime.codec.link_texts import decode_link, encode_link
from multipaxos.runtime.codec.text import decode, encode

__all__ = [
    "COMMAND_BYTES_MAX",
    "VALUE_BYTES_DEFAULT",
    "VALUE_BYTES_MAX",
    "MalformedDatagramError",
    "decode_envelope",
    "decode_link",
    "decode_snapshot",
    "decode_state",
    "decode_votes",
    "encode_envelope",
    "encode_link",
    "encode_snapshot",
    "encode_state",
    "encode_votes",
    "is_client_id",
    "is_cluster_name",
    "is_uid",
    "value_bytes",
]

VALUE_BYTES_MAX = 64 * 2**20
"""How many :func:`value_bytes` a value may have at most that a client sets, however configured."""
VALUE_BYTES_DEFAULT = 2 * 2**20
"""The same where nothing else is configured; a larger one is refused."""
COMMAND_BYTES_MAX = 72 * 2**20
"""The same for all texts of a command together: with all that travels beside them, they fit."""


class _State(wire.Part):
    """A whole durable state in one object."""

    votes: wire.Votes
    snapshot: wire.Snapshot


_datagrams: msgspec.json.Decoder[wire.AnyDatagram] = msgspec.json.Decoder(wire.AnyDatagram)
_votes = msgspec.json.Decoder(wire.Votes)
_snapshots = msgspec.json.Decoder(wire.Snapshot)
_states = msgspec.json.Decoder(_State)


def encode_envelope(envelope: Envelope) -> bytes:
    """
    Return *envelope* as JSON; MalformedDatagramError if there can be none.

    How long it may be is for the transports to say.
    """
    return encode(envelopes.envelope_to_wire(envelope), _datagrams)


def decode_envelope(datagram: bytes) -> Envelope:
    """Return the envelope in *datagram*; MalformedDatagramError for anything else."""
    return envelopes.envelope_from_wire(decode(datagram, _datagrams))


def encode_snapshot(snapshot: Snapshot) -> bytes:
    """Return *snapshot* as JSON."""
    return encode(parts.snapshot_to_wire(snapshot), _snapshots)


def decode_snapshot(text: bytes) -> Snapshot:
    """Return the snapshot that :func:`encode_snapshot` wrote."""
    return parts.snapshot_from_wire(decode(text, _snapshots))


def encode_votes(state: DurableState) -> bytes:
    """Return *state* without its snapshot as JSON."""
    return encode(parts.votes_to_wire(state), _votes)


def decode_votes(text: bytes, snapshot: Snapshot) -> DurableState:
    """Return the state that :func:`encode_votes` wrote, with its *snapshot*."""
    return parts.state_from_wire(decode(text, _votes), snapshot)


def encode_state(state: DurableState) -> bytes:
    """Return the whole *state* as JSON."""
    whole = _State(
        votes=parts.votes_to_wire(state), snapshot=parts.snapshot_to_wire(state.snapshot)
    )
    return encode(whole, _states)


def decode_state(text: bytes) -> DurableState:
    """Return the state that :func:`encode_state` wrote."""
    whole = decode(text, _states)
    return parts.state_from_wire(whole.votes, parts.snapshot_from_wire(whole.snapshot))


def value_bytes(value: str) -> int:
    """Return how many bytes *value* takes in a message: as a JSON string, escapes and quotes."""
    try:
        return len(msgspec.json.encode(value))
    except UnicodeEncodeError as error:
        raise MalformedDatagramError(str(error)) from error


def is_uid(text: str) -> bool:
    """Tell whether *text* can name a server: 1 to 16 letters, digits, ``_-``."""
    return re.search(wire.UID_PATTERN, text) is not None


def is_cluster_name(text: str) -> bool:
    """Tell whether *text* can name a cluster: 1 to 32 letters, digits, ``_-.``."""
    return re.search(wire.CLUSTER_PATTERN, text) is not None


def is_client_id(text: str) -> bool:
    """Tell whether *text* can name a client: 1 to 40 letters, digits, ``_-.:``."""
    return re.search(wire.CLIENT_PATTERN, text) is not None
