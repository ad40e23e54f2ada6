"""A hand on the run, in a real browser: forks, walls, comparisons, and what is shared."""

from pathlib import Path
from typing import Any

import pytest
from tests.browser.page import Page

from multipaxos.lab import Simulation

BEGUN = "# Begun\npropose A x\npropose B y\n"


def branches(page: Page) -> int:
    """Return how many runs are open."""
    return len(page.all("#branches [data-branch]"))


def decisions(page: Page) -> int:
    """Return how many instants of choice are drawn."""
    return len(page.all("#spacetime [data-decision]"))


# -------------------------------------------------------------------------------------------- forks


def test_a_dropped_message_makes_a_branch_and_the_old_future_stays(page: Page) -> None:
    """The branch shows the loss; the run before it shows none."""
    page.open_script(BEGUN)
    page.click("[data-hands=messages] summary")
    page.click("[data-hands=messages] [data-command^='drop #']")

    page.wait(lambda: branches(page) == 2, "a branch")
    lost = page.one("#spacetime [data-fate=dropped]")
    assert lost.is_displayed()
    page.press_on_page("[")
    page.wait(lambda: not page.all("#spacetime [data-fate=dropped]"), "the run before")


def test_a_run_in_virtual_time_goes_on_otherwise(page: Page) -> None:
    """From its middle: the past is common, the new future is as long as the old one."""
    page.open_script("# Alone\nseed 5\nautomatic\npropose A x\nadvance 3s\n")
    page.press_on_page(page.keys.HOME)
    for _ in range(9):
        page.press_on_page(page.keys.ARROW_RIGHT)
    page.click("[data-hands=servers] summary")
    page.click("[data-hands=servers] [data-command='crash B']")

    page.wait(lambda: branches(page) == 2, "a branch")
    page.press_on_page(page.keys.END)
    page.wait(lambda: decisions(page) == 1, "A and C decide without B")
    assert page.one("#ring [data-server=B].is-down").is_displayed()


def test_a_message_that_is_chosen_in_the_ring_is_delivered_by_keys_alone(page: Page) -> None:
    """Enter chooses it, and its commands are next to hand."""
    page.open_script(BEGUN)
    page.run("document.querySelector('#ring [data-message]').focus()")
    page.press(page.keys.ENTER)
    page.wait(lambda: page.all(".hands-quick [data-command^='deliver #']"), "its commands")
    page.run("document.querySelector('.hands-quick [data-command^=\"deliver #\"]').focus()")
    page.press(page.keys.ENTER)

    page.wait(lambda: branches(page) == 2, "a branch")
    assert page.all("#spacetime [data-fate=delivered]")
    page.settle()
    assert focus_is_in(page, "#spacetime, .hands-quick")


def focus_is_in(page: Page, selector: str) -> bool:
    """Tell whether what has the focus, or something around it, is what *selector* finds."""
    return bool(page.run("return !!document.activeElement.closest(arguments[0])", selector))


def test_who_intervenes_by_keys_goes_on_at_the_menu(page: Page) -> None:
    """It has closed; the focus is not lost."""
    page.open_script(BEGUN)
    page.run("document.querySelector('[data-hands=clients] summary').focus()")
    page.press(page.keys.ENTER)
    page.one("[data-client=value]").send_keys("z", page.keys.ENTER)

    page.wait(lambda: branches(page) == 2 or None, "a branch")
    assert not page.all("[data-hands][open]")
    assert focus_is_in(page, "[data-hands=clients] summary")


@pytest.mark.parametrize(
    "menu, button",
    [
        ("clients", "[data-client=read]"),
        ("timers", "[data-clock=A]"),
        ("network", "[data-command=block]"),
        ("messages", "[data-command^='drop #']"),
    ],
)
def test_who_intervenes_by_pointer_goes_on_in_the_picture(
    page: Page, menu: str, button: str
) -> None:
    """Each menu closes when it has done what it was asked for."""
    page.open_script(BEGUN)
    page.click(f"[data-hands={menu}] summary")
    page.click(f"[data-hands={menu}] {button}")

    page.wait(lambda: branches(page) == 2 or None, "a branch")
    assert not page.all("[data-hands][open]")
    assert focus_is_in(page, "#spacetime .st-scroll")


