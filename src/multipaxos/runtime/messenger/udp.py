"""Messages over UDP: each is one datagram, and so at most DATAGRAM_BYTES_MAX long."""

import socket
from contextlib import suppress
from typing import Any

from twisted.internet.error import MessageLengthError
from twisted.internet.protocol import DatagramProtocol
from typing_extensions import override

from multipaxos.runtime.messenger.arrivals import Arrivals, Refusal
from multipaxos.runtime.messenger.peers import SocketAddress
from multipaxos.runtime.reactor import Reactor

DATAGRAM_BYTES_MAX = 65_507
"""What one UDP datagram over IPv4 can carry: 65,535 bytes less 20 of IP's and 8 of UDP's header."""
BUFFER_BYTES = 4 * 2**20
"""Asked for; the system may grant less. What overflows the receive buffer is lost."""
PACKET_BYTES_MAX = 65_536
"""More than any datagram: a longer one must be seen as too long, not cut to a readable length."""


class UdpMessenger(DatagramProtocol):
    """Sends datagrams, and hands those that come to *arrivals*."""

    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals
        self._port: Any = None

    def listen(self, reactor: Reactor, own: SocketAddress) -> None:
        """Receive from now on, at *own* only; OSError or CannotListenError if it cannot be."""
        host, port = own
        self._port = reactor.listenUDP(port, self, interface=host, maxPacketSize=PACKET_BYTES_MAX)
        handle: socket.socket = self._port.getHandle()
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            with suppress(OSError):
                handle.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)

    def close(self) -> None:
        """Receive and send no more."""
        port, self._port = self._port, None
        if port is not None:
            port.stopListening()

    def send(self, datagram: bytes, receiver: str, address: SocketAddress) -> None:
        """Send *datagram* to *receiver*, which is at *address*, if possible; else count it."""
        try:
            self._write(datagram, address)
        except (OSError, MessageLengthError, ValueError) as error:
            # ValueError: the reactor finds that an IPv6 address does not fit an IPv4 socket.
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            sentence = f"cannot reach {receiver}: {reason}"
            self._arrivals.refuse(Refusal.UNREACHABLE, sentence, address)

    @override
    def datagramReceived(self, datagram: bytes, addr: SocketAddress) -> None:
        """Take what came from *addr*. Called by the reactor."""
        if len(datagram) > DATAGRAM_BYTES_MAX:
            reason = f"malformed datagram: {len(datagram)} bytes, more than {DATAGRAM_BYTES_MAX}"
            self._arrivals.refuse(Refusal.MALFORMED, reason, addr)
        else:
            self._arrivals.receive(datagram, addr)

    def _write(self, datagram: bytes, address: SocketAddress) -> None:
        if self.transport is None or self._port is None:
            raise OSError(0, "the socket is closed")
        transport: Any = self.transport  # zope's interface, which the type checker cannot follow
        transport.write(datagram, address)
