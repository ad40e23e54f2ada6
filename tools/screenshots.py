"""
Pictures of the lab's main views, light and dark, for the documents: ``make screenshots``.

It starts the lab and a Chromium without a window, goes to each view as a person would, and writes
``docs/pictures/lab-VIEW-light.png`` and ``...-dark.png``.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import click
from tests.browser.page import Page
from tests.browser.running import running_browser, running_lab

PICTURES = Path(__file__).resolve().parents[1] / "docs/pictures"
SCHEMES = ("light", "dark")
WIDTH, HEIGHT = 1440, 1040


def inherit(page: Page) -> None:
    """Show how a value survives its proposer, at the moment in which it is inherited."""
    page.open("#scenario=04_value_survives_its_proposer")
    page.press_on_page(page.keys.HOME)
    page.press_on_page("d")
    page.press_on_page("1")


def compare(page: Page) -> None:
    """Show one script with a bug and without it, side by side."""
    page.open("#scenario=19b_quorums_that_do_not_meet")
    page.press_on_page(page.keys.END)
    page.press_on_page("V")
    page.press_on_page("1")


def stories(page: Page) -> None:
    """Show the gallery."""
    page.open("#scenario=08_delayed_accept")
    page.press_on_page("3")


def lease(page: Page) -> None:
    """Show two masters, each in its own belief."""
    page.open("#scenario=14b_lease_from_learning")
    page.press_on_page(page.keys.END)
    page.press_on_page("1")


VIEWS: dict[str, Callable[[Page], None]] = {
    "inherited-value": inherit,
    "two-values": compare,
    "two-masters": lease,
    "scenarios": stories,
}


def main() -> None:
    """Take all pictures."""
    PICTURES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as home,
        running_lab() as link,
        running_browser(Path(home), width=WIDTH, height=HEIGHT) as driver,
    ):
        page = Page(driver, link)
        for scheme in SCHEMES:
            page.prefer("prefers-color-scheme", scheme)
            for name, go_there in VIEWS.items():
                go_there(page)
                page.settle()
                path = PICTURES / f"lab-{name}-{scheme}.png"
                driver.save_screenshot(str(path))
                click.echo(f"wrote {path}")


if __name__ == "__main__":
    main()
