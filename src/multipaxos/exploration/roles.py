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
from typing import Any

from typing_extensions import override

from composable_paxos import Accept, Accepted, PaxosInstance, PeerID, Quorums
from multipaxos.exploration.model import Model
from multipaxos.exploration.role_bounds import SERVERS, VALUES, RoleBounds
from multipaxos.exploration.role_judge import Judge, Verdict, View
from multipaxos.exploration.role_learners import Learners
from multipaxos.exploration.role_locals import BITS, MASK, LocalStates
from multipaxos.exploration.role_network import RoleNetwork, single_bits
from multipaxos.exploration.role_server import Begin, Event, RoleServer
from multipaxos.invariants.names import NAMES
from multipaxos.invariants.violation import InvariantViolation

LINK = 1
"""The link that is decided; link 0 would only name the chain."""

CRASH_BITS = 4
CRASH_MASK = (1 << CRASH_BITS) - 1
SLICE_BITS = 14
SLICE_MASK = (1 << SLICE_BITS) - 1


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
        self.values = tuple(VALUES[: self.bounds.values])
        self.quorums = quorums(self.uids)
        lowest = CRASH_BITS + BITS * len(self.uids)
        self.network = RoleNetwork(self.uids, lowest=1 << lowest)
        self.locals = [self._local_states(position) for position in range(len(self.uids))]
        self.learners = (
            Learners(lambda: self.locals[0].server.initial().instance, self.quorums)
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

    def _local_states(self, position: int) -> LocalStates:
        server = self.new_server(self.uids[position], learners_apart=self.learners_apart)
        shift = CRASH_BITS + BITS * position
        states = LocalStates(server, self.network, position=position, shift=shift)
        states.allow(
            values=self.values,
            proposes=position < self.bounds.proposers,
            crashes=self.bounds.crashes > 0,
        )
        return states

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
        return [
            sum(states.number_of(states.server.initial()) << states.shift for states in self.locals)
        ]

    @override
    def successors(self, state: int) -> Iterable[tuple[Event, int]]:
        found: list[tuple[Event, int]] = []
        deliverable = self.network.deliverable
        for states in self.locals:
            entry = states.entries[state >> states.shift & MASK]
            untried = state & deliverable[states.position] & ~entry.known
            if untried:
                states.try_messages(entry, untried)
            effects = entry.effects
            bits = state & entry.effective
            while bits:
                bit = bits & -bits
                bits ^= bit
                event, flipped, sent = effects[bit]
                after = (state ^ flipped) | sent
                # An answer that was sent before changes nothing.
                if after != state:
                    found.append((event, after))
            for event, flipped, sent in (
                states.try_own(entry) if entry.rounds is None else entry.rounds
            ):
                after = (state ^ flipped) | sent
                if after != state and self._may_happen(event, state):
                    found.append((event, after))
            if entry.restart is not None and state & CRASH_MASK < self.bounds.crashes:
                found.append((entry.restart[0], (state ^ entry.restart[1]) + 1))
        return found

    @override
    def violation(self, state: int) -> InvariantViolation | None:
        for states in self.locals:
            if states.breaking and state >> states.shift & MASK in states.breaking:
                broken = states.entry_in(state).local.broken
                assert broken is not None
                return InvariantViolation(broken[0], LINK, broken[1])
        broken = self.verdict(state).broken
        return None if broken is None else InvariantViolation(broken[0], LINK, broken[1])

    def verdict(self, state: int) -> Verdict:
        """Return what there is to say of the proposals and the disks of *state*."""
        views = tuple([states.entries[state >> states.shift & MASK].view for states in self.locals])
        key = (state & self.network.proposals, views)
        verdict = self.verdicts.get(key)
        if verdict is None:
            proposals = [
                sent.message
                for sent in self.network.messages_of(key[0])
                if isinstance(sent.message, Accept | Accepted)
            ]
            verdict = self.judge.judge(proposals, views, self.learners)
            self.verdicts[key] = verdict
        return verdict

    def is_request_new(self, before: int, after: int) -> bool:
        """Tell whether an Accept was sent on the way from the state *before* to *after*."""
        return any(
            isinstance(sent.message, Accept)
            for sent in self.network.messages_of(after & ~before & self.network.proposals)
        )

    # -- the reduction of values -------------------------------------------------------------------

    def _may_happen(self, event: Event, state: int) -> bool:
        """Tell whether *event*, if it asks for a value, asks for one that may be asked for."""
        if not self.values_in_order or not isinstance(event, Begin):
            return True
        before = self.values[: self.values.index(event.value)]
        if not before:
            return True
        used = self._values_used(state)
        return event.value in used or used.issuperset(before)

    def _values_used(self, state: int) -> set[str]:
        used: set[str] = set()
        for states in self.locals:
            used |= states.entry_in(state).values
        used.update(value for value, bits in self.network.carrying.items() if state & bits)
        return used

    # -- several processes -------------------------------------------------------------------------

    @override
    def fingerprint(self, state: int) -> int:
        # The local states tell most states apart; which messages were sent need not count.
        fingerprint = state & CRASH_MASK
        for states in self.locals:
            entry = states.entries[state >> states.shift & MASK]
            fingerprint ^= entry.fingerprint << states.position
        return fingerprint

    @override
    def portable(self, states: Sequence[int]) -> Any:
        # The states as they are, and what their numbers and bits mean here.
        used = 0
        for state in states:
            used |= state
        bits = single_bits(used & -self.network.lowest)
        meanings = [
            {
                number: known.entries[number].packed()
                for number in {state >> known.shift & MASK for state in states}
            }
            for known in self.locals
        ]
        return states, meanings, {bit: self.network.messages[bit] for bit in bits}

    @override
    def resident(self, portable: Any) -> list[int]:
        states, meanings, messages = portable
        numbers = [
            (
                known.shift,
                {
                    number: known.number_of_packed(packed) << known.shift
                    for number, packed in theirs.items()
                },
            )
            for known, theirs in zip(self.locals, meanings, strict=True)
        ]
        bits = {theirs: self.network.bit_of(sent) for theirs, sent in messages.items()}
        # The messages of many states have the same part in one slice of the bits.
        used = sum(bits)
        slices = [
            (mask, {0: 0})
            for mask in (SLICE_MASK << place for place in range(0, used.bit_length(), SLICE_BITS))
            if mask & used
        ]
        sent_bits = -self.network.lowest
        translated = []
        for state in states:
            new = state & CRASH_MASK
            for mask, known_parts in slices:
                part = state & mask & sent_bits
                if part not in known_parts:
                    known_parts[part] = sum(bits[bit] for bit in single_bits(part))
                new |= known_parts[part]
            for shift, ours in numbers:
                new |= ours[state >> shift & MASK]
            translated.append(new)
        return translated

    # -- what must happen, or the search shows less than it seems to -------------------------------

    def _expectations(self) -> Iterator[tuple[str, Callable[[int], bool]]]:
        network = self.network
        yield "a value is chosen", lambda state: bool(self.verdict(state).chosen)
        if self.bounds.proposers > 1:
            yield "a proposal is refused", lambda state: bool(state & network.refusals)
            yield "a promise reports an acceptance", lambda state: bool(state & network.reports)
        if self.bounds.crashes:
            yield "a server restarts", lambda state: bool(state & CRASH_MASK)


def _new_model(arguments: dict[str, Any]) -> RolesModel:
    return RolesModel(**arguments)
