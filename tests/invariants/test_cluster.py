"""The checkers themselves, shown what must never happen, one invariant at a time."""

from dataclasses import replace

import pytest

from composable_paxos import LOWEST, Accept, Accepted, AcceptorState, Promise, ProposalID
from multipaxos.chain.durable import DecidedLink, DurableState, Session, Snapshot
from multipaxos.chain.effects import Answer, Outbox, Save
from multipaxos.chain.links import Founding, Nothing, Updates
from multipaxos.chain.messages import Envelope
from multipaxos.chain.requests import Chosen, RequestID, Update
from multipaxos.chain.state_machine import Set
from multipaxos.invariants.cluster import (
    ChosenLink,
    Invariants,
    ServerCheck,
)
from multipaxos.invariants.violation import InvariantViolation
from multipaxos.simulation.disk import SimulatedDisk

FOUNDING = Founding(chain_id="c", machine_kind="register", founders=())
AT_LINK_1 = DurableState(birth="b", founding=FOUNDING, instance=1)


def link(value: str, *, request: str = "r") -> Updates:
    """Return a link that sets *value*."""
    update = Update(request_id=RequestID(request, 1), command=Set(value=value), since=1)
    return Updates(updates=(update,))


X, Y = link("x", request="rx"), link("y", request="ry")
TWO_A, TWO_B, THREE_C = ProposalID(2, "A"), ProposalID(2, "B"), ProposalID(3, "C")


class Watch:
    """Invariants over three disks at link 1 of a chain, and what was *chosen*."""

    def __init__(self) -> None:
        """Begin after the founding."""
        self.disks = {uid: SimulatedDisk() for uid in "ABC"}
        for disk in self.disks.values():
            disk.state = AT_LINK_1
        self.chosen: list[ChosenLink] = []
        self.invariants = Invariants(self.disks, sessions_max=8, on_chosen=self.chosen.append)
        self.invariants.take_as_chosen(0, FOUNDING)
        self.checks = {uid: self.invariants.observer(uid) for uid in "ABC"}

    def save(
        self, uid: str, acceptor: AcceptorState | None = None, **changes: object
    ) -> ServerCheck:
        """Let *uid* save a state that differs from the one on its disk by this."""
        state = self.disks[uid].state
        assert state is not None
        decided = changes.pop("decided", ())
        assert isinstance(decided, tuple)
        if acceptor is not None:
            changes["acceptor"] = acceptor
        state = replace(state, **changes)  # type: ignore[arg-type]
        self.disks[uid].state = state
        self.checks[uid].saved(Outbox(save=Save(state=state, decided=decided)))
        return self.checks[uid]


def promised(proposal_id: ProposalID) -> AcceptorState:
    """Return an acceptor's state after a promise only."""
    return AcceptorState(promised_id=proposal_id)


def accepted(proposal_id: ProposalID, value: Updates) -> AcceptorState:
    """Return an acceptor's state after an acceptance."""
    return AcceptorState(promised_id=proposal_id, accepted_id=proposal_id, accepted_value=value)


def letter(sender: str, message: Promise | Accept | Accepted, *, instance: int = 1) -> Envelope:
    """Return an envelope from *sender*."""
    return Envelope(
        cluster="c",
        chain_id="c",
        instance=instance,
        sender=sender,
        receiver="A" if sender != "A" else "B",
        message=message,
    )


def test_a_value_is_chosen_at_the_instant_a_quorum_has_saved_it() -> None:
    """Two acceptances of one number, not one, and not two of different numbers."""
    watch = Watch()
    watch.save("A", accepted(TWO_A, X))
    watch.save("B", accepted(TWO_B, Y))
    assert watch.chosen == []

    watch.save("C", accepted(TWO_B, Y))

    (chosen,) = watch.chosen
    assert (chosen.link, chosen.proposal_id, chosen.value) == (1, TWO_B, Y)
    assert chosen.acceptors == ("B", "C")


