"""Rejoining: how a server without memory joins a chain, or founds one, without breaking it."""

import pytest
from tests.chain.support import (
    FOUNDERS,
    FOUNDING,
    Hand,
    events,
    link_of,
    refusals,
    sent,
    stored,
    timers,
    write,
)
from tests.strategies.support import PLAIN, instances, link_of_call, traced

from composable_paxos import Accept, AcceptorState, Prepare, Promise, ProposalID
from multipaxos.chain.durable import Snapshot
from multipaxos.chain.effects import Outbox, Timer
from multipaxos.chain.events import EventKind
from multipaxos.chain.links import Founders, Founding, Nothing
from multipaxos.chain.messages import CatchUp, IAmAt, OtherChain, Sync, WhereAreYou
from multipaxos.chain.register import Register
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.composition import compose
from multipaxos.simulation.cluster import SimulatedCluster
from multipaxos.strategies.rejoin import Rejoining

A2 = ProposalID(2, "A")
B2 = ProposalID(2, "B")
STRANGE = Founding(chain_id="chain-2", machine_kind="register", founders=(("B", "b"), ("C", "c")))


def lost(servers: str = "ABC", uid: str = "A") -> Hand:
    """Return a server that has just begun without memory."""
    hand = Hand(Rejoining, uid=uid, servers=servers, memoryless=True)
    hand.start()
    return hand


def founder() -> Hand:
    """Return a server that founds a chain with B and C, and knows no link yet."""
    hand = Hand(Rejoining, state=stored(founding=None, instance=0))
    hand.start()
    return hand


def tell(
    hand: Hand,
    sender: str,
    *,
    newborn: bool = False,
    at: int = 0,
    founders: Founders = (),
    founding: Founding | None = None,
    asked_in: str | None = None,
) -> Outbox:
    """Let *sender* answer where it is, to the question of the present life unless told."""
    message = IAmAt(
        asked_in=hand.value.birth if asked_in is None else asked_in,
        birth=f"birth-of-{sender}",
        newborn=newborn,
        may_have_voted_on=at,
        founders=founders,
        founding=founding,
    )
    return hand.receive(message, sender=sender, chain_id="")


def named(hand: Hand, *uids: str) -> Founders:
    """Name *uids* as founders, beside this server in its present life."""
    mine = (hand.value.uid, hand.value.birth)
    return tuple(sorted([mine, *((uid, f"birth-of-{uid}") for uid in uids)]))


# ------------------------------------------------------------------------------------------- asking


def test_a_server_without_memory_asks_all_others_and_asks_again() -> None:
    """It goes on asking every half second, under the name of its present life."""
    hand = Hand(Rejoining, memoryless=True)
    question = WhereAreYou(birth=hand.value.birth)

    for outbox in (hand.start(), hand.timeout(Timer.REJOIN)):
        assert sent(outbox) == [("B", question), ("C", question)]
        assert timers(outbox) == {Timer.REJOIN: 0.5}


def test_a_server_that_needs_nothing_asks_nobody() -> None:
    """It has its memory, its chain and its vote."""
    hand = Hand(Rejoining)

    assert hand.start() == Outbox()
    assert hand.timeout(Timer.REJOIN) == Outbox()


def test_a_founder_that_restarts_asks_the_others() -> None:
    """It does not know yet what became of its chain."""
    hand = Hand(Rejoining, state=stored(founding=None, instance=0))

    outbox = hand.start()

    assert sent(outbox, WhereAreYou) == [(uid, WhereAreYou(birth="birth-of-A")) for uid in "BC"]
    assert timers(outbox)[Timer.REJOIN] == 0.5


def test_an_answer_says_all_that_the_asker_must_know() -> None:
    """Where this server is, whom it founds with, and the chain's first link."""
    hand = Hand(Rejoining, state=stored(instance=7))

    outbox = hand.receive(WhereAreYou(birth="life-of-B"))

    answer = IAmAt(
        asked_in="life-of-B",
        birth="birth-of-A",
        newborn=False,
        may_have_voted_on=7,
        founders=FOUNDERS,
        founding=FOUNDING,
    )
    assert sent(outbox) == [("B", answer)]


