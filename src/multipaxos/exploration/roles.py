"""
The roles model: every order of events among a few servers that agree on one value.

The servers are real :class:`composable_paxos.PaxosInstance` objects, or variants that are wrong on
purpose. What can happen: a client asks a proposer for a value; a proposer's patience ends, and it
begins another round; a message reaches a receiver; a server crashes and comes back with its disk.

**The network only grows.** What was sent once may be delivered at any time from then on, to each of
its receivers, as often as it likes, and in any order. That covers every fault of a real network. A
message that is lost is one that is never delivered: nobody else can see the difference. Delay and
reordering are deliveries later, or in another order. A duplicate is a second delivery. Nothing else
is covered, and nothing more is allowed: no message is forged or altered.

**Messages to oneself** are delivered at once, as the real
:class:`~multipaxos.chain.effect_collector.EffectCollector` does, so it is the program itself that
is explored. (For Paxos as such it would be sound, too: none at all is one of the delays that a
message may have.) **Saving** happens at the end of each event, before anything leaves; what a crash
finds on the disk is therefore what the acceptor knew when it last sent. A crash *in* an event, or
before its save, is a crash before the event, whose message is then delivered later, or never. A
server that is *down* for a while is one to which nothing is delivered for a while, so that crash
and restart are one step.

**A refused round.** The proposer of :mod:`composable_paxos` begins a round as soon as it learns
that the present one cannot succeed. The strategy with the backoff does so later: that is a refusal
which arrives later.

Two reductions; tests hold the verdicts with and without them against each other.

**Learners apart** (*learners_apart*). To learn changes nothing but the learner: it sends nothing,
and neither proposer nor acceptor look at what it counted. So what a learner may come to believe
depends only on the set of acceptances that were sent, in whichever order it hears of some of them.
The model does not deliver acceptances to the servers of a state; for each set of acceptances that
occurs it plays all orders of deliveries to one learner, once, and checks each resolution against
what is chosen by then.

**Values by first use** (*values_in_order*). Roles compare values for equality and never look into
them, so renaming the values of a run gives a run. Of the values that occur nowhere yet, in no
memory and in no message, a client therefore asks for the first one only.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from typing_extensions import override

from composable_paxos import Accept, Accepted, AcceptorState, PaxosInstance, PeerID, Quorums
from multipaxos.exploration.model import Model
from multipaxos.exploration.role_bounds import SERVERS, VALUES, BoundsError, RoleBounds
from multipaxos.exploration.role_judge import Judge, Verdict, View
from multipaxos.exploration.role_learners import Learners
from multipaxos.exploration.role_network import RoleNetwork, single_bits
from multipaxos.exploration.role_server import (
    Begin,
    Deliver,
    Event,
    Local,
    Repeat,
    Restart,
    RoleServer,
    Timeout,
)
from multipaxos.invariants.names import NAMES
from multipaxos.invariants.violation import InvariantViolation

LINK = 1
"""The link that is decided; link 0 would only name the chain."""

CRASH_BITS = 4
LOCAL_BITS = 20
LOCAL_MASK = (1 << LOCAL_BITS) - 1
CRASH_MASK = (1 << CRASH_BITS) - 1

Effect: TypeAlias = tuple[Event, int, int]
"""An event, the bits of the global state that it flips, and the bits of what it sends."""


class _Entry:
    """
    What is known of one local state of one server.

    *known* has the bits of the messages that were tried on it, *effective* of those that do
    something; their *effects* are the event, the bits of the global state that it flips, and the
    bits of what it sends. *rounds* are the same for the beginning of a round, *restart* for a
    crash; None before they are worked out.
    """

    __slots__ = (
        "effective",
        "effects",
        "fingerprint",
        "known",
        "local",
        "restart",
        "rounds",
        "values",
        "view",
    )

    def __init__(self, local: Local, values: Sequence[str]) -> None:
        self.local = local
        self.known = 0
        self.effective = 0
        self.effects: dict[int, Effect] = {}
        self.rounds: list[Effect] | None = None
        self.restart: Effect | None = None
        resolution = local.instance.resolution
        self.view: View = (
            local.saved.promised_id,
            None if resolution is None else (resolution.proposal_id, resolution.value),
        )
        self.values = frozenset(values).intersection(_parts(local.content))
        self.fingerprint = local.fingerprint()


class RolesModel(Model[int, Event]):
    """
    Servers that agree on one value, within *bounds*.

    A state is an int: the number of crashes so far, the number of each server's local state, and a
    bit for each message that was sent. Local states and messages are numbered as they are met.
    """

    def __init__(
        self,
        bounds: RoleBounds | None = None,
        *,
        roles: type[PaxosInstance] = PaxosInstance,
        quorums: Callable[[Sequence[PeerID]], Quorums] = Quorums.majority,
        checked: Iterable[str] = NAMES,
        learners_apart: bool = True,
        values_in_order: bool = True,
    ) -> None:
        """Explore within *bounds*, and check the invariants *checked*."""
        self.bounds = bounds or RoleBounds()
        self.roles = roles
        self.quorums_of = quorums
        self.checked = frozenset(checked)
        self.learners_apart = learners_apart
        self.values_in_order = values_in_order
        self.uids = tuple(SERVERS[: self.bounds.servers])
        self.proposers = frozenset(SERVERS[: self.bounds.proposers])
        self.values = tuple(VALUES[: self.bounds.values])
        self.crashes = self.bounds.crashes
        self.quorums = quorums(self.uids)
        self.servers = [self.new_server(uid, learners_apart=learners_apart) for uid in self.uids]
        self.shifts = tuple(CRASH_BITS + LOCAL_BITS * number for number in range(len(self.uids)))
        self.network = RoleNetwork(
            self.uids, lowest=1 << (CRASH_BITS + LOCAL_BITS * len(self.uids))
        )
        self.entries: list[list[_Entry]] = [[] for _ in self.uids]
        self.numbers: list[dict[Local, int]] = [{} for _ in self.uids]
        self.breaking: set[tuple[int, int]] = set()
        self.learners = (
            Learners(lambda: self.servers[0].initial().instance, self.quorums)
            if learners_apart
            else None
        )
        self.judge = Judge(self.uids, self.quorums, self.checked)
        self.verdicts: dict[tuple[int, tuple[View, ...]], Verdict] = {}
        self.sometimes = dict(self._expectations())

    def new_server(self, uid: PeerID, *, learners_apart: bool) -> RoleServer:
        """Return what plays events on the server *uid*."""
        return RoleServer(
            uid,
            quorums=self.quorums,
            roles=self.roles,
            rounds=self.bounds.rounds,
            learners_apart=learners_apart,
            checked=self.checked,
        )

    @override
    def __reduce__(self) -> tuple[object, ...]:
        # The copy in another process numbers what it meets for itself.
        arguments = {
            "bounds": self.bounds,
            "roles": self.roles,
            "quorums": self.quorums_of,
            "checked": self.checked,
            "learners_apart": self.learners_apart,
            "values_in_order": self.values_in_order,
        }
        return _new_model, (arguments,)

    @override
    def initial(self) -> Iterable[int]:
        state = 0
        for number, server in enumerate(self.servers):
            state |= self._number(number, server.initial()) << self.shifts[number]
        return [state]

    @override
    def successors(self, state: int) -> Iterable[tuple[Event, int]]:
        found: list[tuple[Event, int]] = []
        deliverable = self.network.deliverable
        for number, shift in enumerate(self.shifts):
            entry = self.entries[number][state >> shift & LOCAL_MASK]
            untried = state & deliverable[number] & ~entry.known
            if untried:
                self._try(number, entry, untried)
            effects = entry.effects
            bits = state & entry.effective
            while bits:
                bit = bits & -bits
                bits ^= bit
                event, delta, sent = effects[bit]
                after = (state ^ delta) | sent
                # An answer that was sent before changes nothing.
                if after != state:
                    found.append((event, after))
            if entry.rounds is None:
                self._try_own(number, entry)
            for event, delta, sent in entry.rounds or ():
                after = (state ^ delta) | sent
                if after == state:
                    continue
                if not isinstance(event, Begin) or self._may_ask_for(event.value, state):
                    found.append((event, after))
            if entry.restart is not None and state & CRASH_MASK < self.crashes:
                found.append((entry.restart[0], (state ^ entry.restart[1]) + 1))
        return found

    @override
    def violation(self, state: int) -> InvariantViolation | None:
        if self.breaking:
            for number, shift in enumerate(self.shifts):
                local = state >> shift & LOCAL_MASK
                if (number, local) in self.breaking:
                    broken = self.entries[number][local].local.broken
                    assert broken is not None
                    return InvariantViolation(broken[0], LINK, broken[1])
        broken = self.verdict(state).broken
        return None if broken is None else InvariantViolation(broken[0], LINK, broken[1])

    def verdict(self, state: int) -> Verdict:
        """Return what there is to say of the proposals and the disks of *state*."""
        views = tuple(
            self.entries[number][state >> shift & LOCAL_MASK].view
            for number, shift in enumerate(self.shifts)
        )
        key = (state & self.network.proposals, views)
        verdict = self.verdicts.get(key)
        if verdict is None:
            messages = [
                sent.message
                for sent in self.network.messages_of(key[0])
                if isinstance(sent.message, Accept | Accepted)
            ]
            verdict = self.judge.judge(messages, views, self.learners)
            self.verdicts[key] = verdict
        return verdict

    # -- several processes -------------------------------------------------------------------------

    @override
    def fingerprint(self, state: int) -> int:
        # The local states tell most states apart; which messages were sent need not count.
        fingerprint = state & CRASH_MASK
        for number, shift in enumerate(self.shifts):
            fingerprint ^= self.entries[number][state >> shift & LOCAL_MASK].fingerprint << number
        return fingerprint

    @override
    def portable(self, states: Sequence[int]) -> Any:
        # The states as they are, and what their numbers and bits mean here.
        used = 0
        for state in states:
            used |= state
        locals_used = [
            {
                local: self.entries[number][local].local
                for local in {state >> shift & LOCAL_MASK for state in states}
            }
            for number, shift in enumerate(self.shifts)
        ]
        return (
            list(states),
            locals_used,
            {bit: self.network.messages[bit] for bit in single_bits(used & -self.network.lowest)},
        )

    @override
    def resident(self, portable: Any) -> list[int]:
        states, locals_used, messages = portable
        numbers = [
            {theirs: self._number(number, local) << shift for theirs, local in used.items()}
            for number, (used, shift) in enumerate(zip(locals_used, self.shifts, strict=True))
        ]
        bits = {theirs: self.network.bit_of(sent) for theirs, sent in messages.items()}
        translated = []
        for state in states:
            new = state & CRASH_MASK
            for number, shift in enumerate(self.shifts):
                new |= numbers[number][state >> shift & LOCAL_MASK]
            for bit in single_bits(state & -self.network.lowest):
                new |= bits[bit]
            translated.append(new)
        return translated

    # -- working out what is met for the first time ------------------------------------------------

    def _number(self, number: int, local: Local) -> int:
        known = self.numbers[number].get(local)
        if known is None:
            known = self.numbers[number][local] = len(self.entries[number])
            if known > LOCAL_MASK:
                raise BoundsError(f"more than {LOCAL_MASK} states of one server: explore less")
            self.entries[number].append(_Entry(local, self.values))
            if local.broken is not None:
                self.breaking.add((number, known))
        return known

    def _try(self, number: int, entry: _Entry, untried: int) -> None:
        entry.known |= untried
        for bit in single_bits(untried):
            event = Deliver(self.uids[number], self.network.messages[bit])
            effect = self._effect(number, entry, event)
            if effect is not None:
                entry.effects[bit] = effect
                entry.effective |= bit

    def _try_own(self, number: int, entry: _Entry) -> None:
        uid = self.uids[number]
        events: list[Event] = []
        if uid in self.proposers:
            events = [*(Begin(uid, value) for value in self.values), Timeout(uid), Repeat(uid)]
        effects = [self._effect(number, entry, event) for event in events]
        entry.rounds = [effect for effect in effects if effect is not None]
        entry.restart = self._effect(number, entry, Restart(uid)) if self.crashes else None

    def _effect(self, number: int, entry: _Entry, event: Event) -> Effect | None:
        step = self.servers[number].play(entry.local, event)
        if step is None:
            return None
        before = self.numbers[number][entry.local]
        after = self._number(number, step.after)
        return event, (before ^ after) << self.shifts[number], self.network.bits_of(step.sent)

    def _may_ask_for(self, value: str, state: int) -> bool:
        if not self.values_in_order or value == self.values[0]:
            return True
        used = self._values_used(state)
        return all(v in used for v in self.values[: self.values.index(value)]) or value in used

    def _values_used(self, state: int) -> set[str]:
        used: set[str] = set()
        for number, shift in enumerate(self.shifts):
            used |= self.entries[number][state >> shift & LOCAL_MASK].values
        for value, bits in self.network.carrying.items():
            if state & bits:
                used.add(value)
        return used

    def _expectations(self) -> Iterator[tuple[str, Callable[[int], bool]]]:
        network = self.network
        yield "a value is chosen", lambda state: bool(self.verdict(state).chosen)
        if len(self.proposers) > 1:
            yield "a proposal is refused", lambda state: bool(state & network.refusals)
            yield "a promise reports an acceptance", lambda state: bool(state & network.reports)
        if self.crashes:
            yield "a server restarts", lambda state: bool(state & CRASH_MASK)


def _new_model(arguments: dict[str, Any]) -> RolesModel:
    return RolesModel(**arguments)


def _parts(content: object) -> Iterator[object]:
    if isinstance(content, tuple | frozenset):
        for part in content:
            yield from _parts(part)
    elif isinstance(content, AcceptorState):
        yield content.accepted_value
    else:
        yield content
