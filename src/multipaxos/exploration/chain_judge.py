"""
The verdict on a step of a server, with what all servers and messages show: I1 to I9.

The checkers are those that watch the simulator. A simulated run tells them what happened, event by
event; here there is no run, only a state, so they are told what the state shows: what is on the
disks, and what the messages that may still be delivered say of promises and acceptances. What is
closed for all servers is in the past's list of chosen links.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter
from typing import TypeAlias

from composable_paxos import LOWEST, Accept, Accepted, PeerID, Prepare, Promise, ProposalID
from multipaxos.chain.durable import DurableState
from multipaxos.chain.links import Founding, Link
from multipaxos.chain.messages import Envelope
from multipaxos.chain.register import Register
from multipaxos.chain.requests import Outcome, RequestID
from multipaxos.chain.settings import Settings
from multipaxos.chain.state_machine import Command
from multipaxos.exploration.chain_process import Process
from multipaxos.exploration.chain_step import Step
from multipaxos.invariants.cluster import Invariants, ServerCheck
from multipaxos.invariants.records import ChosenLink

Acceptance: TypeAlias = tuple[ProposalID, Link | None, PeerID]


@dataclass(slots=True)
class ShownDisk:
    """A disk as the checkers see one: its *state*, which was never lost."""

    state: DurableState | None
    life: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """
    What a server's disk and inbox show of the votes on one link.

    Who *accepted* what, None where only the number is told; who *promised* at least which number;
    which values were *asked* for.
    """

    accepted: frozenset[Acceptance]
    promised: frozenset[tuple[PeerID, ProposalID]]
    asked: frozenset[tuple[ProposalID, Link]]


def evidence_of(process: Process, uid: PeerID, letters: Iterable[Envelope], link: int) -> Evidence:
    """Return what *process* of *uid* and its *letters* show of the votes on *link*."""
    accepted: set[Acceptance] = set()
    promised: set[tuple[PeerID, ProposalID]] = set()
    asked: set[tuple[ProposalID, Link]] = set()
    acceptor = process.disk.acceptor
    if process.disk.instance == link:
        promised.add((uid, acceptor.promised_id))
        if acceptor.accepted_id > LOWEST:
            accepted.add((acceptor.accepted_id, acceptor.accepted_value, uid))
    for envelope in letters:
        if envelope.instance != link:
            continue
        match envelope.message:
            case Prepare(proposal_id=proposal_id):
                promised.add((proposal_id.uid, proposal_id))
            case Promise(acceptor=peer, proposal_id=proposal_id):
                promised.add((peer, proposal_id))
            case Accept(proposal_id=proposal_id, value=value):
                asked.add((proposal_id, value))
            case Accepted(acceptor=peer, proposal_id=proposal_id, value=value):
                accepted.add((proposal_id, value, peer))
                promised.add((peer, proposal_id))
            case _:
                pass
    return Evidence(frozenset(accepted), frozenset(promised), frozenset(asked))


def unite(parts: Iterable[Evidence]) -> Evidence:
    """Return what *parts* show together."""
    several = list(parts)
    return Evidence(
        frozenset[Acceptance]().union(*(part.accepted for part in several)),
        frozenset[tuple[PeerID, ProposalID]]().union(*(part.promised for part in several)),
        frozenset[tuple[ProposalID, Link]]().union(*(part.asked for part in several)),
    )


class Hearing:
    """
    One step, held against everything else.

    State: the checkers, told what was before; and what the step itself has *chosen*.
    """

    def __init__(
        self, uids: tuple[PeerID, ...], founding: Founding, chosen: Iterable[tuple[int, Link]]
    ) -> None:
        """Begin after link 0, which is *founding*, and the links that were *chosen* already."""
        self.newly_chosen: list[tuple[int, Link]] = []
        self.disks = {uid: ShownDisk(None) for uid in uids}
        self.cluster = Invariants(
            self.disks,
            machine=Register(),
            sessions_max=Settings().sessions_max,
            on_chosen=self._chosen,
        )
        self.cluster.take_as_chosen(0, founding)
        for link, value in chosen:
            self.cluster.take_as_chosen(link, value)

    def tell(self, link: int, evidence: Evidence) -> None:
        """Tell the checkers what was there before the step, of the *link* that it is about."""
        votes = self.cluster.votes
        # Of an acceptance that is told by number alone, an Accept, or the disk of another acceptor,
        # tells the value. Where nothing does, all who were asked have closed the link: what was
        # chosen there is in the past.
        known = dict(evidence.asked)
        known.update((pid, value) for pid, value, _ in evidence.accepted if value is not None)
        for proposal_id, asked in sorted((*evidence.asked, *known.items()), key=itemgetter(0)):
            votes.travelled(link, proposal_id, asked)
        for proposal_id, value, uid in sorted(
            evidence.accepted, key=lambda vote: (vote[0], vote[2])
        ):
            if proposal_id in known:
                votes.accepted(link, proposal_id, value, uid, life=0)
        self.newly_chosen.clear()
        promised = sorted(
            (vote for vote in evidence.promised if vote[1] > LOWEST),
            key=lambda vote: (vote[0], vote[1]),
        )
        for uid, proposal_id in promised:
            votes.voted(link, proposal_id, uid, life=0)
            votes.promised(link, proposal_id, uid, life=0)
            votes.promise_reached(link, proposal_id, uid)

    def judge(
        self,
        uid: PeerID,
        step: Step,
        requests: dict[RequestID, Command],
        earlier: dict[RequestID, Outcome | None],
    ) -> None:
        """Hold *step* of *uid* against what was told. Raises InvariantViolation."""
        disk = self.disks[uid]
        disk.state = step.outboxes[0][0]
        check = ServerCheck(self.cluster, uid, disk)
        for _, outbox in step.outboxes:
            for envelope in outbox.early:
                check.sent(envelope)
            if outbox.save is not None:
                disk.state = outbox.save.state
                check.saved(outbox)
            for envelope in outbox.send:
                check.sent(envelope)
            for answer in (*outbox.early_answers, *outbox.answers):
                self.cluster.check_return(
                    uid,
                    requests[answer.request_id],
                    answer,
                    earlier=earlier.get(answer.request_id),
                )

    def _chosen(self, chosen: ChosenLink) -> None:
        self.newly_chosen.append((chosen.link, chosen.value))
