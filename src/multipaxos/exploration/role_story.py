"""A path through the roles model as a trace: what a viewer needs to draw and explain it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from composable_paxos import (
    Accept,
    Accepted,
    Message,
    Nack,
    PeerID,
    Prepare,
    Promise,
    Resolution,
)
from multipaxos.chain.effects import Timer
from multipaxos.exploration.role_checks import choices
from multipaxos.exploration.role_learners import Belief
from multipaxos.exploration.role_server import (
    Begin,
    Deliver,
    Event,
    Local,
    Repeat,
    Reply,
    Restart,
    Sent,
    Step,
    Timeout,
)
from multipaxos.exploration.roles import LINK, RolesModel
from multipaxos.trace import VERSION, TraceEvent, plain

CLUSTER = "explored"
TIMERS = {Timeout: Timer.BACKOFF, Repeat: Timer.RETRANSMIT}


class RoleStory:
    """
    Plays a path once more, on servers that learn as well, and tells what happens.

    State: the *events* so far, the number of the *step*, each server's *local* state, the id of
    each transmission, those that *arrived*, all acceptances, and what was *chosen*.
    """

    def __init__(self, model: RolesModel, about: Mapping[str, object]) -> None:
        """Begin with the header, which says what the run is *about*."""
        self.quorums = model.quorums
        self.servers = {uid: model.new_server(uid, learners_apart=False) for uid in model.uids}
        self.local: dict[PeerID, Local] = {}
        self.events: list[TraceEvent] = []
        self.step = 0
        self.ids: dict[tuple[Sent, PeerID], int] = {}
        self.arrived: set[tuple[Sent, PeerID]] = set()
        self.accepted: dict[Accepted, None] = {}
        self.chosen: set[object] = set()
        self.calls: dict[PeerID, int] = {}
        header = {
            "version": VERSION,
            "engine": "exploration",
            "cluster": CLUSTER,
            "servers": model.uids,
            "clock": "steps",
            "about": about,
        }
        self._tell("", "trace", header)
        for uid, server in self.servers.items():
            self.local[uid] = server.initial()
            self._tell(uid, "started", {"memory": True})

    def play(self, path: Iterable[Event]) -> None:
        """Tell the steps of *path*."""
        for event in path:
            self._play(event)

    def lead_astray(self, beliefs: Sequence[Belief]) -> None:
        """
        Tell the deliveries that bring one server after the other to believe one of *beliefs*.

        A server hears of its own acceptance at once, and may believe something by now.
        """
        free = list(self.servers)
        for belief in beliefs:
            ways = [(uid, self._way_to(uid, belief)) for uid in free]
            possible = [(uid, way) for uid, way in ways if way is not None]
            if possible:
                uid, way = min(possible, key=lambda found: len(found[1]))
                free.remove(uid)
                self.play(way)

    def _way_to(self, uid: PeerID, belief: Belief) -> list[Event] | None:
        local, way = self.local[uid], []
        for message in belief.heard:
            if message.acceptor == uid or _believes(local, belief):
                continue
            (sent,) = [sent for sent, to in self.ids if sent.message == message and to == uid]
            way.append(Deliver(uid, sent))
            step = self.servers[uid].play(local, way[-1])
            local = local if step is None else step.after
        return list(way) if _believes(local, belief) else None

    def _play(self, event: Event) -> None:
        self.step += 1
        self._tell_cause(event)
        step = self.servers[event.server].play(self.local[event.server], event)
        if step is not None:
            self._tell_step(event.server, self.local[event.server], step)
            self.local[event.server] = step.after

    def _tell_cause(self, event: Event) -> None:
        uid = event.server
        match event:
            case Begin(value=value):
                self.calls[uid] = self.calls.get(uid, 0) + 1
                client = f"client-{uid}"
                call = {
                    "client": client,
                    "request": f"{client}/{self.calls[uid]}",
                    "operation": "set",
                    "arguments": [value],
                }
                self._tell(uid, "called", call)
            case Timeout() | Repeat():
                self._tell(uid, "timer fired", {"timer": TIMERS[type(event)].value})
            case Deliver(sent=sent):
                traffic = self._traffic(sent, uid)
                if (sent, uid) in self.arrived:
                    self._tell(uid, "duplicated", traffic)
                self.arrived.add((sent, uid))
                self._tell(uid, "delivered", traffic)
            case Restart():
                self._tell(uid, "crashed", {})
                self._tell(uid, "started", {"memory": True})

    def _tell_step(self, uid: PeerID, before: Local, step: Step) -> None:
        state = step.after.saved
        if state != before.saved:
            saved = {
                "chain": "",
                "instance": LINK,
                "promised": state.promised_id,
                "accepted": state.accepted_id,
                "value": state.accepted_value,
                "votes_from": 0,
                "decided": (),
            }
            self._tell(uid, "saved", saved)
        for message, reply in step.handled:
            for kind, details in _said(message, reply):
                self._tell(uid, kind, {"instance": LINK, **details})
            if isinstance(reply, Accepted):
                self._count(reply)
        for sent in step.sent:
            for receiver in sent.receivers:
                self._tell(uid, "sent", self._traffic(sent, receiver))

    def _count(self, acceptance: Accepted) -> None:
        self.accepted[acceptance] = None
        for (proposal_id, value), acceptors in choices(self.accepted, self.quorums).items():
            if (proposal_id, value) not in self.chosen:
                self.chosen.add((proposal_id, value))
                fields = {
                    "instance": LINK,
                    "proposal_id": proposal_id,
                    "value": value,
                    "acceptors": acceptors,
                }
                self._tell("", "chosen", fields)

    def _traffic(self, sent: Sent, receiver: PeerID) -> dict[str, object]:
        return {
            "id": self.ids.setdefault((sent, receiver), len(self.ids) + 1),
            "sender": sent.sender,
            "receiver": receiver,
            "chain": "",
            "instance": LINK,
            "message": sent.message,
        }

    def _tell(self, uid: PeerID, kind: str, fields: Mapping[str, object]) -> None:
        self.events.append(
            TraceEvent(
                seconds=float(self.step),
                server=uid,
                kind=kind,
                fields={name: plain(value) for name, value in fields.items()},
            )
        )


def _believes(local: Local, belief: Belief) -> bool:
    resolution = local.instance.resolution
    return resolution is not None and (resolution.proposal_id, resolution.value) == (
        belief.proposal_id,
        belief.value,
    )


def _said(message: Message, reply: Reply) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what the protocol would say of itself when a role answers *message* with *reply*."""
    match message, reply:
        case _, Promise():
            told = {"proposal_id": reply.proposal_id, "accepted_id": reply.accepted_id}
            yield "promised", {**told, "text": f"promised {reply.proposal_id}"}
        case _, Accepted():
            told = {"proposal_id": reply.proposal_id, "value": reply.value}
            yield "accepted", {**told, "text": f"accepted {reply.proposal_id}"}
        case Prepare() | Accept(), Nack():
            asked = f"{type(message).__name__} {message.proposal_id}"
            yield (
                "refused",
                {
                    "message": message,
                    "sender": message.proposal_id.uid,
                    "reason": "promised",
                    "promised_id": reply.promised_id,
                    "text": f"refused {asked}: promised {reply.promised_id}",
                },
            )
        case Nack(), Prepare() | Accept():
            told = {"proposal_id": message.proposal_id, "promised_id": message.promised_id}
            yield "round lost", {**told, "text": f"too many refuse {message.proposal_id}"}
        case Accepted(), Resolution():
            told = {"link": reply.value, "proposal_id": reply.proposal_id}
            text = f"resolved {reply.value} as {reply.proposal_id}"
            yield "resolved", {**told, "acceptors": reply.acceptors, "text": text}
