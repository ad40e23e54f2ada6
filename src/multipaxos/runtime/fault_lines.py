"""The standard input of a server that was started for the lab: it tells of faults, line by line."""

from collections.abc import Callable
from typing import Any

from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure
from typing_extensions import override

from multipaxos.runtime.messenger.faults import LINE_BYTES_MAX, FaultLineError


class FaultLines(LineOnlyReceiver):
    """
    Hands each line to *take*, and what is wrong with one to *say*.

    When the input ends, whoever started the server has: *on_end* is called.
    """

    delimiter = b"\n"
    MAX_LENGTH = LINE_BYTES_MAX

    def __init__(
        self,
        take: Callable[[bytes], None],
        say: Callable[[str], Any],
        on_end: Callable[[], None],
    ) -> None:
        """Be ready for a line."""
        self._take = take
        self._say = say
        self._on_end = on_end

    @override
    def lineReceived(self, line: bytes) -> None:
        try:
            self._take(line)
        except FaultLineError as error:
            self._say(f"no faults were changed: {error}")

    @override
    def lineLengthExceeded(self, line: bytes) -> None:
        self._say(f"no faults were changed: a line has at most {LINE_BYTES_MAX} bytes")

    @override
    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        self._on_end()
