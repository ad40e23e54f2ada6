"""
The invariants, watched from outside while a simulated cluster runs.

The checkers see what nobody in the cluster sees: every disk, every message, every answer. They know
what the words mean (promised, accepted, chosen, applied) and use none of the protocol's own logic:
they have their own model of what a chain amounts to.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Protocol

from composable_paxos import LOWEST, Accept, Accepted, PeerID, Prepare, Promise, ProposalID
from multipaxos.chain.durable import DurableState
from multipaxos.chain.effects import Answer, Outbox
from multipaxos.chain.events import EventKind
from multipaxos.chain.links import Link, NewMaster, Updates
from multipaxos.chain.messages import Envelope
from multipaxos.chain.requests import Chosen, Outcome, RequestID
from multipaxos.chain.state_machine import Command, Set
from multipaxos.invariants.violation import InvariantViolation


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenLink:
    """What was chosen for *link*: by *acceptors*, in the order in which they accepted."""

    link: int
    proposal_id: ProposalID
    value: Link
    acceptors: tuple[PeerID, ...]


@dataclass(slots=True, kw_only=True)
class LinkRecord:
    """
    All that was ever durable or sent about one link.

    *values* by the number under which they travelled; *acceptances* in order of time, by number;
    what each server *promised* at most; in which life of its disk each *voted*.
    """

    values: dict[ProposalID, Link] = field(default_factory=dict)
    acceptances: dict[ProposalID, dict[PeerID, None]] = field(default_factory=dict)
    promised: dict[PeerID, ProposalID] = field(default_factory=dict)
    voted: dict[PeerID, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What the links so far amount to, by the checkers' own reckoning; *done* by client."""

    value: str | None = None
    done: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    master: NewMaster | None = None

    def after(self, number: int, link: Link) -> "Model":
        """Return what follows from one more link."""
        if isinstance(link, NewMaster):
            return Model(value=self.value, done=self.done, master=link)
        if not isinstance(link, Updates):
            return self
        value, done = self.value, dict(self.done)
        for update in link.updates:
            request_id, command = update.request_id, update.command
            if isinstance(command, Set) and done.get(request_id.client, (-1, 0))[0] < (
                request_id.sequence
            ):
                value = command.value
                done[request_id.client] = (request_id.sequence, number)
        return Model(value=value, done=done, master=self.master)


class Disk(Protocol):
    """What survives a server's process: the *state* saved last, and how often it was lost."""

    state: DurableState | None
    life: int


