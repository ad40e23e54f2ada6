"""A whole cluster in one process, on simulated ports, in virtual time, from one seed."""

from collections.abc import Callable

from composable_paxos import PeerID
from multipaxos.chain.effects import Timer
from multipaxos.chain.requests import Chosen, RequestID, Unknown
from multipaxos.chain.state_machine import Command
from multipaxos.invariants.model import holds
from multipaxos.simulation.calls import ClientCall
from multipaxos.simulation.server import SimulatedServer
from multipaxos.simulation.staging import CLUSTER, FOUNDED_CHAIN
from multipaxos.simulation.troubles import Troubles

__all__ = ["CLUSTER", "FOUNDED_CHAIN", "ClientCall", "SimulatedCluster", "SimulatedServer"]


class SimulatedCluster(Troubles):
    """
    Servers, network, disks and clocks, with every fault at hand and every invariant watched.

    A cluster begins without memory, so that the founding of a chain runs; or, with *founded*, on
    disks that stand at link 1. The same arguments and calls give the same run. Here is what a
    person does with it: ask as a client, and let time pass.
    """

    # -- clients -----------------------------------------------------------------------------------

    def submit(
        self,
        uid: PeerID,
        command: Command,
        *,
        client: str | None = None,
        sequence: int = 1,
        since: int = 0,
        on_return: Callable[[], None] = lambda: None,
    ) -> ClientCall:
        """Have a client (by default a new one) ask *uid* for *command*; return its call."""
        name = client or f"client-{len(self.calls) + 1}"
        call = self.open_call(name, sequence, command, since=since, on_return=on_return)
        self.retry(call, uid)
        return call

    def open_call(
        self,
        client: str,
        sequence: int,
        command: Command,
        *,
        since: int = 0,
        on_return: Callable[[], None],
    ) -> ClientCall:
        """
        Return a new call of *client*, which no server was asked for yet.

        As far as the client knows, the links below *since* are decided.
        """
        call = ClientCall(
            request_id=RequestID(client=client, sequence=sequence),
            command=command,
            called_at=self.time.now,
            since=since,
            on_return=on_return,
        )
        assert call.request_id not in self.calls, "a request id is used once"
        self.calls[call.request_id] = call
        return call

    def give_up(self, call: ClientCall) -> None:
        """Have the client of *call* wait no longer: it does not know what became of it."""
        call.outcome = Unknown(reason="the client gave up")
        call.returned_at = self.time.now
        self.servers[call.tried[-1]].trace.returned(call.request_id, call.command, call.outcome)
        call.on_return()

    def retry(self, call: ClientCall, uid: PeerID) -> None:
        """
        Have the client of *call* ask *uid* for the same again, under the same request id.

        The server that it asks first has greeted it with its link in progress. What the client says
        of its request's age stays the same from then on.
        """
        server = self.servers[uid]
        if server.driver is not None and not call.tried:
            call.since = max(call.since, server.replica.instance)
        call.tried.append(uid)
        server.trace.called(call.request_id, call.command)
        driver = server.driver
        if driver is not None:
            server.gate.run(lambda: driver.submit(call.request_id, call.command, call.since))

    def was_read_locally(self, call: ClientCall) -> bool:
        """Tell whether *call* was answered by a master alone: no link holds it."""
        if not (isinstance(call.outcome, Chosen) and self.machine.is_read(call.command)):
            return False
        chosen = self.invariants.chosen.get(call.outcome.link)
        return chosen is not None and not holds(chosen.value, call.request_id)

    @property
    def unanswered(self) -> list[ClientCall]:
        """The calls that wait for an answer."""
        return [call for call in self.calls.values() if not call.answered]

    # -- time --------------------------------------------------------------------------------------

    def run_for(self, seconds: float) -> None:
        """Run all that happens in the next *seconds* of true time."""
        self.time.run_until(self.time.now + seconds)

    def run_until(self, condition: Callable[[], bool], *, limit_seconds: float) -> bool:
        """Run event by event until *condition* holds; False if it did not in *limit_seconds*."""
        end = self.time.now + limit_seconds
        while not condition():
            if not self.time.step(end):
                self.time.run_until(end)
                return condition()
        return True

    def hurry(self, uid: PeerID, timer: Timer) -> None:
        """Let *timer* of *uid* fire now. Raises LookupError if it does not run."""
        server = self.servers[uid]
        if server.driver is None or server.driver.seconds_left(timer) <= 0:
            raise LookupError(f"{timer.value} does not run on {uid}")
        server.clock.hurry(server.timers[timer])
