"""Group commit: what must be on the disk before a message leaves is there, whatever else waits."""

import pytest
from tests.chain.support import (
    LOWEST_B,
    Hand,
    link_of,
    request,
    sent,
    stored,
    timers,
    write,
)
from tests.strategies.support import others, result_of, running_with_master
from typing_extensions import override

from composable_paxos import (
    LOWEST,
    Accept,
    Accepted,
    AcceptorState,
    Nack,
    Prepare,
    Promise,
    ProposalID,
)
from multipaxos.chain.durable import DecidedLink, Snapshot
from multipaxos.chain.effects import Answer, Outbox, Timer
from multipaxos.chain.links import Founding, Link, Nothing
from multipaxos.chain.messages import Decided, IAmAt, WhereAreYou
from multipaxos.chain.requests import Chosen
from multipaxos.composition import compose
from multipaxos.simulation.disk import Cut
from multipaxos.strategies.group_commit import DECIDED_LINKS_MAX, GroupCommit

BEHIND = compose(("lease", "replay", "early", "sync", "resolution", "group-commit"))
COMMITTING = compose(("rejoin", "sync", "resolution", "group-commit"))
LEADING = compose(("master", "lease", "resolution", "group-commit"))
A1, A2, B3 = ProposalID(1, "A"), ProposalID(2, "A"), ProposalID(3, "B")
X, Y = link_of(write("x", client="x")), link_of(write("y", client="y"))


def server(**arguments: object) -> Hand:
    """Return a server that has started at link 1."""
    hand = Hand(COMMITTING, **arguments)  # type: ignore[arg-type]
    hand.start()
    return hand


def promise(uid: str = "B", number: ProposalID = A2) -> Promise:
    """Make a promise of a server that has accepted nothing."""
    return Promise(acceptor=uid, proposal_id=number, accepted_id=LOWEST, accepted_value=None)


def accepted(uid: str, link: Link, number: ProposalID = LOWEST_B) -> Accepted:
    """Make an acceptance of *link*."""
    return Accepted(acceptor=uid, proposal_id=number, value=link)


# ---------------------------------------------------------------------------------- decided links


def test_a_decided_link_is_not_saved_by_itself() -> None:
    """The disks of a quorum hold the votes that decided it: who goes back learns it again."""
    outbox = server().decide(X)

    assert outbox.save is None
    assert timers(outbox)[Timer.SETTLE] == 0.1


def test_it_is_saved_with_the_next_vote() -> None:
    """With its place in the history, and those before it."""
    hand = server()
    hand.decide(X)
    hand.decide(Y)

    outbox = hand.receive(Accept(proposal_id=LOWEST_B, value=Nothing()))

    assert outbox.save is not None
    assert outbox.save.state == hand.state
    assert outbox.save.state.instance == 3
    assert outbox.save.decided == (DecidedLink(number=1, link=X), DecidedLink(number=2, link=Y))
    assert outbox.early == ()


def test_where_no_vote_follows_it_is_saved_after_a_moment() -> None:
    """So that a server that is started again need not ask the others."""
    hand = server()
    hand.decide(X)

    outbox = hand.timeout(Timer.SETTLE)

    assert outbox.save is not None
    assert outbox.save.decided == (DecidedLink(number=1, link=X),)
    assert hand.timeout(Timer.SETTLE) == Outbox()


def test_the_moment_is_counted_once() -> None:
    """From the first link that waits; the next one sets it anew after that."""
    hand = server()
    first = hand.decide(X)
    second = hand.decide(Y)
    hand.timeout(Timer.SETTLE)
    third = hand.decide(Nothing())

    settling = [Timer.SETTLE in timers(outbox) for outbox in (first, second, third)]

    assert settling == [True, False, True]


def test_a_moment_that_a_vote_has_cut_short_saves_nothing() -> None:
    """All is on the disk already."""
    hand = server()
    hand.decide(X)
    hand.receive(Prepare(proposal_id=B3))

    assert hand.timeout(Timer.SETTLE) == Outbox()


