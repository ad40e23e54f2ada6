"""
Links as text, each written and read once.

A link is sent to several servers and saved, on its proposer and on each acceptor. Its text is the
same every time: the newest links are kept beside the texts that were made of them, or they of.
"""

from collections import OrderedDict

import msgspec

from multipaxos.chain.links import Link
from multipaxos.runtime.codec import parts, text, wire

LINKS_MAX = 8
"""Two a server, one in flight and one just decided; a process may hold a few servers."""

_decoder: msgspec.json.Decoder[wire.Link] = msgspec.json.Decoder(wire.Link)
_newest: OrderedDict[int, tuple[Link, bytes]] = OrderedDict()
"""By identity, which is a link's own as long as the link is in here."""


def encode_link(link: Link) -> bytes:
    """Return *link* as JSON; MalformedDatagramError if there can be none."""
    known = _newest.get(id(link))
    if known is not None:
        return known[1]
    written = text.encode(parts.link_to_wire(link), _decoder)
    _remember(link, written)
    return written


def decode_link(written: bytes) -> Link:
    """Return the link that is *written*; MalformedDatagramError for anything else."""
    link = parts.link_from_wire(text.decode(written, _decoder))
    _remember(link, written)
    return link


def _remember(link: Link, written: bytes) -> None:
    _newest[id(link)] = (link, written)
    if len(_newest) > LINKS_MAX:
        _newest.popitem(last=False)
