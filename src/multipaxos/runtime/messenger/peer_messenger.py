"""
The messenger of a real server: small messages over UDP, long ones, or all, over TCP.

Both transports have the same address: the peer address of the configuration, as host and port.
"""

from collections import Counter
from collections.abc import Callable
from random import Random, SystemRandom

from twisted.internet.error import CannotListenError

from multipaxos.chain.messages import CatchUp, Envelope
from multipaxos.runtime.codec import MalformedDatagramError, encode_envelope
from multipaxos.runtime.config import Config
from multipaxos.runtime.messenger.arrivals import Arrivals, Refusal
from multipaxos.runtime.messenger.frames import MESSAGE_BYTES_MAX
from multipaxos.runtime.messenger.peers import PeerAddresses, SocketAddress, look_up_own
from multipaxos.runtime.messenger.stream_port import StreamPort
from multipaxos.runtime.messenger.stream_sender import Message, StreamSender
from multipaxos.runtime.messenger.udp import DATAGRAM_BYTES_MAX, UdpMessenger
from multipaxos.runtime.reactor import Reactor


class ListenError(Exception):
    """The configured address cannot be listened on; the message says why."""


class PeerMessenger:
    """
    Sends and receives envelopes as the server *uid* of the cluster in *config*.

    *on_envelope* is handed what arrives; *on_refused* is told of what is dropped. With *tcp_only*
    it sends no datagram, but still takes them: servers of one cluster need not agree in this.
    """

    def __init__(
        self,
        config: Config,
        uid: str,
        on_envelope: Callable[[Envelope], None],
        on_refused: Callable[[str, str], None],
        *,
        addresses: PeerAddresses | None = None,
        tcp_only: bool = False,
        rng: Random | None = None,
    ) -> None:
        self._uid = uid
        self._own = config.server(uid).peer
        self._addresses = addresses or PeerAddresses(
            {peer: server.peer for peer, server in config.servers.items() if peer != uid}
        )
        self._arrivals = Arrivals(config, uid, on_envelope, on_refused, addresses=self._addresses)
        self.udp = UdpMessenger(self._arrivals)
        self.stream_port = StreamPort(self._arrivals)
        self._stream_sender = StreamSender(self._arrivals, rng or SystemRandom())
        self._datagram_bytes_max = 0 if tcp_only else DATAGRAM_BYTES_MAX

    @property
    def refused(self) -> Counter[Refusal]:
        """How many messages were refused, by reason, among them those that could not be sent."""
        return self._arrivals.refused

    def listen(self, reactor: Reactor) -> None:
        """Receive from now on, at the configured address only; ListenError if it cannot be."""
        transport = "UDP"
        try:
            family, own = look_up_own(self._own)
            self.udp.listen(reactor, own)
            transport = "TCP"
            self.stream_port.listen(reactor, own)
        except (OSError, CannotListenError) as error:
            self.udp.close()
            raise ListenError(
                f"server {self._uid} cannot listen on {transport} {self._own}: "
                f"{why_not_listening(error)}"
            ) from error
        self._stream_sender.start(reactor, own[0])
        self._addresses.start(reactor, family)

    def close(self) -> None:
        """Receive and send no more."""
        self._addresses.stop()
        self._stream_sender.close()
        self.stream_port.close()
        self.udp.close()

    def send(self, envelope: Envelope) -> None:
        """Send *envelope* if possible; otherwise count it. Never raises."""
        receiver = envelope.receiver
        addresses = self._addresses.of(receiver)
        if not addresses:
            reason = f"cannot reach {receiver}: {self._addresses.trouble(receiver)}"
            self._arrivals.refuse(Refusal.UNREACHABLE, reason, receiver)
            return
        try:
            self._send(envelope, addresses[0])
        except MalformedDatagramError as error:
            self._arrivals.refuse(Refusal.UNSENDABLE, f"cannot be sent: {error}", addresses[0])

    def _send(self, envelope: Envelope, address: SocketAddress) -> None:
        text = encode_envelope(envelope)
        if len(text) <= self._datagram_bytes_max:
            self.udp.send(text, envelope.receiver, address)
        elif len(text) <= MESSAGE_BYTES_MAX:
            # A catch-up holds all that an earlier one did.
            message = Message(text=text, supersedes=isinstance(envelope.message, CatchUp))
            self._stream_sender.send(message, envelope.receiver, address)
        else:
            raise MalformedDatagramError(f"{len(text)} bytes, more than {MESSAGE_BYTES_MAX}")


def why_not_listening(error: OSError | CannotListenError) -> str:
    """Return, in the system's words, why an address cannot be listened on."""
    cause = error.socketError if isinstance(error, CannotListenError) else error
    return (cause.strerror if isinstance(cause, OSError) else None) or str(cause)
