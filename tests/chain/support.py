"""One server's protocol object under a person's hand: every event returns its outbox."""

from collections.abc import Iterable, Sequence
from random import Random

from composable_paxos import Accepted, AcceptorState, Message, PeerID, ProposalID
from multipaxos.chain.durable import DurableState, Snapshot
from multipaxos.chain.effects import LocalRead, Outbox, SetTimer, Timer
from multipaxos.chain.events import Event, EventKind
from multipaxos.chain.links import Founding, Link, NewMaster, Updates
from multipaxos.chain.messages import CatchUp, ChainMessage, Envelope
from multipaxos.chain.register import Register
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.chain.requests import RequestID, Update
from multipaxos.chain.settings import Membership, Settings
from multipaxos.chain.state_machine import Command, StateMachine

CHAIN = "chain-1"
FOUNDERS = (("A", "birth-of-A"), ("B", "birth-of-B"), ("C", "birth-of-C"))
FOUNDING = Founding(chain_id=CHAIN, machine_kind="register", founders=FOUNDERS)
LOWEST_B = ProposalID(2, "B")
MASTER_B = NewMaster(uid="B", lease_seconds=2.0, bid="bid-of-B")


def request(number: int = 1, client: str = "client") -> RequestID:
    """Name a client's request."""
    return RequestID(client, number)


def write(value: str, number: int = 1, client: str = "client", *, since: int = 1) -> Update:
    """Make a client's update that sets *value*."""
    return Update(request_id=request(number, client), command=("SET", value), since=since)


def read(number: int = 1, client: str = "reader", *, since: int = 1) -> Update:
    """Make a client's read."""
    return Update(request_id=request(number, client), command=("GET",), since=since)


def link_of(*updates: Update) -> Updates:
    """Make a link that holds *updates*."""
    return Updates(updates=updates)


def stored(
    uid: PeerID = "A",
    *,
    instance: int = 1,
    founding: Founding | None = FOUNDING,
    founders: tuple[tuple[PeerID, str], ...] = FOUNDERS,
    votes_from: int = 0,
    acceptor: AcceptorState | None = None,
    snapshot: Snapshot | None = None,
) -> DurableState:
    """Make what a server that knows link 0 has on its disk; it is at link 1."""
    return DurableState(
        birth=f"birth-of-{uid}",
        founders=founders,
        founding=founding,
        instance=instance,
        votes_from=votes_from,
        acceptor=acceptor or AcceptorState(),
        snapshot=snapshot or Snapshot(),
    )


class Hand:
    """A server whose events a test causes one by one, and whose effects it reads."""

    def __init__(
        self,
        replica_class: type[BaseReplicatedValue] = BaseReplicatedValue,
        *,
        uid: PeerID = "A",
        servers: Sequence[PeerID] = ("A", "B", "C"),
        state: DurableState | None = None,
        memoryless: bool = False,
        settings: Settings | None = None,
        machine: StateMachine | None = None,
        seed: int = 0,
    ) -> None:
        """Make the server, at link 1 unless *state* says otherwise; without state if told so."""
        self.settings = settings or Settings()
        self.value = replica_class(
            membership=Membership(cluster="test", uid=uid, servers=tuple(servers)),
            settings=self.settings,
            machine=machine or Register(),
            state=None if memoryless else state or stored(uid),
            rng=Random(seed),
        )

    @property
    def state(self) -> DurableState:
        """What would be on the disk now."""
        return self.value.durable

    def start(self) -> Outbox:
        """Start the server."""
        self.value.start()
        return self.value.take_outbox()

    def submit(self, request_id: RequestID, command: Command) -> Outbox:
        """Have a client of this server ask for *command*."""
        self.value.propose_update(request_id, command)
        return self.value.take_outbox()

    def write(self, value: str, number: int = 1, client: str = "client") -> Outbox:
        """Have a client ask to set *value*."""
        return self.submit(request(number, client), ("SET", value))

    def read(self, number: int = 1, client: str = "reader") -> Outbox:
        """Have a client ask for the value."""
        return self.submit(request(number, client), ("GET",))

    def timeout(self, timer: Timer) -> Outbox:
        """Let *timer* fire."""
        self.value.timeout(timer)
        return self.value.take_outbox()

    def release(self, local_read: LocalRead) -> Outbox:
        """Tell that the lease was found to run."""
        self.value.release_read(local_read)
        return self.value.take_outbox()

    def retry(self, local_read: LocalRead) -> Outbox:
        """Tell that the lease was found to have ended."""
        self.value.retry_read(local_read)
        return self.value.take_outbox()

    def receive(
        self,
        message: Message | ChainMessage,
        *,
        sender: PeerID = "B",
        instance: int | None = None,
        chain_id: str = CHAIN,
    ) -> Outbox:
        """Deliver *message*, about the instance in progress unless told otherwise."""
        self.value.receive(
            Envelope(
                cluster="test",
                chain_id=chain_id,
                instance=self.value.instance if instance is None else instance,
                sender=sender,
                receiver=self.value.uid,
                message=message,
            )
        )
        return self.value.take_outbox()

    def decide(
        self,
        link: Link,
        *,
        proposal_id: ProposalID = LOWEST_B,
        acceptors: Iterable[PeerID] = ("B", "C"),
    ) -> Outbox:
        """Let the instance in progress be decided: *acceptors*, a quorum, accepted *link*."""
        outbox, instance = Outbox(), self.value.instance
        for uid in acceptors:
            if self.value.instance != instance:
                break  # With this server's own vote they are a quorum already.
            accepted = Accepted(acceptor=uid, proposal_id=proposal_id, value=link)
            outbox = self.receive(accepted, sender=uid)
        return outbox

    def catch_up(self, instance: int, snapshot: Snapshot, founding: Founding = FOUNDING) -> Outbox:
        """Tell the server what the links below *instance* amount to."""
        message = CatchUp(founding=founding, snapshot=snapshot)
        return self.receive(message, instance=instance, chain_id=founding.chain_id)


def sent(outbox: Outbox, *kinds: type) -> list[tuple[PeerID, object]]:
    """Return the receivers and messages of *outbox*, of these *kinds* only if there are any."""
    return [
        (envelope.receiver, envelope.message)
        for envelope in outbox.sent
        if not kinds or isinstance(envelope.message, kinds)
    ]


def timers(outbox: Outbox) -> dict[Timer, float | None]:
    """Return the timers that *outbox* changes: their seconds, or None where one is cancelled."""
    return {
        change.timer: change.seconds if isinstance(change, SetTimer) else None
        for change in outbox.timers
    }


def events(outbox: Outbox, kind: EventKind) -> list[Event]:
    """Return what *outbox* tells the trace, of one *kind*."""
    return [event for event in outbox.events if event.kind is kind]


def refusals(outbox: Outbox) -> list[str]:
    """Return the reasons of the refusals in *outbox*, in words."""
    return [event.text.partition(": ")[2] for event in events(outbox, EventKind.REFUSED)]
