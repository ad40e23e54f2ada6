"""Applying links: every request once, whoever repeats it, and what the chain may forget."""

from typing import ClassVar

import pytest
from tests.chain.support import FOUNDING, MASTER_B, link_of, read, request, write
from typing_extensions import override

from multipaxos.chain.dictionary import Dictionary
from multipaxos.chain.durable import Session, Snapshot
from multipaxos.chain.ledger import TOO_LARGE, apply_link, changes_of, outcome_so_far
from multipaxos.chain.links import Link, NewMaster, Nothing
from multipaxos.chain.pipelines import Pipelining, pack
from multipaxos.chain.register import Register
from multipaxos.chain.requests import Chosen, Outcome, RequestID, Unknown, Update
from multipaxos.chain.state_machine import Command, CommandForm, Failure, Result

Outcomes = tuple[tuple[RequestID, Outcome], ...]


def applied(
    snapshot: Snapshot, number: int, link: Link, *, sessions_max: int = 256
) -> tuple[Snapshot, Outcomes]:
    """Apply *link* to a register."""
    effect = apply_link(snapshot, number, link, machine=Register(), sessions_max=sessions_max)
    return effect.snapshot, effect.outcomes


def after(*links: Link, sessions_max: int = 256) -> Snapshot:
    """Return what *links*, from link 1 on, amount to."""
    snapshot = Snapshot()
    for number, link in enumerate(links, start=1):
        snapshot, _ = applied(snapshot, number, link, sessions_max=sessions_max)
    return snapshot


# ----------------------------------------------------------------------------------- kinds of links


def test_updates_of_a_link_are_applied_in_their_order() -> None:
    """The last one of a link wins, and each is answered with the link's number."""
    snapshot, outcomes = applied(
        Snapshot(), 4, link_of(write("x", client="one"), write("y", client="two"))
    )

    assert snapshot.value == "y"
    assert outcomes == (
        (request(client="one"), Chosen(link=4, result=True)),
        (request(client="two"), Chosen(link=4, result=True)),
    )


def test_a_new_master_is_named_and_the_value_stays() -> None:
    """A NewMaster link changes the master, and nothing else."""
    before = after(link_of(write("x")))

    snapshot, outcomes = applied(before, 2, MASTER_B)

    assert snapshot.master == MASTER_B
    assert (snapshot.value, snapshot.sessions) == (before.value, before.sessions)
    assert outcomes == ()


def test_the_newest_new_master_counts() -> None:
    """A renewal or another election replaces the master that was named before."""
    newer = NewMaster(uid="C", lease_seconds=3.0, bid="b")

    assert after(MASTER_B, newer, link_of(write("x"))).master == newer


@pytest.mark.parametrize("link", [Nothing(), FOUNDING])
def test_other_links_change_nothing(link: Link) -> None:
    """Neither link 0 nor a no-op concerns the state machine."""
    before = after(MASTER_B, link_of(write("x")))

    assert applied(before, 3, link) == (before, ())


# ------------------------------------------------------------------------------------- applied once


def test_a_request_that_two_links_hold_is_applied_once() -> None:
    """A retry of an old write does not bring the old value back; it is answered as at first."""
    before = after(link_of(write("x", client="one")), link_of(write("y", client="two")))

    snapshot, outcomes = applied(before, 3, link_of(write("x", client="one")))

    assert snapshot == before
    assert outcomes == ((request(client="one"), Chosen(link=1, result=True)),)


def test_a_request_that_stands_twice_in_a_link_is_applied_once() -> None:
    """Two copies of one request in one link count as one."""
    snapshot, outcomes = applied(
        Snapshot(),
        1,
        link_of(write("x", 1, "one"), write("y", 1, "two"), write("x", 1, "one")),
    )

    assert snapshot.value == "y"
    assert outcomes[0] == outcomes[2]


def test_a_later_request_of_the_same_client_is_applied() -> None:
    """A client's requests follow one another."""
    snapshot = after(link_of(write("x", 1)), link_of(write("y", 2)))

    assert snapshot.value == "y"
    assert snapshot.sessions == {"client": Session(sequence=2, link=2, result=True)}


