"""The outbox: what an event asks for, and that nobody can forget to save."""

from dataclasses import replace

from tests.chain.support import FOUNDING, Hand, events, link_of, request, sent, stored, write
from typing_extensions import override

from composable_paxos import Accept, Accepted, AcceptorState, Prepare, Promise, ProposalID
from multipaxos.chain.durable import Snapshot
from multipaxos.chain.effects import CancelTimer, Outbox, Save, SetTimer, Timer
from multipaxos.chain.events import Event, EventKind
from multipaxos.chain.messages import Envelope, Sync
from multipaxos.chain.refusals import Reason
from multipaxos.chain.replicated_value import BaseReplicatedValue
from multipaxos.chain.requests import Chosen, Refused

VALUE = link_of(write("x"))


class Tinkerer(BaseReplicatedValue):
    """A careless strategy: it changes what must survive a crash, and tells nobody."""

    @override
    def timeout(self, timer: Timer) -> None:
        """Change what must survive a crash."""
        super().timeout(timer)
        self.votes_from = 7


# ------------------------------------------------------------------------------------------- saving


def test_a_change_of_the_durable_state_is_saved_without_being_asked() -> None:
    """No strategy can forget to save: the base class notices by itself (SavedBeforeSent)."""
    hand = Hand(Tinkerer)
    hand.start()

    outbox = hand.timeout(Timer.SYNC)

    assert outbox.save == Save(state=stored(votes_from=7))


def test_what_was_saved_is_not_saved_again() -> None:
    """An event that leaves the durable state as it was costs no write."""
    hand = Hand(Tinkerer)
    hand.timeout(Timer.SYNC)

    assert hand.timeout(Timer.SYNC).save is None


def test_nothing_is_saved_at_a_start_from_the_disk() -> None:
    """What was loaded is on the disk already."""
    assert Hand().start() == Outbox()


def test_a_promise_is_saved_with_the_event_that_gives_it() -> None:
    """The reply and the state that it reveals leave in one outbox."""
    outbox = Hand().receive(Prepare(proposal_id=ProposalID(2, "B")))

    assert outbox.save is not None
    assert outbox.save.state.acceptor.promised_id == ProposalID(2, "B")
    assert [type(message) for _, message in sent(outbox)] == [Promise]


def test_a_server_without_memory_saves_nothing() -> None:
    """Until it knows what it is, there is nothing to keep: a crash costs it only its name."""
    hand = Hand(memoryless=True)

    assert hand.start().save is None
    assert hand.write("x").save is None


def test_the_first_state_of_a_server_that_was_without_memory_is_saved() -> None:
    """Once it has a memory it must not lose it, even if it looks like an empty one."""
    hand = Hand(memoryless=True)
    hand.start()
    hand.value.memoryless = False

    outbox = hand.value.take_outbox()

    assert outbox.save == Save(state=hand.state)


def test_two_lives_without_memory_have_different_names() -> None:
    """A birth names one life of one server: other chances, another name."""
    births = {Hand(memoryless=True, seed=seed).state.birth for seed in range(3)}

    assert len(births) == 3


def test_a_server_resumes_where_it_was() -> None:
    """All of the durable state comes back after a crash."""
    hand = Hand()
    hand.receive(Accept(proposal_id=ProposalID(2, "B"), value=VALUE))

    resumed = Hand(state=hand.state)
    outbox = resumed.receive(Prepare(proposal_id=ProposalID(3, "C")), sender="C")

    assert hand.state.acceptor.accepted_value == VALUE
    assert sent(outbox) == [
        (
            "C",
            Promise(
                acceptor="A",
                proposal_id=ProposalID(3, "C"),
                accepted_id=ProposalID(2, "B"),
                accepted_value=VALUE,
            ),
        )
    ]


# ----------------------------------------------------------------------------------------- messages


def test_messages_to_others_carry_where_they_come_from() -> None:
    """The envelope names cluster, chain, link, sender and receiver."""
    hand = Hand(state=stored(instance=4))

    hand.value.send("B", Sync(votes_from=0))

    assert hand.value.take_outbox().send == (
        Envelope(
            cluster="test",
            chain_id="chain-1",
            instance=4,
            sender="A",
            receiver="B",
            message=Sync(votes_from=0),
        ),
    )


