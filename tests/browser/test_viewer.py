"""The viewer in a real browser: what a person sees, steps through, and finds again."""

import pytest
from tests.browser.page import Page

from multipaxos.lab.gallery import scenarios

NAMES = [story.name for story in scenarios()]


def test_each_scenario_opens_and_shows_its_decision(page: Page) -> None:
    """From its address; the first decision is a jump away, and is drawn where it happens."""
    # The lab opens with the first of them: it must be seen to come, too.
    page.open_script("# Another run\npropose A x\n")
    for name in NAMES:
        page.go_to(f"#scenario={name}")
        page.wait(lambda name=name: page.title == _title(name), name)  # type: ignore[misc]

        page.press_on_page(page.keys.HOME)
        page.wait(lambda: page.at == 1, "the beginning")
        page.press_on_page("d")
        page.wait(lambda: page.at > 1, "the decision")

        assert page.one("#spacetime [data-decision]").is_displayed(), name


def _title(name: str) -> str:
    return next(story.title for story in scenarios() if story.name == name)


@pytest.mark.parametrize(
    "name", ["08_delayed_accept", "13_master_election", "14b_lease_from_learning"]
)
def test_a_step_back_gives_the_picture_of_before(page: Page, name: str) -> None:
    """To the last attribute: the picture depends on the run and the position only."""
    page.open(f"#scenario={name}")
    page.wait(lambda: page.title == _title(name), name)
    page.press_on_page(page.keys.HOME)
    for _ in range(12):
        page.press_on_page(page.keys.ARROW_RIGHT)
    before = page.pictures()

    for _ in range(7):
        page.press_on_page(page.keys.ARROW_RIGHT)
    between = page.pictures()
    for _ in range(7):
        page.press_on_page(page.keys.ARROW_LEFT)

    assert page.pictures() == before
    assert between != before


def test_a_link_holds_the_run(page: Page) -> None:
    """Whoever opens it sees the same run, at the same instant."""
    page.open("#scenario=09_partition_of_five")
    page.wait(lambda: page.title == _title("09_partition_of_five"), "the scenario")
    page.press_on_page(page.keys.HOME)
    page.press_on_page("d")
    before = page.pictures()
    page.click("#tab-share")
    page.click("[data-share=link]")
    link = page.wait(lambda: page.value("[data-share-text]"), "the link")

    page.open(link[link.index("#") :])
    page.wait(lambda: page.title == _title("09_partition_of_five"), "the same run")

    assert page.pictures() == before
    assert "token" not in link


@pytest.mark.parametrize(
    "fragment, sentence",
    [
        ("#script=propose%20A%20x&at=99999", "The link asks for event 99999: this run has"),
        ("#script=propose%20A%20x&at=soon", "event “soon”: events are counted from 1"),
        ("#script=propose%20A%20x&speed=2", "asks for “speed”, which the lab does not know"),
        ("#foo=bar", "asks for “foo”, which the lab does not know"),
        ("#at=3", "The link names no run"),
    ],
)
def test_what_a_link_asks_for_in_vain_is_told(page: Page, fragment: str, sentence: str) -> None:
    """When the page is opened with it, and when it comes into a page that is open."""
    page.open(fragment)
    assert sentence in page.text("#notice")

    page.open()
    page.go_to(fragment)
    page.wait(lambda: sentence in page.text("#notice") or None, sentence)


@pytest.mark.parametrize("size", [(1024, 768), (1024, 911), (1280, 900), (1440, 1200)])
@pytest.mark.parametrize("servers", ["A B C D E", "A B C D E F G", "A B C D E F G H I"])
def test_no_server_in_the_ring_lies_over_another(
    page: Page, servers: str, size: tuple[int, int]
) -> None:
    """In a narrow window the cards of many servers are smaller, and say less."""
    page.driver.set_window_size(*size)
    page.open_script(f"servers {servers}\npropose A x\n")
    page.settle()

    boxes = page.run(
        "return [...document.querySelectorAll('#ring .ring-box')]"
        ".map((box) => box.getBoundingClientRect().toJSON())"
    )
    page.driver.set_window_size(1440, 900)

    assert len(boxes) == len(servers.split())
    for place, one in enumerate(boxes):
        for other in boxes[place + 1 :]:
            assert (
                one["right"] <= other["left"]
                or other["right"] <= one["left"]
                or one["bottom"] <= other["top"]
                or other["bottom"] <= one["top"]
            )


