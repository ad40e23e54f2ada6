"""From trace events to the steps of a diagram."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from multipaxos.trace.diagram.index import TRIGGERS, TraceIndex
from multipaxos.trace.diagram.matching import Fate, Transmission
from multipaxos.trace.diagram.notes import WORDS, note_words
from multipaxos.trace.diagram.routine import LATE_VOTES, RENEWAL, SYNC, Routine
from multipaxos.trace.diagram.steps import Arrow, Banner, BannerKind, Life, Note, Scene, Step, Tip
from multipaxos.trace.diagram.words import (
    call_words,
    chosen_words,
    message_words,
    return_words,
    shorter,
    wires_words,
)
from multipaxos.trace.events import TraceEvent
from multipaxos.trace.text import printable

NOTED_LATER = frozenset({"promised", "accepted", *WORDS}) - {"saved", "timer set", *TRIGGERS}
"""What is noted after a save of the same event, so that its row can carry the save's mark."""


def stage(events: Iterable[TraceEvent]) -> Scene:
    """Return what a diagram of *events* shows."""
    kept = list(events)
    stager = _Stager(kept)
    steps = tuple(step for place, event in enumerate(kept) for step in stager.steps(place, event))
    index = stager.index
    return Scene(
        servers=index.servers,
        clients=index.clients,
        steps=steps,
        origin=index.origin,
        untimed=index.is_untimed,
        stepwise=index.is_stepwise,
    )


