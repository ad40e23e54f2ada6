"""The servers of a simulated cluster, as processes: they start, take events, stall, and end."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random

from composable_paxos import PeerID
from multipaxos.chain.durable import DecidedLink, DurableState
from multipaxos.chain.effects import Answer, Save
from multipaxos.chain.links import Founding
from multipaxos.chain.messages import Envelope
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.chain.requests import RequestID
from multipaxos.chain.settings import Membership, Settings
from multipaxos.chain.state_machine import Register, StateMachine
from multipaxos.composition import STRATEGIES, compose, strategy_names
from multipaxos.invariants.cluster import ChosenLink, Invariants
from multipaxos.runtime.driver import Driver
from multipaxos.runtime.ports import StorageError
from multipaxos.simulation.calls import ClientCall
from multipaxos.simulation.clock import Action, Gate, SimulatedClock, VirtualTime
from multipaxos.simulation.disk import Disk, PowerCut, SimulatedDisk
from multipaxos.simulation.manual_network import ManualNetwork
from multipaxos.simulation.network import CALM, SimulatedNetwork, Weather
from multipaxos.simulation.observation import calls_of, together
from multipaxos.simulation.observers import (
    NumberingObserver,
    ServerObserver,
    TraceList,
    Transmissions,
)
from multipaxos.simulation.server import SimulatedServer
from multipaxos.trace import Silence, TraceObserver

CLUSTER = "simulated"
FOUNDED_CHAIN = "chain-1"


class Processes:
    """
    Servers with their disks and clocks on a network, every invariant watched.

    State: the *servers*, by uid; the *calls* of clients; the *time*; the *trace*.
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
        engine: str = "simulation",
        about: Mapping[str, object] | None = None,
        machine: StateMachine | None = None,
        disks: Callable[[PeerID], Disk] = lambda _uid: SimulatedDisk(),
        observers: Sequence[object] = (),
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
        self.disks = disks
        self.observers = tuple(observers)
        self._on_dropped = together(calls_of("dropped", self.observers))
        self._on_duplicated = together(calls_of("duplicated", self.observers))
        self.transmissions = Transmissions()
        self.observer = self._observe("")
        self.observer.header(
            engine,
            cluster=CLUSTER,
            servers=self.uids,
            clock="virtual",
            about={"seed": seed, "strategies": self._strategies(), **(about or {})},
        )
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
            seed=f"{seed}/network",
            weather=weather,
            deliver=self._deliver,
            postal=self,
        )
        self.is_manual = manual
        if founded:
            found(self)

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

    def dropped(self, envelope: Envelope, reason: str) -> None:
        """Record that *envelope* did not arrive."""
        self._on_dropped(envelope, reason)
        self.servers[envelope.receiver].trace.dropped(envelope, str(reason))

    def duplicated(self, envelope: Envelope) -> None:
        """Record that *envelope* will arrive once more."""
        self._on_duplicated(envelope)
        self.servers[envelope.sender].trace.duplicated(envelope)

    # -- own affairs -------------------------------------------------------------------------------

    def _strategies(self) -> list[str]:
        return [n for n, mixin in STRATEGIES.items() if issubclass(self.replica_class, mixin)]

    def _build_server(self, uid: PeerID, rate: float) -> SimulatedServer:
        gate = Gate(lambda action: self._perform(self.servers[uid], action))
        # Every clock shows something else: nothing may depend on what a clock shows.
        origin_seconds = Random(f"{self.seed}/{uid}/clock").uniform(0, 1e6)
        clock = SimulatedClock(self.time, rate=rate, origin_seconds=origin_seconds, gate=gate)
        server = SimulatedServer(
            uid=uid, disk=self.disks(uid), gate=gate, clock=clock, trace=self._observe(uid)
        )
        if rate != 1.0:
            server.trace.record("clock rate", {"rate": rate})
        return server

    def _observe(self, uid: PeerID) -> TraceObserver:
        """Return what traces *uid*; without a name, what concerns no single server."""
        if not self.traced:
            return Silence()
        return NumberingObserver(
            uid,
            lambda: self.time.now,
            [self.trace],
            transmissions=self.transmissions,
            began=lambda: self.servers[uid].event_began,
            # The server is built after its trace.
            instant=lambda reading: self.servers[uid].clock.true_time(reading),  # noqa: PLW0108
        )

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

    def _perform(self, server: SimulatedServer, action: Action) -> None:
        driver = server.driver
        server.clock.in_event = True
        try:
            action()
        except PowerCut:
            if driver is not None and server.driver is driver:
                loses_power, server.loses_power = server.loses_power, False
                if loses_power:
                    self.fail_power(server.uid, amount=server.disk.amount)
                else:
                    self.crash(server.uid)
        server.clock.in_event = False
        if server.trusts_lease:
            self.invariants.leases.look(server.uid, lambda: server.trusts_lease)
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
            call.returned_at = self.time.now
            self.servers[uid].trace.returned(answer.request_id, call.command, answer.outcome)
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


def found(processes: Processes) -> None:
    """Write what servers have on their disks that have founded a chain, and stand at link 1."""
    founders = tuple((uid, f"birth-of-{uid}") for uid in processes.uids)
    founding = Founding(
        chain_id=FOUNDED_CHAIN, machine_kind=processes.machine.kind, founders=founders
    )
    for uid, birth in founders:
        state = DurableState(birth=birth, founders=founders, founding=founding, instance=1)
        storage = processes.servers[uid].disk.open()
        storage.save(Save(state=state, decided=(DecidedLink(number=0, link=founding),)))
        storage.close()
    processes.invariants.take_as_chosen(0, founding)