def test_two_values_chosen_for_one_link_are_a_violation() -> None:
    """I1, with both choices in the message."""
    watch = Watch()
    watch.save("A", accepted(TWO_A, X))
    watch.save("B", accepted(TWO_A, X))
    watch.save("B", accepted(THREE_C, Y))

    with pytest.raises(InvariantViolation, match=r"I1 Agreement at link 1: 2.A chose .*3.C chose"):
        watch.save("C", accepted(THREE_C, Y))


def test_two_values_under_one_number_are_a_violation() -> None:
    """I2, whether they were accepted or only asked for."""
    watch = Watch()
    check = watch.save("A", accepted(TWO_A, X))

    with pytest.raises(InvariantViolation, match="I2 OneValuePerNumber at link 1"):
        check.sent(letter("A", Accept(proposal_id=TWO_A, value=Y)))


def test_a_promise_that_goes_down_is_a_violation() -> None:
    """I3, by the disk."""
    watch = Watch()
    watch.save("A", promised(THREE_C))

    with pytest.raises(InvariantViolation, match=r"I3 PromiseKept at link 1: A promised 3.C"):
        watch.save("A", promised(TWO_A))


def test_an_acceptance_below_the_promise_is_a_violation() -> None:
    """I3, by the vote."""
    watch = Watch()
    watch.save("A", promised(THREE_C))
    below = AcceptorState(promised_id=THREE_C, accepted_id=TWO_A, accepted_value=X)

    with pytest.raises(InvariantViolation, match=r"A accepts 2.A, promised 3.C"):
        watch.save("A", below)


def test_a_vote_after_a_forgotten_vote_is_a_violation() -> None:
    """I3, across a loss of memory; sitting the link out is none."""
    watch = Watch()
    watch.save("A", promised(TWO_A))
    watch.disks["A"].wipe()
    watch.disks["A"].state = AT_LINK_1
    watch.checks["A"] = watch.invariants.observer("A")
    watch.save("A", votes_from=3)

    with pytest.raises(InvariantViolation, match="a life that it has forgotten"):
        watch.save("A", promised(THREE_C))


def test_an_unsafe_value_is_a_violation() -> None:
    """I4: no quorum that promised 3.C leaves y free, since x may be chosen below."""
    watch = Watch()
    watch.save("A", accepted(TWO_A, X))
    watch.save("A", AcceptorState(promised_id=THREE_C, accepted_id=TWO_A, accepted_value=X))
    check = watch.save("C", promised(THREE_C))

    with pytest.raises(InvariantViolation, match="I4 ValueIsSafe at link 1"):
        check.sent(letter("C", Accept(proposal_id=THREE_C, value=Y)))


def test_the_inherited_value_and_a_free_one_are_safe() -> None:
    """I4: x, if the quorum reports it; anything, if another quorum reports nothing."""
    watch = Watch()
    watch.save("A", accepted(TWO_A, X))
    watch.save("A", AcceptorState(promised_id=THREE_C, accepted_id=TWO_A, accepted_value=X))
    check = watch.save("C", promised(THREE_C))
    check.sent(letter("C", Accept(proposal_id=THREE_C, value=X)))

    free = Watch()
    free.save("A", accepted(TWO_A, X))
    free.save("B", promised(THREE_C))
    free.save("C", promised(THREE_C)).sent(letter("C", Accept(proposal_id=THREE_C, value=Y)))


def test_an_acceptance_above_the_promise_is_a_violation() -> None:
    """I5: a state that no correct acceptor can reach."""
    watch = Watch()
    above = promised(TWO_A)
    object.__setattr__(above, "accepted_id", THREE_C)
    object.__setattr__(above, "accepted_value", X)

    with pytest.raises(InvariantViolation, match="I5 AcceptedWithinPromise at link 1"):
        watch.save("A", above)


def test_a_link_resolved_before_it_is_chosen_is_a_violation() -> None:
    """I7: one acceptance is no quorum."""
    watch = Watch()
    watch.save("A", accepted(TWO_A, X))

    with pytest.raises(InvariantViolation, match="I7 ResolvedMeansChosen at link 1"):
        watch.save("A", AcceptorState(), instance=2, decided=(DecidedLink(number=1, link=X),))


