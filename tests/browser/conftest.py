"""A real browser on a real lab: the command as its user starts it, and a hidden Chromium."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from tests.browser.page import Page
from tests.browser.running import CHROMIUM, DRIVER, WHY_NOT, running_browser, running_lab


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests in this directory, and skip them where there is no browser."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("browser")
            if not (CHROMIUM and DRIVER):
                item.add_marker(pytest.mark.skip(reason=WHY_NOT))


@pytest.fixture(scope="session")
def lab_link() -> Iterator[str]:
    """Start one lab for all tests, and return the link that it prints."""
    with running_lab() as link:
        yield link


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Start one browser for all tests."""
    home = tmp_path_factory.mktemp("browser")
    with running_browser(home, width=1440, height=900) as driver:
        yield driver


@pytest.fixture
def page(chromium: webdriver.Chrome, lab_link: str) -> Iterator[Page]:
    """Open the lab afresh; whatever a test does, no error may stand on the console."""
    chromium.get("about:blank")
    _console(chromium)
    page = Page(chromium, lab_link)
    page.open()
    yield page
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert [entry for entry in _console(chromium) if _is_error(entry)] == []


def _is_error(entry: Any) -> bool:
    # The browser itself notes each refusal of the lab; the page tells it in a sentence.
    is_refusal = entry["source"] == "network" and "/api/" in entry["message"]
    return entry["level"] == "SEVERE" and not is_refusal


def _console(chromium: webdriver.Chrome) -> list[Any]:
    """Return what was written on the console since it was last asked for."""
    entries: list[Any] = chromium.get_log("browser")  # type: ignore[no-untyped-call]
    return entries
