"""The load itself: many clients in one loop over ``epoll``, as cheap as Python allows."""

import os
import random
import select
from collections import deque
from collections.abc import Callable
from time import monotonic_ns

from multipaxos.bench.connection import READING, WRITING, Connection, address_of
from multipaxos.bench.plan import LoadPlan
from multipaxos.bench.tally import LoadResult, Tally
from multipaxos.bench.tape import counting_entry, tape

RETRY_SECONDS = 0.01
DRAIN_SECONDS_MAX = 10.0
REPORT_SECONDS = 0.2
TURN_SECONDS_MAX = 0.02
CONNECT_SECONDS_MAX = 10.0


class NotConnectedError(Exception):
    """The clients could not reach the servers before the load was to begin."""


class Loader:
    """
    The clients of one load process.

    State: the connections by file descriptor, those that wait to connect again, the *tally*,
    whether anything more is to be sent, and why the last connection failed that did.
    """

    def __init__(
        self, plan: LoadPlan, *, report: Callable[[int, int], None], is_orphan: Callable[[], bool]
    ) -> None:
        """
        Make the clients of *plan*; nothing is connected yet. OSError: no server is known there.

        *report* is told now and then how many answers and errors there were; once the process
        *is_orphan*, the load ends.
        """
        self.plan = plan
        self.tally = Tally()
        self._report = report
        self._is_orphan = is_orphan
        self._epoll = select.epoll()
        self._by_descriptor: dict[int, Connection] = {}
        self._waiting: deque[tuple[int, Connection]] = deque()
        self._is_sending = False
        self._why = ""
        self._left = plan.requests_max
        addresses = [address_of(endpoint) for endpoint in plan.addresses]
        rng = random.Random(plan.seed)
        entries = [] if plan.content.counting else tape(plan.load, plan.content, rng)
        self._clients = [
            Connection(
                number,
                addresses,
                entries or [counting_entry(plan.load.pipeline, plan.content.key(number))],
                self.tally,
                self._epoll,
            )
            for number in range(plan.first_client, plan.first_client + plan.load.clients)
        ]

    def connect(self) -> None:
        """Connect all clients; NotConnectedError if that fails for too long."""
        for client in self._clients:
            self._open(client)
        deadline = monotonic_ns() + round(CONNECT_SECONDS_MAX * 1e9)
        while not all(client.is_open for client in self._clients):
            self._turn()
            if monotonic_ns() > deadline:
                missing = sum(not client.is_open for client in self._clients)
                raise NotConnectedError(
                    f"{missing} of {len(self._clients)} clients could not connect{self._why}"
                )

    def run(self) -> LoadResult:
        """Send and receive until the time or the requests of the plan are over."""
        started = monotonic_ns()
        cpu_seconds = _cpu_seconds()
        began = started + round(self.plan.warm_up_seconds * 1e9)
        ended = began + round(self.plan.seconds * 1e9)
        self._is_sending = True
        for client in self._clients:
            self._go_on(client, monotonic_ns())
        self._turn_until(ended)
        ended = min(ended, monotonic_ns())
        self._is_sending = False
        self._turn_until(ended + round(DRAIN_SECONDS_MAX * 1e9))
        cpu_seconds = _cpu_seconds() - cpu_seconds
        for client in self._clients:
            client.close()
        return self.tally.result(began=began, ended=ended, cpu_seconds=cpu_seconds)

    def _turn_until(self, deadline: int) -> None:
        """Serve the clients until the *deadline*, or until none has anything to do."""
        report_ns = round(REPORT_SECONDS * 1e9)
        next_report = monotonic_ns() + report_ns
        while True:
            now = monotonic_ns()
            if now >= deadline or self._is_idle:
                return
            if now >= next_report:
                next_report = now + report_ns
                self._report(self.tally.answered, self.tally.errors.total())
                if self._is_orphan():
                    return
            self._turn()

    @property
    def _is_idle(self) -> bool:
        """Whether there is nothing to send any more, and no reply to come."""
        if self._is_sending and (self._left is None or self._left > 0):
            return False
        return all(client.entry is None for client in self._clients)

    # -- one turn of the loop ----------------------------------------------------------------------

    def _turn(self) -> None:
        clients = self._by_descriptor
        for descriptor, events in self._epoll.poll(TURN_SECONDS_MAX):
            client = clients[descriptor]
            try:
                if events == READING and client.is_open:
                    now = client.receive()
                    if now:
                        self._go_on(client, now)
                else:
                    self._serve(client, events)
            except OSError as error:
                self._lose(client, error)
        while self._waiting and self._waiting[0][0] <= monotonic_ns():
            self._open(self._waiting.popleft()[1])

    def _go_on(self, client: Connection, now: int) -> None:
        if not self._is_sending:
            return
        if self._left is not None:
            if self._left <= 0:
                return
            self._left -= self.plan.load.pipeline
        client.send_next(now)

    def _serve(self, client: Connection, events: int) -> None:
        """Take what does not happen all the time: a connection comes, goes, or is full."""
        if not client.is_open:
            client.finish_opening()
            self._go_on(client, monotonic_ns())
            return
        if events & WRITING:
            client.send_rest()
        if events & ~WRITING:
            now = client.receive()
            if now:
                self._go_on(client, now)

    def _open(self, client: Connection) -> None:
        try:
            self._by_descriptor[client.open()] = client
        except OSError as error:
            self._lose(client, error)

    def _lose(self, client: Connection, error: OSError) -> None:
        self._why = f": {error.strerror or error}"
        client.close()
        self._waiting.append((monotonic_ns() + round(RETRY_SECONDS * 1e9), client))


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system
