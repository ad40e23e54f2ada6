"""The checkers themselves, shown what must never happen, one invariant at a time."""

from collections.abc import Collection
from dataclasses import dataclass, replace

import pytest

from composable_paxos import (
    LOWEST,
    Accept,
    Accepted,
    AcceptorState,
    Prepare,
    Promise,
    ProposalID,
    Quorums,
)
from multipaxos.chain.dictionary import Dictionary
from multipaxos.chain.durable import DecidedLink, DurableState, Session, Snapshot
from multipaxos.chain.effects import Answer, Outbox, Save
from multipaxos.chain.ledger import RESULT_CHARACTERS_MAX, TOO_LARGE
from multipaxos.chain.links import Founding, NewMaster, Nothing, Updates
from multipaxos.chain.messages import Envelope
from multipaxos.chain.register import Register
from multipaxos.chain.requests import Chosen, RequestID, Update
from multipaxos.chain.state_machine import Command, StateMachine
from multipaxos.invariants.cluster import (
    ChosenLink,
    Invariants,
    ServerCheck,
)
from multipaxos.invariants.violation import InvariantViolation

FOUNDING = Founding(chain_id="c", machine_kind="register", founders=())
AT_LINK_1 = DurableState(birth="b", founding=FOUNDING, instance=1)


def link(value: str, *, request: str = "r") -> Updates:
    """Return a link that sets *value*."""
    update = Update(request_id=RequestID(request, 1), command=("SET", value), since=1)
    return Updates(updates=(update,))


X, Y = link("x", request="rx"), link("y", request="ry")
TWO_A, TWO_B, THREE_C = ProposalID(2, "A"), ProposalID(2, "B"), ProposalID(3, "C")


@dataclass
class Disk:
    """What a server has on its disk, in which life of the file."""

    state: DurableState | None
    life: int = 0


class Watch:
    """Invariants over the disks of *servers* at link 1 of a chain, and what was *chosen*."""

    def __init__(
        self,
        servers: str = "ABC",
        quorums: Quorums | None = None,
        machine: StateMachine | None = None,
    ) -> None:
        """Begin after the founding."""
        self.disks = {uid: Disk(AT_LINK_1) for uid in servers}
        self.chosen: list[ChosenLink] = []
        self.invariants = Invariants(
            self.disks, machine=machine or Register(), sessions_max=2, on_chosen=self.chosen.append
        )
        self.invariants.take_as_chosen(0, FOUNDING)
        self.checks = {uid: self.invariants.observer(uid, quorums) for uid in servers}

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

    def promise(self, uid: str, proposal_id: ProposalID, *, reaches: bool = True) -> None:
        """Let *uid* promise, and its promise reach the proposer."""
        state = self.disks[uid].state
        assert state is not None
        self.save(uid, replace(state.acceptor, promised_id=proposal_id))
        message = Promise(
            acceptor=uid, proposal_id=proposal_id, accepted_id=LOWEST, accepted_value=None
        )
        if reaches:
            self.checks[proposal_id.uid].delivered(letter(uid, message))

    def lose_memory(self, uid: str) -> None:
        """Let *uid* lose its file, and start without."""
        self.disks[uid] = Disk(None, self.disks[uid].life + 1)
        self.invariants.disks = self.disks
        self.checks[uid] = self.invariants.observer(uid)
        self.disks[uid].state = AT_LINK_1


def promised(proposal_id: ProposalID) -> AcceptorState:
    """Return an acceptor's state after a promise only."""
    return AcceptorState(promised_id=proposal_id)


def accepted(proposal_id: ProposalID, value: Updates) -> AcceptorState:
    """Return an acceptor's state after an acceptance."""
    return AcceptorState(promised_id=proposal_id, accepted_id=proposal_id, accepted_value=value)


def letter(
    sender: str, message: Prepare | Promise | Accept | Accepted, *, instance: int = 1
) -> Envelope:
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

    with pytest.raises(
        InvariantViolation,
        match=r"I1 .* link 1: two values are chosen: \"x\" under 2.A, .*A and B.*\"y\" under 3.C",
    ):
        watch.save("C", accepted(THREE_C, Y))


