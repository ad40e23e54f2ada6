"""
The invariants of one cluster, watched from outside, event by event.

The checkers see what nobody in the cluster sees: every disk, every message, every answer. They use
none of the protocol's own logic. The simulator feeds them while it runs, and the check of a real
cluster from traces: there is one set of checkers.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

from composable_paxos import LOWEST, Accept, Accepted, PeerID, Promise, ProposalID
from multipaxos.chain.durable import DurableState, Snapshot
from multipaxos.chain.effects import Answer, Outbox, Save
from multipaxos.chain.events import EventKind
from multipaxos.chain.links import Link
from multipaxos.chain.messages import Envelope
from multipaxos.chain.requests import Outcome
from multipaxos.chain.state_machine import Command, StateMachine
from multipaxos.invariants.answers import Answers
from multipaxos.invariants.applied import Applied
from multipaxos.invariants.durability import check_saved
from multipaxos.invariants.leases import LeaseWatch
from multipaxos.invariants.names import APPLIED_ONCE
from multipaxos.invariants.quorums import Quorums, QuorumsInUse
from multipaxos.invariants.records import ChosenLink
from multipaxos.invariants.violation import InvariantViolation, OnViolation, raise_it
from multipaxos.invariants.votes import Votes, check_within_promise

__all__ = ["UNSEEN_SNAPSHOT", "ChosenLink", "Disk", "Invariants", "ServerCheck"]

UNSEEN_SNAPSHOT = Snapshot()
"""Stands where nothing is known of a state's snapshot: a trace holds none."""


class Disk(Protocol):
    """What survives a server's process: the *state* saved last, and how often it was lost."""

    state: DurableState | None
    life: int


class Invariants:
    """
    What is known of the whole cluster, and the rules that it is held against.

    State: the *disks*, by uid; the *quorums* in use, the *votes*, what was *applied*, who holds one
    of the *leases*; and what was *seen* on each disk last, in which of its lives.
    """

    def __init__(
        self,
        disks: Mapping[PeerID, Disk],
        *,
        machine: StateMachine,
        sessions_max: int,
        on_chosen: Callable[[ChosenLink], None],
        unseen: Callable[[int], int] = lambda _link: 0,
        on_violation: OnViolation = raise_it,
    ) -> None:
        """
        Watch *disks*; tell *on_chosen* of each choice at the instant it is made.

        The links are applied to the *machine*, which remembers *sessions_max* clients. *unseen*
        tells which servers may have voted on a link without being watched, as bits. *on_violation*
        is told what is wrong; where it does not raise that, everything is watched further.
        """
        self.disks = disks
        self.on_violation = on_violation
        self.on_chosen = on_chosen
        self.quorums = QuorumsInUse(tuple(disks))
        self.votes = Votes(self.quorums, self._chosen, unseen, on_violation)
        self.applied = Applied(self.votes, machine, sessions_max=sessions_max)
        self.leases = LeaseWatch()
        self.seen: dict[PeerID, tuple[int, DurableState]] = {}
        self.answers = Answers(self.applied)

    @property
    def chosen(self) -> Mapping[int, ChosenLink]:
        """What is chosen, by link."""
        return self.votes.chosen

    def observer(self, uid: PeerID, quorums: Quorums | None = None) -> "ServerCheck":
        """Return what watches *uid* from its start on; *quorums* are those that it uses."""
        if quorums is not None:
            self.quorums.use(uid, quorums)
        return ServerCheck(self, uid, self.disks[uid])

    def take_as_chosen(self, link: int, value: Link) -> None:
        """Take *value*, and what the disks hold now, as given: the run begins after it."""
        for uid, disk in self.disks.items():
            if disk.state is not None:
                self.seen[uid] = (disk.life, disk.state)
        self.votes.chosen[link] = ChosenLink(
            link=link, proposal_id=LOWEST, value=value, acceptors=tuple(self.disks)
        )
        self.applied.extend()

    def check_return(
        self, uid: PeerID, command: Command, answer: Answer, *, earlier: Outcome | None
    ) -> None:
        """Check an acknowledgement: it is in the chain, on the disk, and the same each time."""
        self.judge(partial(self.answers.check, uid, command, answer, earlier=earlier))

    def judge(self, check: Callable[[], None]) -> None:
        """Run *check*, and tell of the violation that it raises."""
        try:
            check()
        except InvariantViolation as violation:
            self.on_violation(violation)

    def _chosen(self, chosen: ChosenLink) -> None:
        self.applied.extend()
        self.on_chosen(chosen)


