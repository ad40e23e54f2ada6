"""I7 and I9: what a server has resolved was chosen; what it applied is what the links amount to."""

from collections.abc import Mapping, Sequence

from composable_paxos import PeerID
from multipaxos.chain.durable import DecidedLink, Session, Snapshot
from multipaxos.chain.links import Nothing
from multipaxos.chain.state_machine import State, StateMachine
from multipaxos.invariants.model import ChainModel, Done
from multipaxos.invariants.names import AGREEMENT, APPLIED_ONCE, RESOLVED_MEANS_CHOSEN
from multipaxos.invariants.quorums import in_words
from multipaxos.invariants.results import remembered, same
from multipaxos.invariants.shown import shown, shown_apart, shown_result, states_apart
from multipaxos.invariants.violation import InvariantViolation
from multipaxos.invariants.votes import Votes


class Applied:
    """Holds what the servers resolve and apply against what was chosen, and its *model*."""

    def __init__(self, votes: Votes, machine: StateMachine, *, sessions_max: int) -> None:
        """Compare with the choices of *votes*, as the *machine* steps."""
        self.votes = votes
        self.model = ChainModel(machine, sessions_max)

    def extend(self) -> None:
        """Take into the model what is chosen without a gap."""
        chosen = self.votes.chosen
        while (next_link := chosen.get(self.model.length)) is not None:
            self.model.add(next_link.value)

    def begin_after_founding(self) -> None:
        """Take link 0 as given: it names the chain, and changes nothing."""
        self.model.add(Nothing())

    def decided(self, uid: PeerID, links: Sequence[DecidedLink], *, since: int, until: int) -> None:
        """Check the *links* that *uid* resolved on its way from instance *since* to *until*."""
        expected = since
        for decided in links:
            self._check_chosen(uid, decided)
            if not expected <= decided.number < until:
                raise InvariantViolation(
                    APPLIED_ONCE,
                    decided.number,
                    f"{uid} applied it where link {expected} was next: each link is applied once, "
                    "in order",
                )
            expected = decided.number + 1

    def _check_chosen(self, uid: PeerID, decided: DecidedLink) -> None:
        chosen = self.votes.chosen.get(decided.number)
        if chosen is None and self.votes.is_chosen_unseen(decided.number, decided.link):
            self.extend()
            return
        if chosen is None:
            raise InvariantViolation(
                RESOLVED_MEANS_CHOSEN,
                decided.number,
                f"{uid} resolved {shown(decided.link)}, and it was not chosen: "
                f"{self._accepted_so_far(decided.number)}",
            )
        if chosen.value is not decided.link and chosen.value != decided.link:
            resolved, right = shown_apart(decided.link, chosen.value)
            raise InvariantViolation(
                AGREEMENT,
                decided.number,
                f"{uid} resolved {resolved}, and {right} was chosen under "
                f"{chosen.proposal_id}, accepted by {in_words(chosen.acceptors)}",
            )

    def _accepted_so_far(self, link: int) -> str:
        ballots = sorted(self.votes.record(link).ballots.items())
        accepted = [(number, ballot) for number, ballot in ballots if ballot.accepted_by]
        return (
            "; ".join(
                f"{shown(ballot.value)} under {number} was accepted by "
                f"{in_words(ballot.acceptors)} only"
                for number, ballot in accepted
            )
            or "nobody has accepted anything there"
        )

    # -- snapshots ---------------------------------------------------------------------------------

    def snapshot(self, uid: PeerID, instance: int, snapshot: Snapshot, *, in_full: bool) -> None:
        """
        Check what *uid* has applied before *instance*.

        *in_full* compares all sessions; otherwise those that the last link changed, and the number
        of all.
        """
        model = self.model
        self.position(uid, min(instance, model.length + 1))
        prefix = model.prefixes[instance]
        if snapshot.value != prefix.value or snapshot.master != prefix.master:
            held, right = states_apart(snapshot.value, prefix.value)
            raise InvariantViolation(
                APPLIED_ONCE,
                instance - 1,
                f"{uid} has {_where(held, snapshot.master)}; the links so far amount to "
                f"{_where(right, prefix.master)}",
            )
        if in_full:
            expected: Mapping[str, Done | None] = model.sessions_after(instance)
        else:
            expected = prefix.changed
        if len(snapshot.sessions) != prefix.sessions or not all(
            _agree(snapshot.sessions.get(client), done) for client, done in expected.items()
        ):
            self._forgot(uid, instance, snapshot)

    def position(self, uid: PeerID, instance: int) -> None:
        """I7: *uid* is at *instance* only if the link before it was chosen."""
        before = instance - 1
        known = before < self.model.length or before in self.votes.chosen
        if not known and not self.votes.is_chosen_unseen(before):
            raise InvariantViolation(
                RESOLVED_MEANS_CHOSEN,
                before,
                f"{uid} takes it for closed, and nothing was chosen: "
                f"{self._accepted_so_far(before)}",
            )

    def value(self, uid: PeerID, instance: int, value: State) -> None:
        """I7, I9: check the *value* that *uid* took over with the links below *instance*."""
        self.position(uid, instance)
        if instance <= self.model.length and self.model.prefixes[instance].value != value:
            held, right = states_apart(value, self.model.prefixes[instance].value)
            raise InvariantViolation(
                APPLIED_ONCE,
                instance - 1,
                f"{uid} caught up with {held}; the links so far amount to {right}",
            )

    def _forgot(self, uid: PeerID, instance: int, snapshot: Snapshot) -> None:
        should = self.model.sessions_after(instance)
        wrong = sorted(
            client
            for client in {*snapshot.sessions, *should}
            if not _agree(snapshot.sessions.get(client), should.get(client))
        )
        raise InvariantViolation(
            APPLIED_ONCE,
            instance - 1,
            f"{uid} remembers another newest request than the links hold: "
            + "; ".join(
                f"of {client} {_request(snapshot.sessions.get(client))}, and not "
                f"{_request(should.get(client))}"
                for client in wrong
            ),
        )


def _agree(session: Session | None, done: Done | None) -> bool:
    if session is None or done is None:
        return session is None and done is None
    return (
        session.sequence == done.sequence
        and session.link == done.link
        and same(session.result, remembered(done.result))
    )


def _where(held: str, master: object) -> str:
    return held if master is None else f"{held} where {shown(master)}"


def _request(done: Session | Done | None) -> str:
    if done is None:
        return "none"
    return f"number {done.sequence} in link {done.link}, {shown_result(remembered(done.result))}"