def test_a_wall_that_is_drawn_through_the_ring_divides_the_servers(page: Page) -> None:
    """From above to below, between A on the one side and another on the other."""
    page.open_script(BEGUN)
    page.drag("#ring svg", (0.08, 0.5), (0.92, 0.45))

    page.wait(lambda: branches(page) == 2, "a branch")
    assert page.all("#ring .ring-wall")
    assert "partition" in page.run("return document.querySelector('[data-run=script]').value")


def test_two_settings_are_compared_side_by_side(page: Page) -> None:
    """The same script with a bug: two diagrams, both counts; what it expects is let go."""
    told = "# One proposer\npropose A x\ndeliver A->B Prepare\nexpect promised B 2.A\n"
    page.open_script(told + "deliver B->A Promise\n")
    page.press_on_page("2")
    page.choose("[data-run=bug]", "forgetful-acceptor")
    page.click("[data-run=compare]")

    page.wait(lambda: page.one("#compared").is_displayed(), "two diagrams")
    assert page.all("#compared [data-event]")
    assert page.all("[data-lamp=I8][data-state=broken]")
    assert page.title == "One proposer"


@pytest.mark.parametrize("width", [1024, 1440])
def test_a_comparison_is_closed_where_it_is_shown(page: Page, width: int) -> None:
    """Also in a narrow window, which has no room for the ring and the panels meanwhile."""
    page.driver.set_window_size(width, 900)
    page.open_script(BEGUN)
    for close in ("button", "key"):
        page.press_on_page("2")
        page.click("[data-run=compare]")
        page.wait(lambda: page.one("#compared").is_displayed(), "two diagrams")
        place = "#side" if width > 1279 else "[data-compare=close]"
        assert page.run("return !!document.activeElement.closest(arguments[0])", place)
        if close == "button":
            page.click("[data-compare=close]")
            assert page.run("return document.activeElement.matches('#spacetime .st-scroll')")
        else:
            page.press_on_page(page.keys.ESCAPE)
        page.wait(lambda: not page.one("#compared").is_displayed(), "one diagram")
        assert page.one("#ring").is_displayed()
    page.driver.set_window_size(1440, 900)


def test_a_broken_lamp_leads_to_what_broke(page: Page) -> None:
    """The others are whole; one click says who conflicts."""
    page.open("#scenario=18_two_memberships")
    page.wait(lambda: "Two memberships" in page.title, "the scenario")
    page.press_on_page(page.keys.END)
    page.wait(lambda: page.all("[data-lamp=I1][data-state=broken]"), "I1 is broken")

    page.click("[data-lamp=I1]")

    page.wait(lambda: "two values are chosen" in page.text("#panel-why"), "the sentence")
    assert page.one("[data-lamp=I3]").get_attribute("data-state") == "holds"


def test_a_bad_script_is_told_of_and_the_run_stays(page: Page) -> None:
    """Nothing is lost."""
    page.open_script(BEGUN)
    page.press_on_page("2")
    page.fill("[data-run=script]", "propose Z x\n")
    page.click("[data-run=play]")

    page.wait(lambda: "'Z' is no server" in page.text("#notice"), "the sentence")
    assert page.title == "Begun"


# ------------------------------------------------------------------------------------------- shared


def test_a_saved_file_opens_from_disk_with_the_network_off(page: Page, tmp_path: Path) -> None:
    """The whole viewer with its run: drawn, stepped and explained, without a server."""
    page.open("#scenario=04_value_survives_its_proposer")
    page.wait(lambda: "survives" in page.title, "the scenario")
    page.download_to(tmp_path)
    page.press_on_page("5")
    page.click("[data-share=file]")
    path = page.wait(lambda: next(tmp_path.glob("*.html"), None), "the file")
    page.wait(lambda: not list(tmp_path.glob("*.crdownload")), "all of it")

    page.go_offline(True)
    page.driver.get(path.as_uri())
    page.wait_for_run()
    page.press_on_page(page.keys.HOME)
    page.press_on_page("d")
    page.press_on_page("1")

    assert decisions(page) == 1
    assert "chosen" in page.text("#panel-why")
    assert page.all("#ring [data-server=A]")
    assert page.all("[data-lamp=I1][data-state=holds]")
    page.go_offline(False)