def test_two_values_under_one_number_are_a_violation() -> None:
    """I2, whether they were accepted or only asked for."""
    watch = Watch()
    check = watch.save("A", accepted(TWO_A, X))

    with pytest.raises(InvariantViolation, match=r"I2 OneValuePerNumber at link 1"):
        check.sent(letter("A", Accept(proposal_id=TWO_A, value=Y)))


def test_a_promise_that_goes_down_is_a_violation() -> None:
    """I3, by the disk."""
    watch = Watch()
    watch.save("A", promised(THREE_C))

    with pytest.raises(
        InvariantViolation, match=r"I3 PromiseKept at link 1: A had promised 3.C and has only 2.A"
    ):
        watch.save("A", promised(TWO_A))


def test_an_acceptance_below_the_promise_is_a_violation() -> None:
    """I3, by the vote."""
    watch = Watch()
    watch.save("A", promised(THREE_C))
    below = AcceptorState(promised_id=THREE_C, accepted_id=TWO_A, accepted_value=X)

    with pytest.raises(
        InvariantViolation, match=r"A accepted \"x\" under 2.A, though it had promised 3.C"
    ):
        watch.save("A", below)


def test_a_vote_after_a_forgotten_vote_is_a_violation() -> None:
    """I3, across a loss of memory; sitting the link out is none."""
    watch = Watch()
    watch.save("A", promised(TWO_A))
    watch.lose_memory("A")
    watch.save("A", votes_from=3)

    with pytest.raises(InvariantViolation, match=r"A votes on 3.C although it has lost its memory"):
        watch.save("A", promised(THREE_C))


def test_an_unsafe_value_is_a_violation() -> None:
    """I4: no quorum that promised 3.C leaves y free, since x may be chosen below."""
    watch = Watch()
    watch.save("A", accepted(TWO_A, X))
    watch.save("A", AcceptorState(promised_id=THREE_C, accepted_id=TWO_A, accepted_value=X))
    check = watch.save("C", promised(THREE_C))

    with pytest.raises(InvariantViolation, match=r"I4 ValueIsSafe at link 1"):
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

    with pytest.raises(InvariantViolation, match=r"I5 AcceptedWithinPromise at link 1"):
        watch.save("A", above)


def test_a_link_resolved_before_it_is_chosen_is_a_violation() -> None:
    """I7: one acceptance is no quorum."""
    watch = Watch()
    watch.save("A", accepted(TWO_A, X))

    with pytest.raises(InvariantViolation, match=r"I7 ResolvedMeansChosen at link 1"):
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
    outcome = Chosen(link=1, result=True)
    mine, other = (Answer(request_id=RequestID(r, 1), outcome=outcome) for r in ("rx", "ry"))

    watch.invariants.check_return("A", ("SET", "x"), mine, earlier=None)
    with pytest.raises(InvariantViolation, match=r"I7 ResolvedMeansChosen at link 1: A says"):
        watch.invariants.check_return("A", ("SET", "y"), other, earlier=None)
    # B has not saved that link 1 is decided: a quorum has saved the votes that make it so.
    watch.invariants.check_return("B", ("SET", "x"), mine, earlier=None)
    with pytest.raises(InvariantViolation, match=r"I9 AppliedOnce at link 1: request rx/1"):
        watch.invariants.check_return("A", ("SET", "x"), mine, earlier=Chosen(link=0, result=True))


def snapshot_of(value: str, *, sequence_of: str) -> Snapshot:
    """Return what link 1, which sets *value* for the request of *sequence_of*, amounts to."""
    return Snapshot(value=value, sessions={sequence_of: Session(sequence=1, link=1, result=True)})


def test_a_message_that_reveals_what_is_not_saved_is_a_violation() -> None:
    """I8, for a promise, an acceptance, and a link that is not reached on the disk."""
    promise = Promise(acceptor="B", proposal_id=TWO_A, accepted_id=LOWEST, accepted_value=None)
    acceptance = Accepted(acceptor="B", proposal_id=TWO_A, value=X)

    for instance, message in ((1, promise), (1, acceptance), (2, promise)):
        with pytest.raises(InvariantViolation, match=r"I8 SavedBeforeSent"):
            Watch().checks["B"].sent(letter("B", message, instance=instance))


