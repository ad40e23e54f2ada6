"""Parts: a large state is fetched part by part."""

from dataclasses import replace
from typing import Any

from immutables import Map
from typing_extensions import override

from composable_paxos import PeerID
from multipaxos.chain.effects import Timer
from multipaxos.chain.messages import CatchUp, Envelope, FetchPart, SnapshotPart
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.chain.transfer import IncomingSnapshot, OutgoingSnapshot, goes_in_parts

TRIES_MAX = 5
"""A helper that was asked so often for a part, and did not send it, is not there any more."""
PINNED_TRIES = 3 * TRIES_MAX
"""So many times *retransmit_seconds* a snapshot is held after it was last asked for."""


class Partitioning(BaseReplicatedValue):
    """
    Sends a large state in parts, each when it is asked for, and fetches one that way.

    A state of many entries, too long for one message, begins with part 0; the receiver asks for
    each further one when it has the one before. So it sets the pace, no message is long, and what
    is lost is asked for again, be it after minutes. The helper holds the snapshot meanwhile, which
    costs nothing but what changes, and the links since, with which the receiver goes on. If it does
    not hold it any more, it begins another one, and so does the receiver.

    Complete, the parts are what one CatchUp would have brought, and are taken as such.

    State: the snapshot that is *outgoing* to others, and the one that is *incoming*; either None.
    """

    def __init__(self, **arguments: Any) -> None:
        """Begin without a transfer."""
        super().__init__(**arguments)
        self.incoming: IncomingSnapshot | None = None

    @override
    def timeout(self, timer: Timer) -> None:
        super().timeout(timer)
        match timer:
            case Timer.PART:
                self._fetch_again()
            case Timer.PINNED:
                self.outgoing = None

    # -- helping -----------------------------------------------------------------------------------

    @override
    def help_peer(self, uid: PeerID, instance: int) -> None:
        """Begin with part 0 if there are to be parts; super() sends all at once."""
        if self.outgoing is None or self.outgoing.at <= instance:
            if not goes_in_parts(self.snapshot):
                super().help_peer(uid, instance)
                return
            self.outgoing = OutgoingSnapshot(self.instance, self.snapshot)
        self._send_part(uid, self.outgoing, 0)

    @override
    def receive_fetch_part(self, envelope: Envelope, message: FetchPart) -> None:
        super().receive_fetch_part(envelope, message)
        outgoing = self.outgoing
        if outgoing is not None and outgoing.at == message.at:
            self._send_part(envelope.sender, outgoing, message.number)
        elif envelope.instance < self.instance:
            # It was let go, or this server was started anew: begin again.
            self.help_peer(envelope.sender, envelope.instance)

    def _send_part(self, uid: PeerID, outgoing: OutgoingSnapshot, number: int) -> None:
        assert self.founding is not None, "a server beyond link 0 knows it"
        self.set_timer(Timer.PINNED, PINNED_TRIES * self.settings.retransmit_seconds)
        found = outgoing.part(number)
        if found is not None:
            part, is_last = found
            self.send(
                uid,
                SnapshotPart(
                    founding=self.founding,
                    at=outgoing.at,
                    number=number,
                    is_last=is_last,
                    snapshot=part,
                ),
            )

    # -- being helped ------------------------------------------------------------------------------

    @override
    def ask_for_help(self, uid: PeerID) -> None:
        """Ask, but not while help is under way."""
        if self._incoming() is None:
            super().ask_for_help(uid)

    @override
    def receive_part(self, envelope: Envelope, message: SnapshotPart) -> None:
        super().receive_part(envelope, message)
        incoming = self._incoming()
        if not isinstance(message.snapshot.value, Map) or message.at <= self.instance:
            return
        if incoming is not None and incoming.helper != envelope.sender:
            return
        if incoming is None or incoming.at != message.at:
            self._begin(envelope.sender, message)
        elif message.number == incoming.number and incoming.add(message.snapshot.value):
            if message.is_last:
                self._finish(envelope, incoming)
            else:
                self._fetch(incoming)

    def _begin(self, helper: PeerID, message: SnapshotPart) -> None:
        # A later part of another snapshot comes late: it belongs to a transfer that is over.
        if message.number == 0:
            self.incoming = IncomingSnapshot(message.at, helper, message.founding, message.snapshot)
            self._fetch(self.incoming)

    def _incoming(self) -> IncomingSnapshot | None:
        """Return the transfer that is under way, unless it has been overtaken."""
        if self.incoming is not None and self.incoming.at <= self.instance:
            self._let_go()
        return self.incoming

    def _fetch(self, incoming: IncomingSnapshot) -> None:
        self.send(incoming.helper, FetchPart(at=incoming.at, number=incoming.number))
        self.set_timer(Timer.PART, self.settings.retransmit_seconds)

    def _fetch_again(self) -> None:
        incoming = self._incoming()
        if incoming is None:
            return
        incoming.asked += 1
        if incoming.asked < TRIES_MAX:
            self._fetch(incoming)
        else:
            self._let_go()
            self.ask_for_help(self.rng.choice(self.membership.peers))

    def _finish(self, envelope: Envelope, incoming: IncomingSnapshot) -> None:
        self._let_go()
        whole = CatchUp(founding=incoming.founding, snapshot=incoming.finish())
        self.receive_catch_up(replace(envelope, instance=incoming.at, message=whole), whole)
        # What was refused now would be refused again: only who got further asks for the rest.
        if incoming.at <= self.instance < envelope.instance:
            self.ask_for_help(envelope.sender)

    def _let_go(self) -> None:
        self.incoming = None
        self.cancel_timer(Timer.PART)
