"""
The passive replicated value: it answers messages and applies links, and starts nothing.

Every behaviour that a strategy may change is a method here. A strategy is a mixin over this class:
it overrides hooks, calls ``super()``, and knows no other mixin.
"""

from collections.abc import Iterable
from typing import Any, ClassVar, assert_never

from typing_extensions import override

from composable_paxos import (
    LOWEST,
    Accept,
    Accepted,
    Message,
    Nack,
    PeerID,
    Prepare,
    Promise,
    Resolution,
)
from multipaxos.chain.durable import DecidedLink, Snapshot
from multipaxos.chain.effects import Applied, Changes, LocalRead, Outbox, Timer
from multipaxos.chain.events import EventKind, literally
from multipaxos.chain.ledger import apply_link, outcome_so_far
from multipaxos.chain.links import Founding, Link, Updates
from multipaxos.chain.messages import (
    Answered,
    CatchUp,
    Decided,
    Envelope,
    FetchPart,
    Forward,
    IAmAt,
    OtherChain,
    SnapshotPart,
    Sync,
    WhereAreYou,
)
from multipaxos.chain.refusals import Reason, Refusal
from multipaxos.chain.requests import Chosen, Refused, RequestID, Update
from multipaxos.chain.state_machine import Command
from multipaxos.chain.transfer import OutgoingSnapshot
from multipaxos.chain.voting import Voting