def test_a_state_that_is_not_what_the_links_amount_to_is_a_violation() -> None:
    """I9: the link was skipped, or applied in another place."""
    watch = Watch()
    watch.save("A", accepted(TWO_A, X))
    watch.save("B", accepted(TWO_A, X))
    decided = (DecidedLink(number=1, link=X),)

    with pytest.raises(InvariantViolation, match=r"I9 AppliedOnce at link 1: A has no value"):
        watch.save("A", AcceptorState(), instance=2, snapshot=Snapshot(), decided=decided)
    with pytest.raises(InvariantViolation, match=r"I9 AppliedOnce at link 1: B remembers"):
        watch.save("B", AcceptorState(), instance=2, snapshot=Snapshot(value="x"), decided=decided)


def test_another_link_than_the_chosen_one_is_a_violation() -> None:
    """I1 at a learner, and I9 for a chain that goes back."""
    watch = Watch()
    watch.save("A", accepted(TWO_A, X))
    watch.save("B", accepted(TWO_A, X))

    with pytest.raises(InvariantViolation, match=r"I1 Agreement at link 1: A resolved"):
        watch.save(
            "A", AcceptorState(), instance=2, decided=(DecidedLink(number=1, link=Nothing()),)
        )
    with pytest.raises(InvariantViolation, match=r"I9 AppliedOnce"):
        watch.save("C", AcceptorState(), instance=0)


def test_two_believers_are_a_violation() -> None:
    """I10: one is none, and one whose lease has ended since it was looked at is none."""
    leases = Watch().invariants.leases
    believing = {"A": True, "C": True}
    leases.look("A", lambda: believing["A"])
    leases.look("B", lambda: False)

    with pytest.raises(InvariantViolation, match=r"I10 OneReader: A and C each trust a lease"):
        leases.look("C", lambda: believing["C"])
    believing["A"] = False
    leases.look("C", lambda: believing["C"])


# ------------------------------------------------------------------------------------- quorums


def test_quorums_that_need_not_meet_are_a_violation() -> None:
    """I6, of what the servers would take for enough: majorities meet, halves of four do not."""
    Watch("ABCD").invariants.quorums.check()
    flexible = Quorums(acceptors=frozenset("ABC"), promise_size=3, accept_size=1)
    Watch(quorums=flexible).invariants.quorums.check()

    with pytest.raises(InvariantViolation, match=r"I6 .*A and B.* C and D.* no server is in both"):
        Watch("ABCD", quorums=Sizes("ABCD", promise=2, accept=2)).invariants.quorums.check()
    with pytest.raises(InvariantViolation, match=r"I6 .* promises of A for .* of B and C for"):
        Watch(quorums=Sizes("ABC", promise=1, accept=2)).invariants.quorums.check()


def test_one_server_with_other_quorums_is_enough_for_a_violation() -> None:
    """I6 is a rule for each pair of servers, not for each by itself."""
    watch = Watch()
    watch.invariants.quorums.use("B", Sizes("ABC", promise=1, accept=3))

    with pytest.raises(
        InvariantViolation, match=r"I6 .*: B takes the promises of A .*, and A takes"
    ):
        watch.invariants.quorums.check()


class Sizes(Quorums):
    """Quorums by size, without the check that they meet."""

    def __init__(self, acceptors: Collection[str], *, promise: int, accept: int) -> None:
        """Take what is given."""
        object.__setattr__(self, "acceptors", frozenset(acceptors))
        object.__setattr__(self, "promise_size", promise)
        object.__setattr__(self, "accept_size", accept)