def test_many_links_do_not_wait() -> None:
    """Who is started again should not have much to ask for."""
    hand = server()

    saves = [hand.decide(Nothing()).save is not None for _ in range(DECIDED_LINKS_MAX + 1)]

    assert saves == [False] * DECIDED_LINKS_MAX + [True]


def test_links_that_were_caught_up_with_wait_like_others() -> None:
    """A helper tells what was decided; whoever forgets that is told again."""
    hand = server()

    outbox = hand.catch_up(7, Snapshot(value="caught"))

    assert outbox.save is None
    assert hand.state.instance == 7


def test_who_goes_back_has_taken_no_vote_back() -> None:
    """What is on the disk is the last vote; the links since are learned again."""
    hand = server()
    vote = hand.receive(Accept(proposal_id=LOWEST_B, value=X)).save
    assert vote is not None
    hand.receive(accepted("B", X))
    hand.decide(Y)
    assert hand.state.instance == 3

    again = server(state=vote.state)

    assert again.state.instance == 1
    assert again.state.acceptor == AcceptorState(
        promised_id=LOWEST_B, accepted_id=LOWEST_B, accepted_value=X
    )
    again.catch_up(3, hand.state.snapshot)
    assert again.state == hand.state


# ------------------------------------------------------------------------------------------- votes


@pytest.mark.parametrize(
    "message, reply",
    [(Prepare(proposal_id=B3), Promise), (Accept(proposal_id=B3, value=X), Accepted)],
)
def test_a_vote_leaves_after_its_save(message: Prepare | Accept, reply: type) -> None:
    """SavedBeforeSent: after a crash the server would not know what it has promised."""
    outbox = server().receive(message)

    assert outbox.early == ()
    assert outbox.save is not None
    assert sent(outbox, reply) != []


def test_the_own_promise_is_saved_before_others_are_asked_for_theirs() -> None:
    """Its number is what a later life counts on from."""
    outbox = server().write("x")

    assert outbox.early == ()
    assert outbox.save is not None
    assert outbox.save.state.acceptor.promised_id == A2
    assert sent(outbox, Prepare) != []


def test_a_refusal_that_repeats_what_is_on_the_disk_needs_no_save() -> None:
    """Nor does anything else that says nothing new."""
    hand = server()
    hand.receive(Prepare(proposal_id=B3))

    outbox = hand.receive(Prepare(proposal_id=LOWEST_B))

    assert outbox.save is None
    assert sent(outbox) == [
        ("B", Nack(acceptor="A", proposal_id=LOWEST_B, promised_id=B3)),
    ]


def test_what_else_binds_a_server_is_saved_at_once() -> None:
    """Which chain it is of, whom it founds it with, and which links it sits out."""
    found = Hand(COMMITTING, memoryless=True)
    found.start()
    outbox = found.timeout(Timer.GRACE)
    assert outbox.save is None
    for uid in "BC":
        answer = IAmAt(
            asked_in=found.value.birth,
            birth=uid,
            newborn=False,
            may_have_voted_on=4,
            founders=(),
            founding=None,
        )
        outbox = found.receive(answer, sender=uid, instance=0, chain_id="")

    assert outbox.save is not None
    assert outbox.save.state.votes_from == 6


# ------------------------------------------------------------------------------- what leaves early


def test_an_accept_overtakes_the_save_of_its_proposers_own_acceptance() -> None:
    """It says what the proposer wants, under a number that it has promised on its disk."""
    hand = server()
    hand.write("x")

    outbox = hand.receive(promise())

    assert [type(envelope.message) for envelope in outbox.early] == [Accept, Accept]
    assert outbox.save is not None
    assert outbox.save.state.acceptor.accepted_id == A2
    assert {type(envelope.message) for envelope in outbox.send} == {Accepted}


def test_an_accept_waits_while_its_number_is_promised_nowhere() -> None:
    """A later life would use it again. Where one promise is a quorum, no earlier save holds it."""

    class Alone(GroupCommit):
        """Asks to accept in the same event in which the number is promised."""

        @override
        def timeout(self, timer: Timer) -> None:
            super().timeout(timer)
            self.paxos.wish = X
            prepare = self.paxos.prepare()
            self.send(self.uid, prepare)
            self.send_accept(Accept(proposal_id=prepare.proposal_id, value=X))

    hand = Hand(Alone)

    outbox = hand.timeout(Timer.TAKEOVER)

    assert outbox.early == ()
    assert [message for _, message in sent(outbox, Accept)] == [Accept(proposal_id=A2, value=X)] * 2


