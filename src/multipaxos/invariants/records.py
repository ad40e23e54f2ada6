"""What is known of each link, as the checkers write it down."""

from dataclasses import dataclass, field

from composable_paxos import PeerID, ProposalID
from multipaxos.chain.links import Link


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenLink:
    """What was chosen for *link*: by *acceptors*, in the order in which they accepted."""

    link: int
    proposal_id: ProposalID
    value: Link
    acceptors: tuple[PeerID, ...]


@dataclass(slots=True)
class Ballot:
    """
    All that is known of one proposal number of one link.

    The *value* that travels under it; who *accepted* it, in order of time, and the same as a set;
    whose promises reached its proposer; and with whose promises it *asked* to accept, 0 before it
    did and for number 1, which needs none.
    """

    value: Link | None = None
    acceptors: list[PeerID] = field(default_factory=list)
    accepted_by: int = 0
    promises: int = 0
    asked_with: int = 0
    is_asked: bool = False


@dataclass(slots=True)
class LinkRecord:
    """
    All that was ever durable or sent about one link.

    Its ballots by number; what each server *promised* at most; in which life of its disk each
    *voted*; who may have voted *unseen*, as a set (nobody, but where a trace has a gap).
    """

    ballots: dict[ProposalID, Ballot] = field(default_factory=dict)
    promised: dict[PeerID, ProposalID] = field(default_factory=dict)
    voted: dict[PeerID, int] = field(default_factory=dict)
    unseen: int = 0

    def ballot(self, proposal_id: ProposalID) -> Ballot:
        """Return what is known of *proposal_id*."""
        ballot = self.ballots.get(proposal_id)
        if ballot is None:
            ballot = self.ballots[proposal_id] = Ballot()
        return ballot
