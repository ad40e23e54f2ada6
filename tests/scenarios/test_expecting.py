"""What a script claims: it is so, or the script cannot be carried out."""

import pytest

from multipaxos.simulation.stage import BadCommandError, Stage

CHOSEN = ("propose A x", "deliver A->B Prepare, B->A Promise, A->B Accept, B->A Accepted")
MASTER = ("master", "fire A election", "deliver all")


def play(*commands: str) -> Stage:
    """Perform *commands* on a new stage."""
    stage = Stage()
    for command in commands:
        stage.perform(command)
    return stage


@pytest.mark.parametrize(
    "claim",
    [
        "chosen 1",
        "chosen 1 x",
        "chosen 1 x under 2.A",
        "chosen 2 nothing",
        "not chosen 2",
        "not chosen 1 y",
        "accepted B 2.A x",
        "not accepted C 2.A",
        "accepted C nothing",
        "promised B 2.A",
        "promised C 0.",
        "at A 2",
        "at C 1",
        "value A x",
        "value C nothing",
        "answered client-1/1 1 True",
        "not answered client-2/1",
        "refused nothing",
        "broken nothing",
        "up C",
        "in-flight A->C Prepare",
        "not in-flight A->B Prepare",
        "trusting nobody",
    ],
)
def test_what_is_so_is_passed_in_silence(claim: str) -> None:
    """An expectation leaves no line in the story, and changes nothing."""
    told = play(*CHOSEN)

    held = play(*CHOSEN, f"expect {claim}")

    assert held.lines == told.lines
    assert held.events == told.events


@pytest.mark.parametrize(
    "claim, sentence",
    [
        ("chosen 1 y", "it is not so: chosen is 1; 1 x; 1 x under 2.A"),
        ("not chosen 1 x", "it is not so: chosen is 1; 1 x"),
        ("chosen 2 x", "it is not so: chosen is 2 nothing"),
        ("accepted C 2.A", "it is not so: accepted is C nothing"),
        ("promised B 3.C", "it is not so: promised is B 2.A"),
        ("refused B Accept 2.A", "it is not so: refused is nothing"),
        ("trusting A", "it is not so: trusting is nobody"),
        ("broken I1", "it is not so: broken is nothing"),
        ("up D", "it is not so: up is A; B; C"),
        ("lunch", "write: expect CLAIM, or: expect not CLAIM; claims: chosen, promised"),
        ("not", "write: expect CLAIM"),
        ("", "write: expect CLAIM"),
        ("chosen x", "the number of a link is a whole number"),
        ("promised Z 2.A", "'Z' is no server"),
        ("promised", "'' is no server"),
    ],
)
def test_what_is_not_so_gets_a_sentence(claim: str, sentence: str) -> None:
    """It says what is true instead."""
    with pytest.raises(BadCommandError) as error:
        play(*CHOSEN, f"expect {claim}")

    assert sentence in str(error.value)


def test_masters_bugs_and_crashes_can_be_expected() -> None:
    """What the stories of leases and of wrong servers claim."""
    play(*MASTER, "expect trusting A", "expect not trusting B")
    play(*CHOSEN, "crash A", "expect not up A", "expect at A 2", "wipe A", "expect at A nothing")
    play("bug forgetful-acceptor", "propose A x", "expect broken I8", "expect not broken I1")
