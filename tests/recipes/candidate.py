"""Candidates for the lock in a simulated cluster: the real rules, on virtual time."""

from collections.abc import Callable, Generator
from random import Random
from typing import Any

from multipaxos.chain.requests import Chosen
from multipaxos.chain.state_machine import Command
from multipaxos.client.errors import UnknownOutcomeError
from multipaxos.recipes import lock_rules
from multipaxos.recipes.lock_rules import (
    CompareAndSet,
    Grant,
    Look,
    Read,
    Rule,
    Sleep,
    Terms,
    Wish,
)
from multipaxos.simulation.calls import ClientCall
from multipaxos.simulation.cluster import SimulatedCluster

TERMS = Terms(lease_seconds=3.0, clock_rate_error=0.02)
PATIENCE_SECONDS = 2.0


class Guarded:
    """What the lock is for: it takes nothing under a lower token than it has seen."""

    def __init__(self) -> None:
        """Begin unseen."""
        self.tokens: list[int] = []
        self.refused: list[int] = []

    def use(self, token: int) -> bool:
        """Take the work of the holder of *token*; tell whether it was taken."""
        if self.tokens and token < self.tokens[-1]:
            self.refused.append(token)
            return False
        self.tokens.append(token)
        return True


class Candidate:
    """
    Acquires the lock, works under it, and releases it or forgets to, for ever.

    Its requests go to random servers, once each: an answer that does not come in time is an unknown
    outcome. Its clock has a *rate* of its own. State: the *grant* that it trusts now.
    """

    def __init__(
        self,
        cluster: SimulatedCluster,
        name: str,
        guarded: Guarded,
        *,
        rate: float,
        sleeps: float = 0.0,
    ) -> None:
        """Wait for :meth:`start`; *sleeps* is how many seconds it sleeps before it works."""
        self.name = name
        self.grants = 0
        self.grant: Grant | None = None
        self._cluster = cluster
        self._guarded = guarded
        self._rate = rate
        self._sleeps = sleeps
        self._rng = Random(f"{cluster.seed}/{name}")
        self._requests = 0
        self._life = self._live()

    @property
    def now(self) -> float:
        """What its own clock shows."""
        return self._cluster.time.now * self._rate

    @property
    def trusts(self) -> bool:
        """Whether it believes that it holds the lock."""
        return self.grant is not None and self.now < self.grant.until

    def start(self) -> None:
        """Begin."""
        self._go_on(lambda: next(self._life))

    def _live(self) -> Generator[Wish, Any, None]:
        while True:
            self._requests += 1
            owner = f"{self.name}-{self._requests}"
            self.grant = yield from lock_rules.acquire(owner, TERMS, give_up_at=self.now + 60)
            yield from self._work()
            self.grant = None
            yield Sleep(self._rng.uniform(0, 1))

    def _work(self) -> Rule:
        while self.grant is not None and self.trusts:
            self.grants += 1
            token = self.grant.record.token
            yield Sleep(self._sleeps or self._rng.uniform(0, 0.5))
            self._guarded.use(token)
            chance = self._rng.random()
            if chance < 0.3:  # It dies, as it were: nobody is told.
                return None
            if chance < 0.6:
                held = self.grant.record
                self.grant = None  # Released is not held, whatever becomes of the message.
                return (yield from lock_rules.release(held))
            self.grant = yield from lock_rules.renew(self.grant.record, TERMS)
        return None

    # -- fulfilling wishes -------------------------------------------------------------------------

    def _go_on(self, step: Callable[[], Wish]) -> None:
        wish = step()
        match wish:
            case Look():
                self._go_on(lambda: self._life.send(self.now))
            case Sleep(seconds=seconds):
                self._later(seconds / self._rate, lambda: self._life.send(None))
            case Read():
                self._ask(("GET",))
            case CompareAndSet(expected=None, new=new):
                self._ask(("CAS", new))
            case CompareAndSet(expected=str(expected), new=new):
                self._ask(("CAS", expected, new))

    def _ask(self, command: Command) -> None:
        self._requests += 1
        call = self._cluster.submit(
            self._rng.choice(self._cluster.uids),
            command,
            client=f"{self.name}-r{self._requests}",
            # Not in the midst of the server's event that answers.
            on_return=lambda: self._plan(0.01, lambda: self._answer(call)),
        )
        self._plan(PATIENCE_SECONDS, lambda: self._lose_patience(call))

    def _answer(self, call: ClientCall) -> None:
        if isinstance(call.outcome, Chosen):
            result = call.outcome.result
            self._go_on(lambda: self._life.send(result))
        elif call.command == ("GET",):
            self._ask(call.command)  # To read again is harmless.
        else:
            unknown = UnknownOutcomeError("nobody answered in time")
            self._go_on(lambda: self._life.throw(unknown))

    def _lose_patience(self, call: ClientCall) -> None:
        if not call.answered:
            self._cluster.give_up(call)

    def _later(self, seconds: float, step: Callable[[], Wish]) -> None:
        self._plan(seconds, lambda: self._go_on(step))

    def _plan(self, seconds: float, action: Callable[[], None]) -> None:
        time = self._cluster.time
        time.call_at(time.now + seconds, action)
