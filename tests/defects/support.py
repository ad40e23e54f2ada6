"""What the tests of the defects have in common: a simulated cluster that remembers its mail."""

from dataclasses import replace
from typing import Any, TypeVar

from typing_extensions import override

from composable_paxos import PeerID, ProposalID
from multipaxos.chain.durable import DecidedLink
from multipaxos.chain.effects import Save, Timer
from multipaxos.chain.links import NewMaster, Updates
from multipaxos.chain.messages import Envelope
from multipaxos.chain.requests import Chosen
from multipaxos.chain.state_machine import Result
from multipaxos.composition import compose, strategy_names
from multipaxos.simulation.cluster import (
    CLUSTER,
    FOUNDED_CHAIN,
    ClientCall,
    SimulatedCluster,
    SimulatedServer,
)
from multipaxos.trace import TraceEvent

M = TypeVar("M")

PLAIN = strategy_names(master=False)
MASTER = strategy_names(master=True)
WHOLE = strategy_names(master=False, without=("replay", "early"))
WHOLE_MASTER = strategy_names(master=True, without=("replay", "early", "brevity"))
"""With these, who missed a link catches up with all that the links amount to."""
TRIO = ("A", "B", "C")


class WatchedCluster(SimulatedCluster):
    """
    A founded cluster that starts at link 1, with a postman's shorthand for its manual mode.

    State of its own: all that was *posted*, each with the true time.
    """

    def __init__(self, servers: tuple[PeerID, ...] = TRIO, **arguments: Any) -> None:
        """Take the arguments of :class:`SimulatedCluster`; nobody runs before :meth:`start`."""
        self.posted: list[tuple[float, Envelope]] = []
        super().__init__(servers, **{"founded": True, **arguments})

    @override
    def send(self, envelope: Envelope) -> None:
        self.posted.append((self.time.now, envelope))
        super().send(envelope)

    def sent(self, kind: type[M], *, by: PeerID | None = None, since: float = 0.0) -> list[M]:
        """Return the messages of *kind* that *by* (or anybody) sent, the oldest first."""
        return [
            envelope.message
            for at, envelope in self.posted
            if isinstance(envelope.message, kind) and by in (None, envelope.sender) and at >= since
        ]

    def deliver(self, way: str, kind: type) -> None:
        """Deliver the oldest held message of *kind* on its *way*, written ``A->B``."""
        sender, receiver = way.split("->")
        self.manual.deliver(self.manual.find(sender, receiver, kind.__name__))

    def drop_all(self) -> None:
        """Lose all that is held."""
        for envelope in list(self.manual.held):
            self.manual.drop(envelope)

    def deliver_among(self, *uids: PeerID) -> None:
        """Deliver all that is held and goes from one of *uids* to another, and what follows."""
        while held := [e for e in self.manual.held if e.sender in uids and e.receiver in uids]:
            self.manual.deliver(held[0])

    def deliver_for(self, seconds: float, *uids: PeerID) -> None:
        """Deliver what is held among *uids*, every centisecond of the next *seconds*."""
        for _ in range(round(seconds * 100)):
            self.deliver_among(*uids)
            self.run_for(0.01)

    def let_mail_flow(self) -> None:
        """Lose what is held, and let the network carry what is sent from now on."""
        self.drop_all()
        self.is_manual = False

    def forge(self, way: str, message: Any, *, instance: int, chain: str = FOUNDED_CHAIN) -> None:
        """Hand *message* to its receiver as if it had come that *way* on the network."""
        sender, receiver = way.split("->")
        self._deliver(
            Envelope(
                cluster=CLUSTER,
                chain_id=chain,
                instance=instance,
                sender=sender,
                receiver=receiver,
                message=message,
            )
        )

    def ask(self, uid: PeerID, value: str) -> ClientCall:
        """Have a new client ask *uid* to set *value*."""
        return self.submit(uid, ("SET", value))

    def ask_later(self, at: float, uid: PeerID, value: str) -> None:
        """Have a new client ask *uid* to set *value* at the true time *at*."""

        def ask() -> None:
            self.ask(uid, value)

        self.time.call_at(at, ask)

    def write(self, uid: PeerID, value: str) -> ClientCall:
        """Have a new client set *value* through *uid*, and run until it is told that it is."""
        call = self.ask(uid, value)
        self.wait_for(call)
        return call

    def read(self, uid: PeerID) -> Result:
        """Have a new client read through *uid*, and return what it is told."""
        call = self.submit(uid, ("GET",))
        self.wait_for(call)
        assert isinstance(call.outcome, Chosen)
        return call.outcome.result

    def wait_for(self, *calls: ClientCall) -> None:
        """Run until all *calls* are answered, half a minute at most."""
        answered = self.run_until(lambda: all(call.answered for call in calls), limit_seconds=30)
        assert answered, f"without an answer: {self.unanswered}"

    def values(self, uid: PeerID) -> list[str]:
        """Return what the clients' links on the disk of *uid* set, in order."""
        return [
            update.command[1]
            for decided in self.servers[uid].disk.history
            if isinstance(decided.link, Updates)
            for update in decided.link.updates
            if update.command[0] == "SET"
        ]

    def values_in(self, uid: PeerID, link: int) -> list[str]:
        """Return what *link*, on the disk of *uid*, sets, in order."""
        return [
            update.command[1]
            for decided in self.servers[uid].disk.history
            if decided.number == link and isinstance(decided.link, Updates)
            for update in decided.link.updates
        ]

    def value_on_disk(self, uid: PeerID) -> str | None:
        """Return the replicated value that the disk of *uid* holds."""
        state = self.servers[uid].disk.state
        return None if state is None else state.snapshot.value

    def link_in_progress(self, uid: PeerID) -> int:
        """Return the link at which *uid* is, by its disk."""
        state = self.servers[uid].disk.state
        assert state is not None
        return state.instance

    def promised(self, uid: PeerID) -> ProposalID:
        """Return what *uid* has promised, by its disk."""
        state = self.servers[uid].disk.state
        assert state is not None
        return state.acceptor.promised_id

    def events(self, kind: str, uid: PeerID | None = None) -> list[TraceEvent]:
        """Return the trace's events of *kind*, of one server or of all."""
        return [e for e in self.trace.events if e.kind == kind and uid in (None, e.server)]

    def fired(self, uid: PeerID, timer: Timer, *, since: float) -> int:
        """Return how often *timer* of *uid* fired from the true time *since* on."""
        return sum(
            e.fields["timer"] == timer.value and e.seconds >= since
            for e in self.events("timer fired", uid)
        )

    def refusals(self, uid: PeerID) -> list[str]:
        """Return why *uid* refused messages, in its own words."""
        return [str(e.fields["text"]) for e in self.events("refused", uid)]

    def name_master(self, uid: PeerID) -> None:
        """Let the chain begin with the election of *uid* at link 1; nobody holds a lease yet."""
        bid = NewMaster(uid=uid, lease_seconds=self.settings.lease_seconds, bid="the-first")
        for server in self.servers.values():
            state = server.disk.state
            assert state is not None
            snapshot = replace(state.snapshot, master=bid)
            elected = replace(state, instance=2, snapshot=snapshot)
            storage = server.disk.open()
            storage.save(Save(state=elected, decided=(DecidedLink(number=1, link=bid),)))
            storage.close()
        self.invariants.take_as_chosen(1, bid)

    def let_lead(self, uid: PeerID) -> int:
        """Have *uid*, whom the chain names, win a bid of its present life; return the next link."""
        self.hurry(uid, Timer.ELECTION)
        self.deliver_for(0.2, *self.uids)
        assert self.trusting() == [uid]
        links = {self.link_in_progress(each) for each in self.uids}
        assert len(links) == 1, links
        return links.pop()

    def wait_for_master(self) -> SimulatedServer:
        """Run until a server trusts its lease, and return it."""
        assert self.run_until(lambda: len(self.trusting()) == 1, limit_seconds=30)
        return self.servers[self.trusting()[0]]

    def switch_strategies(self, names: tuple[str, ...]) -> None:
        """Start servers with the strategies *names* from now on."""
        self.replica_class = compose(names)


def link_of(call: ClientCall) -> int:
    """Return the link that the answered *call* is in."""
    assert isinstance(call.outcome, Chosen), f"{call.request_id} came to {call.outcome}"
    return call.outcome.link
