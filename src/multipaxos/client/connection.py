"""One connection to one server: requests out, replies in, each before its deadline."""

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple, TypeAlias

import hiredis

Endpoint: TypeAlias = tuple[str, int]
"""A host and a port."""
Connect: TypeAlias = Callable[[Endpoint, float], socket.socket]
"""Opens a socket to an endpoint within some seconds; OSError if that fails."""

RECEIVE_BYTES = 65_536


class Identity(NamedTuple):
    """Which server of which cluster should answer at an endpoint."""

    cluster: str
    uid: str


class ClientError(Exception):
    """What a client can meet; the message is a sentence."""


class NotReachableError(ClientError):
    """No server could be reached; nothing was sent."""


class ProtocolError(ClientError):
    """What answers is no server of ours, or one of another version; nothing was proposed."""


class OtherServerError(ClientError):
    """What answers is a server, but another than the one that was meant; it served nothing."""


class NoReplyError(ClientError):
    """The request was sent, at least in part, and no reply came: what became of it is unknown."""


class Connection:
    """
    A connection to *endpoint*, where the server *identity* should answer; None: whichever does.

    The first request carries the question who is there in front of it, in the same packet. Another
    server closes the connection there: it serves nothing that was meant for somebody else.

    After a :class:`NoReplyError`, :class:`ProtocolError` or :class:`OtherServerError` it is closed,
    for a late reply would be taken for the next one.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        deadline: float,
        identity: Identity | None = None,
        connect: Connect = socket.create_connection,
    ) -> None:
        """Connect before *deadline* on :func:`time.monotonic`; NotReachableError if that fails."""
        self.endpoint = endpoint
        self.identity = identity
        self._greeting = b"" if identity is None else _pack(("MULTIPAXOS", "HELLO", *identity))
        self._reader = hiredis.Reader()
        try:
            self._socket = connect(endpoint, _seconds_until(deadline))
        except (OSError, UnicodeError) as error:
            raise NotReachableError(_reason(error)) from error
        # A request leaves in one piece and waits for its reply: nothing is gained by delaying it.
        with suppress(OSError):
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def request(self, *arguments: str | int, deadline: float) -> Any:
        """
        Send a request and return its reply; an error reply is returned as hiredis.ReplyError.

        Raises NoReplyError when the connection or the time ends first, ProtocolError for what is
        no reply, and OtherServerError if another server answers.
        """
        is_greeting = bool(self._greeting)
        self._send(arguments, deadline)
        if is_greeting:
            self._check_greeting(deadline)
        return self._reply(deadline)

    def send(self, *arguments: str | int, deadline: float) -> None:
        """
        Send a request without waiting for its reply; raises NoReplyError if that fails.

        With an identity it waits for the server to say that it is the one, see :meth:`request`.
        """
        is_greeting = bool(self._greeting)
        self._send(arguments, deadline)
        if is_greeting:
            self._check_greeting(deadline)

    def _check_greeting(self, deadline: float) -> None:
        reply = self._reply(deadline)
        if not isinstance(reply, hiredis.ReplyError):
            return
        self.close()
        kind, _, who = str(reply).partition(" ")
        if kind != "OTHER":
            raise ProtocolError(f"the server answers: {reply}")
        assert self.identity is not None, "only who asks for one learns of another"
        host, port = self.endpoint
        raise OtherServerError(
            f"{host}:{port} is {who}, the configuration says {self.identity.uid} of cluster "
            f"{self.identity.cluster}"
        )

    def _reply(self, deadline: float) -> Any:
        try:
            return self._receive(deadline)
        except OSError as error:
            self.close()
            raise NoReplyError(_reason(error)) from error
        except hiredis.ProtocolError as error:
            self.close()
            raise ProtocolError(f"what answers speaks another protocol: {error}") from error

    def _send(self, arguments: tuple[str | int, ...], deadline: float) -> None:
        packed = self._greeting + _pack(arguments)
        self._greeting = b""
        try:
            self._socket.settimeout(_seconds_until(deadline))
            self._socket.sendall(packed)
        except OSError as error:
            self.close()
            raise NoReplyError(_reason(error)) from error

    def close(self) -> None:
        """Close the connection; a request under way goes on all the same."""
        self._socket.close()

    @property
    def is_open(self) -> bool:
        """Tell whether the connection can take a request, as far as this end knows."""
        if self._socket.fileno() < 0:
            return False
        try:
            # Between requests nothing arrives but the news that the server closed its end.
            self._socket.settimeout(0)
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            pass
        self.close()
        return False

    def _receive(self, deadline: float) -> Any:
        # hiredis answers False while a reply is not complete; RESP2 has no other way to mean False.
        while (reply := self._reader.gets()) is False:
            self._socket.settimeout(_seconds_until(deadline))
            received = self._socket.recv(RECEIVE_BYTES)
            if not received:
                raise ConnectionResetError(0, "the server closed the connection")
            self._reader.feed(received)
        return reply


def _pack(arguments: tuple[str | int, ...]) -> bytes:
    # Its type hint speaks of one argument; it takes any number.
    pack: Any = hiredis.pack_command
    packed: bytes = pack(arguments)
    return packed


def _seconds_until(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError(0, "no answer in time")
    return seconds


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