def test_an_answer_for_a_link_that_holds_something_else_is_a_violation() -> None:
    """I7: an acknowledged write is in the chain."""
    watch = Watch()
    watch.save("A", accepted(TWO_A, X))
    watch.save("B", accepted(TWO_A, X))
    watch.save(
        "A",
        AcceptorState(),
        instance=2,
        snapshot=snapshot_of("x", sequence_of="rx"),
        decided=(DecidedLink(number=1, link=X),),
    )
    outcome = Chosen(link=1, result=None)
    mine, other = (Answer(request_id=RequestID(r, 1), outcome=outcome) for r in ("rx", "ry"))

    watch.invariants.check_return("A", Set(value="x"), mine, earlier=None)
    with pytest.raises(InvariantViolation, match="I7 ResolvedMeansChosen at link 1: A says"):
        watch.invariants.check_return("A", Set(value="y"), other, earlier=None)
    with pytest.raises(InvariantViolation, match="I8 SavedBeforeSent at link 1: B answers"):
        watch.invariants.check_return("B", Set(value="x"), mine, earlier=None)
    with pytest.raises(InvariantViolation, match="I9 AppliedOnce at link 1: rx/1 was"):
        watch.invariants.check_return(
            "A", Set(value="x"), mine, earlier=Chosen(link=0, result=None)
        )


def snapshot_of(value: str, *, sequence_of: str) -> Snapshot:
    """Return what link 1, which sets *value* for the request of *sequence_of*, amounts to."""
    return Snapshot(value=value, sessions={sequence_of: Session(sequence=1, link=1, result=None)})


def test_a_message_that_reveals_what_is_not_saved_is_a_violation() -> None:
    """I8, for a promise, an acceptance, and a link that is not reached on the disk."""
    promise = Promise(acceptor="B", proposal_id=TWO_A, accepted_id=LOWEST, accepted_value=None)
    acceptance = Accepted(acceptor="B", proposal_id=TWO_A, value=X)

    for instance, message in ((1, promise), (1, acceptance), (2, promise)):
        with pytest.raises(InvariantViolation, match="I8 SavedBeforeSent"):
            Watch().checks["B"].sent(letter("B", message, instance=instance))


def test_a_state_that_is_not_what_the_links_amount_to_is_a_violation() -> None:
    """I9: the link was skipped, or applied in another place."""
    watch = Watch()
    watch.save("A", accepted(TWO_A, X))
    watch.save("B", accepted(TWO_A, X))
    decided = (DecidedLink(number=1, link=X),)

    with pytest.raises(InvariantViolation, match="I9 AppliedOnce at link 1: A has None"):
        watch.save("A", AcceptorState(), instance=2, snapshot=Snapshot(), decided=decided)
    with pytest.raises(InvariantViolation, match="I9 AppliedOnce at link 1: B remembers"):
        watch.save("B", AcceptorState(), instance=2, snapshot=Snapshot(value="x"), decided=decided)


def test_another_link_than_the_chosen_one_is_a_violation() -> None:
    """I1 at a learner, and I9 for a chain that goes back."""
    watch = Watch()
    watch.save("A", accepted(TWO_A, X))
    watch.save("B", accepted(TWO_A, X))

    with pytest.raises(InvariantViolation, match="I1 Agreement at link 1: A resolved"):
        watch.save(
            "A", AcceptorState(), instance=2, decided=(DecidedLink(number=1, link=Nothing()),)
        )
    with pytest.raises(InvariantViolation, match="I9 AppliedOnce"):
        watch.save("C", AcceptorState(), instance=0)


def test_two_believers_are_a_violation() -> None:
    """I10: one is none."""
    watch = Watch()
    watch.invariants.check_leases(["A"])

    with pytest.raises(InvariantViolation, match="I10 OneReader: A and C"):
        watch.invariants.check_leases(["A", "C"])