@pytest.mark.parametrize("instance, votes_from, highest", [(7, 9, 8), (8, 9, 8), (9, 9, 9)])
def test_who_sits_links_out_itself_counts_as_having_voted_on_them(
    instance: int, votes_from: int, highest: int
) -> None:
    """In an earlier life it may have been as far as the last link that it sits out."""
    hand = Hand(Rejoining, state=stored(instance=instance, votes_from=votes_from))

    ((_, answer),) = sent(hand.receive(WhereAreYou(birth="b")))

    assert isinstance(answer, IAmAt)
    assert answer.may_have_voted_on == highest


@pytest.mark.parametrize(
    "state, newborn",
    [
        (None, True),
        (stored(founding=None, instance=0), True),
        (
            stored(
                founding=None,
                instance=0,
                acceptor=AcceptorState(promised_id=B2, accepted_id=B2, accepted_value=FOUNDING),
            ),
            False,
        ),
        (stored(founding=None, instance=0, votes_from=2), False),
        (stored(), False),
    ],
    ids=["without memory", "founder", "founder that accepted", "rejoined", "member"],
)
def test_newborn_is_who_cannot_be_part_of_any_chain_yet(state: object, newborn: bool) -> None:
    """Without memory, or founding and nothing accepted: no chain can have been chosen with it."""
    hand = lost() if state is None else Hand(Rejoining, state=state)  # type: ignore[arg-type]

    ((_, answer),) = sent(hand.receive(WhereAreYou(birth="b")), IAmAt)

    assert isinstance(answer, IAmAt)
    assert answer.newborn == newborn


def test_answers_to_an_earlier_life_do_not_count() -> None:
    """They may be older than what this server voted, and forgot, since."""
    hand = lost()

    tell(hand, "B", at=4, founding=FOUNDING, asked_in="an earlier life")
    outbox = tell(hand, "C", at=4, founding=FOUNDING)

    assert hand.value.memoryless
    assert outbox.save is None


# ----------------------------------------------------------------------------------------- founding


def test_all_are_new_a_chain_is_founded_at_once() -> None:
    """Nobody is missing: there is nobody who could know of a chain."""
    hand = lost()
    tell(hand, "B", newborn=True)

    outbox = tell(hand, "C", newborn=True)

    assert not hand.value.memoryless
    assert hand.state.founders == named(hand, "B", "C")
    assert outbox.save is not None
    (event,) = events(outbox, EventKind.FOUNDED)
    assert event.text == "founds a chain with A, B, C"
    assert event.details["founders"] == named(hand, "B", "C")


def test_the_other_founders_are_told() -> None:
    """Without being asked: they need not find out by themselves."""
    hand = lost()
    tell(hand, "B", newborn=True)

    outbox = tell(hand, "C", newborn=True)

    told = dict(sent(outbox, IAmAt))
    assert set(told) == set("BC")
    for uid, message in told.items():
        assert isinstance(message, IAmAt)
        assert message.asked_in == f"birth-of-{uid}"
        assert message.founders == hand.state.founders


def test_a_quorum_of_new_servers_waits_a_moment_for_the_others() -> None:
    """A server that starts a little later should be a founder too."""
    hand = lost()

    outbox = tell(hand, "B", newborn=True)

    assert timers(outbox) == {Timer.GRACE: hand.settings.founding_grace_seconds}
    assert hand.value.memoryless


def test_the_moment_is_not_prolonged_by_more_answers() -> None:
    """Answers that are repeated start no new wait."""
    hand = lost()
    tell(hand, "B", newborn=True)

    assert tell(hand, "B", newborn=True) == Outbox()


def test_after_the_moment_a_quorum_founds_alone() -> None:
    """Who is missing joins later, without having to have forgotten anything."""
    hand = lost()
    tell(hand, "B", newborn=True)

    hand.timeout(Timer.GRACE)

    assert hand.state.founders == named(hand, "B")


