"""The gallery: what each scenario tells of itself."""

import pytest

from multipaxos.lab.gallery import UnknownScenarioError, find, scenarios, story_of


def test_every_scenario_tells_what_it_is_about() -> None:
    """A title, why it is so, and what to look at."""
    for story in scenarios():
        assert story.title
        assert story.why, story.name
        assert story.look, story.name
        assert story.question.count("?") >= 1, story.name
        assert story.answer, story.name
        assert story.number == story.name.partition("_")[0].lstrip("0")
        assert story.lines


def test_every_caption_has_something_beside_it_that_holds_it_to_the_run() -> None:
    """A scenario claims nothing that no line of its script checks: most captions, and each end."""
    for story in scenarios():
        captions = [line.caption for line in story.lines if line.caption]
        expectations = [line for line in story.lines if line.command.startswith("expect ")]

        assert len(captions) >= 4, story.name
        assert all(len(caption) <= 200 for caption in captions), story.name
        assert len(expectations) >= 3, story.name
        assert 4 * len(expectations) >= len(captions), story.name


def test_a_part_goes_on_in_the_next_lines() -> None:
    """Until another one begins; a colon elsewhere begins none."""
    story = story_of(
        "07b_why",
        "# Why the highest: A or B.\n# It is told here.\n# Why: one\n# two: three\n"
        "# Question: what?\n# Answer: that.\npropose A x\n# A caption.\n"
        "show\n----\n> propose A x\n",
    )

    assert story.number == "7b"
    assert story.title == "Why the highest: A or B. It is told here"
    assert story.why == "one two: three"
    assert (story.question, story.answer) == ("what?", "that.")
    assert [line.caption for line in story.lines] == ["", "A caption."]


def test_a_scenario_that_is_not_there_gets_a_sentence() -> None:
    """It says which there are."""
    with pytest.raises(UnknownScenarioError, match="these are: 01_happy_path, 02_lost"):
        find("lunch")
