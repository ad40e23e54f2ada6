"""A whole cluster in one process, on simulated ports, in virtual time, from one seed."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from composable_paxos import PeerID
from multipaxos.chain.durable import DecidedLink, DurableState
from multipaxos.chain.effects import Answer, Timer
from multipaxos.chain.links import Founding
from multipaxos.chain.messages import Envelope
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.chain.requests import RequestID
from multipaxos.chain.settings import Membership, Settings
from multipaxos.chain.state_machine import Command, Register, StateMachine
from multipaxos.composition import compose, strategy_names
from multipaxos.invariants.cluster import ChosenLink, Invariants
from multipaxos.runtime.driver import Driver
from multipaxos.runtime.ports import StorageError
from multipaxos.simulation.calls import ClientCall
from multipaxos.simulation.clock import Action, Gate, SimulatedClock, VirtualTime
from multipaxos.simulation.disk import PowerCut, SimulatedDisk
from multipaxos.simulation.network import CALM, ManualNetwork, SimulatedNetwork, Weather
from multipaxos.simulation.observers import ServerObserver, TraceList
from multipaxos.simulation.server import SimulatedServer
from multipaxos.trace import Silence, TraceObserver

__all__ = ["CLUSTER", "FOUNDED_CHAIN", "ClientCall", "SimulatedCluster", "SimulatedServer"]

CLUSTER = "simulated"
FOUNDED_CHAIN = "chain-1"


class SimulatedCluster:
    """
    Servers, network, disks and clocks, with every fault at hand and every invariant watched.

    A cluster begins without memory, so that the founding of a chain runs; or, with *founded*, on
    disks that stand at link 1. The same arguments and calls give the same run. State of its own:
    the *servers*, by uid, and the *calls* of clients.
    """

    def __init__(  # noqa: PLR0913 - all that a run depends on
        self,
        servers: Sequence[PeerID] = ("A", "B", "C"),
        *,
        seed: int | str = 0,
        strategies: Sequence[str] | None = None,
        replica_class: type[BaseReplicatedValue] | None = None,
        driver_class: type[Driver] = Driver,
        settings: Settings | None = None,
        founded: bool = False,
        weather: Weather = CALM,
        manual: bool = False,
        rates: Mapping[PeerID, float] | None = None,
        traced: bool = True,
        machine: StateMachine | None = None,
    ) -> None:
        """Set the stage; nobody runs before :meth:`start`."""
        self.uids = tuple(servers)
        self.seed = seed
        self.settings = settings or Settings()
        self.machine = machine or Register()
        self.replica_class = replica_class or compose(strategies or strategy_names(master=False))
        self.driver_class = driver_class
        self.time = VirtualTime()
        self.rng = Random(f"{seed}/cluster")
        self.trace = TraceList()
        self.traced = traced
        self.calls: dict[RequestID, ClientCall] = {}
        self.servers = {
            uid: self._build_server(uid, (rates or {}).get(uid, 1.0)) for uid in servers
        }
        self.invariants = Invariants(
            {uid: server.disk for uid, server in self.servers.items()},
            sessions_max=self.settings.sessions_max,
            on_chosen=self._chosen,
        )
        self.manual = ManualNetwork(deliver=self._deliver, postal=self)
        self.network = SimulatedNetwork(
            self.time,
            rng=Random(f"{seed}/network"),
            weather=weather,
            deliver=self._deliver,
            postal=self,
        )
        self.is_manual = manual
        if founded:
            self._found()

    # -- servers ---------------------------------------------------------------------------------

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

    def wipe(self, uid: PeerID) -> None:
        """Lose the state file of *uid*, which must be down."""
        server = self.servers[uid]
        server.disk.wipe()
        server.trace.record("wiped", {})

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

    def stall_at_save(self, uid: PeerID, seconds: float) -> None:
        """Pause *uid* for *seconds* in the middle of its next event that saves, before the save."""
        server = self.servers[uid]
        server.disk.stall = lambda: self._stall(server, seconds)

    def stall_at_reading(self, uid: PeerID, count: int, seconds: float) -> None:
        """Pause *uid* for *seconds* when it reads its clock for the *count*-th time from now."""
        server = self.servers[uid]
        server.clock.stall_at_reading(count, lambda: self._stall(server, seconds))

    def live(self) -> list[SimulatedServer]:
        """Return the servers that are up."""
        return [server for server in self.servers.values() if server.up]

    def trusting(self) -> list[PeerID]:
        """Return the servers that believe now that they may answer reads alone."""
        return [server.uid for server in self.servers.values() if server.trusts_lease]

    # -- network -----------------------------------------------------------------------------------

    def partition(self, *groups: Sequence[PeerID]) -> None:
        """Let nothing through between *groups*."""
        for wires in (self.network.wires, self.manual.wires):
            wires.partition(*(tuple(group) for group in groups))

    def block(self, sender: PeerID, receiver: PeerID) -> None:
        """Let nothing through from *sender* to *receiver*; the other way stays open."""
        for wires in (self.network.wires, self.manual.wires):
            wires.block(sender, receiver)

    def heal(self) -> None:
        """Let everything through."""
        for wires in (self.network.wires, self.manual.wires):
            wires.heal()

    def send(self, envelope: Envelope) -> None:
        """Carry *envelope* on the network in use: this is every server's messenger."""
        if self.is_manual:
            self.manual.send(envelope)
        else:
            self.network.send(envelope)

    # -- clients -----------------------------------------------------------------------------------

    def submit(
        self,
        uid: PeerID,
        command: Command,
        *,
        client: str | None = None,
        sequence: int = 1,
        on_return: Callable[[], None] = lambda: None,
    ) -> ClientCall:
        """Have a client (by default a new one) ask *uid* for *command*; return its call."""
        name = client or f"client-{len(self.calls) + 1}"
        call = ClientCall(
            request_id=RequestID(client=name, sequence=sequence),
            command=command,
            called_at=self.time.now,
            on_return=on_return,
        )
        assert call.request_id not in self.calls, "a request id is used once"
        self.calls[call.request_id] = call
        self.retry(call, uid)
        return call

    def retry(self, call: ClientCall, uid: PeerID) -> None:
        """Have the client of *call* ask *uid* for the same again, under the same request id."""
        server = self.servers[uid]
        call.tried.append(uid)
        server.trace.record("called", {"request": call.request_id, "command": call.command})
        driver = server.driver
        if driver is not None:
            server.gate.run(lambda: driver.submit(call.request_id, call.command))

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

    # -- what the network tells --------------------------------------------------------------------

    def dropped(self, envelope: Envelope, reason: str) -> None:
        """Record that *envelope* did not arrive."""
        if self.traced:
            self.servers[envelope.receiver].trace.record(
                "dropped", {**_described(envelope), "reason": str(reason)}
            )

    def duplicated(self, envelope: Envelope) -> None:
        """Record that *envelope* will arrive once more."""
        if self.traced:
            self.servers[envelope.sender].trace.record("duplicated", _described(envelope))

    # -- own affairs -------------------------------------------------------------------------------

    def _build_server(self, uid: PeerID, rate: float) -> SimulatedServer:
        gate = Gate(lambda action: self._perform(self.servers[uid], action))
        # Every clock shows something else: nothing may depend on what a clock shows.
        origin_seconds = Random(f"{self.seed}/{uid}/clock").uniform(0, 1e6)
        clock = SimulatedClock(self.time, rate=rate, origin_seconds=origin_seconds, gate=gate)
        sinks = [self.trace] if self.traced else []
        trace = TraceObserver(uid, lambda: self.time.now, sinks) if self.traced else Silence()
        return SimulatedServer(uid=uid, disk=SimulatedDisk(), gate=gate, clock=clock, trace=trace)

    def _found(self) -> None:
        founders = tuple((uid, f"birth-of-{uid}") for uid in self.uids)
        founding = Founding(
            chain_id=FOUNDED_CHAIN, machine_kind=self.machine.kind, founders=founders
        )
        for uid, birth in founders:
            disk = self.servers[uid].disk
            disk.state = DurableState(birth=birth, founders=founders, founding=founding, instance=1)
            disk.history.append(DecidedLink(number=0, link=founding))
        self.invariants.take_as_chosen(0, founding)

    def _start(self, server: SimulatedServer) -> None:
        try:
            storage = server.disk.open()
            state = storage.load()
        except StorageError as error:
            server.halted = str(error)
            server.trace.halted(server.halted)
            return
        server.starts += 1
        server.halted = None
        server.trace.record("started", {"memory": state is not None})
        replica = self.replica_class(
            membership=Membership(cluster=CLUSTER, uid=server.uid, servers=self.uids),
            settings=self.settings,
            machine=self.machine,
            state=state,
            rng=Random(f"{self.seed}/{server.uid}/{server.starts}"),
        )
        server.driver = self.driver_class(
            replica,
            storage=storage,
            messenger=self,
            clock=server.clock,
            observer=ServerObserver(
                self.invariants.observer(server.uid),
                server.trace,
                server.note_timer,
                server.disk,
            ),
            on_answer=lambda answer: self._answered(server.uid, answer),
            on_halt=lambda reason: self._halted(server, reason),
        )
        server.gate.run(server.driver.start)

    def _perform(self, server: SimulatedServer, action: Action) -> None:
        driver = server.driver
        server.clock.in_event = True
        try:
            action()
        except PowerCut:
            if driver is not None and server.driver is driver:
                self._end(server, "crashed")
        server.clock.in_event = False
        self.invariants.check_leases(self.trusting())
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

    def _deliver(self, envelope: Envelope) -> bool:
        server = self.servers[envelope.receiver]
        driver = server.driver
        if driver is None:
            return False
        server.gate.run(lambda: driver.receive(envelope))
        return True

    def _answered(self, uid: PeerID, answer: Answer) -> None:
        call = self.calls[answer.request_id]
        self.invariants.check_return(uid, call.command, answer, earlier=call.outcome)
        if call.outcome is None:
            call.outcome = answer.outcome
            call.returned_at = self.time.now
            if self.traced:
                self.servers[uid].trace.record(
                    "returned", {"request": answer.request_id, "outcome": answer.outcome}
                )
            call.on_return()

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


def _described(envelope: Envelope) -> dict[str, Any]:
    return {
        "sender": envelope.sender,
        "receiver": envelope.receiver,
        "instance": envelope.instance,
        "message": envelope.message,
    }
