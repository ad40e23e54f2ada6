"""One server of a simulated cluster."""

from dataclasses import dataclass, field

from composable_paxos import PeerID
from multipaxos.chain.effects import Outbox, Timer
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.runtime.driver import Driver
from multipaxos.simulation.clock import Gate, SimulatedClock
from multipaxos.simulation.disk import Disk
from multipaxos.trace import TraceObserver


@dataclass(kw_only=True, eq=False)
class SimulatedServer:
    """
    One server: what outlives its process (*disk*, *clock*), and the process, while it runs.

    *driver* is None while the server is down. *halted* holds the sentence with which it stopped
    by itself. *loses_power* tells that the power fails when the process dies. *timers* tells which
    of the clock's calls each timer is.
    """

    uid: PeerID
    disk: Disk
    gate: Gate
    clock: SimulatedClock
    trace: TraceObserver
    starts: int = 0
    driver: Driver | None = None
    halted: str | None = None
    stalled: bool = False
    loses_power: bool = False
    timers: dict[Timer, int] = field(default_factory=dict)

    @property
    def up(self) -> bool:
        """Whether the process runs (it may be paused)."""
        return self.driver is not None

    @property
    def replica(self) -> BaseReplicatedValue:
        """The protocol's object. Only of a server that is up."""
        assert self.driver is not None, f"{self.uid} is down"
        return self.driver.replica

    @property
    def event_began(self) -> float:
        """What the clock showed when the event in hand began. Only of a server that is up."""
        assert self.driver is not None, f"{self.uid} is down"
        return self.driver.event_began

    @property
    def trusts_lease(self) -> bool:
        """Whether this server believes now, by its own clock, that it may answer reads alone."""
        driver = self.driver
        return (
            driver is not None
            and driver.replica.lease is not None
            and driver.seconds_left(driver.replica.lease) > 0
        )

    def note_timer(self, timer: Timer) -> None:
        """Note that the newest call of the clock is *timer*."""
        self.timers[timer] = self.clock.last_call

    def note_outboxes(self) -> None:
        """
        Let the disk know the outbox of the save that comes next.

        If that save is cut short, its state may survive all the same; whoever watches is told then.
        """
        driver, disk = self.driver, self.disk
        if driver is None:
            return
        take_outbox = driver.replica.take_outbox

        def take_and_note() -> Outbox:
            outbox = take_outbox()
            disk.in_flight = outbox if outbox.save is not None else None
            return outbox

        vars(driver.replica)["take_outbox"] = take_and_note
