"""The one error of the codec."""


class MalformedDatagramError(Exception):
    """
    Bytes that are no datagram of this protocol, or a message that cannot be written as one.

    Whatever is wrong with the bytes, decoding raises this and nothing else. The text says what, in
    one short line of printable ASCII, whatever the bytes were.
    """

    def __init__(self, reason: str) -> None:
        """Keep *reason*, made printable and short."""
        super().__init__(reason.encode("unicode_escape").decode("ascii")[:REASON_LENGTH_MAX])


REASON_LENGTH_MAX = 200
