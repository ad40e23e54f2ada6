"""A person's hand on the messages of a script, and chance in it."""

import pytest

from multipaxos.simulation.manual_network import NoSuchMessageError
from multipaxos.simulation.stage import BadCommandError, Stage
from multipaxos.simulation.stage.cut import cut


def play(*commands: str) -> Stage:
    """Perform *commands* on a new stage."""
    stage = Stage()
    for command in commands:
        stage.perform(command)
    return stage


def kinds(stage: Stage, *wanted: str) -> list[tuple[str, object]]:
    """Return the kind and the message's number of the events of these kinds."""
    return [(e.kind, e.fields["id"]) for e in stage.events if e.kind in wanted]


def in_flight(stage: Stage) -> list[int]:
    """Return the numbers of the messages on their way."""
    return [stage.hand.number(envelope) for envelope in stage.hand.on_their_way()]


def test_a_message_is_taken_by_its_number() -> None:
    """One of two equal ones is delivered, another lost, another doubled."""
    stage = play("propose A x")
    first, second = in_flight(stage)

    stage.perform(f"duplicate #{second}")
    stage.perform(f"drop #{first}")
    stage.perform(f"deliver #{second}, #{second}")

    assert ("dropped", first) in kinds(stage, "dropped")
    assert kinds(stage, "delivered") == [("delivered", second), ("delivered", second)]


def test_a_number_that_is_not_in_flight_gets_a_sentence() -> None:
    """Whoever wrote it is told which ones are."""
    stage = play("propose A x")

    with pytest.raises(NoSuchMessageError, match="no message #999 is in flight; in flight: #"):
        stage.perform("deliver #999")


def test_the_network_is_held_and_flows_again() -> None:
    """What was under way waits for a person; then the network carries it."""
    stage = play("automatic", "propose A x", "hold")
    held = in_flight(stage)
    stage.perform("advance 100ms")
    waited = kinds(stage, "delivered")

    stage.perform(f"drop #{held[0]}")
    stage.perform("flow")
    stage.perform("advance 5s")

    assert waited == []
    assert {number for _, number in kinds(stage, "delivered")} >= set(held[1:])
    assert ("delivered", held[0]) not in kinds(stage, "delivered")
    assert stage.cluster.invariants.chosen.keys() >= {1}


def test_messages_of_a_network_that_flows_are_taken_as_well() -> None:
    """Each is delivered at once, lost, doubled, or delayed, by its number."""
    stage = play("automatic", "propose A x")
    first, second, *_ = [stage.hand.number(e) for e in stage.hand.on_their_way() if e.sender == "A"]

    stage.perform(f"deliver #{first}")
    stage.perform(f"duplicate #{second}")
    stage.perform(f"drop #{second}")
    stage.perform(f"delay #{second} 2s")
    early = kinds(stage, "delivered", "dropped", "duplicated")
    stage.perform("advance 1900ms")
    before = ("delivered", second) in kinds(stage, "delivered")
    stage.perform("advance 200ms")

    assert early == [("delivered", first), ("duplicated", second), ("dropped", second)]
    assert not before
    assert ("delivered", second) in kinds(stage, "delivered")
    assert stage.cluster.network.in_flight >= 0


def test_a_held_message_that_is_delayed_arrives_when_time_passes() -> None:
    """A person need not deliver it."""
    stage = play("propose A x")
    number = in_flight(stage)[0]

    stage.perform(f"delay #{number} 500ms")
    stage.perform("advance 499ms")
    before = kinds(stage, "delivered")
    stage.perform("advance 1ms")

    assert before == []
    assert kinds(stage, "delivered") == [("delivered", number)]


def test_chance_strikes_in_a_script_as_in_a_run_and_ends() -> None:
    """Faults and clients are drawn from the seed; after its time there is peace."""
    script = ("seed 3", "master", "faults cruel 10s", "clients 2 4 10s", "advance 20s")

    stage, again, other = play(*script), play(*script), play("seed 4", *script[1:])

    assert stage.cluster.trace.digest() == again.cluster.trace.digest()
    assert stage.cluster.trace.digest() != other.cluster.trace.digest()
    assert {e.kind for e in stage.events} >= {"crashed", "dropped", "chosen", "returned"}
    assert len(stage.cluster.live()) == len(stage.setup.servers)


