"""Rejoining: how a server without memory joins a chain, or founds one, without breaking it."""

from typing import Any

from typing_extensions import override

from composable_paxos import LOWEST, PeerID, ProposalID, Resolution
from multipaxos.chain.effects import Timer
from multipaxos.chain.events import EventKind, literally
from multipaxos.chain.links import Founders, Founding, Link, Nothing
from multipaxos.chain.messages import CatchUp, Envelope, IAmAt, Sync, WhereAreYou
from multipaxos.chain.refusals import Reason, Refusal
from multipaxos.chain.replicated_value import BaseReplicatedValue

GAP_LINKS_MAX = 1000
"""Nobody sits out more links beyond ours than a few; one forged Sync must not fill the chain."""


class Rejoining(BaseReplicatedValue):
    """
    Asks the others where they are before a server without memory votes on anything.

    A missing state is not an empty server: it may have voted and forgotten. Each life without
    memory has a name, its *birth*; answers count only if they were given to this life. Then either

    - a majority of the cluster, itself not counted, has state: it may have voted at most one link
      beyond the highest of theirs, for the quorum that closed the link before shares a server with
      those that answered. It sits those links out (VotesNotForgotten); or
    - a quorum, itself included, is newborn and nobody who answers is not: they found a new chain.
      Newborn is who is without memory, or founds a chain and has accepted nothing yet. Who is named
      among another's *founders* with its present birth joins it in founding.

    Founders decide link 0 like any other; it names those who may vote from then on. A founder votes
    only for proposers who name it, so that a chain has the quorum that chose its first link.

    State: the *whereabouts* that the others answered in this life; whether the grace for
    those that start a little later began and ended; and whether this founder *may_found*: propose
    link 0, which the first of them does at once, and the others when it is late. To help others:
    *_gap_until*, the link below which it closes what they sit out, with Nothing where nothing else
    is wanted. And which other chain each of the others last named, to stop when a majority agrees.
    """

    def __init__(self, **arguments: Any) -> None:
        """Begin knowing nobody's whereabouts."""
        super().__init__(**arguments)
        self.whereabouts: dict[PeerID, IAmAt] = {}
        self.grace_began = False
        self.grace_ended = False
        self.may_found = False
        self._last_wait = ""
        self._gap_until = 0
        self._other_chains: dict[PeerID, str] = {}

    # -- asking ------------------------------------------------------------------------------------

    @override
    def start(self) -> None:
        super().start()
        self._ask_while_unsettled()
        self._consider()

    @override
    def timeout(self, timer: Timer) -> None:
        super().timeout(timer)
        match timer:
            case Timer.REJOIN:
                self._ask_while_unsettled()
                if not self.memoryless:
                    self.may_found = True
                    self.propose_next()
            case Timer.GRACE:
                self.grace_ended = True
                self._consider()

    @override
    def receive_where_are_you(self, envelope: Envelope, message: WhereAreYou) -> None:
        super().receive_where_are_you(envelope, message)
        self._answer(envelope.sender, message.birth)

    @override
    def receive_i_am_at(self, envelope: Envelope, message: IAmAt) -> None:
        super().receive_i_am_at(envelope, message)
        if message.asked_in == self.birth:
            self.whereabouts[envelope.sender] = message
            self._consider()

    def _ask_while_unsettled(self) -> None:
        if self.memoryless or self.founding is None:
            for uid in self.membership.peers:
                self.send(uid, WhereAreYou(birth=self.birth))
        elif self.instance < self.votes_from:
            # Whoever is idle closes the links that this server sits out.
            for uid in self.membership.peers:
                self.send(uid, Sync(votes_from=self.votes_from))
        else:
            return
        self.set_timer(Timer.REJOIN, self.settings.rejoin_seconds)

    def _answer(self, uid: PeerID, birth: str) -> None:
        self.send(
            uid,
            IAmAt(
                asked_in=birth,
                birth=self.birth,
                newborn=self._is_newborn(),
                # One that sits links out may have voted on them in an earlier life.
                may_have_voted_on=max(self.instance, self.votes_from - 1),
                founders=self.founders,
                founding=self.founding,
            ),
        )

    # -- deciding what this server is --------------------------------------------------------------

    def _is_founder(self) -> bool:
        # It has seen no chain yet, and remembers all votes since it was born.
        return not self.memoryless and self.founding is None and self.votes_from == 0

    def _is_newborn(self) -> bool:
        return self.memoryless or (self._is_founder() and self.paxos.state.accepted_id == LOWEST)

    def _consider(self) -> None:
        """Decide, with each answer anew, whether enough is known to found a chain or to rejoin."""
        with_state = [at for at in self.whereabouts.values() if not at.newborn]
        if not self.memoryless:
            self._reconsider_founding(with_state)
            return
        for at in self.whereabouts.values():
            if self._is_named(at.founders):
                self._found(at.founders)
                return
        if not with_state and self._quorum_is_new():
            if self.grace_ended or len(self.whereabouts) == len(self.membership.peers):
                self._found(self._newborn())
            elif not self.grace_began:
                self.grace_began = True
                self.set_timer(Timer.GRACE, self.settings.founding_grace_seconds)
        elif self._are_majority(with_state):
            self._rejoin(with_state)
        elif with_state and len(self.membership.peers) <= len(self.membership.servers) // 2:
            self.halt(
                f"{self.uid} has lost its state, and one other server is no majority that could "
                "tell what it may have voted. Bring back the state file that was lost, not an "
                "older copy. If it is gone for good, the chain cannot go on: read its value from "
                "the other server, move that one's state file to a safe place too, and start both "
                "to begin a new chain."
            )
        else:
            self._note_wait(f"has no memory: waits for word of {', '.join(self.waits_for())}")

    def _reconsider_founding(self, with_state: list[IAmAt]) -> None:
        # A founder of a chain that came to nothing: a majority keeps one that it did not found.
        if self._is_founder():
            settled = [at for at in with_state if at.founding is not None]
            strange = [at for at in settled if not self._founded(at.founding)]
            if self._are_majority(strange):
                self._rejoin(strange)

    def _found(self, founders: Founders) -> None:
        self.memoryless = False
        self.founders = founders
        names = ", ".join(uid for uid, _ in founders)
        self.note(EventKind.FOUNDED, literally(f"founds a chain with {names}"), founders=founders)
        for uid, birth in founders:
            if uid != self.uid:
                self._answer(uid, birth)
        self.may_found = founders[0][0] == self.uid
        self.joined()

    def _rejoin(self, with_state: list[IAmAt]) -> None:
        foundings = {at.founding.chain_id: at.founding for at in with_state if at.founding}
        if len(foundings) > 1:
            self._note_wait("has no memory, and hears of different chains: end the wrong servers")
            return
        if any(self._is_of_another_kind(founding) for founding in foundings.values()):
            return
        self.memoryless = False
        self.founders = ()
        self.founding = next(iter(foundings.values()), None)
        self.votes_from = max(at.may_have_voted_on for at in with_state) + 2
        self.note(
            EventKind.REJOINED,
            "has no memory of its votes: sits out the links below {votes_from}",
            votes_from=self.votes_from,
        )
        self.joined()

    def _note_wait(self, text: str) -> None:
        if text != self._last_wait:
            self._last_wait = text
            self.note(EventKind.WAITING, literally(text), waits_for=self.waits_for())

    @override
    def waits_for(self) -> tuple[PeerID, ...]:
        """Return whose word is missing while this server has no memory, without super()'s none."""
        if not self.memoryless:
            return ()
        heard_of = [uid for uid, at in self.whereabouts.items() if not at.newborn]
        return tuple(uid for uid in self.membership.peers if uid not in heard_of)

    def _newborn(self) -> Founders:
        born = {uid: at.birth for uid, at in self.whereabouts.items() if at.newborn}
        born[self.uid] = self.birth
        return tuple(sorted(born.items()))

    def _quorum_is_new(self) -> bool:
        return self.quorums.have_accepted([uid for uid, _ in self._newborn()])

    def _are_majority(self, answers: list[IAmAt]) -> bool:
        return len(answers) > len(self.membership.servers) // 2

    # -- link 0 ------------------------------------------------------------------------------------

    @override
    def vote_refusal(self, proposal_id: ProposalID) -> Refusal | None:
        refusal = super().vote_refusal(proposal_id)
        if refusal is None and self._is_founder() and proposal_id.uid != self.uid:
            proposer = self.whereabouts.get(proposal_id.uid)
            if proposer is None or not self._is_named(proposer.founders):
                return Refusal(
                    reason=Reason.FOUNDERS,
                    words=f"{proposal_id.uid} founds a chain without {self.uid}",
                )
        return refusal

    @override
    def may_propose(self) -> bool:
        # Founders all have the same wish; without an order among them they would duel for link 0.
        return super().may_propose() and (self.founding is not None or self.may_found)

    @override
    def next_link(self) -> Link | None:
        """Want link 0 first of all, without super(): no other link can stand there."""
        if self.founding is None:
            return Founding(
                chain_id=self.draw_name(), machine_kind=self.machine.kind, founders=self.founders
            )
        link = super().next_link()
        if link is None and self.instance < self._gap_until:
            return Nothing()
        return link

    @override
    def resolve(self, resolution: Resolution) -> None:
        if isinstance(resolution.value, Founding) and not self._may_join(resolution.value):
            return
        super().resolve(resolution)

    @override
    def receive_catch_up(self, envelope: Envelope, message: CatchUp) -> None:
        if self._may_join(message.founding):
            super().receive_catch_up(envelope, message)

    def _may_join(self, founding: Founding) -> bool:
        """
        Tell whether this server may take part in the chain that *founding* began.

        super() of the caller is not called if not: the server has founded, and may have voted for,
        another chain; :meth:`_reconsider_founding` decides.
        """
        if self.founding is None and self._is_of_another_kind(founding):
            return False
        known = self.founding is not None or self.votes_from > 0
        return known or self._founded(founding)

    def _is_of_another_kind(self, founding: Founding) -> bool:
        """Tell whether the chain that *founding* began keeps another kind of state; then stop."""
        kind = founding.machine_kind
        if kind != self.machine.kind:
            self.halt(
                f"This chain keeps a {kind}, this server was started with a {self.machine.kind}: "
                f"start it with the chain's kind, --state {kind}."
            )
        return kind != self.machine.kind

    def _founded(self, founding: Founding | None) -> bool:
        return founding is not None and self._is_named(founding.founders)

    def _is_named(self, founders: Founders) -> bool:
        return (self.uid, self.birth) in founders

    # -- helping others ----------------------------------------------------------------------------

    @override
    def receive_sync(self, envelope: Envelope, message: Sync) -> None:
        super().receive_sync(envelope, message)
        plausible = message.votes_from <= self.instance + GAP_LINKS_MAX
        if plausible and message.votes_from > self._gap_until:
            self._gap_until = message.votes_from
            self.propose_next()

    @override
    def receive_other_chain(self, envelope: Envelope) -> None:
        super().receive_other_chain(envelope)
        if envelope.chain_id == self.chain_id:
            return  # Late news for an earlier life, before this server joined that chain.
        self._other_chains[envelope.sender] = envelope.chain_id
        others = [c for c in self._other_chains.values() if c == envelope.chain_id]
        if len(others) > len(self.membership.servers) // 2:
            self.halt(
                f"The other servers keep chain {envelope.chain_id}, at link {envelope.instance}; "
                f"this server's state is of chain {self.chain_id}, at link {self.instance}. A "
                "majority must have lost its state and begun a new chain: this server may hold the "
                "only copy of values that clients were told are chosen. Keep its state file. To "
                "let the server join the others, move the file to a safe place and start it again."
            )