def test_a_message_to_oneself_never_travels() -> None:
    """A server hears itself at once: its own vote is saved with what it tells the others."""
    hand = Hand()

    hand.value.broadcast(Accept(proposal_id=ProposalID(2, "A"), value=VALUE))
    outbox = hand.value.take_outbox()

    assert outbox.save is not None
    assert outbox.save.state.acceptor.accepted_id == ProposalID(2, "A")
    assert [receiver for receiver, _ in sent(outbox, Accept)] == ["B", "C"]
    assert [receiver for receiver, _ in sent(outbox, Accepted)] == ["B", "C"]


def test_a_message_to_oneself_about_a_closed_link_is_dropped() -> None:
    """What this server told itself about a link is no news once the link is decided."""
    hand = Hand()
    hand.value.send("A", Prepare(proposal_id=ProposalID(2, "A")))

    hand.value.install(9, FOUNDING, Snapshot())
    outbox = hand.value.take_outbox()

    assert hand.state.acceptor == AcceptorState()
    assert sent(outbox) == []


def test_an_outbox_is_taken_once() -> None:
    """Its effects are forgotten: they happen once."""
    hand = Hand(state=stored(votes_from=0))
    hand.receive(Prepare(proposal_id=ProposalID(2, "B")))
    hand.value.halt("stop")
    hand.value.take_outbox()

    assert hand.value.take_outbox() == Outbox()


# ------------------------------------------------------------------------------------------- others


def test_of_several_changes_of_a_timer_the_last_one_counts() -> None:
    """Within one event a timer ends up set once or cancelled."""
    hand = Hand()

    hand.value.set_timer(Timer.SYNC, 1.0)
    hand.value.set_timer(Timer.SYNC, 2.0)
    hand.value.set_timer(Timer.BACKOFF, 1.0)
    hand.value.cancel_timer(Timer.BACKOFF)

    assert hand.value.take_outbox().timers == (
        SetTimer(timer=Timer.SYNC, seconds=2.0),
        CancelTimer(timer=Timer.BACKOFF),
    )


def test_only_a_client_that_waits_here_is_answered() -> None:
    """An outcome of another server's client is no answer of this one."""
    hand = Hand()

    hand.value.answer(request(), Refused(reason="no"))

    assert hand.value.take_outbox().answers == ()


def test_a_client_is_answered_once_for_each_time_it_asked() -> None:
    """The second outcome of one request tells nobody anything."""
    hand = Hand()
    hand.write("x")
    answers = hand.decide(link_of(write("x"))).answers
    assert [answer.outcome for answer in answers] == [Chosen(link=1, result=True)]

    hand.value.answer(request(), Refused(reason="no"))

    assert hand.value.take_outbox().answers == ()


def test_a_halt_comes_with_its_sentence() -> None:
    """The driver stops the server and says why."""
    hand = Hand()

    hand.value.halt("Move the file away.")

    assert hand.value.take_outbox().halt == "Move the file away."


def test_every_note_names_its_link() -> None:
    """A viewer knows which link a fact is about."""
    hand = Hand(state=stored(instance=4))

    hand.value.note(EventKind.WAITING, "waits", waits_for="B")

    assert hand.value.take_outbox().events == (
        Event(kind=EventKind.WAITING, template="waits", details={"instance": 4, "waits_for": "B"}),
    )


def test_a_refusal_is_told_with_message_and_sender() -> None:
    """A viewer sees which message of whom was refused, and why."""
    message = Prepare(proposal_id=ProposalID(1, "C"))

    outbox = Hand().receive(message, sender="C")

    (refusal,) = events(outbox, EventKind.REFUSED)
    assert refusal.text == "refused Prepare 1.C: number 1 belongs to the master, nobody"
    assert refusal.details == {
        "instance": 1,
        "message": message,
        "sender": "C",
        "reason": Reason.NUMBER_ONE,
        "master": None,
    }


def test_where_nobody_watches_nothing_is_noted() -> None:
    """Notes are for the trace and the metrics; nothing else depends on them."""
    watched, unwatched = Hand(), Hand()
    unwatched.value.is_watched = False

    one = watched.receive(Prepare(proposal_id=ProposalID(2, "B")))
    other = unwatched.receive(Prepare(proposal_id=ProposalID(2, "B")))

    assert one.events != ()
    assert other == replace(one, events=())
