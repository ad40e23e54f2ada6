"""
The single-decree Paxos of Stateright's examples (``examples/paxos.rs``), as a model.

Three servers; each client puts a value and, once that is acknowledged, gets it from the next
server. The network keeps a multiset of messages, in any order, and delivers each once. A delivery
that the receiver ignores does not happen: the message stays. What the clients saw is part of the
state: for each operation also how many of each other client's operations were complete when it
began, which is what its linearizability is judged by.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

from typing_extensions import override

from multipaxos.exploration.model import Model
from multipaxos.invariants.violation import InvariantViolation

Message: TypeAlias = tuple[Any, ...]
Envelope: TypeAlias = tuple[int, int, Message]
Sends: TypeAlias = list[tuple[int, Message]]

NOTHING = ()


class Server(NamedTuple):
    """A server: leader and acceptor share the *ballot*."""

    ballot: tuple[int, int] = (0, 0)
    proposal: tuple[Any, ...] = NOTHING
    prepares: frozenset[tuple[int, tuple[Any, ...]]] = frozenset()
    accepts: frozenset[int] = frozenset()
    accepted: tuple[Any, ...] = NOTHING
    is_decided: bool = False


class Client(NamedTuple):
    """A client: the request it waits for (0: none), and how many operations it has begun."""

    awaiting: int
    operations: int = 1


class Thread(NamedTuple):
    """What one client saw: complete operations with their results, and the one in flight."""

    complete: tuple[tuple[Any, ...], ...] = ()
    in_flight: tuple[Any, ...] = ()


class System(NamedTuple):
    """The whole system; the clients' numbers follow the servers'."""

    actors: tuple[Server | Client, ...]
    network: frozenset[tuple[Envelope, int]]
    history: tuple[Thread, ...]


class StaterightPaxos(Model[System, Envelope]):
    """The example with *servers* and *clients*."""

    def __init__(self, *, servers: int = 3, clients: int = 1) -> None:
        self.servers = servers
        self.majority = servers // 2 + 1
        self.clients = clients
        self.sometimes = {"value chosen": _is_value_chosen}
        self.verdicts: dict[tuple[Thread, ...], bool] = {}

    @override
    def initial(self) -> Iterator[System]:
        numbers = range(self.servers, self.servers + self.clients)
        network = dict.fromkeys(
            (
                (number, number % self.servers, ("Put", number, chr(65 + number - self.servers)))
                for number in numbers
            ),
            1,
        )
        yield System(
            actors=(*(Server() for _ in range(self.servers)), *(Client(n) for n in numbers)),
            network=frozenset(network.items()),
            history=tuple(
                Thread(in_flight=((), ("write", chr(65 + n)))) for n in range(self.clients)
            ),
        )

    @override
    def successors(self, state: System) -> Iterator[tuple[Envelope, System]]:
        for envelope, _ in state.network:
            after = self._deliver(state, envelope)
            if after is not None:
                yield envelope, after

    @override
    def violation(self, state: System) -> InvariantViolation | None:
        if state.history not in self.verdicts:
            self.verdicts[state.history] = _is_linearizable(state.history)
        if self.verdicts[state.history]:
            return None
        return InvariantViolation("I11 Linearizable", None, f"no order explains {state.history}")

    def _deliver(self, state: System, envelope: Envelope) -> System | None:
        source, target, message = envelope
        actor = state.actors[target]
        sends: Sends = []
        new: Server | Client | None
        if isinstance(actor, Server):
            new = self._serve(target, actor, source, message, sends)
        else:
            new = self._follow_up(target, actor, message, sends)
        if new is None and not sends:
            return None
        network = dict(state.network)
        network[envelope] -= 1
        if not network[envelope]:
            del network[envelope]
        history = self._returned(state.history, target, message)
        for receiver, sent in sends:
            network[target, receiver, sent] = network.get((target, receiver, sent), 0) + 1
            history = self._invoked(history, target, sent)
        actors = list(state.actors)
        actors[target] = actor if new is None else new
        return System(tuple(actors), frozenset(network.items()), history)

    # -- the actors --------------------------------------------------------------------------------

    def _serve(
        self, me: int, state: Server, source: int, message: Message, sends: Sends
    ) -> Server | None:
        """Return the server's new state; None if *message* does not touch it."""
        if state.is_decided:
            if message[0] == "Get":
                sends.append((source, ("GetOk", message[1], state.accepted[1][2])))
            return None
        match message:
            case ("Put", request, value) if not state.proposal:
                return self._propose(me, state, (request, source, value), sends)
            case ("Prepared", ballot, accepted) if ballot == state.ballot:
                return self._count_promise(me, state, source, accepted, sends)
            case ("Accepted", ballot) if ballot == state.ballot:
                return self._count_acceptance(me, state, source, sends)
            case _:
                return self._vote(state, source, message, sends)

    def _propose(self, me: int, state: Server, proposal: tuple[Any, ...], sends: Sends) -> Server:
        ballot = (state.ballot[0] + 1, me)
        self._broadcast(me, ("Prepare", ballot), sends)
        return state._replace(
            proposal=proposal,
            prepares=frozenset({(me, state.accepted)}),
            accepts=frozenset(),
            ballot=ballot,
        )

    def _count_promise(
        self, me: int, state: Server, source: int, accepted: tuple[Any, ...], sends: Sends
    ) -> Server:
        prepares = dict(state.prepares) | {source: accepted}
        state = state._replace(prepares=frozenset(prepares.items()))
        if len(prepares) != self.majority:
            return state
        highest = max(prepares.values())
        proposal = highest[1] if highest else state.proposal
        self._broadcast(me, ("Accept", state.ballot, proposal), sends)
        return state._replace(
            proposal=proposal, accepted=(state.ballot, proposal), accepts=state.accepts | {me}
        )

    def _count_acceptance(self, me: int, state: Server, source: int, sends: Sends) -> Server:
        state = state._replace(accepts=state.accepts | {source})
        if len(state.accepts) != self.majority:
            return state
        request, client, _ = state.proposal
        self._broadcast(me, ("Decided", state.ballot, state.proposal), sends)
        sends.append((client, ("PutOk", request)))
        return state._replace(is_decided=True)

    def _vote(self, state: Server, source: int, message: Message, sends: Sends) -> Server | None:
        match message:
            case ("Prepare", ballot) if state.ballot < ballot:
                sends.append((source, ("Prepared", ballot, state.accepted)))
                return state._replace(ballot=ballot)
            case ("Accept", ballot, proposal) if state.ballot <= ballot:
                sends.append((source, ("Accepted", ballot)))
                return state._replace(ballot=ballot, accepted=(ballot, proposal))
            case ("Decided", ballot, proposal):
                return state._replace(ballot=ballot, accepted=(ballot, proposal), is_decided=True)
        return None

    def _broadcast(self, me: int, message: Message, sends: Sends) -> None:
        sends.extend((peer, message) for peer in range(self.servers) if peer != me)

    def _follow_up(self, me: int, state: Client, message: Message, sends: Sends) -> Client | None:
        match message:
            case ("PutOk", request) if request == state.awaiting:
                following = (state.operations + 1) * me
                sends.append(((me + state.operations) % self.servers, ("Get", following)))
                return Client(following, state.operations + 1)
            case ("GetOk", request, _) if request == state.awaiting:
                return Client(0, state.operations + 1)
        return None

    # -- what the clients see ----------------------------------------------------------------------

    def _invoked(
        self, history: tuple[Thread, ...], actor: int, message: Message
    ) -> tuple[Thread, ...]:
        if message[0] != "Get":
            return history
        me = actor - self.servers
        before = tuple(
            (other, len(thread.complete) - 1)
            for other, thread in enumerate(history)
            if other != me and thread.complete
        )
        new = history[me]._replace(in_flight=(before, ("read",)))
        return (*history[:me], new, *history[me + 1 :])

    def _returned(
        self, history: tuple[Thread, ...], actor: int, message: Message
    ) -> tuple[Thread, ...]:
        if message[0] not in ("PutOk", "GetOk"):
            return history
        me = actor - self.servers
        complete = (*history[me].complete, (*history[me].in_flight, message[2:]))
        return (*history[:me], Thread(complete), *history[me + 1 :])


def _is_value_chosen(state: System) -> bool:
    return any(message[0] == "GetOk" for (_, _, message), _ in state.network)


def _is_linearizable(history: tuple[Thread, ...]) -> bool:
    """Tell whether some order of the operations, those in flight included or not, explains all."""

    def extend(done: tuple[int, ...], value: str) -> bool:
        if all(count >= len(t.complete) for count, t in zip(done, history, strict=True)):
            return True
        for me, thread in enumerate(history):
            if done[me] < len(thread.complete):
                before, operation, result = thread.complete[done[me]]
            elif done[me] == len(thread.complete) and thread.in_flight:
                (before, operation), result = thread.in_flight, None
            else:
                continue
            if any(done[other] <= index for other, index in before):
                continue
            after = operation[1] if operation[0] == "write" else value
            if operation[0] == "read" and result not in (None, (value,)):
                continue
            if extend((*done[:me], done[me] + 1, *done[me + 1 :]), after):
                return True
        return False

    return extend((0,) * len(history), "")