def test_a_masters_accept_overtakes_the_save_although_nothing_was_promised() -> None:
    """Number 1 is its own behind a bid of this life; no later life uses it for this link."""
    hand = Hand(LEADING)
    hand.start()
    hand.timeout(Timer.ELECTION)
    hand.receive(promise())
    hand.receive(accepted("B", hand.value.paxos.value, A2))

    outbox = hand.write("x")

    assert [envelope.message for envelope in outbox.early] == [
        Accept(proposal_id=A1, value=link_of(write("x", since=2)))
    ] * 2
    assert outbox.save is not None


def test_a_client_is_answered_before_the_save_of_the_next_link() -> None:
    """What it is told was decided before: the save is about votes in the link after it."""
    hand = server()
    hand.write("x")
    hand.receive(promise())
    hand.write("y", client="other")

    outbox = hand.receive(accepted("B", link_of(write("x")), A2))

    assert outbox.save is not None
    assert outbox.early_answers == (
        Answer(request_id=request(), outcome=Chosen(link=1, result=True)),
    )
    assert outbox.answers == ()


def test_where_nothing_is_saved_nothing_is_early() -> None:
    """The parts of an outbox say what waits for the save, and there is none."""
    hand = server()
    hand.write("x")
    hand.receive(promise())

    outbox = hand.receive(accepted("B", link_of(write("x")), A2))

    assert (outbox.save, outbox.early, outbox.early_answers) == (None, (), ())
    assert len(outbox.answers) == 1


# -------------------------------------------------------------------------------- votes at stake


def deciding_with_its_own_vote() -> tuple[Hand, Outbox]:
    """Let a server hear of B's acceptance first, and then be asked for its own: a quorum."""
    hand = server()
    hand.write("mine")
    hand.receive(accepted("B", X, B3))
    return hand, hand.receive(Accept(proposal_id=B3, value=X))


def test_what_follows_from_the_own_vote_waits_for_its_save() -> None:
    """The link is decided by what is on disks, and this vote is not there yet."""
    hand, outbox = deciding_with_its_own_vote()

    assert hand.value.instance == 2
    assert outbox.early == ()
    assert outbox.early_answers == ()
    assert outbox.save is not None
    assert outbox.save.state.instance == 2
    assert sent(outbox, Accepted) != []


def test_an_answer_that_follows_from_the_own_vote_waits_for_its_save() -> None:
    """After a crash the vote would be gone, and another value could be chosen."""
    hand = server()
    hand.submit(request(1, "x"), ("SET", "x"))
    hand.receive(accepted("B", X, B3))

    outbox = hand.receive(Accept(proposal_id=B3, value=X))

    assert outbox.early_answers == ()
    assert [answer.request_id for answer in outbox.answers] == [request(1, "x")]


def test_after_that_save_things_leave_early_again() -> None:
    """What was at stake is on the disk."""
    hand, _ = deciding_with_its_own_vote()
    number = hand.value.paxos.proposal_id

    outbox = hand.receive(promise(number=number))

    assert [type(envelope.message) for envelope in outbox.early] == [Accept, Accept]


def test_a_link_that_the_own_vote_decides_is_saved_at_once() -> None:
    """Its votes are those of a link that is left: what is saved later would not hold them."""
    _, outbox = deciding_with_its_own_vote()

    assert outbox.save is not None
    assert outbox.save.decided == (DecidedLink(number=1, link=X),)