def test_a_copied_test_passes_as_it_stands(page: Page) -> None:
    """It is Python that plays the script and asserts."""
    page.open("#scenario=08_delayed_accept")
    page.wait(lambda: "delayed Accept" in page.title, "the scenario")
    page.press_on_page("5")
    page.click("[data-share=test]")
    source = page.wait(lambda: page.value("[data-share-text]"), "the test")

    names: dict[str, Any] = {}
    exec(compile(source, "copied.py", "exec"), names)  # noqa: S102 - it is what was copied
    (test,) = [value for name, value in names.items() if name.startswith("test_")]
    test()


@pytest.mark.parametrize("kind, begins", [("svg", b"<svg"), ("png", b"\x89PNG")])
def test_a_picture_is_saved(page: Page, tmp_path: Path, kind: str, begins: bytes) -> None:
    """As what its name says."""
    page.download_to(tmp_path)
    page.press_on_page("5")
    page.click(f"[data-share=run-{kind}]")

    path = page.wait(lambda: next(tmp_path.glob(f"*.{kind}"), None), "the picture")
    page.wait(lambda: path.stat().st_size > 0, "its bytes")
    assert path.read_bytes().startswith(begins)


def test_a_cut_in_two_is_one_wall_and_no_message_is_delivered_through_it(page: Page) -> None:
    """What a wall keeps back can be lost, and not delivered; the button says why."""
    page.open_script("propose A x\npartition A | B C\n")
    page.wait(lambda: page.all("#ring [data-wall=across]"), "the wall")
    page.click("[data-hands=messages] summary")

    deliver = page.wait(
        lambda: page.one("[data-hands=messages] [data-command^='deliver #']"), "its commands"
    )

    assert len(page.all("#ring .ring-wall")) == 1
    assert not deliver.is_enabled()
    assert "heal the network" in str(deliver.get_attribute("title"))
    assert page.one("[data-hands=messages] [data-command^='drop #']").is_enabled()


def test_two_settings_are_counted_beside_the_switches(page: Page) -> None:
    """The panel says what both runs came to."""
    page.open_script(BEGUN)
    page.press_on_page("2")
    page.click("[data-run=compare]")

    table = page.wait(lambda: page.one("[data-table=compare]"), "the table")

    assert "wasted rounds" in str(table.get_attribute("textContent"))
    assert len(page.all("[data-table=compare] thead th")) == 2


def test_moves_at_the_end_of_a_branch_of_one_s_own_go_on_in_it(page: Page) -> None:
    """Whoever plays on loses no future: no branch is added for each move."""
    page.open_script(BEGUN)
    for move in range(1, 4):
        page.click("[data-hands=messages] summary")
        page.click("[data-hands=messages] [data-command^='drop #']")
        page.wait(lambda n=move: len(page.all("#spacetime [data-fate=dropped]")) == n, "a loss")  # type: ignore[misc]

    assert branches(page) == 2


def test_a_simulation_shows_itself_in_a_notebook(page: Page, tmp_path: Path) -> None:
    """In a frame that can reach neither the notebook around it nor the network."""
    shown = Simulation(seed=3, faults="calm", seconds=2.0).run()._repr_html_()
    path = tmp_path / "notebook.html"
    path.write_text(f"<!doctype html><h1>cell</h1>{shown}", encoding="utf-8")

    page.driver.get(path.as_uri())
    page.driver.switch_to.frame(page.one("iframe"))
    page.wait_for_run()

    assert page.all("#ring [data-server=A]")
    assert page.run("try { return parent.document.title } catch { return null }") is None
    page.driver.switch_to.default_content()