def test_two_quorums_in_use_without_a_common_server_are_a_violation() -> None:
    """I6: whether the choice or the other request to accept comes first."""
    wrong = Sizes("ABC", promise=1, accept=2)
    asks_later, asks_first = Watch(quorums=wrong), Watch(quorums=wrong)
    for watch in (asks_later, asks_first):
        watch.promise("A", TWO_A)
        watch.promise("C", THREE_C)
        watch.save("A", accepted(TWO_A, X))

    asks_later.save("B", accepted(TWO_A, X))
    assert asks_later.chosen
    said = r"I6 .* 3.C was promised by C and .* 2.A was accepted by A and B"
    with pytest.raises(InvariantViolation, match=said):
        asks_later.checks["C"].sent(letter("C", Accept(proposal_id=THREE_C, value=Y)))
    asks_first.checks["C"].sent(letter("C", Accept(proposal_id=THREE_C, value=Y)))
    with pytest.raises(InvariantViolation, match=said):
        asks_first.save("B", accepted(TWO_A, X))


def test_a_promise_that_is_counted_twice_is_a_violation() -> None:
    """I6: of five, the promises of two are no quorum, however often one of them arrived."""
    watch = Watch("ABCDE")
    watch.promise("A", TWO_A)
    watch.promise("B", TWO_A)
    watch.promise("B", TWO_A)

    with pytest.raises(
        InvariantViolation, match=r"I6 .* promises of A and B only.* C, D and E may"
    ):
        watch.checks["A"].sent(letter("A", Accept(proposal_id=TWO_A, value=X)))


def test_a_link_is_chosen_by_the_quorums_in_use() -> None:
    """With flexible quorums one acceptance may do."""
    flexible = Quorums(acceptors=frozenset("ABC"), promise_size=3, accept_size=1)
    watch = Watch(quorums=flexible)

    watch.save("A", accepted(TWO_A, X))

    assert [chosen.acceptors for chosen in watch.chosen] == [("A",)]


def test_phase_1_skipped_is_a_violation() -> None:
    """I4: nobody but the proposer has promised, so the others may accept something lower."""
    watch = Watch()
    watch.promise("A", TWO_A)

    with pytest.raises(InvariantViolation, match=r"I4 .* 2.A, which only A promised: B and C may"):
        watch.checks["A"].sent(letter("A", Accept(proposal_id=TWO_A, value=X)))


# --------------------------------------------------------------------------------------- disks


def test_a_disk_that_lost_what_was_saved_is_a_violation_at_the_start() -> None:
    """I3 and I9, before the process says anything."""
    watch = Watch()
    watch.save("A", promised(THREE_C))
    watch.disks["A"].state = AT_LINK_1

    with pytest.raises(InvariantViolation, match=r"I3 .* A had promised 3.C and has no promise"):
        watch.invariants.observer("A")


def test_what_survived_unseen_is_counted_at_the_next_save() -> None:
    """A process may die between its save and the news of it."""
    watch = Watch()
    state = replace(AT_LINK_1, acceptor=accepted(TWO_A, X))
    watch.disks["A"].state = state
    check = watch.invariants.observer("A")
    check.saved(Outbox(save=Save(state=state)))

    watch.save("B", accepted(TWO_A, X))

    assert [chosen.acceptors for chosen in watch.chosen] == [("A", "B")]


def test_number_1_with_two_owners_is_a_violation() -> None:
    """I2: it belongs to the master that the links before name."""
    watch = Watch()
    watch.save("A", accepted(ProposalID(1, "A"), X))

    with pytest.raises(InvariantViolation, match=r"I2 .* number 1 .* A for .x., B for .y."):
        watch.save("B", accepted(ProposalID(1, "B"), Y))


def test_a_number_that_is_not_on_the_disk_is_a_violation() -> None:
    """I8, for a proposer: after a crash it would use the number again."""
    watch = Watch()

    with pytest.raises(InvariantViolation, match=r"I8 .* A sends Prepare 2.A to B before it saved"):
        watch.checks["A"].sent(letter("A", Prepare(proposal_id=TWO_A)))


# ------------------------------------------------------------------------------------ sessions


def choose(watch: Watch, number: int, value: object) -> None:
    """Let A and B accept *value* for link *number*, the one in progress."""
    state = AcceptorState(promised_id=TWO_A, accepted_id=TWO_A, accepted_value=value)
    for uid in "AB":
        on_disk = watch.disks[uid].state
        assert on_disk is not None
        assert on_disk.instance == number
        watch.save(uid, state)


