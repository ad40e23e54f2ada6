"""
The chain model: every order of events among a few servers that keep a chain, with a master or not.

The servers are real objects of composed classes, or of such that are wrong on purpose.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from typing_extensions import override

from composable_paxos import LOWEST
from multipaxos.chain.durable import DurableState
from multipaxos.chain.effects import Timer
from multipaxos.chain.links import Founding, Link, NewMaster
from multipaxos.chain.position import MASTERS_NUMBER
from multipaxos.chain.register import Register
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.exploration.chain_bounds import UNCOUNTED, ChainBounds
from multipaxos.exploration.chain_clock import Clocks
from multipaxos.exploration.chain_events import Call, Event, Fire, Receive, Restart
from multipaxos.exploration.chain_past import Past, check_calls, not_called
from multipaxos.exploration.chain_server import ChainServer
from multipaxos.exploration.chain_step import Local, Outcome, Step
from multipaxos.exploration.chain_verdicts import Verdicts
from multipaxos.exploration.model import Model
from multipaxos.invariants.leases import check_believers
from multipaxos.invariants.violation import InvariantViolation

State: TypeAlias = tuple[int, ...]
"""For each server the number of its state, then the clocks' reading, then the past."""

Action: TypeAlias = tuple[int, Event]
"""A server, by position, and what happens to it."""

FIRST_CHAIN = "explored-chain"