class _Stager:
    """
    Makes steps of events, one after the other.

    State: how each server fares, which link was named last, the tags of late messages, which
    servers' saves no row shows yet, and whose lease each respects.
    """

    def __init__(self, events: list[TraceEvent]) -> None:
        self.events = events
        self.index = TraceIndex(events)
        self.routine = Routine(events)
        self.link: int | None = None
        self.down: set[str] = set()
        self.paused: set[str] = set()
        self.trusting: set[str] = set()
        self.lives = self._lives()
        self._tags: dict[int, int] = {}
        self._unmarked: dict[str, int] = {}
        self._respected: dict[str, str] = {}
        self._met: set[str] = set()
        self._chosen_values: dict[int, object] = {}
        self._over: set[tuple[str, int | None]] = set()

    def steps(self, place: int, event: TraceEvent) -> Iterator[Step]:
        """Yield the steps of the *event* at *place*, which follows all before it."""
        self._begin(place, event)
        match event.kind:
            case "trace":
                return
            case "sent":
                for sent in self.index.leaving.get(place, ()):
                    yield from self._message(place, sent, leaves=True)
            case "delivered" | "dropped":
                yield from self._message(place, self.index.ending[place], leaves=False)
            case "called" | "returned":
                yield self._call(place, event)
            case "chosen":
                yield from self._chosen(place, event)
            case "wires":
                words = wires_words(event.fields["blocked"], self.index.servers)  # type: ignore[arg-type]
                yield Banner(**self._placed(place), words=words, kind=BannerKind.WIRES)
            case "violated":
                words = f"{printable(str(event.fields['name']), length_max=40)} is broken"
                yield Banner(**self._placed(place), words=words, kind=BannerKind.BROKEN)
            case _:
                yield from self._note(place, event)

    def _begin(self, place: int, event: TraceEvent) -> None:
        if event.kind in TRIGGERS:
            self._unmarked.pop(event.server, None)
            if "saved" in self.index.effects(place):
                self._unmarked[event.server] = place
        if event.kind in ("resolved", "learned"):
            instance: Any = event.fields["instance"]
            self._over.add((event.server, instance))

    # -- messages ----------------------------------------------------------------------------------

    def _message(self, place: int, sent: Transmission, *, leaves: bool) -> Iterator[Step]:
        message, instance = sent.message, sent.instance
        routine = self._routine_of_message(sent)
        if routine and sent.ended is None and self.index.sees_all:
            # A greeting that the end of the trace cut off: nothing hangs on it.
            return
        if "proposal_id" in message and instance is not None:
            yield from self._turn_to(place, instance, routine)
        words = self._message_words(sent)
        yield Arrow(
            **self._placed(place, instance, routine),
            start=sent.sender,
            end=sent.receiver,
            words=words,
            short=shorter(words, message),
            tip=self._tip(sent, leaves=leaves),
            proposer=str(message.get("proposal_id", "")).partition(".")[2] or None,
            left=sent.sent,
            tag=self._tag(sent),
            again=sent.again,
            saved=not leaves and sent.fate is Fate.DELIVERED and self._mark(sent.receiver),
            refused=not leaves and "refused" in self.index.effects(place),
        )

    def _routine_of_message(self, sent: Transmission) -> str:
        if sent.ended is not None and sent.fate is Fate.DELIVERED:
            if sent.message["type"] in ("CatchUp", "Decided"):
                helped = {"caught up", "learned"} & self.index.effects(sent.ended)
                return "" if helped else SYNC
            is_over = (sent.receiver, sent.instance) in self._over
            if is_over and sent.message["type"] in ("Promise", "Accepted", "Nack"):
                return LATE_VOTES
        return self.routine.of_message(sent.message, sent.instance)

    def _turn_to(self, place: int, instance: int, routine: str) -> Iterator[Banner]:
        if self.link is None or instance > self.link:
            self.link = instance
            placed = self._placed(place, instance, routine)
            yield Banner(**placed, words=f"link {instance}", kind=BannerKind.LINK)

    def _message_words(self, sent: Transmission) -> str:
        words = message_words(sent.message)
        if "proposal_id" not in sent.message:
            named = sent.message["type"] in ("Sync", "CatchUp")
            return f"{words} at link {sent.instance}" if named else words
        return words if sent.instance == self.link else f"#{sent.instance} {words}"

    def _tip(self, sent: Transmission, *, leaves: bool) -> Tip:
        if not leaves:
            return Tip.ARRIVES if sent.fate is Fate.DELIVERED else Tip.LOST
        if sent.fate is not Fate.UNKNOWN:
            return Tip.LEAVES
        return Tip.UNDER_WAY if self.index.sees_all else Tip.UNSEEN

    def _tag(self, sent: Transmission) -> int | None:
        if sent.ended is None or not self.index.is_late(sent):
            return None
        return self._tags.setdefault(sent.ended, len(self._tags) + 1)

    # -- clients -----------------------------------------------------------------------------------

    def _call(self, place: int, event: TraceEvent) -> Arrow:
        fields: Any = event.fields
        client, server, is_call = str(fields["client"]), event.server, event.kind == "called"
        words = call_words(fields) if is_call else return_words(fields)
        return Arrow(
            **self._placed(place, None if is_call else fields.get("link")),
            start=client if is_call else server,
            end=server if is_call else client,
            words=words,
            short=words,
            tip=Tip.ARRIVES,
            proposer=None,
            saved=is_call and self._mark(server),
            by_client=True,
        )

    # -- notes and banners -------------------------------------------------------------------------

    def _chosen(self, place: int, event: TraceEvent) -> Iterator[Banner]:
        instance: Any = event.fields["instance"]
        routine = self.routine.of_link(instance)
        yield from self._turn_to(place, instance, routine)
        placed = self._placed(place, instance, routine)
        first = self._chosen_values.setdefault(instance, event.fields["value"])
        again = first != event.fields["value"]
        kind = BannerKind.CHOSEN_AGAIN if again else BannerKind.CHOSEN
        yield Banner(**placed, words=chosen_words(event.fields, again=again), kind=kind)

    def _note(self, place: int, event: TraceEvent) -> Iterator[Step]:
        fields: Any = event.fields
        words = note_words(event.kind, event.server, fields, self.index.origin)
        routine = self._routine_of_note(event)
        is_first_start = event.kind == "started" and event.server not in self._met
        self._met.add(event.server)
        self._live(event)
        if words is None or (is_first_start and fields["memory"]):
            return
        if event.kind == "saved" and not self._must_be_shown(event):
            return
        if event.kind in ("promised", "accepted"):
            yield from self._turn_to(place, fields["instance"], routine)
        yield Note(
            **self._placed(place, fields.get("instance"), routine),
            server=event.server,
            words=words,
            kind=event.kind,
            saved=event.kind not in TRIGGERS and self._mark(event.server),
        )

    def _must_be_shown(self, event: TraceEvent) -> bool:
        # A save is a mark on another row of the same event, if there is one.
        trigger = self._unmarked.get(event.server)
        if trigger is None:
            return False
        return not self.index.effects(trigger) & NOTED_LATER

    def _routine_of_note(self, event: TraceEvent) -> str:
        fields: Any = event.fields
        match event.kind:
            case "lease began":
                return RENEWAL if event.server in self.trusting else ""
            case "foreign lease":
                before = self._respected.get(event.server)
                self._respected[event.server] = fields["master"]
                return RENEWAL if before == fields["master"] else ""
            case "promised" | "accepted" | "resolved" | "learned":
                return self.routine.of_link(fields["instance"])
            case "saved" if fields["decided"]:
                # No vote: decided links that no other save took along.
                whats = {self.routine.of_link(decided["number"]) for decided in fields["decided"]}
                return RENEWAL if whats == {RENEWAL} else ""
            case _:
                return ""

    # -- how the servers fare ----------------------------------------------------------------------

    def _live(self, event: TraceEvent) -> None:
        server = {event.server}
        match event.kind:
            case "crashed" | "stopped" | "halted":
                self.down |= server
                self.trusting -= server
                self._respected.pop(event.server, None)
            case "started":
                self.down -= server
                self.paused -= server
                self.trusting -= server
            case "paused":
                self.paused |= server
            case "resumed":
                self.paused -= server
            case "lease began":
                self.trusting |= server
            case "lease ended":
                self.trusting -= server
            case _:
                return
        self.lives = self._lives()

    def _lives(self) -> Mapping[str, Life]:
        return {uid: self._life(uid) for uid in self.index.servers}

    def _life(self, uid: str) -> Life:
        if uid in self.down:
            return Life.DOWN
        if uid in self.paused:
            return Life.PAUSED
        return Life.TRUSTING if uid in self.trusting else Life.UP

    def _mark(self, server: str) -> bool:
        return self._unmarked.pop(server, None) is not None

    def _placed(self, place: int, instance: int | None = None, routine: str = "") -> dict[str, Any]:
        return {
            "seconds": self.events[place].seconds,
            "place": place,
            "instance": instance,
            "routine": routine,
            "lives": self.lives,
        }
