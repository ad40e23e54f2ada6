"""Handing what the traces tell to the checkers, event by event."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from composable_paxos import LOWEST, Accepted, AcceptorState, PeerID, Promise
from multipaxos.chain.durable import DecidedLink, DurableState
from multipaxos.chain.effects import Answer, Outbox, Save
from multipaxos.chain.events import Event, EventKind
from multipaxos.chain.messages import Envelope
from multipaxos.chain.requests import Chosen
from multipaxos.chain.state_machine import StateMachine, freeze
from multipaxos.invariants.cluster import UNSEEN_SNAPSHOT, Invariants, ServerCheck
from multipaxos.invariants.conformance.calls import Calls, command_of, outcome_of
from multipaxos.invariants.conformance.gaps import Gaps
from multipaxos.invariants.conformance.merge import SAID
from multipaxos.invariants.conformance.source import BadTracesError, Line
from multipaxos.invariants.quorums import Majorities
from multipaxos.invariants.votes import check_within_promise
from multipaxos.trace import (
    parse_link,
    parse_message,
    parse_proposal,
    parse_request,
    unplain,
)


@dataclass(slots=True)
class TracedDisk:
    """What a server has on its disk, by its trace; in which *life* of the file."""

    state: DurableState | None = None
    life: int = 0


def _vote_of(kind: str, fields: Any) -> Event:
    details = {
        "instance": fields["instance"],
        "proposal_id": parse_proposal(fields["proposal_id"]),
    }
    if kind == "accepted":
        details["value"] = parse_link(fields["value"])
    return Event(kind=EventKind(kind), template="", details=details)


class TracedServer:
    """
    One server, as its trace shows it.

    State: the *check* of its process, once that has started; the *saved* line whose event is not
    complete yet; the lease that it claims, until the time *trusts_until* of the trace, at a clock's
    *rate*; and whether its disk *may hold more* than was seen: until its next save.
    """

    def __init__(self, uid: PeerID, invariants: Invariants, disk: TracedDisk, gaps: Gaps) -> None:
        """Begin before the first line."""
        self.uid = uid
        self.invariants = invariants
        self.disk = disk
        self.check: ServerCheck | None = None
        self.may_hold_more = False
        self.trusts_until = 0.0
        self.rate = 1.0
        self._gaps = gaps
        self.saved: Line | None = None
        self._votes: list[Event] = []

    def take(self, line: Line, now: Callable[[], float]) -> None:
        """Take the next event; *now* tells the time of the newest one."""
        fields: Any = line.event.fields
        kind = line.event.kind
        match kind:
            case "started":
                self._start(line, memory=fields["memory"])
            case "wiped":
                self._lose_disk()
            case "saved":
                self.saved = line
            case "promised" | "accepted" if self.saved is not None:
                self._votes.append(_vote_of(kind, fields))
            case "caught up":
                self.finish()
                value = freeze(fields["value"])
                self.invariants.applied.value(self.uid, fields["instance"], value)
            case "sent":
                self._sent(envelope_of(fields))
            case "delivered":
                self._process().delivered(envelope_of(fields))
            case _:
                self._take_lease(line, now)

    def _take_lease(self, line: Line, now: Callable[[], float]) -> None:
        fields: Any = line.event.fields
        match line.event.kind:
            case "lease began":
                self.trusts_until = fields["until"]
                link = fields["instance"] - 1
                self.invariants.leases.look(self.uid, lambda: now() < self.trusts_until, link=link)
            case "lease ended" | "stopped" | "halted" | "crashed":
                self.trusts_until = 0.0
            case "clock rate":
                left = max(0.0, self.trusts_until - line.event.seconds)
                self.trusts_until = line.event.seconds + left * self.rate / fields["rate"]
                self.rate = fields["rate"]

    def finish(self) -> None:
        """Take the newest save as complete: nothing more was said with it."""
        line, self.saved = self.saved, None
        if line is None:
            return
        fields: Any = line.event.fields
        promised, accepted = parse_proposal(fields["promised"]), parse_proposal(fields["accepted"])
        check_within_promise(fields["instance"], accepted, promised, self.uid)
        state = DurableState(
            birth="",
            instance=fields["instance"],
            votes_from=fields["votes_from"],
            acceptor=AcceptorState(
                promised_id=promised,
                accepted_id=accepted,
                accepted_value=None if accepted == LOWEST else parse_link(fields["value"]),
            ),
            snapshot=UNSEEN_SNAPSHOT,
        )
        decided: tuple[DecidedLink, ...] = unplain(fields["decided"], tuple[DecidedLink, ...])
        said, self._votes = tuple(self._votes), []
        process = self._process()
        self.disk.state = state
        self.may_hold_more = False
        process.saved(Outbox(save=Save(state=state, decided=decided), events=said))

    def answered(self, line: Line, earlier: object) -> None:
        """Check what a client was told."""
        outcome = outcome_of(line)
        command = command_of(line)
        request_id = parse_request(line.event.fields["request"])
        self.invariants.answers.check(
            self.uid,
            command,
            Answer(request_id=request_id, outcome=outcome),
            earlier=earlier if isinstance(earlier, Chosen) else None,
        )

    def _start(self, line: Line, *, memory: bool) -> None:
        if not memory and self.disk.state is not None:
            self._lose_disk()
        self.trusts_until = 0.0
        is_unseen = memory and self.disk.state is None
        self.may_hold_more = is_unseen or line.place in self._gaps.may_know_more
        self.check = self.invariants.observer(self.uid)

    def _lose_disk(self) -> None:
        self.disk.state = None
        self.disk.life += 1

    def _process(self) -> ServerCheck:
        if self.check is None:
            # The trace begins in the midst of a process's life.
            self.may_hold_more = True
            self.check = self.invariants.observer(self.uid)
        return self.check

    def _sent(self, envelope: Envelope) -> None:
        process = self._process()
        if not self.may_hold_more:
            process.sent(envelope)
            return
        # Its disk may hold what was saved and not traced: what it says of that is taken for it.
        message, votes = envelope.message, self.invariants.votes
        match message:
            case Accepted():
                votes.accepted(
                    envelope.instance,
                    message.proposal_id,
                    message.value,
                    self.uid,
                    life=self.disk.life,
                )
            case Promise():
                record = votes.record(envelope.instance)
                known = record.promised.get(self.uid, LOWEST)
                record.promised[self.uid] = max(known, message.proposal_id)


def envelope_of(fields: Mapping[str, Any]) -> Envelope:
    """Return the envelope that a ``sent`` or a ``delivered`` is about."""
    return Envelope(
        cluster="",
        chain_id=fields["chain"],
        instance=fields["instance"],
        sender=fields["sender"],
        receiver=fields["receiver"],
        message=parse_message(fields["message"]),
    )


class Feed:
    """
    Hands merged lines to the checkers.

    State: the servers; the clients' *calls*; the line in hand; how often what *happened*; and for
    each link and server the lines that a violation is explained with.
    """

    def __init__(
        self,
        servers: Sequence[PeerID],
        gaps: Gaps,
        *,
        machine: StateMachine,
        sessions_max: int,
        on_chosen: Callable[[Any], None],
    ) -> None:
        """Begin before the first line; the links are applied to *machine*."""
        disks = {uid: TracedDisk() for uid in servers}
        self.invariants = Invariants(
            disks,
            machine=machine,
            sessions_max=sessions_max,
            on_chosen=on_chosen,
            unseen=lambda link: gaps.unseen(self.invariants.quorums.bits, link),
        )
        self.calls = Calls(machine)
        self.line: Line | None = None
        self.time = 0.0
        self.happened: Counter[str] = Counter()
        self.by_link: dict[int, list[Line]] = {}
        self.leases: dict[PeerID, Line] = {}
        self.servers = {
            uid: TracedServer(uid, self.invariants, disk, gaps) for uid, disk in disks.items()
        }
        self._unfinished: TracedServer | None = None

    def take(self, line: Line) -> None:
        """Take the next line. Raises InvariantViolation, and BadTracesError for what is none."""
        with self._impossible_refused(line):
            self._take(line)

    def finish(self) -> None:
        """Take what was said last as complete. Raises as :meth:`take` does."""
        with self._impossible_refused(self.line):
            self._finish()

    @contextmanager
    def _impossible_refused(self, line: Line | None) -> Iterator[None]:
        try:
            yield
        except (ValueError, ZeroDivisionError) as error:
            here = self.line or line
            place = here.place if here is not None else "the traces"
            raise BadTracesError(f"{place}: this cannot have happened: {error}.") from error

    def _take(self, line: Line) -> None:
        event = line.event
        server = self.servers.get(event.server)
        if self._unfinished is not None and (
            server is not self._unfinished or event.kind not in SAID
        ):
            self._finish()
        self.line = line
        self.time = event.seconds
        if event.kind == "trace":
            self.use_quorums(line)
            return
        if server is None:
            return
        self._note(line)
        if event.kind == "called":
            self.calls.called(line)
        elif event.kind == "returned":
            server.answered(line, self.calls.returned(line))
        else:
            if event.kind == "saved":
                self._unfinished = server
            server.take(line, lambda: self.time)

    def _finish(self) -> None:
        unfinished, self._unfinished = self._unfinished, None
        if unfinished is not None:
            self.line = unfinished.saved or self.line
            unfinished.finish()

    def use_quorums(self, line: Line) -> None:
        """Let the server of a header, or all of them, use majorities of the servers it names."""
        servers: Any = line.event.fields["servers"]
        for uid in [line.event.server] if line.event.server else servers:
            if uid in self.servers:
                self.invariants.quorums.use(uid, Majorities(servers))

    def _note(self, line: Line) -> None:
        event = line.event
        self.happened[event.kind] += 1
        if event.kind in ("promised", "accepted", "resolved", "learned", "saved", "caught up"):
            link = event.fields["instance"]
            assert isinstance(link, int), "the schema was checked"
            self.by_link.setdefault(link, []).append(line)
        elif event.kind == "lease began":
            self.leases[event.server] = line