def test_an_earlier_request_of_the_same_client_is_skipped() -> None:
    """Whether it was applied is not remembered: nobody may apply it now."""
    before = after(link_of(write("y", 2)))

    snapshot, outcomes = applied(before, 2, link_of(write("x", 1)))

    assert snapshot == before
    assert outcomes == (
        (request(1), Unknown(reason="a later request of this client, 2, is in the chain")),
    )


def test_a_read_in_the_chain_sees_the_links_before_it() -> None:
    """It reads what the updates before it left, in its own link too, and needs no memory."""
    before = after(link_of(write("x", client="one")))

    snapshot, outcomes = applied(before, 2, link_of(read(), write("y", client="two"), read(2)))

    assert outcomes[0] == (read().request_id, Chosen(link=2, result="x"))
    assert outcomes[2] == (read(2).request_id, Chosen(link=2, result="y"))
    assert "reader" not in snapshot.sessions


def test_a_read_that_two_links_hold_is_read_again() -> None:
    """To read twice is harmless: the later answer is as good."""
    before = after(link_of(read()), link_of(write("x")))

    _, outcomes = applied(before, 3, link_of(read()))

    assert outcomes == ((read().request_id, Chosen(link=3, result="x")),)


def test_snapshots_are_never_changed_in_place() -> None:
    """What a server saved or sent stays as it was while the chain goes on."""
    before = after(link_of(write("x", client="one")))

    applied(before, 2, link_of(write("y", client="two")))

    assert before == after(link_of(write("x", client="one")))


# --------------------------------------------------------------------------------------- forgetting


def test_the_client_that_used_the_chain_longest_ago_is_forgotten() -> None:
    """Of more clients than *sessions_max* the chain remembers those that wrote last."""
    snapshot = after(
        link_of(write("1", 1, "one")),
        link_of(write("2", 1, "two")),
        link_of(write("3", 2, "one")),
        link_of(write("4", 1, "three")),
        sessions_max=2,
    )

    assert list(snapshot.sessions) == ["one", "three"]
    assert snapshot.forgotten_before == 3


def test_nobody_is_forgotten_while_there_is_room() -> None:
    """As many clients as *sessions_max* are all remembered."""
    snapshot = after(link_of(write("1", 1, "one")), link_of(write("2", 1, "two")), sessions_max=2)

    assert list(snapshot.sessions) == ["one", "two"]
    assert snapshot.forgotten_before == 0


def test_a_retry_that_may_have_been_forgotten_is_skipped() -> None:
    """What came in at a link whose requests are partly forgotten may be in the chain already."""
    before = after(
        link_of(write("1", client="one")), link_of(write("2", client="two")), sessions_max=1
    )

    snapshot, outcomes = applied(
        before, 3, link_of(write("1", client="one", since=1)), sessions_max=1
    )

    assert snapshot == before
    assert outcomes == (
        (
            request(client="one"),
            Unknown(reason="it waited so long that the chain may have forgotten it"),
        ),
    )


def test_a_request_that_is_newer_than_all_that_was_forgotten_is_applied() -> None:
    """It came in at a link after the forgotten ones: it is in none of them."""
    before = after(
        link_of(write("1", client="one")), link_of(write("2", client="two")), sessions_max=1
    )
    assert before.forgotten_before == 2

    snapshot, _ = applied(before, 3, link_of(write("3", client="one", since=2)), sessions_max=1)

    assert snapshot.value == "3"


def test_what_was_forgotten_never_becomes_less() -> None:
    """Later forgetting moves the mark up only."""
    before = Snapshot(
        sessions={"old": Session(sequence=1, link=2, result=True)}, forgotten_before=9
    )

    snapshot, _ = applied(before, 12, link_of(write("x", since=12)), sessions_max=1)

    assert snapshot.forgotten_before == 9


# -------------------------------------------------------------------------------- what became of it


def test_what_is_not_in_the_chain_has_no_outcome() -> None:
    """A client that was never seen, or a request after its newest one."""
    snapshot = after(link_of(write("x", 1)))

    assert outcome_so_far(snapshot, write("y", 1, "another")) is None
    assert outcome_so_far(snapshot, write("y", 2)) is None