def apply(watch: Watch, number: int, value: object, snapshot: Snapshot) -> None:
    """Let A and B resolve it."""
    for uid in "AB":
        watch.save(
            uid,
            AcceptorState(),
            instance=number + 1,
            snapshot=snapshot,
            decided=(DecidedLink(number=number, link=value),),  # type: ignore[arg-type]
        )


def test_the_oldest_session_is_forgotten_where_there_is_no_room() -> None:
    """With room for two, the third client's request pushes the first one's out, and no other."""
    watch = Watch()
    sessions: dict[str, Session] = {}
    for number, client in enumerate(("c1", "c2", "c3"), start=1):
        value = link(f"v{number}", request=client)
        choose(watch, number, value)
        sessions = {**sessions, client: Session(sequence=1, link=number, result=True)}
        if number == 3:
            del sessions["c1"]
        apply(watch, number, value, Snapshot(value=f"v{number}", sessions=sessions))

    watch.save("C", snapshot=Snapshot(value="v3", sessions=sessions), instance=4)
    kept = {**sessions, "c1": Session(sequence=1, link=1, result=True)}
    del kept["c2"]
    with pytest.raises(
        InvariantViolation, match=r"I9 .*C remembers .* of c1 number 1 in link 1, done, and not"
    ):
        watch.save("C", snapshot=Snapshot(value="v3", sessions=kept))


def test_sessions_are_known_at_every_earlier_link() -> None:
    """A server that catches up to the middle of a long chain is held against that middle."""
    watch = Watch()
    sessions: dict[str, Session] = {}
    at_100 = Snapshot()
    for number in range(1, 150):
        client = f"c{number % 2}"
        update = Update(
            request_id=RequestID(client, number), command=("SET", f"v{number}"), since=number
        )
        value = Updates(updates=(update,))
        choose(watch, number, value)
        sessions = {**sessions, client: Session(sequence=number, link=number, result=True)}
        snapshot = Snapshot(value=f"v{number}", sessions=sessions)
        apply(watch, number, value, snapshot)
        if number == 100:
            at_100 = snapshot

    watch.save("C", snapshot=at_100, instance=101)
    wrong = {**at_100.sessions, "c1": Session(sequence=98, link=98, result=True)}
    with pytest.raises(
        InvariantViolation, match=r"I9 .*of c1 number 98 in link 98, done, and not number 99"
    ):
        watch.save("C", snapshot=replace(at_100, sessions=wrong))


def test_a_master_that_the_links_do_not_name_is_a_violation() -> None:
    """I9, in words."""
    watch = Watch()
    master = NewMaster(uid="A", lease_seconds=2.0, bid="b")
    choose(watch, 1, master)

    with pytest.raises(InvariantViolation, match=r"I9 .* no value; .* A is master for 2 s"):
        apply(watch, 1, master, Snapshot())


def test_a_read_of_what_the_link_does_not_hold_is_a_violation() -> None:
    """I9 and I7: a read names the link as of which its value was the newest."""
    watch = Watch()
    choose(watch, 1, X)
    read, wrong, ahead = (
        Answer(request_id=RequestID("r", 1), outcome=Chosen(link=number, result=result))
        for number, result in ((1, "x"), (1, "y"), (2, "x"))
    )

    watch.invariants.check_return("A", ("GET",), read, earlier=None)
    with pytest.raises(InvariantViolation, match=r'I9 .* A answers the read r/1 .GET. with "y"'):
        watch.invariants.check_return("A", ("GET",), wrong, earlier=None)
    with pytest.raises(InvariantViolation, match=r"I7 .* at link 2: A takes it for closed"):
        watch.invariants.check_return("A", ("GET",), ahead, earlier=None)


# ------------------------------------------------------------------------------------- results


