"""Clients of a simulated cluster: each asks one thing after the other, and asks again elsewhere."""

from collections import deque
from collections.abc import Iterable
from functools import partial

from multipaxos.chain.requests import Chosen
from multipaxos.invariants.history import operation_of
from multipaxos.invariants.linearizability import Operation
from multipaxos.simulation.calls import ClientCall
from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.simulation.workload import Request


class SimulatedClient:
    """
    Makes its *requests* one after the other, each at its time or, if it still waits, after that.

    A call that is not answered is repeated through another server under the same request id; after
    its patience the client gives it up, and whether it was applied is not known to it. One that is
    refused goes on to its next request. With each request it says since when it can be in the
    chain: after the highest link that it had heard of when it asked first. State: the newest call,
    which request it is, what it will still ask, and that link.
    """

    def __init__(self, cluster: SimulatedCluster, name: str, requests: Iterable[Request]) -> None:
        """Be ready to call."""
        self.name = name
        self.call: ClientCall | None = None
        self.stopped = False
        self._cluster = cluster
        self._requests = deque(requests)
        self._asked = 0
        self._heard_of = -1

    def start(self) -> None:
        """Plan the first call."""
        self._plan_next()

    def stop(self) -> None:
        """Begin no further call, and have all patience with the one that is open."""
        self.stopped = True

    @property
    def waits(self) -> bool:
        """Whether a call is open."""
        return self.call is not None and not self.call.answered

    def _plan_next(self) -> None:
        if self._requests:
            self._cluster.time.call_at(self._requests[0].at, self._ask)

    def _ask(self) -> None:
        if self.stopped:
            return
        request = self._requests.popleft()
        # A server that stalls in the middle of the call may let it be answered before this returns.
        self._asked += 1
        call = self.call = self._cluster.open_call(
            self.name,
            self._asked,
            request.command,
            since=self._heard_of + 1,
            on_return=self._hear,
        )
        time = self._cluster.time
        time.call_at(time.now + request.patience_seconds, partial(self._give_up, call))
        self._try(call, request)

    def _hear(self) -> None:
        if self.call is not None and isinstance(self.call.outcome, Chosen):
            self._heard_of = max(self._heard_of, self.call.outcome.link)
        self._plan_next()

    def _try(self, call: ClientCall, request: Request) -> None:
        if call.answered:
            return
        cluster = self._cluster
        uid = cluster.uids[(request.server_draw + len(call.tried)) % len(cluster.uids)]
        time = cluster.time
        time.call_at(time.now + request.retry_seconds, partial(self._try, call, request))
        cluster.retry(call, uid)

    def _give_up(self, call: ClientCall) -> None:
        if not (call.answered or self.stopped):
            self._cluster.give_up(call)


def history_of(cluster: SimulatedCluster) -> list[Operation]:
    """Return what the clients of *cluster* saw: an unanswered call's outcome is unknown."""
    done = cluster.invariants.applied.model.done
    return [
        operation_of(
            call.request_id,
            call.command,
            call.outcome,
            called_at=call.called_at,
            returned_at=call.returned_at,
            tries=len(call.tried),
            link=done[call.request_id].link if call.request_id in done else None,
        )
        for call in cluster.calls.values()
    ]
