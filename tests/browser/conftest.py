"""A real browser on a real lab: the command as its user starts it, and a hidden Chromium."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from tests.browser.page import Page

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
WHY_NOT = "needs Debian's chromium and chromium-driver: apt-get install chromium chromium-driver"
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--window-size=1440,900",
    "--lang=en",
)
LINK = re.compile(r"http://127\.0\.0\.1:\d+/\S+")


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
    """Start the lab on a free port and return the link that it prints."""
    command = [sys.executable, "-m", "multipaxos", "lab", "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        assert process.stdout is not None
        try:
            yield _link_in(process.stdout)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)
            process.stdout.read()


def _link_in(lines: Any) -> str:
    for line in lines:
        found = LINK.search(line)
        if found:
            return found[0]
    raise AssertionError("the lab ended without telling its link")


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Start one browser for all tests."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for argument in ARGUMENTS:
        options.add_argument(argument)
    downloads = tmp_path_factory.mktemp("downloads")
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # No helper program is looked for on the network: both executables are named.
    service = Service(str(DRIVER), env={**os.environ, "HOME": str(downloads)})
    driver = webdriver.Chrome(options=options, service=service)
    yield driver
    driver.quit()


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