class ServerCheck:
    """
    Watches one process: what it makes durable, and what it sends.

    State: the durable state *before* the newest save, as far as it was seen; the votes that were
    counted last; the message that was checked last, which most often goes to several servers.
    """

    def __init__(self, cluster: Invariants, uid: PeerID, disk: Disk) -> None:
        """Begin with what *disk* holds when the process starts."""
        self.cluster = cluster
        self.uid = uid
        self.disk = disk
        life, before = cluster.seen.get(uid, (disk.life, None))
        self.before = before if life == disk.life else None
        self._counted: tuple[int, object] = (-1, None)
        self._checked: tuple[object, int, DurableState | None] = (None, 0, None)
        if disk.state is not None:
            self._check_start(disk.state)

    def saved(self, outbox: Outbox) -> None:
        """Check the state that is on the disk now against the one before."""
        assert outbox.save is not None
        state, before = outbox.save.state, self.before
        # Several votes may have been cast before one save: an acceptance first.
        self._count_votes(state, outbox)
        self._check_position(state)
        if outbox.save.decided or before is None or before.snapshot is not state.snapshot:
            self.cluster.judge(partial(self._check_applied, outbox.save, before))
        self.before = state
        self._counted = (state.instance, state.acceptor)
        self.cluster.seen[self.uid] = (self.disk.life, state)

    def sent(self, envelope: Envelope) -> None:
        """Check what the message reveals against the disk of its sender."""
        message, link, state = envelope.message, envelope.instance, self.disk.state
        checked = self._checked
        if checked[0] is message and checked[1] == link and checked[2] is state:
            return
        self._checked = (message, link, state)
        votes = self.cluster.votes
        self.cluster.judge(partial(check_saved, envelope, state, votes, self.uid))
        match message:
            case Promise() | Accepted():
                votes.voted(link, message.proposal_id, self.uid, life=self.disk.life)
            case Accept():
                votes.asked(link, message.proposal_id, message.value)

    def delivered(self, envelope: Envelope) -> None:
        """Note whose promises reach this server: they are the quorum that it will count."""
        message = envelope.message
        if type(message) is Promise and message.proposal_id.uid == self.uid:
            self.cluster.votes.promise_reached(
                envelope.instance, message.proposal_id, message.acceptor
            )

    def _check_applied(self, save: Save, before: DurableState | None) -> None:
        """I7, I9: what was resolved was chosen, and the state is what that amounts to."""
        state, applied = save.state, self.cluster.applied
        if save.decided:
            since = 0 if before is None else before.instance
            applied.decided(self.uid, save.decided, since=since, until=state.instance)
        if state.snapshot is UNSEEN_SNAPSHOT:
            if before is None or before.instance != state.instance:
                applied.position(self.uid, state.instance)
        elif before is None or before.snapshot is not state.snapshot:
            # What one link changed is compared with that; what several changed, or a catch-up, all.
            numbers = [decided.number for decided in save.decided]
            in_full = numbers != [state.instance - 1]
            applied.snapshot(self.uid, state.instance, state.snapshot, in_full=in_full)

    def _check_start(self, state: DurableState) -> None:
        """I3, I9: the disk of a process that starts holds what was saved before."""
        self._check_forward(state)
        self.cluster.votes.promised(
            state.instance, state.acceptor.promised_id, self.uid, life=self.disk.life
        )

    def _check_forward(self, state: DurableState) -> None:
        if self.before is not None and state.instance < self.before.instance:
            self.cluster.on_violation(
                InvariantViolation(
                    APPLIED_ONCE,
                    state.instance,
                    f"{self.uid} goes back to link {state.instance}; it was at link "
                    f"{self.before.instance} before",
                )
            )

    def _is_counted(self, state: DurableState) -> bool:
        return self._counted[1] is state.acceptor and self._counted[0] == state.instance

    def _check_position(self, state: DurableState) -> None:
        acceptor, votes, link = state.acceptor, self.cluster.votes, state.instance
        accepted_id, promised_id = acceptor.accepted_id, acceptor.promised_id
        self.cluster.judge(partial(check_within_promise, link, accepted_id, promised_id, self.uid))
        self._check_forward(state)
        if self._is_counted(state):
            return
        if acceptor.promised_id.number > 0:
            votes.voted(link, acceptor.promised_id, self.uid, life=self.disk.life)
        votes.promised(link, acceptor.promised_id, self.uid, life=self.disk.life)

    def _count_votes(self, state: DurableState, outbox: Outbox) -> None:
        acceptor = state.acceptor
        if acceptor.accepted_id.number > 0 and not self._is_counted(state):
            self._accepted(state.instance, acceptor.accepted_id, acceptor.accepted_value)
        for event in outbox.events:
            # An acceptance that completes a quorum closes its link in the same save, and so do
            # votes that were counted at last: what was promised there is on no disk any more.
            if event.kind not in (EventKind.ACCEPTED, EventKind.PROMISED):
                continue
            link, proposal_id = event.details["instance"], event.details["proposal_id"]
            assert isinstance(link, int)
            assert isinstance(proposal_id, ProposalID)
            if event.kind is EventKind.ACCEPTED:
                if link != state.instance or proposal_id != acceptor.accepted_id:
                    self._accepted(link, proposal_id, event.details["value"])
            elif link != state.instance:
                self._promised(link, proposal_id)

    def _promised(self, link: int, proposal_id: ProposalID) -> None:
        votes = self.cluster.votes
        votes.voted(link, proposal_id, self.uid, life=self.disk.life)
        votes.promised(link, proposal_id, self.uid, life=self.disk.life)

    def _accepted(self, link: int, proposal_id: ProposalID, value: object) -> None:
        self.cluster.votes.accepted(
            link,
            proposal_id,
            value,  # type: ignore[arg-type]
            self.uid,
            life=self.disk.life,
        )
