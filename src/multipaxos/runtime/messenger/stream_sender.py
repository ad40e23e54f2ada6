"""
Sends messages over TCP: those that are too long for a datagram, or all.

A message may be lost here as well as on the way: the protocol repeats what matters. So nothing is
ever tried twice, and where a peer does not keep up, messages are dropped rather than kept: older
ones first, for what is newer says more about how things are now.
"""

from collections import OrderedDict
from dataclasses import dataclass
from random import Random
from typing import Any

from twisted.internet.protocol import ClientFactory, Protocol
from twisted.python.failure import Failure
from typing_extensions import override

from multipaxos.runtime.messenger.arrivals import Arrivals, Refusal
from multipaxos.runtime.messenger.backoff import RETRY_SECONDS_MAX, Backoff
from multipaxos.runtime.messenger.frames import MESSAGE_BYTES_MAX
from multipaxos.runtime.messenger.peers import SocketAddress
from multipaxos.runtime.messenger.sending_connection import CHUNK_BYTES, SendingConnection
from multipaxos.runtime.messenger.udp import DATAGRAM_BYTES_MAX
from multipaxos.runtime.reactor import Reactor

WAITING_BYTES_MAX = MESSAGE_BYTES_MAX
"""What may wait for one peer, behind the message that is under way: any single message fits."""
SHORT_WAITING_BYTES_MAX = 4 * 2**20
"""What may wait of short messages: as much as the buffer for datagrams would hold."""
CONNECT_SECONDS_MAX = 5.0
PROOF_SECONDS = 1.0
"""
A connection that ends sooner counts as an attempt that failed.

A peer that takes no more connections, or does not know us, closes them at once.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Bytes to be sent; a waiting message that *supersedes* goes when another such one comes."""

    text: bytes
    supersedes: bool


class StreamSender:
    """
    Sends to each peer over a connection, which is opened when there is something to send.

    What would fit a datagram has a connection of its own: it never waits behind a long message.
    State: the lines, by peer and whether for long messages, that were ever sent anything.
    """

    def __init__(self, arrivals: Arrivals, rng: Random) -> None:
        """Draw from *rng* how long to wait after failures."""
        self._arrivals = arrivals
        self._rng = rng
        self._lines: dict[tuple[str, bool], Line] = {}
        self._reactor: Reactor | None = None
        self._own_host = ""

    def start(self, reactor: Reactor, own_host: str) -> None:
        """Send from now on; from *own_host*, for it is by this that the peers know us."""
        self._reactor = reactor
        self._own_host = own_host

    def close(self) -> None:
        """Close all connections; what has not been sent is lost."""
        self._reactor = None
        for line in self._lines.values():
            line.close()
        self._lines.clear()

    def send(self, message: Message, receiver: str, address: SocketAddress) -> None:
        """Send *message* to *receiver*, which is at *address*, if possible; else count it."""
        if self._reactor is None:
            reason = f"cannot reach {receiver}: the socket is closed"
            self._arrivals.refuse(Refusal.UNREACHABLE, reason, address)
            return
        is_long = len(message.text) > DATAGRAM_BYTES_MAX
        if (receiver, is_long) not in self._lines:
            self._lines[receiver, is_long] = Line(
                receiver,
                self._arrivals,
                self._reactor,
                own_host=self._own_host,
                waiting_bytes_max=WAITING_BYTES_MAX if is_long else SHORT_WAITING_BYTES_MAX,
                backoff=Backoff(self._rng),
            )
        self._lines[receiver, is_long].send(message, address)


