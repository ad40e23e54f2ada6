"""The commands of a script that take messages, and cut wires."""

from multipaxos.chain.messages import Envelope
from multipaxos.simulation.manual_network import NoSuchMessageError, way_of
from multipaxos.simulation.stage.base import BadCommandError, StageBase

DELIVERIES_MAX = 10_000
NUMBER_MAX = 10**9


class MessageCommands(StageBase):
    """Delivers, loses, doubles and delays messages; cuts and mends wires."""

    def deliver(self, rest: str) -> None:
        """``deliver A->B Prepare, B->A *, #12``: each; ``deliver all``: until none is held."""
        if rest == "all":
            self._deliver_all()
            return
        for selector in rest.split(","):
            for envelope in self._select(selector):
                number = self.hand.number(envelope)
                self.hand.deliver(envelope)
                self._step(f"deliver #{number}")

    def drop(self, rest: str) -> None:
        """``drop A->C Prepare, #12``: lose it; ``drop all``: lose everything that is held."""
        selected = list(self.cluster.manual.held) if rest == "all" else self._select_all(rest)
        for envelope in selected:
            self.hand.drop(envelope)

    def duplicate(self, rest: str) -> None:
        """``duplicate A->B Accept, #12``: it will arrive once more."""
        for envelope in self._select_all(rest):
            self.hand.duplicate(envelope)

    def delay(self, rest: str) -> None:
        """``delay #12 500ms``: it arrives so much later than now, when time passes."""
        selector, _, duration = rest.rpartition(" ")
        if not selector:
            raise BadCommandError("write: delay #12 500ms, or: delay A->B Accept 500ms")
        seconds = self._seconds(duration)
        for envelope in self._select(selector):
            self.hand.delay(envelope, seconds)

    def hold(self, rest: str) -> None:
        """Hold all messages from now on, also those under way: a person delivers them."""
        self._no_more(rest)
        self.hand.hold()

    def flow(self, rest: str) -> None:
        """Let the network carry messages again, also those that are held."""
        self._no_more(rest)
        self.hand.flow()

    def partition(self, rest: str) -> None:
        """``partition A B | C D E``: nothing passes between the groups."""
        groups = [group.split() for group in rest.split("|")]
        seen: set[str] = set()
        for group in groups:
            for uid in group:
                self._check_uid(uid)
            twice = seen.intersection(group)
            if twice:
                raise BadCommandError(f"{min(twice)} stands in two groups")
            seen.update(group)
        self.cluster.partition(*groups)

    def block(self, rest: str) -> None:
        """``block A->B``: nothing passes this way; the other way stays open."""
        self.cluster.block(*self._pair(rest))

    def heal(self, rest: str) -> None:
        """Let everything pass again."""
        self._no_more(rest)
        self.cluster.heal()

    # -- own affairs -------------------------------------------------------------------------------

    def _deliver_all(self) -> None:
        manual = self.cluster.manual
        count = 0
        while (envelope := self._first_deliverable()) is not None:
            self._tell()
            self.lines.append(f"  > {way_of(envelope)}")
            number = self.hand.number(envelope)
            manual.deliver(envelope)
            self._step(f"deliver #{number}")
            count += 1
            if count > DELIVERIES_MAX:
                raise BadCommandError(f"still messages after {DELIVERIES_MAX} deliveries")

    def _first_deliverable(self) -> Envelope | None:
        manual = self.cluster.manual
        return next((e for e in manual.held if manual.wires.carry(e.sender, e.receiver)), None)

    def _select_all(self, rest: str) -> list[Envelope]:
        return [envelope for selector in rest.split(",") for envelope in self._select(selector)]

    def _select(self, selector: str) -> list[Envelope]:
        wanted = selector.strip()
        if wanted.startswith("#"):
            number = self._count(wanted[1:], 1, NUMBER_MAX, "the number of a message")
            return [self.hand.find(number)]
        pair, _, kind = wanted.partition(" ")
        sender, receiver = self._pair(pair, anyone=True)
        manual = self.cluster.manual
        if "*" not in (sender, receiver, kind):
            return [manual.find(sender, receiver, kind)]
        selected = [
            held
            for held in manual.held
            if sender in ("*", held.sender)
            and receiver in ("*", held.receiver)
            and kind in ("*", type(held.message).__name__)
        ]
        if not selected:
            raise NoSuchMessageError(
                f"nothing like {wanted!r} is in flight; in flight: {manual.describe()}"
            )
        return selected