def test_who_comes_after_the_moment_but_completes_a_quorum_is_not_waited_for() -> None:
    """The moment passes once; after that a quorum is enough."""
    hand = lost("ABCDE")
    tell(hand, "B", newborn=True)
    tell(hand, "C", newborn=True)
    tell(hand, "D", at=3, founding=FOUNDING)
    hand.timeout(Timer.GRACE)
    assert hand.value.memoryless

    tell(hand, "D", newborn=True)

    assert hand.state.founders == named(hand, "B", "C", "D")


@pytest.mark.parametrize("servers, answering", [("ABC", ""), ("ABCD", "B"), ("ABCDE", "B")])
def test_less_than_a_quorum_of_new_servers_founds_nothing(servers: str, answering: str) -> None:
    """The others may keep a chain."""
    hand = lost(servers)
    for uid in answering:
        tell(hand, uid, newborn=True)

    hand.timeout(Timer.GRACE)

    assert hand.value.memoryless


def test_one_server_with_state_keeps_the_others_from_founding() -> None:
    """There is a chain: it must be joined, not doubled."""
    hand = lost()
    tell(hand, "B", newborn=True)

    outbox = tell(hand, "C", at=4, founding=FOUNDING)
    hand.timeout(Timer.GRACE)

    assert hand.value.memoryless
    assert events(outbox, EventKind.WAITING) != []


def test_a_single_server_founds_alone() -> None:
    """It is its own quorum."""
    hand = Hand(compose(PLAIN), servers="A", memoryless=True)

    outbox = hand.start()

    assert outbox.save is not None
    assert hand.state.founding is not None
    assert hand.state.founding.founders == (("A", hand.value.birth),)
    assert hand.state.instance == 1


@pytest.mark.parametrize("newborn", [True, False])
def test_who_is_named_among_anothers_founders_founds_too(newborn: bool) -> None:
    """With its present life it cannot have forgotten a vote in that chain."""
    hand = lost()
    founders = named(hand, "B")

    tell(hand, "B", newborn=newborn, founders=founders)

    assert not hand.value.memoryless
    assert hand.state.founders == founders
    assert hand.state.votes_from == 0


def test_who_is_named_with_an_earlier_life_does_not_found() -> None:
    """That life may have voted; this one does not know on what."""
    hand = lost()

    tell(hand, "B", founders=FOUNDERS, at=0)

    assert hand.value.memoryless


def test_only_the_first_founder_proposes_link_0() -> None:
    """All have the same wish; without an order they would duel."""
    first, second = lost(), lost(uid="B")
    for hand, others in ((first, "BC"), (second, "AC")):
        for uid in others:
            tell(hand, uid, newborn=True)

    assert first.value.may_propose()
    assert not second.value.may_propose()
    founding = first.value.paxos.wish
    assert isinstance(founding, Founding)
    assert founding.founders == first.state.founders
    assert founding.machine_kind == "register"
    assert len(founding.chain_id) == 16


def test_another_founder_steps_in_when_the_first_one_is_slow() -> None:
    """Half a second is patience enough."""
    hand = lost(uid="B")
    for uid in "AC":
        tell(hand, uid, newborn=True)

    hand.timeout(Timer.REJOIN)

    assert hand.value.may_propose()
    assert isinstance(hand.value.paxos.wish, Founding)


def test_a_server_without_memory_never_steps_in() -> None:
    """It has nothing to found yet."""
    hand = lost()

    hand.timeout(Timer.REJOIN)

    assert not hand.value.may_propose()
    assert hand.value.paxos.wish is None


def test_link_0_comes_before_all_updates() -> None:
    """No other link can stand there."""
    hand = founder()
    hand.write("x")
    hand.timeout(Timer.REJOIN)

    first_wish = hand.value.paxos.wish
    hand.decide(FOUNDING)

    assert isinstance(first_wish, Founding)
    assert hand.value.paxos.wish == link_of(write("x", since=0))


# -------------------------------------------------------------------------------- votes of founders


