"""
What other servers send us, over whichever transport: checked, counted, told of.

What arrives is refused, counted and told of, unless it is a well-formed message of this cluster to
this server from a server of the cluster, sent from that server's address and in its own name. That
keeps stray and mistaken messages out. It does not keep out somebody who can forge addresses.
"""

from collections import Counter
from collections.abc import Callable
from enum import StrEnum

from composable_paxos import Accept, Accepted, Nack, Prepare, Promise
from multipaxos.chain.messages import Envelope
from multipaxos.runtime.codec import MalformedDatagramError, decode_envelope
from multipaxos.runtime.config import Address, Config
from multipaxos.runtime.messenger.peers import PeerAddresses, SocketAddress


class Refusal(StrEnum):
    """Why a message, or a connection for messages, was dropped."""

    MALFORMED = "malformed"
    OTHER_CLUSTER = "other cluster"
    OTHER_RECEIVER = "other receiver"
    UNKNOWN_SENDER = "unknown sender"
    WRONG_ADDRESS = "wrong address"
    WRONG_SPEAKER = "wrong speaker"
    CROWDED = "too many connections"
    UNSENDABLE = "unsendable"
    UNREACHABLE = "unreachable"
    DISPLACED = "displaced"


class Arrivals:
    """
    Judges what arrives for the server *uid* of the cluster in *config*.

    State: how many messages were *refused*, by reason, among them those that could not be sent;
    never an exception, never a stop. *on_refused* is told a sentence, and the address that the
    message came from or was to go to.
    """

    def __init__(
        self,
        config: Config,
        uid: str,
        on_envelope: Callable[[Envelope], None],
        on_refused: Callable[[str, str], None],
        *,
        addresses: PeerAddresses,
    ) -> None:
        self.refused: Counter[Refusal] = Counter()
        self._config = config
        self._uid = uid
        self._on_envelope = on_envelope
        self._on_refused = on_refused
        self._addresses = addresses

    def receive(self, text: bytes, source: SocketAddress, *, any_port: bool = False) -> None:
        """
        Hand the message in *text* on, or refuse it.

        It came from *source*; with *any_port* only the host of that must be the sender's.
        """
        try:
            envelope = decode_envelope(text)
        except MalformedDatagramError as error:
            self.refuse(Refusal.MALFORMED, f"malformed datagram: {error}", source)
            return
        found = self._find_fault(envelope, source, any_port=any_port)
        if found is None:
            self._on_envelope(envelope)
        else:
            self.refuse(*found, source)

    def is_known_host(self, host: str) -> bool:
        """Tell whether some other server of the cluster has the address *host*."""
        return any(
            host == known for uid in self._config.servers for known, _ in self._addresses.of(uid)
        )

    def refuse(self, refusal: Refusal, reason: str, where: SocketAddress | str) -> None:
        """Count and tell that something from, or to, *where* was dropped."""
        self.refused[refusal] += 1
        text = where if isinstance(where, str) else str(Address(host=where[0], port=where[1]))
        self._on_refused(reason, text)

    def _find_fault(
        self, envelope: Envelope, source: SocketAddress, *, any_port: bool
    ) -> tuple[Refusal, str] | None:
        if envelope.cluster != self._config.cluster:
            return Refusal.OTHER_CLUSTER, f"a message of another cluster, {envelope.cluster}"
        if envelope.receiver != self._uid:
            return Refusal.OTHER_RECEIVER, f"a message to {envelope.receiver}, not {self._uid}"
        sender = envelope.sender
        if sender == self._uid or sender not in self._config.servers:
            return Refusal.UNKNOWN_SENDER, f"{sender} is no other server of this cluster"
        if not self._is_address_of(sender, source, any_port=any_port):
            configured = self._config.servers[sender].peer
            return Refusal.WRONG_ADDRESS, f"{sender} sends from {configured}, not from here"
        speaker = _speaker(envelope)
        if speaker != sender:
            return Refusal.WRONG_SPEAKER, f"{sender} speaks in the name of {speaker}"
        return None

    def _is_address_of(self, sender: str, source: SocketAddress, *, any_port: bool) -> bool:
        known = self._addresses.of(sender)
        return any(source[0] == host for host, _ in known) if any_port else source in known


def _speaker(envelope: Envelope) -> str:
    """Return the server in whose name the message speaks."""
    match envelope.message:
        case Prepare(proposal_id=proposal_id) | Accept(proposal_id=proposal_id):
            return proposal_id.uid
        case Promise(acceptor=acceptor) | Accepted(acceptor=acceptor) | Nack(acceptor=acceptor):
            return acceptor
        case _:
            return envelope.sender