class Line(ClientFactory):
    """
    A way to one *peer*.

    State: the messages that wait, the oldest first, and their size; the open connection, if any,
    and since when; the attempt to make one, if any. While something waits, there is one or the
    other. After a failure there is neither, *until* a time that *backoff* draws.
    """

    noisy = False

    def __init__(
        self,
        peer: str,
        arrivals: Arrivals,
        reactor: Reactor,
        *,
        own_host: str,
        waiting_bytes_max: int,
        backoff: Backoff,
    ) -> None:
        """Begin without a connection."""
        self.reactor = reactor
        self._peer = peer
        self._arrivals = arrivals
        self._own_host = own_host
        self._waiting_bytes_max = waiting_bytes_max
        self._backoff = backoff
        self._address: SocketAddress = ("", 0)
        self._waiting: OrderedDict[bytes, Message] = OrderedDict()
        self._waiting_bytes = 0
        self._connection: SendingConnection | None = None
        self._connected_at = 0.0
        self._attempt: Any = None
        self._until = 0.0
        self._trouble = ""

    def send(self, message: Message, address: SocketAddress) -> None:
        """Send *message* after those that wait; a connection to be made goes to *address*."""
        self._address = address
        if self._is_paused():
            self._refuse(Refusal.UNREACHABLE, f"cannot reach {self._peer}: {self._trouble}")
            return
        if self._is_on_its_way(message.text):
            # It is repeated because it takes so long: to send it twice would take longer still.
            return
        if message.supersedes:
            for text in [text for text, each in self._waiting.items() if each.supersedes]:
                self._forget(text)
        self._waiting[message.text] = message
        self._waiting_bytes += len(message.text)
        self._make_room()
        if self._connection is not None:
            self._connection.wake()
        elif self._attempt is None:
            self._connect()

    def take(self) -> list[bytes]:
        """Return the messages to be sent next, which wait no more: one, or what fits a chunk."""
        taken: list[bytes] = []
        size = 0
        for text in self._waiting:
            size += len(text)
            if taken and size > CHUNK_BYTES:
                break
            taken.append(text)
        for text in taken:
            self._forget(text)
        return taken

    def close(self) -> None:
        """Send nothing more."""
        self._forget_all()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()
        if self._attempt is not None:
            self._attempt.stopConnecting()

    def _is_on_its_way(self, text: bytes) -> bool:
        under_way = self._connection.under_way if self._connection is not None else []
        return text in self._waiting or text in under_way

    def _make_room(self) -> None:
        while self._waiting_bytes > self._waiting_bytes_max:
            oldest = next(iter(self._waiting))
            self._forget(oldest)
            size = len(oldest)
            reason = f"{self._peer} does not keep up: a message of {size} bytes goes for newer ones"
            self._refuse(Refusal.DISPLACED, reason)

    def _forget(self, text: bytes) -> None:
        del self._waiting[text]
        self._waiting_bytes -= len(text)

    def _forget_all(self) -> int:
        """Forget what waits; return how many messages that were."""
        count = len(self._waiting)
        self._waiting.clear()
        self._waiting_bytes = 0
        return count

    def _refuse(self, refusal: Refusal, reason: str) -> None:
        self._arrivals.refuse(refusal, reason, self._address)

    # ---------------------------------------------------------------------------------- connections

    def _connect(self) -> None:
        host, port = self._address
        self.reactor.connectTCP(
            host, port, self, timeout=CONNECT_SECONDS_MAX, bindAddress=(self._own_host, 0)
        )

    @override
    def startedConnecting(self, connector: Any) -> None:
        """Note the attempt."""
        self._attempt = connector

    @override
    def buildProtocol(self, addr: Any) -> Protocol:
        """Return the connection, which the attempt has led to."""
        self._attempt = None
        self._connected_at = self.reactor.seconds()
        self._connection = SendingConnection(self)
        return self._connection

    @override
    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        """Leave the peer alone for a while."""
        self._attempt = None
        self._pause(reason.getErrorMessage())

    def lose(self, connection: Any, reason: str) -> None:
        """Go on without *connection*; the messages that are under way are lost with it."""
        if self._connection is None or connection is not self._connection:
            return  # We closed it ourselves.
        lost, self._connection = self._connection.under_way, None
        for _ in lost:
            self._refuse(Refusal.UNREACHABLE, f"a message to {self._peer} is lost: {reason}")
        if self.reactor.seconds() - self._connected_at < PROOF_SECONDS:
            self._pause(reason)
            return
        self._backoff.succeed()
        if self._waiting:
            self._connect()

    def _pause(self, trouble: str) -> None:
        """Lose what waits: a peer that is down must not find old messages when it is up again."""
        self._trouble = trouble
        self._until = self.reactor.seconds() + self._backoff.fail()
        for _ in range(self._forget_all()):
            self._refuse(Refusal.UNREACHABLE, f"cannot reach {self._peer}: {trouble}")

    def _is_paused(self) -> bool:
        # A clock that somebody has set back would hold us up for longer than any pause is.
        return 0 < self._until - self.reactor.seconds() <= RETRY_SECONDS_MAX
