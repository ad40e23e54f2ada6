"""Clients of a simulated cluster: each asks one thing after the other, and asks again elsewhere."""

from collections.abc import Callable, Sequence
from random import Random

from composable_paxos import PeerID
from multipaxos.chain.state_machine import Get, Set
from multipaxos.invariants.history import operation_of
from multipaxos.invariants.linearizability import Operation
from multipaxos.simulation.calls import ClientCall
from multipaxos.simulation.cluster import SimulatedCluster


class SimulatedClient:
    """
    Writes values of its own and reads, one call at a time, until told to stop.

    A call that is not answered is repeated through another server under the same request id; a
    client that is refused goes on to its next call. State: its *calls*, the newest one last.
    """

    def __init__(
        self,
        cluster: SimulatedCluster,
        name: str,
        *,
        rng: Random,
        pause_seconds_max: float = 1.0,
        patience_seconds: float = 2.0,
        reads: float = 0.4,
    ) -> None:
        """Be ready to call; *reads* is the share of reads among the calls."""
        self.name = name
        self.calls: list[ClientCall] = []
        self.stopped = False
        self._asked = 0
        self._cluster = cluster
        self._rng = rng
        self._pause_seconds_max = pause_seconds_max
        self._patience_seconds = patience_seconds
        self._reads = reads

    def start(self) -> None:
        """Call for the first time soon."""
        self._later(self._rng.uniform(0, self._pause_seconds_max), self._call)

    def stop(self) -> None:
        """Begin no further call; the one that is open goes on."""
        self.stopped = True

    @property
    def waits(self) -> bool:
        """Whether a call is open."""
        return any(not call.answered for call in self.calls)

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        self._cluster.time.call_at(self._cluster.time.now + seconds, action)

    def _call(self) -> None:
        if self.stopped:
            return
        # A server that stalls in the middle of the call may answer it before it is listed.
        self._asked += 1
        number = self._asked
        is_read = self._rng.random() < self._reads
        command = Get() if is_read else Set(value=f"{self.name}-{number}")
        call = self._cluster.submit(
            self._choose_server(),
            command,
            client=self.name,
            sequence=number,
            on_return=self._returned,
        )
        self.calls.append(call)
        self._later(self._patience_seconds, lambda: self._insist(call))

    def _insist(self, call: ClientCall) -> None:
        if not call.answered:
            self._cluster.retry(call, self._choose_server())
            self._later(self._patience_seconds, lambda: self._insist(call))

    def _returned(self) -> None:
        self._later(self._rng.uniform(0, self._pause_seconds_max), self._call)

    def _choose_server(self) -> PeerID:
        return self._rng.choice(self._cluster.uids)


def history_of(calls: Sequence[ClientCall]) -> list[Operation]:
    """Return what *calls* say: an unanswered call's outcome is unknown."""
    return [
        operation_of(
            call.request_id,
            call.command,
            call.outcome,
            called_at=call.called_at,
            returned_at=call.returned_at,
            tries=len(call.tried),
        )
        for call in calls
    ]
