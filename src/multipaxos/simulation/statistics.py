"""Counting what happens in runs: by an observer that needs no trace, and as sums over many runs."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

from composable_paxos import Accept, PeerID, Prepare, ProposalID
from multipaxos.chain.effects import Answer, Outbox, Timer
from multipaxos.chain.events import Event, EventKind
from multipaxos.chain.messages import Envelope
from multipaxos.invariants.cluster import ChosenLink


class Sometimes(StrEnum):
    """
    What must happen at least once in many runs, or they have tested nothing of it.

    Each is counted once a link (duels) or each time that it happens (all others).
    """

    DUEL = "duels"
    TAKEOVER = "takeovers"
    CATCH_UP = "catch-ups"
    LEASE_LOSS = "lease losses"
    FORWARDED = "forwarded requests"
    REFUSED_ACCEPT = "refused accepts"


MEANINGS: Mapping[Sometimes, str] = {
    Sometimes.DUEL: "two servers outbid each other in turn for one link",
    Sometimes.TAKEOVER: "a server finishes what a silent proposer began",
    Sometimes.CATCH_UP: "a server that was behind is told what it missed",
    Sometimes.LEASE_LOSS: "a master's lease ends before it could be renewed",
    Sometimes.FORWARDED: "a server hands a client's request to the master",
    Sometimes.REFUSED_ACCEPT: "an acceptor refuses an accept request",
}
"""What each of them is, in one line."""

_COUNTED_EVENTS = {
    EventKind.TAKEOVER: Sometimes.TAKEOVER,
    EventKind.CAUGHT_UP: Sometimes.CATCH_UP,
    EventKind.LEASE_ENDED: Sometimes.LEASE_LOSS,
    EventKind.FORWARDED: Sometimes.FORWARDED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """
    How much happened, in one run or in several: sums of statistics are statistics.

    *rounds* are the proposal numbers for which anybody was asked anything; a round is wasted if it
    is not the one that chose its link. *crashes* are processes that ended without a warning,
    *partitions* the times at which wires were cut. Times are simulated seconds.
    """

    runs: int = 0
    links: int = 0
    requests: int = 0
    sent: int = 0
    delivered: int = 0
    dropped: int = 0
    duplicated: int = 0
    crashes: int = 0
    partitions: int = 0
    rounds: int = 0
    wasted_rounds: int = 0
    seconds: float = 0.0
    duels: int = 0
    takeovers: int = 0
    catch_ups: int = 0
    lease_losses: int = 0
    forwarded_requests: int = 0
    refused_accepts: int = 0

    def __add__(self, other: "Statistics") -> "Statistics":
        """Return the sum of both, field by field."""
        return Statistics(
            **{
                field.name: getattr(self, field.name) + getattr(other, field.name)
                for field in fields(self)
            }
        )

    def count_of(self, property_: Sometimes) -> int:
        """Return how often *property_* came true."""
        count: int = getattr(self, property_.value.replace(" ", "_").replace("-", "_"))
        return count

    @property
    def missing(self) -> tuple[Sometimes, ...]:
        """What never happened of all that must happen sometimes."""
        return tuple(property_ for property_ in Sometimes if self.count_of(property_) == 0)


class Counting:
    """
    Observes all servers of one run and its network, and counts.

    It is the drivers' observer and the network's :class:`~multipaxos.simulation.network.Postal`,
    and spends next to no time. State: the counts so far, and the rounds of each link.
    """

    def __init__(self) -> None:
        """Begin at zero."""
        self.sent_count = 0
        self.delivered_count = 0
        self.dropped_count = 0
        self.duplicated_count = 0
        self.sometimes = dict.fromkeys(Sometimes, 0)
        self.rounds: dict[int, dict[ProposalID, None]] = {}
        self._newest_request: Prepare | Accept | None = None

    # -- what the drivers tell ---------------------------------------------------------------------

    def sent(self, envelope: Envelope) -> None:
        """Count a departure, and the round that it may begin."""
        self.sent_count += 1
        message = envelope.message
        if isinstance(message, (Prepare, Accept)) and message is not self._newest_request:
            # A broadcast is one message to several servers: it is looked at once.
            self._newest_request = message
            self.rounds.setdefault(envelope.instance, {})[message.proposal_id] = None

    def delivered(self, _envelope: Envelope) -> None:
        """Count an arrival."""
        self.delivered_count += 1

    def happened(self, event: Event) -> None:
        """Count what the protocol says of itself."""
        counted = _COUNTED_EVENTS.get(event.kind)
        if counted is not None:
            self.sometimes[counted] += 1
        elif event.kind is EventKind.REFUSED and isinstance(event.details["message"], Accept):
            self.sometimes[Sometimes.REFUSED_ACCEPT] += 1

    def saved(self, _outbox: Outbox) -> None:
        """Count nothing: what is saved shows in the links."""

    def timer_set(self, _timer: Timer, _seconds: float) -> None:
        """Count nothing."""

    def timer_fired(self, _timer: Timer) -> None:
        """Count nothing: what follows from it is told as an event."""

    def answered(self, _answer: Answer) -> None:
        """Count nothing: a request counts once, however often it is answered."""

    def halted(self, _reason: str) -> None:
        """Count nothing: the fault that made it halt is counted."""

    # -- what the network tells --------------------------------------------------------------------

    def dropped(self, _envelope: Envelope, _reason: str) -> None:
        """Count a loss."""
        self.dropped_count += 1

    def duplicated(self, _envelope: Envelope) -> None:
        """Count a double."""
        self.duplicated_count += 1

    # -- what it amounts to ------------------------------------------------------------------------

    def result(
        self,
        chosen: Mapping[int, ChosenLink],
        *,
        requests: int,
        crashes: int,
        partitions: int,
        seconds: float,
    ) -> Statistics:
        """Return the statistics of the run, of which the rest is known from elsewhere."""
        rounds = sum(len(of_link) for of_link in self.rounds.values())
        chosen_in = sum(
            chosen[link].proposal_id in of_link
            for link, of_link in self.rounds.items()
            if link in chosen
        )
        return Statistics(
            runs=1,
            links=len(chosen),
            requests=requests,
            sent=self.sent_count,
            delivered=self.delivered_count,
            dropped=self.dropped_count,
            duplicated=self.duplicated_count,
            crashes=crashes,
            partitions=partitions,
            rounds=rounds,
            wasted_rounds=rounds - chosen_in,
            seconds=seconds,
            duels=sum(is_duel(of_link) for of_link in self.rounds.values()),
            takeovers=self.sometimes[Sometimes.TAKEOVER],
            catch_ups=self.sometimes[Sometimes.CATCH_UP],
            lease_losses=self.sometimes[Sometimes.LEASE_LOSS],
            forwarded_requests=self.sometimes[Sometimes.FORWARDED],
            refused_accepts=self.sometimes[Sometimes.REFUSED_ACCEPT],
        )


def is_duel(rounds: Mapping[ProposalID, None]) -> bool:
    """Tell whether a server was outbid in these rounds of one link and came back with more."""
    outbid: set[PeerID] = set()
    before: PeerID | None = None
    for proposal_id in sorted(rounds):
        if proposal_id.uid in outbid:
            return True
        if before is not None and before != proposal_id.uid:
            outbid.add(before)
        before = proposal_id.uid
    return False