def test_the_page_s_own_marks_are_no_links_to_a_run(page: Page) -> None:
    """Such as the one that leads to the picture."""
    page.open()
    page.go_to("#spacetime")
    page.settle()

    assert not page.one("#notice").is_displayed()


@pytest.mark.parametrize("fragment", ["", "#scenario=04_value_survives_its_proposer"])
def test_a_story_opens_at_its_beginning(page: Page, fragment: str) -> None:
    """A run of one's own is shown as far as it went."""
    page.open(fragment)
    assert page.text("#caption .caption-words") == (
        "The servers are running. Nothing has happened yet."
    )

    page.open_script("# Own\npropose A x\ndeliver all\n")
    page.wait(lambda: page.title == "Own" or None, "the run")
    assert page.at == page.run("return Number(document.querySelector('[data-time=slider]').max)")


def test_markup_in_a_run_stays_text(page: Page) -> None:
    """A hostile link cannot run code, and is shown as what it says."""
    value = "<img/src=x/onerror=document.title=1><svg/onload=document.title=2>"
    script = f"# <b>bold</b> title\npropose A {value}\ndeliver all\n"

    page.open_script(script)

    assert page.title == "<b>bold</b> title"
    assert page.all("#spacetime img, #panel-why img, h1 b") == []
    assert "multipaxos lab" in page.driver.title


def test_a_script_that_cannot_be_played_is_told_of(page: Page) -> None:
    """In a sentence, with the line."""
    page.driver.get("about:blank")
    page.driver.get(f"{page.link}#script=jump")

    notice = page.wait(lambda: page.text("#notice"), "a notice")

    assert "line 1, jump: 'jump' is no command" in notice


def test_every_panel_and_the_help_are_reached_by_keys_alone(page: Page) -> None:
    """Nobody needs a pointer."""
    for number, panel in enumerate(("why", "run", "scenarios", "game", "share"), start=1):
        page.press_on_page(str(number))
        page.wait(lambda panel=panel: page.one(f"#panel-{panel}").is_displayed(), panel)  # type: ignore[misc]

    page.press_on_page("?")
    page.wait(lambda: page.one("#help").is_displayed(), "the help")
    page.press(page.keys.ESCAPE)
    page.wait(lambda: not page.one("#help").is_displayed(), "the help is closed")


def test_the_focus_goes_through_the_page_and_is_never_caught(page: Page) -> None:
    """Tab leads from one thing to the next, and around, without a trap."""
    page.run("document.activeElement.blur()")
    met = []
    for _ in range(150):
        page.press(page.keys.TAB)
        met.append(page.run("return document.activeElement.id || document.activeElement.tagName"))

    assert {"theme", "help-open"} <= set(met)
    assert len(set(met)) > 5


def test_an_event_is_explained_when_it_is_chosen(page: Page) -> None:
    """By its rule, the invariant, the paper, and the line of code."""
    page.open("#scenario=04_value_survives_its_proposer")
    page.wait(lambda: page.title == _title("04_value_survives_its_proposer"), "the scenario")
    page.press_on_page(page.keys.HOME)
    page.press_on_page("d")
    page.press_on_page("1")

    why = page.wait(lambda: page.text("#panel-why"), "why")

    assert "chosen" in why
    assert "Paxos Made Simple" in why
    assert ".py" in why


def test_light_and_dark_differ_and_both_are_legible(page: Page) -> None:
    """Ink stands out from paper, as the guidelines for the web ask: 7 to 1."""
    papers = set()
    for scheme in ("light", "dark"):
        page.prefer("prefers-color-scheme", scheme)
        page.open()
        papers.add(page.run("return getComputedStyle(document.body).backgroundColor"))

        assert page.contrast("h1") >= 7, scheme

    assert len(papers) == 2


def test_who_wants_less_motion_gets_less(page: Page) -> None:
    """Nothing flashes or slides."""
    page.prefer("prefers-reduced-motion", "reduce")
    page.open()
    page.press_on_page("d")

    assert (
        page.run("return document.getAnimations().filter((a) => a.playState === 'running').length")
        == 0
    )
