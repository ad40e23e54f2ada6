"""Counting what happens in runs: by an observer that needs no trace, and as sums over many runs."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

from typing_extensions import override

from composable_paxos import LOWEST, Accept, PeerID, Prepare, ProposalID
from multipaxos.chain.events import Event, EventKind
from multipaxos.chain.messages import Envelope
from multipaxos.invariants.cluster import ChosenLink
from multipaxos.simulation.fault_plan import FaultKind
from multipaxos.simulation.observation import ClusterObserver
from multipaxos.simulation.random_run import RunResult


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
    ANSWERED_ELSEWHERE = "requests answered elsewhere"
    FAILED_CONDITION = "failed conditions"
    LOCAL_READ = "local reads"


MEANINGS: Mapping[Sometimes, str] = {
    Sometimes.DUEL: "two servers outbid each other in turn for one link",
    Sometimes.TAKEOVER: "a server finishes what a silent proposer began",
    Sometimes.CATCH_UP: "a server that was behind is told what it missed",
    Sometimes.LEASE_LOSS: "a master's lease ends before it could be renewed",
    Sometimes.FORWARDED: "a server hands a client's request to the master",
    Sometimes.REFUSED_ACCEPT: "an acceptor refuses an accept request",
    Sometimes.ANSWERED_ELSEWHERE: "another server answers than the one that was asked first",
    Sometimes.FAILED_CONDITION: "a compare-and-set finds another value than it expects",
    Sometimes.LOCAL_READ: "a master answers a read alone",
}
"""What each of them is, in one line."""

_COUNTED_EVENTS = {
    EventKind.TAKEOVER: Sometimes.TAKEOVER,
    EventKind.CAUGHT_UP: Sometimes.CATCH_UP,
    EventKind.LEASE_ENDED: Sometimes.LEASE_LOSS,
    EventKind.FORWARDED: Sometimes.FORWARDED,
}

CRASHES = (
    FaultKind.CRASH,
    FaultKind.CRASH_IN_SAVE,
    FaultKind.POWER_FAILURE,
    FaultKind.LOST_DISK,
    FaultKind.POWER_CUT,
)
"""Faults that end a process, or all of them."""

PARTITIONS = (FaultKind.PARTITION, FaultKind.ONE_WAY, FaultKind.BRIDGE)
"""Faults that cut wires."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """
    How much happened, in one run or in several: sums of statistics are statistics.

    *rounds* are the proposal numbers for which anybody was asked anything; a round is wasted if it
    is not the one that chose its link. *faults* are those that happened, *crashes* and *partitions*
    two sorts of them. *seconds* are simulated ones.
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
    faults: int = 0
    rounds: int = 0
    wasted_rounds: int = 0
    seconds: float = 0.0
    duels: int = 0
    takeovers: int = 0
    catch_ups: int = 0
    lease_losses: int = 0
    forwarded_requests: int = 0
    refused_accepts: int = 0
    requests_answered_elsewhere: int = 0
    failed_conditions: int = 0
    local_reads: int = 0

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


class Counting(ClusterObserver):
    """
    Counts what the servers of one run and its network do, and spends next to no time on it.

    State: the counts so far, and the rounds of each link.
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

    @override
    def sent(self, envelope: Envelope) -> None:
        """Count a departure, and the round that it may begin."""
        self.sent_count += 1
        message = envelope.message
        if isinstance(message, (Prepare, Accept)) and message is not self._newest_request:
            # A broadcast is one message to several servers: it is looked at once.
            self._newest_request = message
            self.rounds.setdefault(envelope.instance, {})[message.proposal_id] = None

    @override
    def delivered(self, envelope: Envelope) -> None:
        """Count an arrival."""
        self.delivered_count += 1

    @override
    def dropped(self, envelope: Envelope, reason: str) -> None:
        """Count a loss."""
        self.dropped_count += 1

    @override
    def duplicated(self, envelope: Envelope) -> None:
        """Count a double."""
        self.duplicated_count += 1

    @override
    def happened(self, event: Event) -> None:
        """Count what the protocol says of itself."""
        counted = _COUNTED_EVENTS.get(event.kind)
        if counted is not None:
            self.sometimes[counted] += 1
        elif event.kind is EventKind.REFUSED and isinstance(event.details["message"], Accept):
            self.sometimes[Sometimes.REFUSED_ACCEPT] += 1

    def result(self, chosen: Mapping[int, ChosenLink], result: RunResult) -> Statistics:
        """Return the statistics of a run with this *result*, in which these links were *chosen*."""
        faults = result.happened
        rounds = sum(len(of_link) for of_link in self.rounds.values())
        chosen_in = sum(
            chosen[link].proposal_id in of_link
            for link, of_link in self.rounds.items()
            if link in chosen
        )
        return Statistics(
            runs=1,
            # What a run that begins with a founded chain takes as given was not decided in it.
            links=sum(link.proposal_id != LOWEST for link in chosen.values()),
            requests=result.requests,
            sent=self.sent_count,
            delivered=self.delivered_count,
            dropped=self.dropped_count,
            duplicated=self.duplicated_count,
            crashes=sum(faults.get(kind, 0) for kind in CRASHES),
            partitions=sum(faults.get(kind, 0) for kind in PARTITIONS),
            faults=sum(faults.values()),
            rounds=rounds,
            wasted_rounds=rounds - chosen_in,
            seconds=result.seconds,
            duels=sum(is_duel(of_link) for of_link in self.rounds.values()),
            takeovers=self.sometimes[Sometimes.TAKEOVER],
            catch_ups=self.sometimes[Sometimes.CATCH_UP],
            lease_losses=self.sometimes[Sometimes.LEASE_LOSS],
            forwarded_requests=self.sometimes[Sometimes.FORWARDED],
            refused_accepts=self.sometimes[Sometimes.REFUSED_ACCEPT],
            requests_answered_elsewhere=result.answered_elsewhere,
            failed_conditions=result.failed_conditions,
            local_reads=result.local_reads,
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