def test_a_founder_votes_for_proposers_who_name_it() -> None:
    """Its vote makes it part of the quorum that chooses the first link."""
    hand = founder()
    tell(hand, "B", newborn=True, founders=FOUNDERS)

    outbox = hand.receive(Prepare(proposal_id=B2))

    assert [type(message) for _, message in sent(outbox)] == [Promise]


@pytest.mark.parametrize(
    "founders", [None, (("A", "another life"), ("B", "birth-of-B")), (("B", "birth-of-B"),)]
)
@pytest.mark.parametrize(
    "message", [Prepare(proposal_id=B2), Accept(proposal_id=B2, value=STRANGE)], ids=type
)
def test_a_founder_does_not_vote_for_who_founds_without_it(
    message: Prepare | Accept, founders: Founders | None
) -> None:
    """A chain has the quorum that chose its first link."""
    hand = founder()
    if founders is not None:
        tell(hand, "B", newborn=True, founders=founders)

    outbox = hand.receive(message)

    assert sent(outbox) == []
    assert refusals(outbox) == ["B founds a chain without A"]
    assert outbox.save is None


def test_number_1_has_no_owner_among_founders() -> None:
    """The reason that holds for everybody is the one that is told."""
    outbox = founder().receive(Prepare(proposal_id=ProposalID(1, "B")))

    assert refusals(outbox) == ["number 1 belongs to the master, nobody"]


def test_a_founder_votes_for_itself() -> None:
    """It needs nobody's word for being a founder."""
    hand = founder()
    hand.value.broadcast(Prepare(proposal_id=A2))

    outbox = hand.value.take_outbox()

    assert outbox.save is not None
    assert outbox.save.state.acceptor.promised_id == A2


def test_once_link_0_is_known_everybody_is_voted_for() -> None:
    """Who founded what with whom is of no concern any more."""
    hand = Hand(Rejoining)

    assert sent(hand.receive(Prepare(proposal_id=B2)), Promise) != []


def test_the_reasons_of_others_come_first() -> None:
    """A link that is sat out is sat out, whoever proposes."""
    hand = Hand(Rejoining, state=stored(founding=None, instance=0, votes_from=2))

    outbox = hand.receive(Prepare(proposal_id=B2))

    assert refusals(outbox) == ["no votes below link 2: some may have been forgotten"]


# ---------------------------------------------------------------------------------------- rejoining


def test_a_majority_with_state_tells_which_links_to_sit_out() -> None:
    """All up to one beyond the highest of theirs: this server may have voted there."""
    hand = lost()
    tell(hand, "B", at=4, founding=FOUNDING)

    outbox = tell(hand, "C", at=7, founding=FOUNDING)

    assert hand.state.votes_from == 9
    assert hand.state.founding == FOUNDING
    assert hand.state.founders == ()
    assert outbox.save is not None
    (event,) = events(outbox, EventKind.REJOINED)
    assert event.text == "has no memory of its votes: sits out the links below 9"
    assert event.details["votes_from"] == 9


@pytest.mark.parametrize("newborn", [True, False], ids=["founding", "rejoining"])
def test_who_has_found_its_place_takes_up_work(newborn: bool) -> None:
    """The other strategies are told: here, synchronization begins."""
    hand = Hand(compose(("rejoin", "sync")), memoryless=True)
    started = hand.start()
    tell(hand, "B", newborn=newborn, founding=None if newborn else FOUNDING)

    outbox = tell(hand, "C", newborn=newborn, founding=None if newborn else FOUNDING)

    assert Timer.SYNC not in timers(started)
    assert timers(outbox)[Timer.SYNC] == 10.0
    assert [uid for uid, _ in sent(outbox, Sync)] == ["B", "C"]


@pytest.mark.parametrize("servers, enough", [("ABC", 2), ("ABCD", 3), ("ABCDE", 3)])
def test_the_majority_is_of_the_cluster_without_the_asker(servers: str, enough: int) -> None:
    """Itself not counted: any quorum that ever closed a link shares a server with them."""
    hand = lost(servers)
    for uid in servers[1:enough]:
        tell(hand, uid, at=4, founding=FOUNDING)
    assert hand.value.memoryless

    tell(hand, servers[enough], at=4, founding=FOUNDING)

    assert not hand.value.memoryless


