"""The network of the roles model: all that was ever sent, a bit for each message."""

from collections.abc import Iterator, Sequence

from composable_paxos import LOWEST, Accept, Accepted, Nack, PeerID, Promise, Value
from multipaxos.exploration.role_server import Sent


class RoleNetwork:
    """
    Gives each message a bit when it is sent for the first time; bits begin at *lowest*.

    State: the *bits* and what they mean, and sets of bits: what is *deliverable* to each server,
    the *proposals* (Accept and Accepted, which say all that the checks want to know) and those
    *carrying* each value, refusals, and promises that report an acceptance.
    """

    def __init__(self, uids: Sequence[PeerID], *, lowest: int) -> None:
        self.uids = tuple(uids)
        self.lowest = self.next_bit = lowest
        self.bits: dict[Sent, int] = {}
        self.messages: dict[int, Sent] = {}
        self.deliverable = [0] * len(self.uids)
        self.carrying: dict[Value, int] = {}
        self.proposals = 0
        self.refusals = 0
        self.reports = 0

    def bit_of(self, sent: Sent) -> int:
        """Return the bit of *sent*."""
        bit = self.bits.get(sent)
        if bit is None:
            bit = self.bits[sent] = self.next_bit
            self.messages[bit] = sent
            self.next_bit <<= 1
            self._sort_in(sent, bit)
        return bit

    def bits_of(self, messages: Sequence[Sent]) -> int:
        """Return the bits of *messages* as one set."""
        bits = 0
        for sent in messages:
            bits |= self.bit_of(sent)
        return bits

    def messages_of(self, bits: int) -> Iterator[Sent]:
        """Return the messages of *bits*, in the order in which they were first met."""
        for bit in single_bits(bits):
            yield self.messages[bit]

    def _sort_in(self, sent: Sent, bit: int) -> None:
        for number, uid in enumerate(self.uids):
            if uid in sent.receivers:
                self.deliverable[number] |= bit
        match sent.message:
            case Accept() | Accepted():
                self.proposals |= bit
                value = sent.message.value
                self.carrying[value] = self.carrying.get(value, 0) | bit
            case Nack():
                self.refusals |= bit
            case Promise(accepted_id=accepted_id) if accepted_id > LOWEST:
                self.reports |= bit


def single_bits(bits: int) -> Iterator[int]:
    """Return each bit of *bits* alone, the lowest first."""
    while bits:
        bit = bits & -bits
        bits ^= bit
        yield bit