class Invariants:
    """
    What is known of the whole cluster, and the rules that it is held against.

    State: a record of each link, what is *chosen*, and the model after each prefix of the chain. A
    cluster has one chain: links are told apart by number alone.
    """

    def __init__(
        self,
        disks: Mapping[PeerID, Disk],
        *,
        sessions_max: int,
        on_chosen: Callable[[ChosenLink], None],
    ) -> None:
        """Watch *disks*; tell *on_chosen* of each choice at the instant it is made."""
        self.disks = disks
        self.sessions_max = sessions_max
        self.on_chosen = on_chosen
        self.quorum_size = len(disks) // 2 + 1
        self.chosen: dict[int, ChosenLink] = {}
        self.models = [Model()]
        self.records: dict[int, LinkRecord] = {}
        self.checks = 0

    def observer(self, uid: PeerID) -> "ServerCheck":
        """Return what watches *uid* from its start on."""
        return ServerCheck(self, uid, self.disks[uid])

    def record(self, link: int) -> LinkRecord:
        """Return the record of *link*."""
        record = self.records.get(link)
        if record is None:
            record = self.records[link] = LinkRecord()
        return record

    def take_as_chosen(self, link: int, value: Link) -> None:
        """Take *value* as given: the run begins after it."""
        self.chosen[link] = ChosenLink(
            link=link, proposal_id=LOWEST, value=value, acceptors=tuple(self.disks)
        )
        self._extend_models()

    def count_acceptance(
        self, link: int, proposal_id: ProposalID, value: Link, uid: PeerID
    ) -> None:
        """Count that *uid* has accepted durably. I1 Agreement, I2 OneValuePerNumber."""
        self.check_number(link, proposal_id, value)
        accepted_by = self.record(link).acceptances.setdefault(proposal_id, {})
        if uid in accepted_by:
            return
        accepted_by[uid] = None
        if len(accepted_by) != self.quorum_size:
            return
        now = ChosenLink(
            link=link, proposal_id=proposal_id, value=value, acceptors=tuple(accepted_by)
        )
        before = self.chosen.get(link)
        if before is None:
            self.chosen[link] = now
            self._extend_models()
            self.on_chosen(now)
        elif before.value != value:
            raise InvariantViolation(
                "I1 Agreement",
                link,
                f"{before.proposal_id} chose {before.value} by {', '.join(before.acceptors)}, "
                f"{proposal_id} chose {value} by {', '.join(accepted_by)}",
            )

    def check_number(self, link: int, proposal_id: ProposalID, value: Link) -> None:
        """I2: under one number travels one value; number 1 has one owner."""
        values = self.record(link).values
        known = values.get(proposal_id)
        if known is None:
            values[proposal_id] = value
            rivals = [other for other in values if other.number == 1]
            if len(rivals) > 1:
                raise InvariantViolation(
                    "I2 OneValuePerNumber", link, f"number 1 has two owners: {rivals}"
                )
        elif known != value:
            raise InvariantViolation(
                "I2 OneValuePerNumber", link, f"{proposal_id} stands for {known} and for {value}"
            )

    def check_safe(self, link: int, proposal_id: ProposalID, value: Link) -> None:
        """
        I4: an accept request's value is safe at its number.

        Some quorum must exist that has promised the number (or more), and whose highest acceptance
        below it, if any, is of this value. Below number 1 there is nothing.
        """
        if proposal_id.number <= 1:
            return
        record = self.record(link)
        able = [uid for uid in self.disks if record.promised.get(uid, LOWEST) >= proposal_id]
        for quorum in combinations(able, self.quorum_size):
            below = [
                lower
                for lower, accepted_by in record.acceptances.items()
                if lower < proposal_id and any(uid in accepted_by for uid in quorum)
            ]
            if not below or record.values[max(below)] == value:
                return
        raise InvariantViolation(
            "I4 ValueIsSafe",
            link,
            f"{proposal_id} asks to accept {value}; promised by {able}; accepted before: "
            + "; ".join(f"{n} {record.values[n]} by {list(by)}" for n, by in _sorted(record)),
        )

    def check_leases(self, believers: Iterable[PeerID]) -> None:
        """I10: at one instant at most one server believes that it may answer reads alone."""
        self.checks += 1
        names = tuple(believers)
        if len(names) > 1:
            raise InvariantViolation(
                "I10 OneReader", None, f"{' and '.join(names)} each trust a lease at one instant"
            )

    def check_return(
        self, uid: PeerID, command: Command, answer: Answer, *, earlier: Outcome | None
    ) -> None:
        """Check an acknowledgement: it is in the chain, on the disk, and the same each time."""
        outcome = answer.outcome
        # A read may be the master's, forwarded here: linearizability judges it, not the disk.
        if not isinstance(outcome, Chosen) or not isinstance(command, Set):
            return
        state = self.disks[uid].state
        if state is None or state.instance <= outcome.link:
            raise InvariantViolation(
                "I8 SavedBeforeSent", outcome.link, f"{uid} answers {answer} before it saved it"
            )
        self._check_write(uid, answer.request_id, outcome, earlier)

    def _check_write(
        self, uid: PeerID, request_id: RequestID, outcome: Chosen, earlier: Outcome | None
    ) -> None:
        chosen = self.chosen.get(outcome.link)
        link = chosen.value if chosen else None
        if not isinstance(link, Updates) or all(u.request_id != request_id for u in link.updates):
            raise InvariantViolation(
                "I7 ResolvedMeansChosen",
                outcome.link,
                f"{uid} says that {request_id} is chosen there, but the link is {link}",
            )
        if isinstance(earlier, Chosen) and earlier != outcome:
            raise InvariantViolation(
                "I9 AppliedOnce", outcome.link, f"{request_id} was {earlier} and is {outcome}"
            )

    def _extend_models(self) -> None:
        while (chosen := self.chosen.get(len(self.models) - 1)) is not None:
            self.models.append(self.models[-1].after(chosen.link, chosen.value))