def test_servers_without_memory_do_not_count_for_the_majority() -> None:
    """They know nothing."""
    hand = lost("ABCDE")
    for uid in "BC":
        tell(hand, uid, at=4, founding=FOUNDING)

    tell(hand, "D", newborn=True, at=99)

    assert hand.value.memoryless


def test_the_newest_answer_of_each_server_counts() -> None:
    """Two answers of one server are one voice."""
    hand = lost()
    tell(hand, "B", at=4, founding=FOUNDING)
    tell(hand, "B", at=5, founding=FOUNDING)
    assert hand.value.memoryless

    tell(hand, "C", at=4, founding=FOUNDING)

    assert hand.state.votes_from == 7


def test_the_chain_is_named_by_any_who_know_it() -> None:
    """Some founders may not have learned link 0 yet."""
    hand = lost()
    tell(hand, "B", at=0)

    tell(hand, "C", at=1, founding=FOUNDING)

    assert hand.state.founding == FOUNDING
    assert hand.state.votes_from == 3


def test_a_chain_without_a_first_link_is_joined_unnamed() -> None:
    """The others found it; this server takes their word when it comes, and never proposes it."""
    hand = lost()
    tell(hand, "B", at=0)
    tell(hand, "C", at=0)
    assert (hand.state.founding, hand.state.votes_from) == (None, 2)
    hand.timeout(Timer.REJOIN)
    assert not hand.value.may_propose()

    hand.decide(FOUNDING)

    assert hand.state.founding == FOUNDING


def test_two_different_chains_are_waited_out() -> None:
    """Which of them this server belongs to, nobody can tell it; a person is told to decide."""
    hand = lost()
    tell(hand, "B", at=4, founding=FOUNDING)

    outbox = tell(hand, "C", at=7, founding=STRANGE)

    assert hand.value.memoryless
    assert outbox.save is None
    (event,) = outbox.events
    assert event.kind is EventKind.WAITING
    assert "different chains" in event.text


def test_only_a_server_without_memory_waits_for_word() -> None:
    """It can say whose; one that has its memory waits for nobody, nor does one that never asks."""
    without_memory = lost("ABCDE")
    tell(without_memory, "B", at=4, founding=FOUNDING)

    assert without_memory.value.waits_for() == ("C", "D", "E")
    assert Hand(Rejoining).value.waits_for() == ()
    assert Hand(BaseReplicatedValue).value.waits_for() == ()


def test_waiting_is_told_when_it_changes() -> None:
    """Not with every question: a log that repeats itself is not read."""
    hand = lost("ABCDE")

    first = tell(hand, "B", at=4, founding=FOUNDING)
    again = tell(hand, "B", at=4, founding=FOUNDING)
    second = tell(hand, "C", at=4, founding=FOUNDING)

    (event,) = events(first, EventKind.WAITING)
    assert event.text == "has no memory: waits for word of C, D, E"
    assert event.details["waits_for"] == ("C", "D", "E")
    assert events(again, EventKind.WAITING) == []
    (event,) = events(second, EventKind.WAITING)
    assert event.details["waits_for"] == ("D", "E")


def test_one_of_two_servers_that_lost_its_state_stops_with_advice() -> None:
    """One other server is no majority, however long one waits."""
    hand = lost("AB")

    outbox = tell(hand, "B", at=4, founding=FOUNDING)

    assert outbox.halt is not None
    assert outbox.halt.startswith("A has lost its state, and one other server is no majority")
    assert "Bring back the state file that was lost, not an older copy" in outbox.halt


def test_two_new_servers_found_a_chain() -> None:
    """Neither has lost anything."""
    hand = lost("AB")

    outbox = tell(hand, "B", newborn=True)

    assert outbox.halt is None
    assert hand.state.founders == named(hand, "B")


