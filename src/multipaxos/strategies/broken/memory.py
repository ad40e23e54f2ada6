"""Memories that are wrong on purpose: what a server must know after a restart, and does not."""

from dataclasses import replace

from typing_extensions import override

from composable_paxos import LOWEST, AcceptorState, PaxosInstance, PeerID, Quorums
from multipaxos.chain.replicated_value import BaseReplicatedValue


class ForgetsItsPromise(PaxosInstance):
    """
    Forgets at a restart what it promised.

    Mistake: only the acceptance is on the disk. After a restart the server accepts a proposal that
    it had promised to ignore, and the one that has its promise never hears of it.

    Rule: the acceptor's promise survives its crash: it is in stable storage before the answer
    leaves (Paxos Made Simple, 2.5).

    Met: in storage layers made for values, in which the promise has no column.
    """

    def __init__(
        self, uid: PeerID, quorums: Quorums, state: AcceptorState, *, lowest_number: int = 1
    ) -> None:
        """Resume from *state*, without its promise."""
        super().__init__(uid, quorums, state, lowest_number=lowest_number)
        self.state = replace(state, promised_id=state.accepted_id)


class ForgetsItsAcceptance(PaxosInstance):
    """
    Forgets at a restart what it accepted.

    Mistake: the accepted value is kept in memory "until it is committed". If it was chosen with
    this acceptor's vote, a later proposer may find nobody who tells it so.

    Rule: what an acceptor has accepted survives its crash: it is in stable storage before the
    answer leaves (Paxos Made Simple, 2.5).

    Met: in replicated caches, and with disks that acknowledge a write which is still in their own
    memory.
    """

    def __init__(
        self, uid: PeerID, quorums: Quorums, state: AcceptorState, *, lowest_number: int = 1
    ) -> None:
        """Resume from *state*, without its acceptance."""
        super().__init__(uid, quorums, state, lowest_number=lowest_number)
        self.state = replace(state, accepted_id=LOWEST, accepted_value=None)


class VotesAtOnce(BaseReplicatedValue):
    """
    Votes at once after it lost its state file.

    Mistake: a missing file is taken for a new server. It may have promised and accepted things that
    it no longer knows, and votes again on the same link: one server has then voted twice.

    Rule: an acceptor that cannot remember must not vote where it may have voted (Paxos Made Simple,
    2.1: agents that fail restart with what they remembered, or they do not take part).

    Met: where a replaced disk or an empty volume makes "a fresh replica" under the old name; Paxos
    Made Live (Chandra et al., 2007, 5.1) tells how such a replica has to wait.
    """

    @override
    def joined(self) -> None:
        self.votes_from = 0
        super().joined()
