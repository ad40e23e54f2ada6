"""The guided tour in a real browser: one sentence, one change, next and back, and the wheel."""

from tests.browser.page import Page

from multipaxos.lab.gallery import find, scenarios

NAME = "04_value_survives_its_proposer"


def begin(page: Page, name: str = NAME) -> None:
    """Open the gallery, and in it the scenario *name*."""
    page.prefer("prefers-reduced-motion", "reduce")
    page.open()
    page.click("#tab-scenarios")
    page.click(f'[data-scenario="{name}"]')
    page.one(f'[data-tour-of="{name}"]')
    page.wait(lambda: page.text("[data-tour-count]").endswith(" steps"), "the tour's beginning")


def go(page: Page, where: str, count: str) -> None:
    """Press a button of the tour, and wait for what it leads to."""
    page.click(f"[data-tour={where}]")
    page.wait(lambda: page.text("[data-tour-count]").startswith(count), count)


def test_the_gallery_has_a_card_for_each_scenario(page: Page) -> None:
    """With its question, and no answer."""
    page.open()
    page.click("#tab-scenarios")
    page.one("[data-scenario]")

    cards = {card.get_attribute("data-scenario"): card.text for card in page.all("[data-scenario]")}

    assert list(cards) == [story.name for story in scenarios()]
    assert all(story.question in cards[story.name] for story in scenarios())


def test_the_question_comes_before_the_answer(page: Page) -> None:
    """The future is hidden until then; the own prediction stands beside the answer."""
    begin(page)
    story = find(NAME)

    assert story.question in page.text(".tour-question")
    assert not page.one("[data-answer]").is_displayed()
    assert not any(one.is_displayed() for one in page.all("#spacetime [data-decision]"))

    page.one("[data-prediction]").send_keys("the value x")
    page.click("[data-reveal]")

    answer = page.text("[data-answer]")
    assert "the value x" in answer
    assert story.answer in answer
    assert story.why in answer


def test_the_focus_goes_along_with_the_tour(page: Page) -> None:
    """From the card to the button that goes on; and from there back to the card."""
    begin(page)
    focused = "return document.activeElement.matches(arguments[0])"
    assert page.run(focused, "[data-tour=next]")

    page.one("[data-prediction]").send_keys("the value x", page.keys.ENTER)
    assert page.run(focused, "[data-tour=next]")

    page.click("[data-tour=gallery]")
    assert page.run(focused, f'[data-scenario="{NAME}"]')


def test_back_shows_what_was_before(page: Page) -> None:
    """The sentence and the pictures, to the last attribute."""
    begin(page)
    for step in range(1, 5):
        go(page, "next", f"step {step} ")
    before = page.pictures(), page.text(".tour-sentence.is-here")

    go(page, "next", "step 5 ")
    between = page.pictures()
    go(page, "back", "step 4 ")

    assert (page.pictures(), page.text(".tour-sentence.is-here")) == before
    assert between != before[0]


def test_the_tour_goes_on_with_keys_whatever_panel_is_shown(page: Page) -> None:
    """N and B; the sentence stands above the picture as well."""
    begin(page)
    page.click("#tab-why")

    page.press_on_page("n", "n", "b")

    caption = next(line.caption for line in find(NAME).lines if line.caption)
    page.wait(lambda: page.text("#caption .caption-words") == caption, caption)


def take_the_wheel_and_return(page: Page) -> None:
    """Leave the tour for a branch of one's own, and come back."""
    branches = len(page.all("[data-branch]"))
    page.click("[data-tour=wheel]")
    page.wait(lambda: len(page.all("[data-branch]")) > branches or None, "a branch")
    assert not page.one("[data-tour=next]").is_enabled()
    assert "You are in a branch of your own" in page.text(".tour-away")
    page.click("[data-tour=wheel]")
    page.wait(lambda: page.one("[data-tour=next]").is_enabled() or None, "the tour")


def test_who_takes_the_wheel_comes_back_to_the_same_place(page: Page) -> None:
    """The run becomes a branch of one's own; the tour waits where it was left, to the event."""
    begin(page)
    for step in range(1, 4):
        go(page, "next", f"step {step} ")
    place = page.text(".timebar-position")
    # The first branch brings the row of tabs with it, which makes the pictures a little smaller.
    take_the_wheel_and_return(page)
    before = page.pictures()

    take_the_wheel_and_return(page)

    assert page.pictures() == before
    assert page.text(".timebar-position") == place
    assert page.text("[data-tour-count]").startswith("step 3 ")


def test_the_tour_leads_from_scenario_to_scenario(page: Page) -> None:
    """At its end the answer is shown, and then the next one begins."""
    name, following = (story.name for story in scenarios()[:2])
    begin(page, name)
    steps = int(page.text("[data-tour-count]").split()[0])
    for step in range(1, steps + 1):
        go(page, "next", f"step {step} ")

    page.click("[data-tour=next]")
    assert page.one("[data-answer]").is_displayed()
    page.click("[data-tour=next]")

    page.one(f'[data-tour-of="{following}"]')