def test_a_server_that_rejoined_asks_for_the_gap_to_be_closed() -> None:
    """Every half second all others hear which links it waits for, until they are closed."""
    hand = Hand(Rejoining, state=stored(instance=1, votes_from=3))
    message = Sync(votes_from=3)

    for outbox in (hand.start(), hand.timeout(Timer.REJOIN)):
        assert sent(outbox) == [("B", message), ("C", message)]
        assert timers(outbox) == {Timer.REJOIN: 0.5}
    hand.decide(Nothing())
    hand.decide(Nothing())
    assert hand.timeout(Timer.REJOIN) == Outbox()


# ------------------------------------------------------------------------------------------ helping


def test_an_idle_server_closes_the_gap_with_nothing() -> None:
    """Link after link, up to the first one on which the other votes again."""
    hand = Hand(Rejoining)

    hand.receive(Sync(votes_from=3))
    assert hand.value.paxos.wish == Nothing()
    hand.decide(Nothing())
    assert hand.value.paxos.wish == Nothing()
    hand.decide(Nothing())

    assert hand.value.instance == 3
    assert hand.value.paxos.wish is None


def test_updates_close_the_gap_as_well() -> None:
    """Where there is something to decide, no link is wasted."""
    hand = Hand(Rejoining)
    hand.receive(Sync(votes_from=4))
    hand.write("x")

    hand.decide(Nothing())

    assert hand.value.paxos.wish == link_of(write("x"))


def test_the_widest_gap_counts() -> None:
    """A second server that waits for less changes nothing."""
    hand = Hand(Rejoining)
    hand.receive(Sync(votes_from=3))

    hand.receive(Sync(votes_from=2), sender="C")
    hand.decide(Nothing())

    assert hand.value.paxos.wish == Nothing()


@pytest.mark.parametrize("votes_from, believed", [(1001, True), (1002, False)])
def test_a_gap_that_is_not_plausible_is_not_closed(votes_from: int, believed: bool) -> None:
    """One forged message must not fill the chain with nothing."""
    hand = Hand(Rejoining)

    hand.receive(Sync(votes_from=votes_from))

    assert (hand.value.paxos.wish == Nothing()) == believed


def test_an_ordinary_sync_asks_for_no_link() -> None:
    """Nobody sits anything out: silence."""
    hand = Hand(Rejoining)

    assert hand.receive(Sync(votes_from=0)) == Outbox()
    assert hand.value.paxos.wish is None


# ---------------------------------------------------------------------------------- other foundings


def test_a_founder_of_a_chain_that_came_to_nothing_joins_the_one_that_there_is() -> None:
    """A majority keeps a chain without it: it may have voted there in an earlier life."""
    hand = founder()

    first = tell(hand, "B", at=4, founding=STRANGE)
    outbox = tell(hand, "C", at=4, founding=STRANGE)

    assert first == Outbox()
    assert hand.state.founding == STRANGE
    assert hand.state.founders == ()
    assert hand.state.votes_from == 6
    assert events(outbox, EventKind.REJOINED) != []


def test_a_founder_stays_with_a_chain_that_names_it() -> None:
    """It waits for its catch-up, and keeps its votes."""
    hand = founder()

    for uid in "BC":
        tell(hand, uid, at=4, founding=FOUNDING)

    assert hand.state.votes_from == 0
    assert hand.state.founding is None


def test_a_founder_does_not_leave_for_those_who_only_found_as_well() -> None:
    """Their chain has no first link yet: this server's own may come first."""
    hand = founder()

    for uid in "BC":
        tell(hand, uid, at=0, founders=STRANGE.founders)

    assert hand.state.votes_from == 0


def test_a_member_of_a_chain_never_leaves_it() -> None:
    """Whatever others say: it knows its chain."""
    hand = Hand(Rejoining)

    for uid in "BC":
        tell(hand, uid, at=4, founding=STRANGE)

    assert hand.state == stored()


