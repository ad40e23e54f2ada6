"""Replay: who missed a few links is told these, and not all that the chain amounts to."""

from collections import deque
from collections.abc import Iterator
from typing import Any

from typing_extensions import override

from composable_paxos import PeerID
from multipaxos.chain.durable import DecidedLink, Snapshot
from multipaxos.chain.events import EventKind
from multipaxos.chain.links import Founding, Link, characters_of
from multipaxos.chain.messages import Decided, Envelope
from multipaxos.chain.refusals import Reason, Refusal
from multipaxos.chain.replicated_value import BaseReplicatedValue

KEPT_LINKS_MAX = 4096
"""Of links with little in them: some seconds' worth at full speed, in less than 2 MB."""
KEPT_CHARACTERS_MAX = 8 * 2**20
"""
Of links with much in them: also a second's worth or more at full speed.

Who missed more has been away, and is better served with what the links amount to.
"""
TRANSFER_LINKS_MAX = 2**20
"""While a snapshot is sent in parts, the links since are kept as well; but not more than these."""
MESSAGE_CHARACTERS_MAX = 56_000
"""So much goes in one message, which then is a datagram; a single longer link goes alone."""


class Replaying(BaseReplicatedValue):
    """
    Keeps the newest links, tells them to those that missed them, and applies what it is told.

    At full speed a single lost message puts a server behind, and the next messages show that to it.
    The links that it missed are then in its hands after one round trip; it is no further behind for
    having been helped, however large the state is.

    What it is told was decided: whoever tells it has learned it, as with a catch-up. Unlike after a
    catch-up nothing was skipped, so the link takes the same way as one that was found out by
    counting votes: its requests are answered, its changes told, it goes into the history. A bid for
    mastership that is found to have won this way counts as any other, from when it left.

    State: the links *kept*, the newest last and none missing in between, and how many characters
    they have; whether this server *is replaying* links now, and so begins no rounds between them.
    """

    def __init__(self, **arguments: Any) -> None:
        """Begin without links: those before this life are the storage's affair."""
        super().__init__(**arguments)
        self.kept: deque[DecidedLink] = deque()
        self.kept_characters = 0
        self.is_replaying = False

    # -- keeping -----------------------------------------------------------------------------------

    @override
    def learn_link(self, link: Link) -> None:
        self.kept.append(DecidedLink(number=self.instance, link=link))
        self.kept_characters += characters_of(link)
        while self._are_too_many():
            self.kept_characters -= characters_of(self.kept.popleft().link)
        super().learn_link(link)

    def _are_too_many(self) -> bool:
        links_max, characters_max = KEPT_LINKS_MAX, KEPT_CHARACTERS_MAX
        if self.outgoing is not None and self.kept[0].number >= self.outgoing.at:
            # Whoever fetches that snapshot goes on with the links since. Once these are longer than
            # the snapshot, to begin anew is the shorter way.
            links_max, characters_max = (
                TRANSFER_LINKS_MAX,
                characters_max + self.outgoing.characters,
            )
        return len(self.kept) > links_max or self.kept_characters > characters_max

    @override
    def install(self, instance: int, founding: Founding, snapshot: Snapshot) -> None:
        # What comes next does not follow the links that are kept.
        self.kept.clear()
        self.kept_characters = 0
        super().install(instance, founding, snapshot)

    # -- helping -----------------------------------------------------------------------------------

    @override
    def help_peer(self, uid: PeerID, instance: int) -> None:
        """Tell the links from *instance* on; super() tells more, and is called if they are gone."""
        # Link 0 decides whether a server may take part at all, so it comes with a catch-up.
        if instance == 0 or not self.kept or self.kept[0].number > instance:
            super().help_peer(uid, instance)
            return
        links = tuple(self._kept_from(instance))
        self.send(uid, Decided(links=links))
        if links[-1].number == self.instance - 1:
            # It has missed the request of the link in progress as well, and its vote may be needed.
            self.repeat_request(uid)

    def _kept_from(self, instance: int) -> Iterator[DecidedLink]:
        """Yield the links from *instance* on, as many as fit one message, but at least one."""
        first = self.kept[0].number
        characters = 0
        for place in range(instance - first, len(self.kept)):
            decided = self.kept[place]
            characters += characters_of(decided.link)
            if characters > MESSAGE_CHARACTERS_MAX and decided.number > instance:
                return
            yield decided

    # -- being helped ------------------------------------------------------------------------------

    @override
    def receive_decided(self, envelope: Envelope, message: Decided) -> None:
        super().receive_decided(envelope, message)
        if self.founding is None or self.instance == 0:
            # Late news for an earlier life: this server takes part in no chain yet.
            return
        if any(isinstance(decided.link, Founding) for decided in message.links):
            refusal = Refusal(
                reason=Reason.OTHER_FOUNDING,
                words="it tells of another link 0",
                details={"chain": envelope.chain_id},
            )
            self.note_refusal(message, refusal, sender=envelope.sender)
            return
        self._replay(envelope.sender, message)
        if self.instance < envelope.instance:
            self.ask_for_help(envelope.sender)

    @override
    def propose_next(self) -> None:
        """Propose, but not in the midst of a replay: those instances are closed."""
        if not self.is_replaying:
            super().propose_next()

    def _replay(self, uid: PeerID, message: Decided) -> None:
        began_at = self.instance
        self.is_replaying = True
        for decided in message.links:
            if decided.number == self.instance:
                self.note(
                    EventKind.LEARNED,
                    f"link {decided.number} is decided, says {uid}",
                    link=decided.link,
                    told_by=uid,
                )
                self.learn_link(decided.link)
        self.is_replaying = False
        if self.instance > began_at:
            self.propose_next()
