"""
One server of the roles model: what an event does to a real :class:`PaxosInstance`, worked out once.

The same event leads from the same local state to the same result, however the rest of the cluster
has come to where it is. So the explorer runs the real roles once for each pair of local state and
event, and looks the result up ever after.
"""

import zlib
from collections import deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from composable_paxos import (
    Accept,
    Accepted,
    AcceptorState,
    Message,
    Nack,
    PaxosInstance,
    PeerID,
    Prepare,
    Promise,
    Quorums,
    Resolution,
)
from multipaxos.exploration.copies import canonical, copy_of, frozen
from multipaxos.exploration.role_checks import broken_by

Reply: TypeAlias = Prepare | Promise | Accept | Accepted | Nack | Resolution | None


@dataclass(frozen=True, slots=True)
class Sent:
    """A *message* on its way to the *receivers*: stays there for ever, to be delivered any time."""

    sender: PeerID
    receivers: tuple[PeerID, ...]
    message: Message


@dataclass(frozen=True, slots=True)
class Begin:
    """A client asks *server* for *value*: it begins its first round with this wish."""

    server: PeerID
    value: str


@dataclass(frozen=True, slots=True)
class Timeout:
    """*server* has waited long enough: it begins another round."""

    server: PeerID


@dataclass(frozen=True, slots=True)
class Repeat:
    """*server* has heard nothing: it repeats what its round asks for, to itself as well."""

    server: PeerID


@dataclass(frozen=True, slots=True)
class Deliver:
    """*sent* reaches *server*, for the first time or again."""

    server: PeerID
    sent: Sent


@dataclass(frozen=True, slots=True)
class Restart:
    """*server* crashes and comes back with what it had saved."""

    server: PeerID


Event: TypeAlias = Begin | Timeout | Repeat | Deliver | Restart


@dataclass(frozen=True, slots=True)
class Local:
    """
    A state of one server: all that its roles hold, and how many rounds it has begun.

    The *instance* is never touched: events run on copies. *broken* is the invariant that the step
    into this state broke, with what there is to say, for a step that no later state shows.
    """

    rounds: int
    content: Hashable
    broken: tuple[str, str] | None
    instance: PaxosInstance = field(compare=False)

    @property
    def saved(self) -> AcceptorState:
        """What is on the disk: each event saves before anything leaves."""
        return self.instance.state

    def fingerprint(self) -> int:
        """Return a number that is the same in each process."""
        return zlib.crc32(canonical((self.rounds, self.content)).encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """
    What an event leads to: the state *after*, and what was *sent*.

    *handled* is for people: each message that a role took, its own server's included, in order,
    with the answer.
    """

    after: Local
    sent: tuple[Sent, ...]
    handled: tuple[tuple[Message, Reply], ...] = ()


class RoleServer:
    """
    Plays events on one server, as the driver and the chain would.

    As in :meth:`multipaxos.chain.replicated_value.BaseReplicatedValue.take_outbox`, what a server
    sends to itself is delivered at once, in order, before anything leaves; what is in memory then
    is saved before anything leaves. With *learners* apart, acceptances are not delivered.
    """

    def __init__(
        self,
        uid: PeerID,
        *,
        quorums: Quorums,
        roles: type[PaxosInstance],
        rounds: int,
        learners_apart: bool,
        checked: frozenset[str],
    ) -> None:
        self.uid = uid
        self.quorums = quorums
        self.roles = roles
        self.rounds = rounds
        self.learners_apart = learners_apart
        self.checked = checked
        self.others = tuple(sorted(quorums.acceptors - {uid}))

    def initial(self) -> Local:
        """Return the server as it starts for the first time."""
        instance = self.roles(self.uid, self.quorums, AcceptorState())
        return Local(0, frozen(instance), None, instance)

    def play(self, before: Local, event: Event) -> Step | None:
        """Return what *event* leads to; None if it cannot happen, or changes nothing."""
        if isinstance(event, Restart):
            return self._restart(before)
        run = _Run(self, before)
        try:
            run.play(event)
        except AssertionError as error:
            return run.end(str(error))
        return None if run.rounds > self.rounds else run.end()

    def _restart(self, before: Local) -> Step | None:
        instance = self.roles(self.uid, self.quorums, before.saved)
        content = frozen(instance)
        if content == before.content:
            return None
        broken = broken_by(before.saved, instance.state, (), checked=self.checked, uid=self.uid)
        return Step(after=Local(before.rounds, content, broken, instance), sent=())


class _Run:
    """One event on a copy: carries messages between the server's own roles until none is left."""

    def __init__(self, server: RoleServer, before: Local) -> None:
        self.server = server
        self.before = before
        self.rounds = before.rounds
        self.instance = copy_of(before.instance)
        self.sent: list[Sent] = []
        self.handled: list[tuple[Message, Reply]] = []
        self.to_self: deque[Message] = deque()

    def play(self, event: Event) -> None:
        match event:
            case Begin(value=value):
                if self.instance.wish is None:
                    self._send(self.instance.propose_value(value))
                    self._begin_round(self.instance.prepare())
            case Timeout():
                if self.instance.wish is not None:
                    self._begin_round(self.instance.prepare())
            case Repeat():
                self._send(self.instance.request_in_flight())
            case Deliver(sent=sent):
                self._receive(sent.message)
            case Restart():
                raise AssertionError("a restart plays nothing")
        # A server that refuses its own rounds would begin one after the other for ever.
        while self.to_self and self.rounds <= self.server.rounds:
            self._receive(self.to_self.popleft())

    def end(self, assertion: str | None = None) -> Step | None:
        server, before, state = self.server, self.before, self.instance.state
        broken = broken_by(
            before.saved,
            state,
            [sent.message for sent in self.sent],
            checked=server.checked,
            uid=server.uid,
            assertion=assertion,
        )
        after = Local(self.rounds, frozen(self.instance), broken, self.instance)
        if after.content == before.content and not self.sent and broken is None:
            return None
        return Step(after=after, sent=tuple(self.sent), handled=tuple(self.handled))

    def _begin_round(self, request: Prepare | Accept) -> None:
        self.rounds += 1
        self._send(request)

    def _receive(self, message: Message) -> None:
        if isinstance(message, Accepted) and self.server.learners_apart:
            return
        reply = self.instance.receive(message)
        self.handled.append((message, reply))
        if isinstance(message, Nack) and reply is not None:
            self.rounds += 1
        self._send(reply)

    def _send(self, message: Reply) -> None:
        match message:
            case None | Resolution():
                return
            case Promise() | Nack():
                self._send_to((message.proposal_id.uid,), message)
            case _:
                self._send_to(tuple(self._all()), message)

    def _all(self) -> Iterator[PeerID]:
        yield from sorted(self.server.quorums.acceptors)

    def _send_to(self, receivers: tuple[PeerID, ...], message: Message) -> None:
        uid = self.server.uid
        if uid in receivers:
            self.to_self.append(message)
        others = tuple(receiver for receiver in receivers if receiver != uid)
        if others:
            self.sent.append(Sent(uid, others, message))