def test_a_founder_does_not_learn_a_first_link_without_its_name() -> None:
    """It may have voted for another chain; a majority must tell it first what to do."""
    hand = founder()

    by_votes = hand.decide(STRANGE)
    by_catch_up = hand.catch_up(5, Snapshot(), STRANGE)

    assert (by_votes, by_catch_up) == (Outbox(), Outbox())
    assert hand.state.founding is None
    assert hand.state.instance == 0


def test_a_founder_learns_the_first_link_that_names_it() -> None:
    """By votes or by catch-up."""
    by_votes = founder()
    by_catch_up = Hand(compose(("rejoin", "sync")), state=stored(founding=None, instance=0))

    by_votes.decide(FOUNDING)
    by_catch_up.catch_up(5, Snapshot())

    assert by_votes.state.founding == FOUNDING
    assert by_catch_up.state.founding == FOUNDING
    assert by_catch_up.state.instance == 5


@pytest.mark.parametrize(
    "state",
    [stored(founding=STRANGE), stored(founding=None, instance=0, votes_from=2)],
    ids=["member", "rejoined"],
)
def test_a_server_that_knows_its_place_needs_no_name_in_link_0(state: object) -> None:
    """It is a member already, or sits out what it may have forgotten."""
    hand = Hand(compose(("rejoin", "sync")), state=state)  # type: ignore[arg-type]

    hand.catch_up(5, Snapshot(), STRANGE)

    assert hand.state.instance == 5


class Dictionary(Register):
    """Another kind of state machine."""

    kind = "dictionary"


@pytest.mark.parametrize("way", ["votes", "catch-up"])
def test_a_server_of_another_kind_stops(way: str) -> None:
    """Its state machine could not make sense of the chain's commands."""
    hand = Hand(
        compose(("rejoin", "sync")),
        state=stored(founding=None, instance=0),
        machine=Dictionary(),
    )

    outbox = hand.decide(FOUNDING) if way == "votes" else hand.catch_up(5, Snapshot())

    assert outbox.halt == (
        "This chain keeps a register, this server was started with a dictionary: "
        "start it with the chain's kind, --state register."
    )
    assert hand.state.instance == 0


def test_a_server_of_another_kind_without_memory_stops_before_it_votes() -> None:
    """It learns of the chain's kind from the others, and would not understand one command of it."""
    hand = Hand(Rejoining, memoryless=True, machine=Dictionary())
    hand.start()

    tell(hand, "B", at=4, founding=FOUNDING)
    outbox = tell(hand, "C", at=4, founding=FOUNDING)

    assert outbox.halt is not None
    assert outbox.halt.startswith("This chain keeps a register, this server was started with a")
    assert hand.value.memoryless


# ------------------------------------------------------------------------------------- other chains


def test_a_server_whose_chain_is_not_the_majoritys_stops() -> None:
    """It says which chains there are, and never to throw away what may be the only copy."""
    hand = Hand(Rejoining)
    first = hand.receive(OtherChain(), sender="B", chain_id="chain-2")

    outbox = hand.receive(OtherChain(), sender="C", chain_id="chain-2")

    assert first.halt is None
    assert outbox.halt == (
        "The other servers keep chain chain-2, at link 1; this server's state is of chain chain-1, "
        "at link 1. A majority must have lost its state and begun a new chain: this server may "
        "hold the only copy of values that clients were told are chosen. Keep its state file. To "
        "let the server join the others, move the file to a safe place and start it again."
    )


def test_late_news_of_the_own_chain_stop_nobody() -> None:
    """They were sent to an earlier life, which kept another chain and was wiped since."""
    hand = Hand(Rejoining)

    outboxes = [hand.receive(OtherChain(), sender=uid, chain_id="chain-1") for uid in "BC"]

    assert outboxes == [Outbox(), Outbox()]


@pytest.mark.parametrize("second", [("B", "chain-2"), ("C", "chain-3")])
def test_a_minority_of_another_chain_stops_nobody(second: tuple[str, str]) -> None:
    """The word of one server, however often, or of two that differ, is not enough."""
    hand = Hand(Rejoining)
    hand.receive(OtherChain(), sender="B", chain_id="chain-2")
    sender, chain_id = second

    outbox = hand.receive(OtherChain(), sender=sender, chain_id=chain_id)

    assert outbox.halt is None


