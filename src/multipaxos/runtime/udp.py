"""
The messenger of a real server: one datagram a message, over UDP.

What arrives is refused, counted and told of, unless it is a well-formed message of this cluster to
this server from a server of the cluster, sent from that server's address and in its own name. That
keeps stray and mistaken datagrams out. It does not keep out somebody who can forge addresses.
"""

import socket
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from typing import Any

from twisted.internet.error import CannotListenError, MessageLengthError
from twisted.internet.protocol import DatagramProtocol
from typing_extensions import override

from composable_paxos import Accept, Accepted, Nack, Prepare, Promise
from multipaxos.chain.messages import Envelope
from multipaxos.runtime.codec import MalformedDatagramError, decode_envelope, encode_envelope
from multipaxos.runtime.config import Address, Config
from multipaxos.runtime.peers import PeerAddresses, SocketAddress, look_up_own
from multipaxos.runtime.reactor import Reactor

BUFFER_BYTES = 4 * 2**20
"""Asked for; the system may grant less. What overflows the receive buffer is lost."""
PACKET_BYTES_MAX = 65_536
"""More than any datagram: a longer one must be seen as too long, not cut to a readable length."""


class ListenError(Exception):
    """The configured address cannot be listened on; the message says why."""


class Refusal(StrEnum):
    """Why a datagram was dropped."""

    MALFORMED = "malformed"
    OTHER_CLUSTER = "other cluster"
    OTHER_RECEIVER = "other receiver"
    UNKNOWN_SENDER = "unknown sender"
    WRONG_ADDRESS = "wrong address"
    WRONG_SPEAKER = "wrong speaker"
    UNSENDABLE = "unsendable"
    UNREACHABLE = "unreachable"


class UdpMessenger(DatagramProtocol):
    """
    Sends and receives envelopes as the server *uid* of the cluster in *config*.

    State: how many datagrams were *refused*, by reason; never an exception, never a stop.
    *on_refused* is told a sentence, and the address that the datagram came from or was to go to.
    """

    def __init__(
        self,
        config: Config,
        uid: str,
        on_envelope: Callable[[Envelope], None],
        on_refused: Callable[[str, str], None],
        *,
        addresses: PeerAddresses | None = None,
    ) -> None:
        self.refused: Counter[Refusal] = Counter()
        self._config = config
        self._uid = uid
        self._on_envelope = on_envelope
        self._on_refused = on_refused
        self._addresses = addresses or PeerAddresses(
            {peer: server.peer for peer, server in config.servers.items() if peer != uid}
        )
        self._port: Any = None

    def listen(self, reactor: Reactor) -> None:
        """Receive from now on, at the configured address only; ListenError if it cannot be."""
        own = self._config.server(self._uid).peer
        try:
            family, (host, port) = look_up_own(own)
            self._port = reactor.listenUDP(
                port, self, interface=host, maxPacketSize=PACKET_BYTES_MAX
            )
        except (OSError, CannotListenError) as error:
            raise ListenError(_cannot_listen(self._uid, own, error)) from error
        handle: socket.socket = self._port.getHandle()
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            with suppress(OSError):
                handle.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
        self._addresses.start(reactor, family)

    def close(self) -> Any:
        """Receive and send no more; return what the reactor fires when the socket is closed."""
        self._addresses.stop()
        port, self._port = self._port, None
        return None if port is None else port.stopListening()

    # -------------------------------------------------------------------------------------- sending

    def send(self, envelope: Envelope) -> None:
        """Send *envelope* if possible; otherwise count it. Never raises."""
        receiver = envelope.receiver
        addresses = self._addresses.of(receiver)
        if not addresses:
            reason = f"cannot reach {receiver}: {self._addresses.trouble(receiver)}"
            self._refuse(Refusal.UNREACHABLE, reason, receiver)
            return
        try:
            self._write(encode_envelope(envelope), addresses[0])
        except MalformedDatagramError as error:
            self._refuse(Refusal.UNSENDABLE, f"cannot be sent: {error}", _text(addresses[0]))
        except (OSError, MessageLengthError, ValueError) as error:
            # ValueError: the reactor finds that an IPv6 address does not fit an IPv4 socket.
            reason = f"cannot reach {receiver}: {_reason(error)}"
            self._refuse(Refusal.UNREACHABLE, reason, _text(addresses[0]))

    def _write(self, datagram: bytes, address: SocketAddress) -> None:
        if self.transport is None or self._port is None:
            raise OSError(0, "the socket is closed")
        transport: Any = self.transport  # zope's interface, which the type checker cannot follow
        transport.write(datagram, address)

    # ------------------------------------------------------------------------------------ receiving

    @override
    def datagramReceived(self, datagram: bytes, addr: SocketAddress) -> None:
        """Hand the message in *datagram* on, or refuse it. Called by the reactor."""
        try:
            envelope = decode_envelope(datagram)
        except MalformedDatagramError as error:
            self._refuse(Refusal.MALFORMED, f"malformed datagram: {error}", _text(addr))
            return
        found = self._find_fault(envelope, addr)
        if found is None:
            self._on_envelope(envelope)
        else:
            self._refuse(*found, _text(addr))

    def _find_fault(self, envelope: Envelope, addr: SocketAddress) -> tuple[Refusal, str] | None:
        if envelope.cluster != self._config.cluster:
            return Refusal.OTHER_CLUSTER, f"a message of another cluster, {envelope.cluster}"
        if envelope.receiver != self._uid:
            return Refusal.OTHER_RECEIVER, f"a message to {envelope.receiver}, not {self._uid}"
        sender = envelope.sender
        if sender == self._uid or sender not in self._config.servers:
            return Refusal.UNKNOWN_SENDER, f"{sender} is no other server of this cluster"
        if addr not in self._addresses.of(sender):
            configured = self._config.servers[sender].peer
            return Refusal.WRONG_ADDRESS, f"{sender} sends from {configured}, not from here"
        speaker = _speaker(envelope)
        if speaker != sender:
            return Refusal.WRONG_SPEAKER, f"{sender} speaks in the name of {speaker}"
        return None

    def _refuse(self, refusal: Refusal, reason: str, address: str) -> None:
        self.refused[refusal] += 1
        self._on_refused(reason, address)


def _speaker(envelope: Envelope) -> str:
    """Return the server in whose name the message speaks."""
    match envelope.message:
        case Prepare(proposal_id=proposal_id) | Accept(proposal_id=proposal_id):
            return proposal_id.uid
        case Promise(acceptor=acceptor) | Accepted(acceptor=acceptor) | Nack(acceptor=acceptor):
            return acceptor
        case _:
            return envelope.sender


def _text(address: SocketAddress) -> str:
    return str(Address(host=address[0], port=address[1]))


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _cannot_listen(uid: str, own: Address, error: Exception) -> str:
    cause = error.socketError if isinstance(error, CannotListenError) else error
    return f"server {uid} cannot listen on UDP {own}: {_reason(cause)}"