def test_a_round_of_a_link_that_ends_in_the_same_event_does_not_leave_before_a_save() -> None:
    """
    A server begins a round, and learns in the same event that the link is decided already.

    It does not come to vote on its own request, so it has no vote to save; but the request leaves,
    and after a crash the same number must not be used again on that link.
    """
    hand = Hand(BEHIND)
    hand.start()
    hand.write("x")
    link = link_of(write("x"))
    for uid in "BC":
        early = Accepted(acceptor=uid, proposal_id=LOWEST_B, value=link)
        hand.receive(early, sender=uid, instance=2)
    before = DecidedLink(number=1, link=link_of(write("y", client="other")))

    outbox = hand.receive(Decided(links=(before,)), instance=2)

    assert hand.value.instance == 3
    assert [envelope.instance for envelope in outbox.sent] == [2, 2]
    assert {type(message) for _, message in sent(outbox)} == {Prepare}
    assert outbox.early == ()
    assert outbox.save is not None
    assert outbox.save.state.instance == 3


# --------------------------------------------------------------------------------------- founding


def test_the_first_link_waits_for_its_proposers_own_acceptance() -> None:
    """
    Who has accepted nothing counts as newborn, and newborns may found another chain.

    Had A's Accept left and not its acceptance been saved, then B and C could choose link 0, C lose
    its disk, and A and C begin a second chain.
    """
    hand = Hand(COMMITTING, state=stored(instance=0, founding=None))
    hand.start()
    hand.timeout(Timer.REJOIN)
    number = hand.value.paxos.proposal_id

    outbox = hand.receive(promise(number=number), instance=0, chain_id="")

    assert isinstance(hand.value.paxos.wish, Founding)
    assert outbox.early == ()
    assert outbox.save is not None
    assert outbox.save.state.acceptor.accepted_id == number
    assert len(sent(outbox, Accept)) == 2


def test_a_proposer_of_the_first_link_is_no_newborn_any_more_once_others_are_asked() -> None:
    """What A says after its restart tells a server without memory that there may be a chain."""
    hand = Hand(COMMITTING, state=stored(instance=0, founding=None))
    hand.start()
    hand.timeout(Timer.REJOIN)
    outbox = hand.receive(promise(number=hand.value.paxos.proposal_id), instance=0, chain_id="")
    assert outbox.save is not None

    again = Hand(COMMITTING, state=outbox.save.state)
    again.start()
    answer = again.receive(WhereAreYou(birth="c"), sender="C", instance=0, chain_id="")

    ((_, said),) = sent(answer, IAmAt)
    assert isinstance(said, IAmAt)
    assert not said.newborn


# ---------------------------------------------------------------------------------- in a cluster


@pytest.mark.parametrize("when", list(Cut))
def test_a_master_that_dies_at_its_save_loses_nothing(when: Cut) -> None:
    """Whatever its Accept did with the others: it comes back, and all agree."""
    cluster, master = running_with_master()
    cluster.run_for(0.2)
    cluster.submit(master, ("SET", "before"))
    cluster.run_for(0.1)
    cluster.cut_at_save(master, when)
    cluster.submit(master, ("SET", "x"))
    assert cluster.run_until(lambda: not cluster.servers[master].up, limit_seconds=5.0)

    cluster.restart(master)
    cluster.run_for(5.0)

    read = cluster.submit(others(cluster, master)[0], ("GET",))
    cluster.run_for(1.0)
    assert result_of(read) in ("before", "x")
    values = {server.replica.snapshot.value for server in cluster.live()}
    assert len(values) == 1


def test_a_power_cut_of_all_takes_no_answer_back() -> None:
    """What a client was told is on the disks of a quorum, though nobody has saved the link."""
    cluster, master = running_with_master()
    cluster.run_for(0.2)
    call = cluster.submit(master, ("SET", "x"))
    assert cluster.run_until(lambda: call.answered, limit_seconds=1.0)

    for uid in cluster.uids:
        cluster.fail_power(uid)
    cluster.start()
    read = cluster.submit(master, ("GET",))
    cluster.run_for(10.0)

    assert result_of(read) == "x"


def test_links_that_are_not_saved_yet_are_known_as_such() -> None:
    """Who asks for the history finds them; a save takes them along."""
    hand = server()
    hand.decide(X)
    unsaved = hand.value.unsaved_links

    settled = hand.timeout(Timer.SETTLE)

    assert unsaved == (DecidedLink(number=1, link=X),)
    assert settled.save is not None
    assert settled.save.decided == unsaved
    assert hand.value.unsaved_links == ()
