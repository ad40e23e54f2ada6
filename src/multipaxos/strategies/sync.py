"""Synchronization: whoever is behind catches up."""

from typing import Any

from typing_extensions import override

from composable_paxos import Accept, PeerID, Prepare
from multipaxos.chain.effects import Timer
from multipaxos.chain.links import Link
from multipaxos.chain.messages import CatchUp, Envelope, Sync
from multipaxos.chain.refusals import Reason, Refusal
from multipaxos.chain.replicated_value import BaseReplicatedValue


class Synchronization(BaseReplicatedValue):
    """
    Tells others where this server is, helps those behind, asks those ahead.

    Every *sync_seconds* one random other server hears from us; a server that joins greets all. Who
    sends a request for a closed link is told at once that it is behind. State: whether a request
    for help is *asked* and not answered; repeated at most every *catch_up_seconds*, and whenever
    there was progress: then it was answered.
    """

    def __init__(self, **arguments: Any) -> None:
        """Begin without a question."""
        super().__init__(**arguments)
        self.asked = False

    @override
    def joined(self) -> None:
        super().joined()
        for uid in self.membership.peers:
            self._tell(uid)
        self._wait()

    @override
    def timeout(self, timer: Timer) -> None:
        super().timeout(timer)
        match timer:
            case Timer.SYNC:
                self._tell(self.rng.choice(self.membership.peers))
                self._wait()
            case Timer.CATCH_UP:
                self.asked = False

    @override
    def receive_sync(self, envelope: Envelope, message: Sync) -> None:
        super().receive_sync(envelope, message)
        if envelope.instance < self.instance:
            self.help_peer(envelope.sender, envelope.instance)
        elif envelope.instance > self.instance:
            self.ask_for_help(envelope.sender)

    @override
    def receive_from_behind(self, envelope: Envelope) -> None:
        super().receive_from_behind(envelope)
        # A late reply is no sign of being behind; a request for a closed link is.
        if isinstance(envelope.message, Prepare | Accept):
            self.help_peer(envelope.sender, envelope.instance)

    @override
    def receive_from_ahead(self, envelope: Envelope) -> None:
        super().receive_from_ahead(envelope)
        self.ask_for_help(envelope.sender)

    @override
    def receive_catch_up(self, envelope: Envelope, message: CatchUp) -> None:
        super().receive_catch_up(envelope, message)
        jump = envelope.instance - self.instance
        if self.founding not in (None, message.founding):
            refusal = Refusal(
                reason=Reason.OTHER_FOUNDING,
                words="it tells of another link 0",
                details={"chain": message.founding.chain_id},
            )
            self.note_refusal(message, refusal, sender=envelope.sender)
        elif jump > self.settings.instance_jump_max:
            refusal = Refusal(
                reason=Reason.TOO_FAR,
                words=f"{jump} links ahead is not plausible",
                details={"links": jump},
            )
            self.note_refusal(message, refusal, sender=envelope.sender)
        elif jump > 0:
            self.install(envelope.instance, message.founding, message.snapshot)

    @override
    def ask_for_help(self, uid: PeerID) -> None:
        super().ask_for_help(uid)
        if not self.asked:
            self.asked = True
            self._tell(uid)
            self.set_timer(Timer.CATCH_UP, self.settings.catch_up_seconds)

    @override
    def help_peer(self, uid: PeerID, instance: int) -> None:
        super().help_peer(uid, instance)
        assert self.founding is not None, "a server beyond link 0 knows it"
        self.send(uid, CatchUp(founding=self.founding, snapshot=self.snapshot))

    @override
    def instance_began(self, *, learned: Link | None) -> None:
        super().instance_began(learned=learned)
        if self.asked:
            self.asked = False
            self.cancel_timer(Timer.CATCH_UP)

    def _wait(self) -> None:
        if self.membership.peers:
            self.set_timer(Timer.SYNC, self.settings.sync_seconds)

    def _tell(self, uid: PeerID) -> None:
        self.send(uid, Sync(votes_from=self.votes_from))
