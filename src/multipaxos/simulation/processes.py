"""The servers of a simulated cluster, as processes: they start, take events, stall, and end."""

from functools import partial
from random import Random
from typing import Any

from typing_extensions import override

from composable_paxos import PeerID
from multipaxos.chain.effects import Answer
from multipaxos.chain.messages import Envelope
from multipaxos.chain.settings import Membership
from multipaxos.invariants.cluster import ChosenLink
from multipaxos.invariants.violation import InvariantViolation, violation_of
from multipaxos.runtime.ports import StorageError
from multipaxos.simulation.clock import Action
from multipaxos.simulation.disk import PowerCut
from multipaxos.simulation.observers import (
    ServerObserver,
)
from multipaxos.simulation.server import SimulatedServer
from multipaxos.simulation.staging import CLUSTER, Staging


class Processes(Staging):
    """
    The servers as processes: they start, take events, stall, and end.

    State: whose event was the last one.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Set the stage."""
        super().__init__(*arguments, **options)
        self._acting = self.uids[0]

    def start(self, *uids: PeerID) -> None:
        """Start the processes of *uids*; of all servers that are down, without any."""
        for uid in uids or self.uids:
            if not self.servers[uid].up:
                self._start(self.servers[uid])

    def restart(self, uid: PeerID) -> None:
        """Start *uid* again, from its disk."""
        self.start(uid)

    def crash(self, uid: PeerID) -> None:
        """End the process of *uid* at once, as ``kill -9`` does: memory is lost, the disk stays."""
        server = self.servers[uid]
        if server.up:
            self._end(server, "crashed")

    def fail_power(self, uid: PeerID, *, amount: float = 0.0) -> None:
        """
        Cut the power of *uid*: its process ends, and its disk loses what was not synced.

        A share *amount* of that has reached the platter all the same.
        """
        self.crash(uid)
        server = self.servers[uid]
        lost = server.disk.lose_power(amount)
        if lost:
            server.trace.record("disk", {"fault": lost})

    def pause(self, uid: PeerID) -> None:
        """Stop the process of *uid* for a while: its events wait, its clock goes on."""
        server = self.servers[uid]
        server.gate.closed = True
        server.trace.record("paused", {})

    def resume(self, uid: PeerID) -> None:
        """Let the process of *uid* go on; what waited comes first."""
        server = self.servers[uid]
        server.trace.record("resumed", {})
        server.stalled = False
        server.gate.open()

    def live(self) -> list[SimulatedServer]:
        """Return the servers that are up."""
        return [server for server in self.servers.values() if server.up]

    def trusting(self) -> list[PeerID]:
        """Return the servers that believe now that they may answer reads alone."""
        return [server.uid for server in self.servers.values() if server.trusts_lease]

    def send(self, envelope: Envelope) -> None:
        """Carry *envelope* on the network in use: this is every server's messenger."""
        if self.is_manual:
            self.manual.send(envelope)
        else:
            self.network.send(envelope)

    # -- what the network tells --------------------------------------------------------------------

    @override
    def dropped(self, envelope: Envelope, reason: str) -> None:
        """Record that *envelope* did not arrive."""
        self._on_dropped(envelope, reason)
        self.servers[envelope.receiver].trace.dropped(envelope, str(reason))

    @override
    def duplicated(self, envelope: Envelope) -> None:
        """Record that *envelope* will arrive once more."""
        self._on_duplicated(envelope)
        self.servers[envelope.sender].trace.duplicated(envelope)

    # -- own affairs -------------------------------------------------------------------------------

    def _start(self, server: SimulatedServer) -> None:
        disk = server.disk
        observer = ServerObserver(
            self.invariants.observer(server.uid),
            server.trace,
            server.note_timer,
            disk,
            self.observers,
        )
        try:
            storage = disk.open()
            state = storage.load()
        except StorageError as error:
            disk.release()
            server.halted = str(error)
            server.trace.halted(server.halted)
            return
        server.starts += 1
        server.halted = None
        server.trace.started(memory=state is not None)
        survived, disk.survived = disk.survived, None
        if survived is not None:
            # The process that saved it died before anybody was told.
            observer.saved(survived)
        replica = self.replica_class(
            membership=Membership(cluster=CLUSTER, uid=server.uid, servers=self.uids),
            settings=self.settings,
            machine=self.machine,
            state=state,
            rng=Random(f"{self.seed}/{server.uid}/{server.starts}"),
        )
        self.invariants.quorums.use(server.uid, replica.quorums)
        server.driver = self.driver_class(
            replica,
            storage=storage,
            messenger=self,
            clock=server.clock,
            observer=observer,
            on_answer=lambda answer: self._answered(server.uid, answer),
            on_halt=lambda reason: self._halted(server, reason),
        )
        if disk.cut or disk.fails:
            server.note_outboxes()
        server.gate.run(server.driver.start)

    @override
    def _perform(self, server: SimulatedServer, action: Action) -> None:
        driver = server.driver
        server.clock.in_event = True
        self._acting = server.uid
        try:
            action()
        except AssertionError as error:
            if not self.tolerant:
                raise
            self._found_out(server, error)
        except PowerCut:
            if driver is not None and server.driver is driver:
                loses_power, server.loses_power = server.loses_power, False
                if loses_power:
                    self.fail_power(server.uid, amount=server.disk.amount)
                else:
                    self.crash(server.uid)
        server.clock.in_event = False
        if server.trusts_lease:
            self.invariants.judge(
                lambda: self.invariants.leases.look(server.uid, lambda: server.trusts_lease)
            )
        if server.stalled:
            self.resume(server.uid)

    def _end(self, server: SimulatedServer, kind: str) -> None:
        assert server.driver is not None
        server.trace.record(kind, {})
        server.driver.stop()
        server.driver = None
        server.stalled = False
        server.clock.cancel_all()
        server.gate.forget()
        server.disk.release()

    def _halted(self, server: SimulatedServer, reason: str) -> None:
        server.halted = reason
        server.driver = None
        server.clock.cancel_all()
        server.gate.forget()
        server.disk.release()

    def _found_out(self, server: SimulatedServer, error: AssertionError) -> None:
        """Let *server* halt that found by itself that what must hold does not."""
        self._violated(violation_of(error))
        server.trace.halted(str(error))
        self._halted(server, str(error))

    @override
    def _violated(self, violation: InvariantViolation) -> None:
        key = (violation.name, violation.link)
        if key in self.violations:
            return
        self.violations[key] = violation
        self.servers[self._acting].trace.record(
            "violated",
            {
                "name": violation.name,
                "link": violation.link,
                "explanation": violation.explanation,
                "text": str(violation),
            },
        )

    def _stall(self, server: SimulatedServer, seconds: float) -> None:
        driver = server.driver
        self.pause(server.uid)
        server.stalled = True
        server.clock.in_event = False
        self.time.run_until(self.time.now + seconds)
        if server.driver is not driver:
            # Killed while it stood still: the rest of the event never happens.
            raise PowerCut
        server.clock.in_event = True

    @override
    def _deliver(self, envelope: Envelope) -> bool:
        server = self.servers[envelope.receiver]
        driver = server.driver
        if driver is None:
            return False
        if server.gate.closed:
            server.gate.run(partial(driver.receive, envelope))
        else:
            self._perform(server, partial(driver.receive, envelope))
        return True

    def _answered(self, uid: PeerID, answer: Answer) -> None:
        call = self.calls[answer.request_id]
        self.invariants.check_return(uid, call.command, answer, earlier=call.outcome)
        if call.outcome is None:
            call.outcome = answer.outcome
            call.answered_by = uid
            call.returned_at = self.time.now
            self.servers[uid].trace.returned(answer.request_id, call.command, answer.outcome)
            call.on_return()

    @override
    def _chosen(self, chosen: ChosenLink) -> None:
        if self.traced:
            self.servers[chosen.acceptors[-1]].trace.record(
                "chosen",
                {
                    "instance": chosen.link,
                    "proposal_id": chosen.proposal_id,
                    "value": chosen.value,
                    "acceptors": chosen.acceptors,
                },
            )
