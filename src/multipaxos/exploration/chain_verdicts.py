"""
Verdicts on steps, each found once.

What a step votes is held against all that the state shows of the votes on its link. Many states
show the same, so that a verdict is looked up far more often than it is found.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from multipaxos.chain.links import Founding, Link
from multipaxos.exploration.chain_bounds import ChainBounds
from multipaxos.exploration.chain_judge import Evidence, Hearing, evidence_of, unite
from multipaxos.exploration.chain_past import Past
from multipaxos.exploration.chain_server import ChainServer
from multipaxos.exploration.chain_step import Step
from multipaxos.invariants.violation import InvariantViolation

Verdict: TypeAlias = tuple[InvariantViolation | None, tuple[tuple[int, Link], ...]]
"""What is wrong with a step, None if nothing is; and the links for which it completed a choice."""


class Verdicts:
    """
    The verdicts on the steps of *servers*.

    State: the verdicts so far, the evidence that was met, each known by its number, and which one
    each state of a server shows of each link.
    """

    def __init__(
        self, bounds: ChainBounds, servers: Sequence[ChainServer], founding: Founding
    ) -> None:
        """Begin without a verdict; *founding* is link 0."""
        self.bounds = bounds
        self.servers = servers
        self.founding = founding
        self._commands = {request_id: command for _, request_id, command in bounds.requests}
        self._verdicts: dict[object, Verdict] = {}
        self._all: list[Evidence] = []
        self._known: dict[Evidence, int] = {}
        self._united: dict[tuple[int, ...], int] = {}
        self._numbers: dict[tuple[int, int, int], int] = {}

    def judge(self, state: Sequence[int], n: int, step: Step, past: Past) -> Verdict:
        """Return the verdict on *step* of the server *n* in *state*, with *past* behind it."""
        if step.failure is not None:
            return step.failure, ()
        # The disk may be at an earlier link: what is decided is saved with the next vote. And one
        # message may both tell what was decided, and ask for a vote on the next link.
        server = self.servers[n]
        before = server.processes[server.locals[state[n]].process].replica.instance
        after = server.processes[step.process].replica.instance
        # What neither votes nor tells a client concerns only what its own server has done before.
        concerned = range(self.bounds.servers) if step.votes or step.answers else (n,)
        links = tuple(range(before, max(before, after) + 1))
        united = tuple([self._unite(state, concerned, link) for link in links])
        key = (n, step.number, united, past.chosen, past.calls if step.answers else ())
        verdict = self._verdicts.get(key)
        if verdict is None:
            told = {link: self._all[number] for link, number in zip(links, united, strict=True)}
            verdict = self._verdicts[key] = self._hear(past, n, step, told)
        return verdict

    def _unite(self, state: Sequence[int], concerned: Iterable[int], link: int) -> int:
        shown = tuple([self._evidence_number(m, state[m], link) for m in concerned])
        united = self._united.get(shown)
        if united is None:
            united = self._united[shown] = self._number_of(
                unite([self._all[number] for number in shown])
            )
        return united

    def _hear(self, past: Past, n: int, step: Step, told: Mapping[int, Evidence]) -> Verdict:
        hearing = Hearing(self.bounds.uids, self.founding, past.chosen)
        earlier = {
            request_id: so_far.outcome
            for (_, request_id, _), so_far in zip(self.bounds.requests, past.calls, strict=True)
        }
        try:
            for link, evidence in told.items():
                hearing.tell(link, evidence)
            hearing.judge(self.bounds.uids[n], step, self._commands, earlier)
        except InvariantViolation as violation:
            return violation, ()
        return None, tuple(hearing.newly_chosen)

    def _evidence_number(self, n: int, local: int, link: int) -> int:
        number = self._numbers.get((n, local, link))
        if number is None:
            server = self.servers[n]
            known = server.locals[local]
            number = self._numbers[n, local, link] = self._number_of(
                evidence_of(
                    server.processes[known.process],
                    self.bounds.uids[n],
                    server.letters(known.inbox),
                    link,
                )
            )
        return number

    def _number_of(self, evidence: Evidence) -> int:
        number = self._known.setdefault(evidence, len(self._all))
        if number == len(self._all):
            self._all.append(evidence)
        return number