def test_a_bug_breaks_an_invariant_and_the_run_goes_on() -> None:
    """Each invariant is told once a link, where it breaks; in the end two values are chosen."""
    stage = play(
        "bug forgetful-acceptor",
        "propose A x",
        "propose B y",
        "deliver A->C Prepare, B->C Prepare, C->A Promise, C->B Promise",
        "deliver A->C Accept, B->C Accept",
    )

    broken = [event.fields["name"] for event in stage.events if event.kind == "violated"]
    chosen = [event.fields["value"] for event in stage.events if event.kind == "chosen"]

    assert broken[0] == "I8 SavedBeforeSent"
    assert "I1 Agreement" in broken
    assert len(chosen) == 2
    assert len(broken) == len(set(broken))


def test_a_correct_stage_still_ends_with_its_violation() -> None:
    """Only a bug, or who asks for it, makes a stage tolerant: its check must be able to fail."""
    assert not play("propose A x").cluster.tolerant
    assert play("bug own-value", "propose A x").cluster.tolerant


@pytest.mark.parametrize("place", range(0, 120, 7))
def test_a_script_is_cut_at_any_event(place: int) -> None:
    """What is left gives the same trace up to there, and not much more."""
    stage = play("automatic", "seed 5", "propose A x", "propose B y", "advance 3s", "read A")
    at = min(place, len(stage.events))

    beginning = cut(stage, at)
    short = play(*beginning.commands)

    assert len(short.events) == beginning.events >= at
    assert short.events == stage.events[: len(short.events)]
    assert len(short.events) - at < 20


def test_a_command_of_several_deliveries_is_cut_between_them() -> None:
    """Each delivery is named by its number then."""
    stage = play("propose A x", "deliver all")
    whole = stage.steps_taken[-1].events
    middle = next(s.events for s in stage.steps_taken if s.command.startswith("deliver #"))

    assert cut(stage, whole).commands == ("propose A x", "deliver all")
    first, second, *_ = cut(stage, middle).commands
    assert first == "propose A x"
    assert second.startswith("deliver #")


def test_quorums_of_other_sizes_are_counted() -> None:
    """Three promises and one acceptance: the proposer's own acceptance decides."""
    stage = play(
        "quorums 3 1", "propose A x", "deliver A->B Prepare, A->C Prepare", "deliver B->A *"
    )
    early = dict(stage.cluster.invariants.chosen)

    stage.perform("deliver C->A Promise")

    assert 1 not in early
    assert stage.cluster.invariants.chosen[1].acceptors == ("A",)


def test_quorums_that_need_not_meet_are_refused_before_anything_happens() -> None:
    """With the reason; a stage that was refused can be set otherwise."""
    stage = play("quorums 1 2")

    with pytest.raises(BadCommandError, match="their sum must exceed the acceptors"):
        stage.perform("propose A x")

    stage.perform("quorums 2 2")
    stage.perform("propose A x")
    assert stage.events


@pytest.mark.parametrize(
    "command, sentence",
    [
        ("quorums 3", "write: quorums PROMISES ACCEPTANCES"),
        ("quorums 3 x", "a quorum's size is a whole number from 1 to 9"),
        ("seed -1", "a seed is a whole number from 0"),
        ("seed x", "a seed is a whole number from 0"),
        ("bug lunch", "lunch"),
        ("faults wild 3s", "write: faults LEVEL 20s; levels: "),
        ("faults rough 1e9s", "chance strikes for at most 600 s"),
        ("clients 3", "write: clients COUNT REQUESTS-A-SECOND 20s"),
        ("clients 99 1 3s", "the number of clients is a whole number from 1 to 20"),
        ("clients 3 1000 60s", "clients make at most 5,000 requests"),
        ("clients 3 0 3s", "requests a second are above 0"),
        ("servers A B C D E F G H I J", "there are at most 9 servers, not 10"),
        ("delay #1", "write: delay #12 500ms"),
        ("deliver #x", "the number of a message is a whole number"),
        ("hold now", "nothing may follow here"),
        ("steps many", "the number of steps is a whole number"),
        ("advance -3s", "lies in the past"),
        ("set queue_max 3.7", "queue_max is a whole number, not '3.7'"),
        ("set queue_max 1e400", "'1e400' is no number"),
        ("block A->A", "what A tells itself never travels: name two servers"),
        ("partition A B | B C", "B stands in two groups"),
        ("clock A 0", "a clock runs at a rate from 0.01 to 100"),
        ("propose A x as ann/-1", "the sequence of a request is a whole number"),
        ("stall A 1s at reading 0", "the number of a reading is a whole number"),
    ],
)
def test_a_bad_command_gets_a_sentence(command: str, sentence: str) -> None:
    """It says what is wrong and how it is written; nothing happens."""
    with pytest.raises(BadCommandError, match=sentence):
        play(command)