class ServerCheck:
    """
    Watches one process: what it makes durable, and what it sends.

    State: the durable state *before* the newest save.
    """

    def __init__(self, cluster: Invariants, uid: PeerID, disk: Disk) -> None:
        """Begin with what *disk* holds when the process starts."""
        self.cluster = cluster
        self.uid = uid
        self.disk = disk
        self.before = disk.state

    def saved(self, outbox: Outbox) -> None:
        """Check the state that is on the disk now against the one before."""
        assert outbox.save is not None
        state, before = outbox.save.state, self.before
        # Several votes may have been cast before one save: an acceptance first.
        self._count_votes(state, outbox)
        self._check_promises(state, before)
        self._check_decided(outbox, 0 if before is None else before.instance)
        if before is None or before.snapshot is not state.snapshot:
            self._check_applied(state)
        self.before = state

    def sent(self, envelope: Envelope) -> None:
        """Check what the message reveals against the disk of its sender."""
        message, link = envelope.message, envelope.instance
        state = self.disk.state
        if state is None or state.instance < link:
            if link > 0:
                self._violate("I8 SavedBeforeSent", link, f"speaks of it, on disk is {state}")
            return
        match message:
            case Prepare():
                self._check_saved_promise(link, message.proposal_id, state)
            case Promise():
                self._check_saved_promise(link, message.proposal_id, state)
                self._check_life(link, message.proposal_id)
            case Accept():
                self._check_saved_promise(link, message.proposal_id, state)
                fresh = message.proposal_id not in self.cluster.record(link).values
                self.cluster.check_number(link, message.proposal_id, message.value)
                if fresh or message.proposal_id.uid == self.uid:
                    self.cluster.check_safe(link, message.proposal_id, message.value)
            case Accepted():
                self._check_saved_acceptance(link, message, state)
                self._check_life(link, message.proposal_id)

    def _check_promises(self, state: DurableState, before: DurableState | None) -> None:
        acceptor = state.acceptor
        if acceptor.accepted_id > acceptor.promised_id:
            self._violate(
                "I5 AcceptedWithinPromise",
                state.instance,
                f"accepted {acceptor.accepted_id} above its promise {acceptor.promised_id}",
            )
        if before is not None and state.instance < before.instance:
            self._violate("I9 AppliedOnce", state.instance, f"was at link {before.instance} before")
        record = self.cluster.record(state.instance)
        promised = record.promised.get(self.uid, LOWEST)
        if acceptor.promised_id > LOWEST:
            self._check_life(state.instance, acceptor.promised_id)
        if acceptor.promised_id < promised and record.voted.get(self.uid) == self.disk.life:
            self._violate(
                "I3 PromiseKept",
                state.instance,
                f"promised {promised} before and has only {acceptor.promised_id} on disk now",
            )
        record.promised[self.uid] = max(promised, acceptor.promised_id)

    def _count_votes(self, state: DurableState, outbox: Outbox) -> None:
        acceptor = state.acceptor
        if acceptor.accepted_id > LOWEST:
            self._count(state.instance, acceptor.accepted_id, acceptor.accepted_value)
        for event in outbox.events:
            # An acceptance that completes a quorum closes its link in the same save.
            if event.kind is EventKind.ACCEPTED:
                instance, proposal_id = event.details["instance"], event.details["proposal_id"]
                assert isinstance(instance, int)
                assert isinstance(proposal_id, ProposalID)
                value: object = event.details["value"]
                self._count(instance, proposal_id, value)

    def _count(self, link: int, proposal_id: ProposalID, value: object) -> None:
        record = self.cluster.record(link)
        promised = record.promised.get(self.uid, LOWEST)
        if self.uid not in record.acceptances.get(proposal_id, {}) and proposal_id < promised:
            self._violate("I3 PromiseKept", link, f"accepts {proposal_id}, promised {promised}")
        self.cluster.count_acceptance(link, proposal_id, value, self.uid)  # type: ignore[arg-type]

    def _check_decided(self, outbox: Outbox, expected: int) -> None:
        assert outbox.save is not None
        state = outbox.save.state
        for decided in outbox.save.decided:
            chosen = self.cluster.chosen.get(decided.number)
            if chosen is None:
                self._violate(
                    "I7 ResolvedMeansChosen", decided.number, f"resolved {decided.link}: not chosen"
                )
            elif chosen.value != decided.link:
                self._violate(
                    "I1 Agreement",
                    decided.number,
                    f"resolved {decided.link}; chosen was {chosen.value}",
                )
            if decided.number < expected or decided.number >= state.instance:
                self._violate("I9 AppliedOnce", decided.number, "applied out of order")
            expected = decided.number + 1

    def _check_applied(self, state: DurableState) -> None:
        cluster, snapshot = self.cluster, state.snapshot
        if state.instance >= len(cluster.models):
            self._violate(
                "I7 ResolvedMeansChosen", state.instance - 1, "is past it, and it is not chosen"
            )
        model = cluster.models[state.instance]
        if (snapshot.value, snapshot.master) != (model.value, model.master):
            self._violate(
                "I9 AppliedOnce",
                state.instance - 1,
                f"has {snapshot.value!r} under {snapshot.master}; the links so far amount to "
                f"{model.value!r} under {model.master}",
            )
        done = {client: (s.sequence, s.link) for client, s in snapshot.sessions.items()}
        if len(model.done) <= cluster.sessions_max and done != model.done:
            self._violate(
                "I9 AppliedOnce", state.instance - 1, f"remembers {done}, applied is {model.done}"
            )

    def _check_saved_promise(self, link: int, proposal_id: ProposalID, state: DurableState) -> None:
        if state.instance == link and state.acceptor.promised_id < proposal_id:
            self._violate(
                "I8 SavedBeforeSent",
                link,
                f"reveals {proposal_id}, promised on disk is {state.acceptor.promised_id}",
            )

    def _check_saved_acceptance(self, link: int, message: Accepted, state: DurableState) -> None:
        accepted_by = self.cluster.record(link).acceptances.get(message.proposal_id, {})
        on_disk = state.acceptor.accepted_id
        if self.uid not in accepted_by or (
            state.instance == link and on_disk < message.proposal_id
        ):
            self._violate(
                "I8 SavedBeforeSent",
                link,
                f"reveals that it accepted {message.proposal_id}, on disk is {on_disk}",
            )

    def _check_life(self, link: int, proposal_id: ProposalID) -> None:
        """I3 across a loss of memory: nobody votes twice on a link of which it forgot a vote."""
        life = self.cluster.record(link).voted.setdefault(self.uid, self.disk.life)
        if life != self.disk.life:
            self._violate(
                "I3 PromiseKept",
                link,
                f"votes on {proposal_id} after it voted there in a life that it has forgotten",
            )

    def _violate(self, name: str, link: int, explanation: str) -> None:
        raise InvariantViolation(name, link, f"{self.uid} {explanation}")


def _sorted(record: LinkRecord) -> list[tuple[ProposalID, dict[PeerID, None]]]:
    return sorted(record.acceptances.items())