def test_what_is_in_the_chain_has_its_first_outcome() -> None:
    """The newest request of a client is answered from memory."""
    snapshot = after(link_of(write("x", 1)), Nothing())

    assert outcome_so_far(snapshot, write("x", 1)) == Chosen(link=1, result=True)


# ------------------------------------------------------------------------------------------ changes


def test_the_changes_of_a_link_are_told_one_by_one() -> None:
    """Who watches sees each new value of a link, and none for what changed nothing."""
    link = link_of(
        write("x", client="one"),
        read(client="two"),
        write("x", client="three"),
        write("y", client="four"),
    )

    effect = apply_link(Snapshot(), 1, link, machine=Register(), sessions_max=9)

    assert effect.applied == (("SET", "x"), ("SET", "y"))
    assert changes_of(effect.applied, None, Register()) == ((None, "x"), (None, "y"))


def test_a_request_that_is_in_the_chain_already_changes_nothing() -> None:
    """A retry is no second change."""
    before = after(link_of(write("x")))

    effect = apply_link(before, 2, link_of(write("x")), machine=Register(), sessions_max=9)

    assert effect.applied == ()


def test_a_large_result_is_not_remembered() -> None:
    """A retry is told that it was done, and that what it returned is gone: sessions stay small."""
    machine = Dictionary()
    state = machine.initial().set("k", "x" * 2000)
    update = Update(request_id=request(), command=("SET", "k", "new", "GET"), since=0)

    effect = apply_link(Snapshot(value=state), 1, link_of(update), machine=machine, sessions_max=9)
    again = apply_link(effect.snapshot, 2, link_of(update), machine=machine, sessions_max=9)

    assert effect.outcomes == ((request(), Chosen(link=1, result="x" * 2000)),)
    assert again.outcomes == ((request(), Chosen(link=1, result=TOO_LARGE)),)


def test_a_command_that_means_nothing_here_is_answered_and_changes_nothing() -> None:
    """A link is chosen for good: no server may stop at it for ever, and all agree on its result."""
    odd = (("SING", "la"), ("SET",), ("CAS", "a", "b", "c"))
    link = link_of(
        *(
            Update(request_id=request(client=f"c{number}"), command=command, since=0)
            for number, command in enumerate(odd)
        )
    )

    effect = apply_link(Snapshot(value="x"), 1, link, machine=Register(), sessions_max=9)

    assert effect.snapshot.value == "x"
    assert len(effect.outcomes) == len(odd)
    assert all(
        isinstance(outcome, Chosen) and isinstance(outcome.result, Failure)
        for _, outcome in effect.outcomes
    )


class Listing(Register):
    """A machine whose writes return lists."""

    forms: ClassVar = {"LIST": CommandForm(usage="LIST length", arguments_min=1, arguments_max=1)}

    @override
    def apply(self, state: str | None, command: Command) -> tuple[str | None, Result]:
        return "listed", ("x",) * int(command[1])


@pytest.mark.parametrize("length, remembered", [(500, ("x",) * 500), (600, TOO_LARGE)])
def test_a_list_is_as_large_as_what_is_in_it(length: int, remembered: Result) -> None:
    """A result of many small parts is not small."""
    update = Update(request_id=request(), command=("LIST", str(length)), since=0)

    effect = apply_link(Snapshot(), 1, link_of(update), machine=Listing(), sessions_max=9)

    assert effect.snapshot.sessions[request().client].result == remembered


def test_the_results_of_a_pipeline_are_remembered_together() -> None:
    """Whoever asks again is told all of them again."""
    machine = Pipelining(Dictionary())
    command = pack([("SET", "a", "1"), ("SET", "b", "2")], reads=False)
    link = link_of(Update(request_id=RequestID("c", 1), command=command, since=1))

    effect = apply_link(Snapshot(value=machine.initial()), 1, link, machine=machine, sessions_max=9)
    again = apply_link(effect.snapshot, 2, link, machine=machine, sessions_max=9)

    assert (
        effect.outcomes
        == again.outcomes
        == ((RequestID("c", 1), Chosen(link=1, result=(True, True))),)
    )
