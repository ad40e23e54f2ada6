"""Resolution: drives a link to its end."""

from typing import Any

from typing_extensions import override

from composable_paxos import LOWEST, Accept, Prepare
from multipaxos.chain.durable import Snapshot
from multipaxos.chain.effects import Timer
from multipaxos.chain.events import EventKind
from multipaxos.chain.links import Link, Nothing
from multipaxos.chain.replicated_value import BaseReplicatedValue


class Resolving(BaseReplicatedValue):
    """
    Begins rounds, repeats what may be lost, backs off in a duel, takes over after silence.

    State: whether this server is *driving* the instance, and its *backoff_seconds*: the window from
    which the wait after a lost round is drawn. The window doubles with each lost round of the
    instance; the draw makes it ever more likely that one of two duelling proposers has the time to
    finish. (Paxos Made Simple, 2.4: progress needs a distinguished proposer, or luck)
    """

    def __init__(self, **arguments: Any) -> None:
        """Begin idle."""
        super().__init__(**arguments)
        self.driving = False
        self.backoff_seconds = self.settings.backoff_seconds_min

    @override
    def joined(self) -> None:
        super().joined()
        self._watch_for_silence()

    @override
    def propose_next(self) -> None:
        super().propose_next()
        if self.paxos.wish is not None:
            self._drive()

    @override
    def receive_prepare(self, message: Prepare) -> None:
        super().receive_prepare(message)
        self._watch_for_silence()

    @override
    def receive_accept(self, message: Accept) -> None:
        super().receive_accept(message)
        self._watch_for_silence()

    @override
    def round_lost(self, prepare: Prepare) -> None:
        """Wait, then begin another round; *prepare* is never sent, so super() is not called."""
        self.cancel_timer(Timer.RETRANSMIT)
        self.set_timer(Timer.BACKOFF, self.rng.uniform(0, self.backoff_seconds))
        self.backoff_seconds = min(2 * self.backoff_seconds, self.settings.backoff_seconds_max)

    @override
    def advance_instance(self, instance: int, snapshot: Snapshot, *, learned: Link | None) -> None:
        # No timer outlives its instance: what it would repeat is decided.
        for timer in (Timer.RETRANSMIT, Timer.BACKOFF, Timer.TAKEOVER):
            self.cancel_timer(timer)
        self.driving = False
        self.backoff_seconds = self.settings.backoff_seconds_min
        super().advance_instance(instance, snapshot, learned=learned)

    @override
    def timeout(self, timer: Timer) -> None:
        super().timeout(timer)
        match timer:
            case Timer.RETRANSMIT:
                self._repeat()
            case Timer.BACKOFF:
                self._begin_round()
            case Timer.TAKEOVER:
                self._take_over()

    def _drive(self) -> None:
        if not self.driving and self.may_propose():
            self.driving = True
            self.cancel_timer(Timer.TAKEOVER)
            self._begin_round()

    def _begin_round(self) -> None:
        if not self.may_propose():
            # It was lost while the round waited: our own acceptor would not promise this number.
            self.driving = False
            return
        self.set_timer(Timer.RETRANSMIT, self.settings.retransmit_seconds)
        self.start_round()

    def _repeat(self) -> None:
        if not self.may_propose():
            self.driving = False
            return
        request = self.paxos.request_in_flight()
        if self.paxos.refused_by:
            # Who refused this number will never grant it, and those who could are silent: they may
            # be down. A higher number can have the votes of those who answer.
            self._begin_round()
        elif request is not None:
            self.broadcast(request)
            self.set_timer(Timer.RETRANSMIT, self.settings.retransmit_seconds)

    def _watch_for_silence(self) -> None:
        # A value that was accepted here may be chosen, and its proposer dead. Whoever accepted
        # finds out; without an acceptance there is nothing to save.
        if not self.driving and self.paxos.state.accepted_id > LOWEST:
            self.set_timer(Timer.TAKEOVER, self.settings.takeover_seconds)

    def _take_over(self) -> None:
        if not self.may_propose():
            self._watch_for_silence()
            return
        self.note(
            EventKind.TAKEOVER,
            "nothing heard of {accepted_id} for a while",
            accepted_id=self.paxos.state.accepted_id,
        )
        if self.paxos.wish is None:
            self.paxos.propose_value(self.next_link() or Nothing())
        self._drive()