# ----------------------------------------------------------------------------------- whole clusters


@pytest.mark.parametrize("servers", ["A", "AB", "ABC", "ABCDE"])
@pytest.mark.parametrize("seed", range(2))
def test_new_servers_found_one_chain(servers: str, seed: int) -> None:
    """They start without state and serve their clients soon after."""
    cluster = SimulatedCluster(tuple(servers), strategies=PLAIN, seed=seed)
    cluster.start()
    call = cluster.submit("A", ("SET", "x"))

    cluster.run_for(3.0)

    assert link_of_call(call) == 1
    foundings = {server.replica.founding for server in cluster.live()}
    assert len(foundings) == 1
    assert {uid for f in foundings if f for uid, _ in f.founders} == set(servers)


def test_a_late_server_joins_the_chain_that_the_others_founded() -> None:
    """It was not there at the founding: it catches up, sits two links out and then votes."""
    cluster = SimulatedCluster(strategies=PLAIN)
    cluster.start("A", "B")
    cluster.run_for(5.0)
    cluster.submit("A", ("SET", "x"))
    cluster.run_for(1.0)
    m = max(instances(cluster))

    cluster.start("C")
    cluster.run_for(3.0)

    late = cluster.servers["C"].replica
    assert late.votes_from == m + 2
    assert late.instance >= m + 2
    assert late.snapshot.value == "x"
    assert instances(cluster) == [late.instance] * 3


def test_a_server_that_lost_its_state_votes_again_when_the_gap_is_closed() -> None:
    """Then the cluster can do without another one."""
    cluster = SimulatedCluster(strategies=PLAIN, founded=True)
    cluster.start()
    cluster.submit("A", ("SET", "x"))
    cluster.run_for(1.0)
    cluster.crash("C")
    cluster.wipe("C")
    cluster.restart("C")
    cluster.run_for(3.0)
    cluster.crash("B")

    call = cluster.submit("A", ("SET", "y"))
    cluster.run_for(5.0)

    assert link_of_call(call) >= 4
    assert cluster.servers["C"].replica.snapshot.value == "y"


def test_a_server_that_lost_its_state_while_another_is_away_waits() -> None:
    """One other server is no majority: nothing is decided with the help of the forgetful one."""
    cluster = SimulatedCluster(strategies=PLAIN, founded=True)
    cluster.start()
    cluster.submit("A", ("SET", "x"))
    cluster.run_for(1.0)
    for uid in "BC":
        cluster.crash(uid)
    cluster.wipe("C")
    cluster.restart("C")

    call = cluster.submit("A", ("SET", "y"))
    cluster.run_for(30.0)

    assert cluster.unanswered == [call]
    waiting = traced(cluster, "waiting", server="C")
    assert [event.fields["waits_for"] for event in waiting] == [["A", "B"], ["B"]]
    assert cluster.servers["C"].replica.memoryless


def test_a_founder_that_crashes_in_the_middle_does_not_spoil_the_chain() -> None:
    """It returns without its state; the others found with it as it is now."""
    cluster = SimulatedCluster(strategies=PLAIN)
    cluster.start("A", "B")
    assert cluster.run_until(lambda: bool(traced(cluster, "founded")), limit_seconds=5.0)
    (founded,) = traced(cluster, "founded")
    (other,) = [uid for uid in "AB" if uid != founded.server]
    cluster.crash(other)
    cluster.start(other, "C")

    cluster.run_for(10.0)

    assert len({server.replica.founding for server in cluster.live()}) == 1
    assert min(instances(cluster)) >= 1


def test_catch_up_carries_the_founding() -> None:
    """Who missed link 0 learns the chain's name with the rest."""
    hand = Hand(compose(("rejoin", "sync")), state=stored(instance=5))

    ((_, message),) = sent(hand.receive(Sync(votes_from=0), instance=0, chain_id=""), CatchUp)

    assert message == CatchUp(founding=FOUNDING, snapshot=Snapshot())
