"""
The chain model: every order of events among a few servers that keep a chain, with a master or not.

The servers are real objects of composed classes, or of such that are wrong on purpose.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

from typing_extensions import override

from multipaxos.chain.durable import DurableState
from multipaxos.chain.links import Founding, Link, NewMaster
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.chain.requests import Outcome as Told
from multipaxos.chain.requests import RequestID
from multipaxos.chain.state_machine import Register
from multipaxos.exploration.chain_bounds import ChainBounds
from multipaxos.exploration.chain_clock import Clocks
from multipaxos.exploration.chain_events import Call, Event, Fire, Receive, Restart
from multipaxos.exploration.chain_judge import Evidence, Hearing, evidence_of
from multipaxos.exploration.chain_past import Past, check_calls, not_called
from multipaxos.exploration.chain_server import ChainServer, Outcome, Step
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

    State: all that was met so far, each thing known by its number; nothing of it depends on the
    path that led there.
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
        self.calls = [(where, Call(*request)) for where, *request in bounds.requests]
        self._call_of = {call.request_id: n for n, (_, call) in enumerate(self.calls)}
        self._commands = {call.request_id: call.command for _, call in self.calls}
        self.pasts: list[Past] = []
        self._past_numbers: dict[Past, int] = {}
        self._violations: dict[int, InvariantViolation] = {}
        self._verdicts: dict[object, tuple[InvariantViolation | None, tuple[tuple[int, Link], ...]]] = {}
        self._evidence: dict[tuple[int, int, int], int] = {}
        self._evidence_numbers: dict[Evidence, int] = {}
        self._all_evidence: list[Evidence] = []
        self._next_pasts: dict[object, int] = {}

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
        return [(*numbers, 0, past)]

    @override
    def successors(self, state: State) -> Iterator[tuple[Action, State]]:
        """Yield what may happen to each server, and what that leads to."""
        count = self.bounds.servers
        past = self.pasts[state[count + 1]]
        if past.violation:
            return
        sand = self.clocks.sand[state[count]]
        firings_max = self.bounds.firings
        may_fire = firings_max is None or past.firings < firings_max
        may_crash = past.crashes < self.bounds.crashes
        for n, server in enumerate(self.servers):
            for outcome in server.outcomes(state[n]):
                event = outcome.event
                if outcome.needs_sand & ~sand:
                    continue
                if type(event) is Fire and not may_fire:
                    continue
                if type(event) is Restart and not may_crash:
                    continue
                yield (n, event), self._after(state, n, outcome)
            for number, (first, call) in enumerate(self.calls):
                if past.may_call(number, n, self.bounds, first):
                    called = server.call(state[n], call)
                    if called is not None:
                        yield (n, call), self._after(state, n, called)

    @override
    def violation(self, state: State) -> InvariantViolation | None:
        """Return what is wrong: with the step that led here, or with two who trust a lease (I10)."""
        count = self.bounds.servers
        believed = 0
        for server, local in zip(self.servers, state, strict=False):
            believed |= server.locals[local].believes
        believed &= self.clocks.sand[state[count]]
        if believed & (believed - 1):
            believers = [uid for n, uid in enumerate(self.bounds.uids) if believed >> 2 * n & 3]
            try:
                check_believers(believers)
            except InvariantViolation as violation:
                return violation
        return self._violations.get(state[count + 1])

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
        number = state[self.bounds.servers + 1]
        step, event = outcome.step, outcome.event
        violation, chosen = self._judge(state, n, step)
        uses = event if isinstance(event, Call) else type(event)
        key = (number, n, uses, step.answers, chosen, violation and str(violation))
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
            case Restart():
                return past.replaced(crashes=past.crashes + 1)
            case Fire() if self.bounds.firings is not None:
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

    # -- judging -----------------------------------------------------------------------------------

    def _judge(
        self, state: State, n: int, step: Step
    ) -> tuple[InvariantViolation | None, tuple[tuple[int, Link], ...]]:
        link = step.outboxes[0][0].instance
        past = self.pasts[state[self.bounds.servers + 1]]
        shown: tuple[int, ...] = ()
        if step.votes or step.answers:
            shown = tuple(self._evidence_number(m, state[m], link) for m in range(self.bounds.servers))
        else:
            shown = (self._evidence_number(n, state[n], link),)
        answered = past.calls if step.answers else ()
        key = (n, step.number, shown, past.chosen, answered)
        verdict = self._verdicts.get(key)
        if verdict is None:
            hearing = Hearing(self.bounds.uids, self.founding, past.chosen)
            try:
                hearing.tell(link, [self._all_evidence[number] for number in shown])
                hearing.newly_chosen.clear()
                earlier: dict[RequestID, Told | None] = {
                    call.request_id: so_far.outcome
                    for (_, call), so_far in zip(self.calls, past.calls, strict=True)
                }
                violation = hearing.judge(self.bounds.uids[n], step, self._commands, earlier)
            except InvariantViolation as found:
                violation = found
            verdict = self._verdicts[key] = (violation, tuple(hearing.newly_chosen))
        return verdict

    def _evidence_number(self, n: int, local: int, link: int) -> int:
        number = self._evidence.get((n, local, link))
        if number is None:
            server = self.servers[n]
            known = server.locals[local]
            evidence = evidence_of(
                server.processes[known.process], server.stage.membership.uid, server.letters(known.inbox), link
            )
            number = self._evidence_numbers.setdefault(evidence, len(self._all_evidence))
            if number == len(self._all_evidence):
                self._all_evidence.append(evidence)
            self._evidence[n, local, link] = number
        return number
