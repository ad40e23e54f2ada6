"""
Pictures of the lab's main views, light and dark, for the documents: ``make screenshots``.

It starts the lab and a Chromium without a window, goes to each view as a person would, and writes
``docs/pictures/lab-VIEW-light.png`` and ``...-dark.png``.
"""

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from tests.browser.page import Page

PICTURES = Path(__file__).resolve().parents[1] / "docs/pictures"
LINK = re.compile(r"http://127\.0\.0\.1:\d+/\S+")
END_SECONDS = 30
SCHEMES = ("light", "dark")


def inherit(page: Page) -> None:
    """Show how a value survives its proposer, at the moment in which it is inherited."""
    page.open("#scenario=04_value_survives_its_proposer")
    page.press_on_page(page.keys.HOME)
    page.press_on_page("d")
    page.press_on_page("1")


def compare(page: Page) -> None:
    """Show one script with a bug and without it, side by side."""
    page.open("#scenario=19b_quorums_that_do_not_meet")
    page.press_on_page("V")
    page.press_on_page("1")


def stories(page: Page) -> None:
    """Show the gallery."""
    page.open("#scenario=08_delayed_accept")
    page.press_on_page("3")


def lease(page: Page) -> None:
    """Show two masters, each in its own belief."""
    page.open("#scenario=14b_lease_from_learning")
    page.press_on_page("1")


VIEWS: dict[str, Callable[[Page], None]] = {
    "inherited-value": inherit,
    "two-values": compare,
    "two-masters": lease,
    "scenarios": stories,
}


@contextmanager
def lab() -> Iterator[str]:
    """Start the lab, and give its link."""
    command = [sys.executable, "-m", "multipaxos", "lab", "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - its own program
        assert process.stdout is not None
        try:
            yield next(found[0] for line in process.stdout if (found := LINK.search(line)))
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(END_SECONDS)


@contextmanager
def browser() -> Iterator[webdriver.Chrome]:
    """Start Chromium without a window, on a screen of 1440 by 900."""
    chromium, driver_path = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver_path is None:
        sys.exit("chromium or chromedriver is missing: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--window-size=1440,1040"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=Service(driver_path))
    try:
        yield driver
    finally:
        driver.quit()


def main() -> None:
    """Take all pictures."""
    PICTURES.mkdir(exist_ok=True)
    with lab() as link, browser() as driver:
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
