"""Servers driven by hand: a message waits in the pool until a test delivers, copies or loses it."""

from dataclasses import dataclass, field

import pytest

from composable_paxos import (
    Accept,
    Accepted,
    AcceptorState,
    Message,
    PaxosInstance,
    PeerID,
    Prepare,
    Promise,
    ProposalID,
    Quorums,
    Resolution,
    Value,
)

Reply = Message | Resolution | None

DELIVERIES_MAX = 1000
"""More than any test needs: servers that answer each other for ever fail it instead of hanging."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message under way from one server to another."""

    sender: PeerID
    receiver: PeerID
    message: Message


@dataclass(slots=True)
class History:
    """
    What happened in a run, as nobody inside it can see it: the ground truth of the invariants.

    *acceptances* are kept for ever, also those that the acceptor has since replaced.
    """

    proposed: set[Value] = field(default_factory=set)
    issued: list[Accept] = field(default_factory=list)
    promised: dict[PeerID, ProposalID] = field(default_factory=dict)
    acceptances: list[Accepted] = field(default_factory=list)
    resolutions: list[Resolution] = field(default_factory=list)

    def accepted_by(self, accept: Accept) -> set[PeerID]:
        """Return the acceptors that ever accepted *accept*."""
        return {
            accepted.acceptor
            for accepted in self.acceptances
            if accepted.proposal_id == accept.proposal_id and accepted.value == accept.value
        }

    def chosen(self, quorums: Quorums) -> list[Accept]:
        """Return the proposals that a quorum has accepted."""
        proposals = dict.fromkeys(
            Accept(proposal_id=accepted.proposal_id, value=accepted.value)
            for accepted in self.acceptances
        )
        return [
            proposal for proposal in proposals if quorums.have_accepted(self.accepted_by(proposal))
        ]


class Cluster:
    """
    A :class:`PaxosInstance` for each server, the *pool* of messages under way, and the *history*.

    What a server sends to itself arrives at once, before anything else happens to it; so its own
    acceptor has promised a number before the Prepare is under way. Its acceptor's state is saved at
    every step: it is what :meth:`restart` resumes from.
    """

    server_class: type[PaxosInstance] = PaxosInstance

    def __init__(self, acceptors: str = "ABC", quorums: Quorums | None = None) -> None:
        """Start one server for each letter of *acceptors*; majorities unless *quorums* differ."""
        self.quorums = quorums or Quorums.majority(acceptors)
        self.servers = {uid: self.start(uid, AcceptorState()) for uid in acceptors}
        self.pool: list[Letter] = []
        self.history = History()
        self.deliveries = 0

    def start(self, uid: PeerID, state: AcceptorState) -> PaxosInstance:
        """Return the server *uid*, resumed from *state*."""
        return self.server_class(uid, self.quorums, state)

    # What a person can make a server do.

    def propose(self, uid: PeerID, value: Value) -> None:
        """Give *uid* a value to propose, without starting a round."""
        self.history.proposed.add(value)
        self.take(uid, self.servers[uid].propose_value(value))

    def prepare(self, uid: PeerID) -> ProposalID:
        """Let *uid* begin a round, and return its number."""
        prepare = self.servers[uid].prepare()
        self.take(uid, prepare)
        return prepare.proposal_id

    def skip_prepare(self, uid: PeerID, proposal_id: ProposalID, value: Value) -> None:
        """Let *uid* begin a round with phase 2."""
        self.history.proposed.add(value)
        self.take(uid, self.servers[uid].skip_prepare(proposal_id, value))

    def repeat(self, uid: PeerID) -> None:
        """Let *uid* send its request in flight once more, if there is one."""
        self.take(uid, self.servers[uid].request_in_flight())

    def restart(self, uid: PeerID) -> None:
        """Crash *uid* and start it again from what its acceptor has saved."""
        self.servers[uid] = self.start(uid, self.servers[uid].state)

    # What can happen to the messages.

    def deliver(self, route: str, kind: type[Message]) -> None:
        """Deliver the oldest message of *kind* on *route*, written as ``A->B``."""
        sender, receiver = route.split("->")
        letter = next(
            letter
            for letter in self.pool
            if (letter.sender, letter.receiver) == (sender, receiver)
            and isinstance(letter.message, kind)
        )
        self.deliver_letter(letter)

    def deliver_letter(self, letter: Letter, *, keep: bool = False) -> None:
        """Deliver *letter*; if told to *keep* it, a copy of it stays under way."""
        if not keep:
            self.pool.remove(letter)
        self.hand_over(letter.receiver, letter.message)

    def deliver_all(self, among: str | None = None) -> None:
        """Deliver in the order of sending until nothing is under way between servers *among*."""
        uids = among or "".join(self.servers)
        while letters := [
            letter for letter in self.pool if letter.sender in uids and letter.receiver in uids
        ]:
            self.deliver_letter(letters[0])

    def lose_all(self) -> None:
        """Lose every message under way."""
        self.pool.clear()

    # What can be seen.

    @property
    def chosen_values(self) -> set[Value]:
        """The values of the proposals that a quorum has accepted, whether anybody knows or not."""
        return {accept.value for accept in self.history.chosen(self.quorums)}

    def learned(self, uid: PeerID) -> Value:
        """Return what *uid* has learned to be chosen, or None."""
        resolution = self.servers[uid].resolution
        return resolution.value if resolution else None

    def under_way(self, kind: type[Message]) -> list[Message]:
        """Return the messages of *kind* under way, in the order of sending."""
        return [letter.message for letter in self.pool if isinstance(letter.message, kind)]

    # How messages travel.

    def hand_over(self, uid: PeerID, message: Message) -> None:
        """Let *uid* receive *message*, and take what it answers."""
        self.deliveries += 1
        if self.deliveries > DELIVERIES_MAX:
            pytest.fail(f"the servers are still talking after {DELIVERIES_MAX} messages")
        self.take(uid, self.servers[uid].receive(message))

    def take(self, uid: PeerID, reply: Reply) -> None:
        """Record what *uid* returned and send it to whom it concerns."""
        match reply:
            case None:
                return
            case Resolution():
                self.history.resolutions.append(reply)
                return
            case Accept() if reply not in self.history.issued:
                self.history.issued.append(reply)
            case Promise():
                self.history.promised[uid] = max(
                    reply.proposal_id, self.history.promised.get(uid, reply.proposal_id)
                )
            case Accepted():
                self.history.acceptances.append(reply)
            case _:
                pass
        for receiver in self.receivers(reply):
            if receiver == uid:
                self.hand_over(uid, reply)
            else:
                self.pool.append(Letter(sender=uid, receiver=receiver, message=reply))

    def receivers(self, message: Message) -> list[PeerID]:
        """Address requests and acceptances to all servers, the other replies to the proposer."""
        if isinstance(message, Prepare | Accept | Accepted):
            return list(self.servers)
        return [message.proposal_id.uid]