def dictionary_with(*commands: Command) -> Watch:
    """Return a watch over a dictionary's chain, of which each link holds one of *commands*."""
    watch = Watch(machine=Dictionary())
    for number, command in enumerate(commands, start=1):
        update = Update(request_id=RequestID("c", number), command=command, since=1)
        close(watch, number, update)
    return watch


def close(watch: Watch, number: int, update: Update) -> None:
    """Let A and B accept *update* as link *number*, and go on to the next."""
    choose(watch, number, Updates(updates=(update,)))
    for uid in "AB":
        watch.disks[uid].state = replace(AT_LINK_1, instance=number + 1)


def answer(watch: Watch, number: int, command: Command, result: object, link: int = 0) -> None:
    """Let A answer request c/*number*, for *command*."""
    outcome = Chosen(link=link or number, result=result)  # type: ignore[arg-type]
    watch.invariants.check_return(
        "A",
        command,
        Answer(request_id=RequestID("c", number), outcome=outcome),
        earlier=None,
    )


def test_a_result_that_the_links_do_not_give_is_a_violation() -> None:
    """I9: two increments come to 2, and what was done is no number."""
    increment = ("INCR", "n")
    watch = dictionary_with(increment, increment, ("SET", "k", "x"))
    answer(watch, 1, increment, 1)
    answer(watch, 2, increment, 2)
    answer(watch, 3, ("SET", "k", "x"), True)

    with pytest.raises(
        InvariantViolation, match=r"I9 .* link 2: A answers c/2 with 1; .* it comes to 2"
    ):
        answer(watch, 2, increment, 1)
    with pytest.raises(InvariantViolation, match=r"I9 .* with 1; .* it comes to done"):
        answer(watch, 3, ("SET", "k", "x"), 1)


def test_a_long_result_may_be_told_once_and_then_as_too_large() -> None:
    """A session keeps no long text; who asks again is told that it was one."""
    long = "x" * (RESULT_CHARACTERS_MAX + 1)
    get = ("SET", "k", "y", "GET")
    watch = dictionary_with(("SET", "k", long), get)

    answer(watch, 2, get, long)
    answer(watch, 2, get, TOO_LARGE)
    with pytest.raises(InvariantViolation, match=r"I9 .* A answers c/2 with nothing"):
        answer(watch, 2, get, None)


def test_a_request_that_is_in_two_links_was_done_in_the_first() -> None:
    """I9: whoever names the second one would have done it twice."""
    watch = Watch(machine=Dictionary())
    update = Update(request_id=RequestID("c", 1), command=("INCR", "n"), since=1)
    for number in (1, 2):
        close(watch, number, update)

    answer(watch, 1, ("INCR", "n"), 1, link=1)
    with pytest.raises(InvariantViolation, match=r"I9 .* the request was applied in link 1"):
        answer(watch, 1, ("INCR", "n"), 1, link=2)


def test_a_request_that_is_applied_again_after_it_was_forgotten_is_a_violation() -> None:
    """I9: with room for two clients, the third one's request hides that the first one's was."""
    watch = Watch(machine=Dictionary())
    for number, client in enumerate(("c1", "c2", "c3"), start=1):
        update = Update(request_id=RequestID(client, 1), command=("INCR", "n"), since=number)
        close(watch, number, update)
    honest, anew = (
        Update(request_id=RequestID("c1", 1), command=("INCR", "n"), since=at) for at in (1, 4)
    )

    close(watch, 4, honest)
    with pytest.raises(
        InvariantViolation, match=r"I9 .* link 5: request c1/1 was applied in link 1 and is applied"
    ):
        close(watch, 5, anew)


def test_of_a_large_state_only_what_differs_is_told() -> None:
    """I9, for a dictionary: the other keys would hide it."""
    watch = dictionary_with(("MSET", "a", "1", "b", "2", "c", "3"), ("INCR", "b"))
    wrong = Dictionary().apply(Dictionary().initial(), ("MSET", "a", "1", "b", "2", "c", "3"))[0]

    with pytest.raises(
        InvariantViolation, match=r'I9 .* C has b "2"; the links so far amount to b "3"'
    ):
        watch.save("C", snapshot=Snapshot(value=wrong), instance=3)