class BaseReplicatedValue(Voting):
    """
    One server's part in keeping the chain: learns, applies, proposes its clients' updates.

    State, beside its place in the chain and its votes: the *queue* of updates that are in no link
    yet; the *lease*: the timer that runs as long as this server may answer reads alone, None if
    it may not; and the snapshot that is *outgoing* to others in parts, None if there is none.

    Use: call one of the events (:meth:`start`, :meth:`propose_update`, :meth:`receive`,
    :meth:`timeout`, :meth:`release_read`, :meth:`retry_read`), then perform :meth:`take_outbox`.
    """

    heeds_late_votes: ClassVar = False
    """Whether an acceptance makes a difference that comes when its link was just closed."""

    def __init__(self, **arguments: Any) -> None:
        """Begin with an empty queue; *arguments* are those of :class:`ChainPosition`."""
        super().__init__(**arguments)
        self.queue: dict[RequestID, Update] = {}
        self.lease: Timer | None = None
        self.outgoing: OutgoingSnapshot | None = None

    # -- events ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin. Called once, before any other event."""
        if not self.memoryless:
            self.joined()

    def propose_update(
        self, request_id: RequestID, command: Command, since: int | None = None
    ) -> None:
        """
        Take the request of a client of this server. Its outcome comes as an Answer.

        *since* is the client's own word for it, from when it first asked; None if it has none.
        """
        self.propose_updates(((request_id, command, since),))

    def propose_updates(self, requests: Iterable[tuple[RequestID, Command, int | None]]) -> None:
        """Take requests that came in together, each as :meth:`propose_update` takes one."""
        for request_id, command, since in requests:
            self._waiting.add(request_id)
            update = Update(
                request_id=request_id,
                command=command,
                since=self.instance if since is None else since,
            )
            self.take_update(update, origin=self.uid)
        self.propose_next()

    def receive(self, envelope: Envelope) -> None:
        """Take a message of another server."""
        refusal = self._envelope_refusal(envelope)
        if refusal is None:
            self.take_hint(envelope)
            self._dispatch(envelope)
        else:
            self.note_refusal(envelope.message, refusal, sender=envelope.sender)

    def timeout(self, timer: Timer) -> None:
        """Take the news that *timer* fired. Here: nothing; strategies know their own timers."""

    def release_read(self, read: LocalRead) -> None:
        """Answer *read*: the lease was found to run after its value was read."""
        if read.origin == self.uid:
            self.answer(read.update.request_id, read.outcome)
        elif isinstance(read.outcome, Chosen):
            self.send(
                read.origin,
                Answered(
                    request_id=read.update.request_id,
                    link=read.outcome.link,
                    result=read.outcome.result,
                ),
            )

    def retry_read(self, read: LocalRead) -> None:
        """Take *read* anew: the lease ended before its value could be vouched for."""
        self.take_update(read.update, origin=read.origin)
        self.propose_next()

    def take_outbox(self) -> Outbox:
        """
        Return the effects of the event, and forget them.

        Messages to oneself are delivered first: they never travel, so what this server tells itself
        is saved together with what it tells the others. The save is there whenever the durable
        state changed, whoever changed it; no strategy can forget it (SavedBeforeSent).
        """
        while self._to_self:
            instance, message = self._to_self.popleft()
            if instance == self.instance:
                self.receive_in_instance(message)
        return self._take_effects()

    # -- other messages ----------------------------------------------------------------------------

    def take_hint(self, envelope: Envelope) -> None:
        """Take what *envelope* itself says of the link before its own. Here: nothing."""

    def receive_from_behind(self, envelope: Envelope) -> None:
        """Take a message of a server that is at an earlier link. Here: nothing."""

    def receive_from_ahead(self, envelope: Envelope) -> None:
        """Take a message of a server that is at a later link. Here: nothing."""

    def receive_sync(self, envelope: Envelope, message: Sync) -> None:
        """Take a server's word of where it is. Here: nothing."""

    def receive_catch_up(self, envelope: Envelope, message: CatchUp) -> None:
        """Take what the links below the envelope's instance amount to. Here: nothing."""

    def receive_decided(self, envelope: Envelope, message: Decided) -> None:
        """Take links that another server has learned. Here: nothing."""

    def receive_part(self, envelope: Envelope, message: SnapshotPart) -> None:
        """Take a part of what the links below a later instance amount to. Here: nothing."""

    def receive_fetch_part(self, envelope: Envelope, message: FetchPart) -> None:
        """Take the wish of a server that is behind for a part. Here: nothing."""

    def ask_for_help(self, uid: PeerID) -> None:
        """Ask *uid*, which is at a later link, what this server missed. Here: nothing."""

    def help_peer(self, uid: PeerID, instance: int) -> None:
        """Tell *uid*, which is at *instance* and so behind, what it missed. Here: nothing."""

    def receive_forward(self, envelope: Envelope, message: Forward) -> None:
        """Take an update of another server's client."""
        for update in message.updates:
            self.take_update(update, origin=envelope.sender)
        self.propose_next()

    def receive_answered(self, message: Answered) -> None:
        """Take the result of a read that was forwarded."""
        self.queue.pop(message.request_id, None)
        self.answer(message.request_id, Chosen(link=message.link, result=message.result))

    def receive_other_chain(self, envelope: Envelope) -> None:
        """Take the news that a server keeps another chain. Here: nothing."""

    def receive_where_are_you(self, envelope: Envelope, message: WhereAreYou) -> None:
        """Take the question of a server without memory. Here: nothing."""

    def receive_i_am_at(self, envelope: Envelope, message: IAmAt) -> None:
        """Take the answer to the question of a server without memory. Here: nothing."""

    # -- proposing ---------------------------------------------------------------------------------

    def take_update(self, update: Update, *, origin: PeerID) -> None:  # noqa: ARG002 - for strategies
        """
        Queue *update*, unless the chain has it already; the caller proposes what is queued.

        *origin* is the server whose client asked; here it makes no difference.
        """
        request_id = update.request_id
        if self.settle(update, self.snapshot):
            return
        if request_id not in self.queue and len(self.queue) >= self.settings.queue_max:
            self.answer(request_id, Refused(reason=f"busy: {len(self.queue)} updates wait already"))
        else:
            self.queue[request_id] = update

    def settle(self, update: Update, snapshot: Snapshot) -> bool:
        """Answer *update* and queue it no more, if the links of *snapshot* tell its outcome."""
        outcome = outcome_so_far(snapshot, update)
        if outcome is None or self.machine.is_read(update.command):
            return False
        self.queue.pop(update.request_id, None)
        self.answer(update.request_id, outcome)
        return True

    def propose_next(self) -> None:
        """Hand the link that should come next to the instance in progress, if it has none yet."""
        if self.paxos.wish is None and self.may_propose():
            link = self.next_link()
            if link is not None:
                self.paxos.propose_value(link)

    def next_link(self) -> Link | None:
        """Return what this server wants the next link to be: its oldest update. None: nothing."""
        for update in self.queue.values():
            return Updates(updates=(update,))
        return None

    def repeat_request(self, uid: PeerID) -> None:
        """Ask *uid* once more, and alone, to accept what all were asked to accept, if they were."""
        request = self.paxos.request_in_flight()
        # A Prepare may be one that waits for its backoff, and that was not even promised here.
        if isinstance(request, Accept) and self.may_propose():
            self.send(uid, request)

    def waits_for(self) -> tuple[PeerID, ...]:
        """Return the servers that this one must hear of before it takes part. Here: none."""
        return ()

    @property
    def is_untouched(self) -> bool:
        """Whether this server has neither proposed nor promised anything in this instance."""
        return self.paxos.proposal_id == LOWEST and self.paxos.state.promised_id == LOWEST

    def may_propose(self) -> bool:
        """Tell whether this server may begin rounds now."""
        return not self.memoryless and self.instance >= self.votes_from

    # -- learning ----------------------------------------------------------------------------------

    @override
    def resolve(self, resolution: Resolution) -> None:
        """Learn the link that this instance was found to have chosen."""
        self.note(
            EventKind.RESOLVED,
            "link {instance} is decided",
            link=resolution.value,
            proposal_id=resolution.proposal_id,
            acceptors=tuple(sorted(resolution.acceptors)),
        )
        self.learn_link(resolution.value)

    def learn_link(self, link: Link) -> None:
        """Apply *link*, which this instance has chosen, and go on to the next instance."""
        number = self.instance
        effect = apply_link(
            self.snapshot,
            number,
            link,
            machine=self.machine,
            sessions_max=self.settings.sessions_max,
        )
        self._decided.append(DecidedLink(number=number, link=link))
        if isinstance(link, Founding):
            self.founding = link
        if effect.applied:
            self.tell_changes(
                Applied(
                    link=number,
                    commands=effect.applied,
                    before=self.snapshot.value,
                    machine=self.machine,
                )
            )
        for request_id, outcome in effect.outcomes:
            self.queue.pop(request_id, None)
            self.answer(request_id, outcome)
        self.advance_instance(number + 1, effect.snapshot, learned=link)

    def install(self, instance: int, founding: Founding, snapshot: Snapshot) -> None:
        """Take over what the links below *instance* amount to, skipping this server's own part."""
        assert instance > self.instance, "AppliedOnce: a chain never goes back"
        self.note(
            EventKind.CAUGHT_UP,
            literally(f"caught up with {_links(self.instance, instance - 1)}"),
            instance=instance,
            value=snapshot.value,
        )
        self.founding = founding
        self.tell_changes(Changes(link=instance - 1, changes=None))
        for update in tuple(self.queue.values()):
            self.settle(update, snapshot)
        self.advance_instance(instance, snapshot, learned=None)

    def advance_instance(self, instance: int, snapshot: Snapshot, *, learned: Link | None) -> None:
        """
        Go on to *instance*, whose predecessors amount to *snapshot*.

        *learned* is the link just before it; None after a catch-up, which may have skipped many.
        """
        self._enter(instance, snapshot)
        self.instance_began(learned=learned)
        self.propose_next()

    def instance_began(self, *, learned: Link | None) -> None:
        """Take note of a new instance, before anything is proposed in it. Here: nothing."""

    def joined(self) -> None:
        """Take up work: called once this server has memory. Here: propose what waits."""
        self.propose_next()

    def foreign_lease_ended(self) -> None:
        """Take note that no other server's lease must be respected any more: propose what waits."""
        self.propose_next()

    # -- own affairs -------------------------------------------------------------------------------

    def _dispatch(self, envelope: Envelope) -> None:  # noqa: C901 - one case a message
        message = envelope.message
        match message:
            case Prepare() | Promise() | Accept() | Accepted() | Nack():
                self._receive_paxos(envelope, message)
            case Sync():
                self.receive_sync(envelope, message)
            case CatchUp():
                self.receive_catch_up(envelope, message)
            case Decided():
                self.receive_decided(envelope, message)
            case SnapshotPart():
                self.receive_part(envelope, message)
            case FetchPart():
                self.receive_fetch_part(envelope, message)
            case Forward():
                self.receive_forward(envelope, message)
            case Answered():
                self.receive_answered(message)
            case OtherChain():
                self.receive_other_chain(envelope)
            case WhereAreYou():
                self.receive_where_are_you(envelope, message)
            case IAmAt():
                self.receive_i_am_at(envelope, message)
            case _:
                assert_never(message)

    def _receive_paxos(self, envelope: Envelope, message: Message) -> None:
        if envelope.instance < self.instance:
            self._note_other_link(envelope, Reason.BEHIND, "closed")
            self.receive_from_behind(envelope)
        elif envelope.instance > self.instance:
            self._note_other_link(envelope, Reason.AHEAD, "to come")
            self.receive_from_ahead(envelope)
        else:
            self.receive_in_instance(message)

    def _note_other_link(self, envelope: Envelope, reason: Reason, state: str) -> None:
        # Only a request that gets no vote is a refusal; a reply that comes too late is no wonder.
        if isinstance(envelope.message, Prepare | Accept):
            refusal = Refusal(
                reason=reason,
                words=f"link {envelope.instance} is {state} here",
                details={"asked": envelope.instance},
            )
            self.note_refusal(envelope.message, refusal, sender=envelope.sender)

    def _envelope_refusal(self, envelope: Envelope) -> Refusal | None:
        message = envelope.message
        if isinstance(message, WhereAreYou | IAmAt):
            return None
        if self.memoryless:
            return Refusal(reason=Reason.NO_MEMORY, words="this server has no memory yet")
        both_known = bool(envelope.chain_id and self.chain_id)
        if (
            both_known
            and envelope.chain_id != self.chain_id
            and not isinstance(message, OtherChain)
        ):
            self.send(envelope.sender, OtherChain())
            return Refusal(
                reason=Reason.OTHER_CHAIN,
                words=f"it speaks of chain {envelope.chain_id}, this is chain {self.chain_id}",
                details={"chain": envelope.chain_id},
            )
        return None


def _links(first: int, last: int) -> str:
    return f"link {first}" if first == last else f"links {first} to {last}"