class ChainModel(Model[State, Action]):
    """
    Servers of *replica_class* within *bounds*.

    State: all that was met so far, each thing known by its number; the *prologue*, what happened
    before a run begins; and what is expected to happen in some run, *sometimes*.
    """

    def __init__(self, bounds: ChainBounds, replica_class: type[BaseReplicatedValue]) -> None:
        """Begin before anything has happened."""
        self.bounds = bounds
        self.clocks = Clocks(bounds.servers)
        self.servers = [
            ChainServer(n, bounds, replica_class, self.clocks) for n in range(bounds.servers)
        ]
        for server in self.servers:
            server.others = self.servers
        founders = tuple((uid, f"birth-of-{uid}") for uid in bounds.uids)
        self.founding = Founding(
            chain_id=FIRST_CHAIN, machine_kind=Register.kind, founders=founders
        )
        self.calls = [
            (where, Call(request_id, command)) for where, request_id, command in bounds.requests
        ]
        self._call_of = {call.request_id: n for n, (_, call) in enumerate(self.calls)}
        self.prologue: list[Action] = []
        self.pasts: list[Past] = []
        self._past_numbers: dict[Past, int] = {}
        self._violations: dict[int, InvariantViolation] = {}
        self._next_pasts: dict[object, int] = {}
        self.verdicts = Verdicts(bounds, self.servers, self.founding)
        self.sometimes = dict(self._expectations())

    def disk(self, server: int) -> DurableState:
        """Return what is on the *server*'s disk at first: a founded chain, link 1 in progress."""
        return DurableState(
            birth=self.founding.founders[server][1],
            founders=self.founding.founders,
            founding=self.founding,
            instance=1,
        )

    # -- the model ---------------------------------------------------------------------------------

    @override
    def initial(self) -> Iterable[State]:
        """Return the one state in which all servers have started."""
        numbers: list[int] = []
        steps: list[Step] = []
        for n, server in enumerate(self.servers):
            local, step = server.started(server.stage.start(self.disk(n)))
            numbers.append(local)
            steps.append(step)
        for step in steps:
            for envelope in step.sent:
                to = self.bounds.uids.index(envelope.receiver)
                bit = self.servers[to].bit_of(envelope)
                numbers[to] = self.servers[to].receive(numbers[to], bit)
        past = self._past_number(Past(calls=not_called(self.bounds)))
        state: State = (*numbers, 0, past)
        if self.bounds.elected:
            state = self._elected(state)
        return [state]

    def _elected(self, state: State) -> State:
        """Return the state after the first server was elected, and all that was sent arrived."""
        (state,) = [s for a, s in self._may_happen(state) if a == (0, Fire(Timer.ELECTION))]
        self.prologue = [(0, Fire(Timer.ELECTION))]
        while arrivals := [
            (a, s) for a, s in self._may_happen(state) if isinstance(a[1], Receive) and s != state
        ]:
            action, state = arrivals[0]
            self.prologue.append(action)
        past = self.pasts[state[-1]].replaced(firings=0)
        return (*state[:-1], self._past_number(past))

    @override
    def successors(self, state: State) -> Iterator[tuple[Action, State]]:
        """Yield what may happen to each server, and what that leads to."""
        past = self.pasts[state[-1]]
        firings_max = self.bounds.firings
        may_fire = firings_max is None or past.firings < firings_max
        return self._may_happen(state, may_fire=may_fire)

    def _may_happen(self, state: State, *, may_fire: bool = True) -> Iterator[tuple[Action, State]]:
        count = self.bounds.servers
        past = self.pasts[state[-1]]
        if past.violation:
            return
        sand = self.clocks.sand[state[count]]
        may_crash = past.crashes < self.bounds.crashes
        for n, server in enumerate(self.servers):
            for outcome in server.outcomes(state[n]):
                event = outcome.event
                if outcome.needs_sand & ~sand:
                    continue
                if not may_fire and type(event) is Fire and event.timer not in UNCOUNTED:
                    continue
                if type(event) is Restart and not may_crash:
                    continue
                yield (n, event), self._after(state, n, outcome)
            for number, (first, call) in enumerate(self.calls):
                if past.may_call(number, n, self.bounds, first):
                    for called in server.called(state[n], call, may_crash=may_crash):
                        yield (n, called.event), self._after(state, n, called)

    @override
    def violation(self, state: State) -> InvariantViolation | None:
        """Return what is wrong with the step that led here, or that two trust a lease (I10)."""
        believed = self._believed(state)
        if believed & (believed - 1):
            believers = [uid for n, uid in enumerate(self.bounds.uids) if believed >> 2 * n & 3]
            try:
                check_believers(believers)
            except InvariantViolation as violation:
                return violation
        return self._violations.get(state[-1])

    def _expectations(self) -> Iterator[tuple[str, Callable[[State], bool]]]:
        """Yield what must happen in some run, or the bounds are too small to show much."""
        if self.bounds.requests:
            yield (
                "a client is answered",
                lambda state: any(call.outcome is not None for call in self.pasts[state[-1]].calls),
            )
        if self.bounds.master:
            yield "a server trusts a lease", lambda state: bool(self._believed(state))
        if self.bounds.master and self.bounds.links > 1:
            yield "a master uses number 1", self._uses_number_one
        if self.bounds.master and self.bounds.links > 1 and self._has_rivals():
            yield "mastership passes to another server", self._passes_on
        if self.bounds.crashes:
            yield "a server restarts within a link", self._restarted_within

    def _has_rivals(self) -> bool:
        return self.bounds.acting > 1 and self.bounds.firings != 0

    def _uses_number_one(self, state: State) -> bool:
        return any(
            disk.acceptor.accepted_id.number == MASTERS_NUMBER for disk in self._disks(state)
        )

    def _passes_on(self, state: State) -> bool:
        chosen = self.pasts[state[-1]].chosen
        return len({link.uid for _, link in chosen if isinstance(link, NewMaster)}) > 1

    def _restarted_within(self, state: State) -> bool:
        return bool(self.pasts[state[-1]].crashes) and any(
            disk.acceptor.accepted_id > LOWEST and server.processes[local.process].life > 0
            for disk, server, local in zip(
                self._disks(state), self.servers, self._locals(state), strict=True
            )
        )

    def _locals(self, state: State) -> list[Local]:
        return [s.locals[local] for s, local in zip(self.servers, state, strict=False)]

    def _disks(self, state: State) -> list[DurableState]:
        return [
            server.processes[local.process].disk
            for server, local in zip(self.servers, self._locals(state), strict=True)
        ]

    def _believed(self, state: State) -> int:
        """Return the hourglasses that have sand and are believed in, each a bit."""
        believed = 0
        for server, local in zip(self.servers, state, strict=False):
            believed |= server.locals[local].believes
        return believed & self.clocks.sand[state[self.bounds.servers]]

    # -- after an event ----------------------------------------------------------------------------

    def _after(self, state: State, n: int, outcome: Outcome) -> State:
        count = self.bounds.servers
        now = list(state)
        now[n] = outcome.local
        for receiver, mail in outcome.mail:
            now[receiver] = self.servers[receiver].receive(now[receiver], mail)
        self._echo(now, [n, *(receiver for receiver, _ in outcome.mail)])
        now[count] = self.clocks.after(state[count], outcome.step.move)
        now[count + 1] = self._past_after(state, n, outcome)
        return tuple(now)

    def _echo(self, now: list[int], changed: list[int]) -> None:
        while changed:
            n = changed.pop()
            for receiver, mail in self.servers[n].echo(now[n]):
                local = self.servers[receiver].receive(now[receiver], mail)
                if local != now[receiver]:
                    now[receiver] = local
                    changed.append(receiver)

    def _past_after(self, state: State, n: int, outcome: Outcome) -> int:
        number = state[-1]
        step, event = outcome.step, outcome.event
        violation, chosen = self.verdicts.judge(state, n, step, self.pasts[number])
        key = (number, n, _uses(event), step.answers, chosen, violation and str(violation))
        after = self._next_pasts.get(key)
        if after is None:
            after = self._next_pasts[key] = self._past_number(
                self._told(self._used(self.pasts[number], n, event), step, chosen, violation)
            )
            if violation is not None:
                self._violations[after] = violation
        return after

    def _used(self, past: Past, n: int, event: Event) -> Past:
        match event:
            case Restart(during=during):
                crashed = past.replaced(crashes=past.crashes + 1)
                return crashed if during is None else self._used(crashed, n, during)
            case Fire(timer=timer) if self.bounds.firings is not None and timer not in UNCOUNTED:
                return past.replaced(firings=past.firings + 1)
            case Call(request_id=request_id):
                return past.called(self._call_of[request_id], n)
            case _:
                return past

    def _told(
        self,
        past: Past,
        step: Step,
        chosen: tuple[tuple[int, Link], ...],
        violation: InvariantViolation | None,
    ) -> Past:
        for answer in step.answers:
            past = past.answered(self._call_of[answer.request_id], answer)
        if chosen:
            past = past.replaced(chosen=(*past.chosen, *chosen))
        if violation is not None:
            past = past.replaced(violation=str(violation))
        return past

    def _past_number(self, past: Past) -> int:
        number = self._past_numbers.get(past)
        if number is None:
            number = self._past_numbers[past] = len(self.pasts)
            self.pasts.append(past)
            wrong = check_calls(past, self.bounds)
            if wrong is not None:
                self._violations[number] = wrong
        return number


def _uses(event: Event) -> object:
    """Return what of *event* makes a difference to what may happen after it."""
    match event:
        case Call() | Fire():
            return event
        case Restart(during=Call() | Fire()):
            return event
        case _:
            return type(event)
