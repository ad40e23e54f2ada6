"""The lab as its user starts it, and a hidden Chromium: for tests, pictures and measures."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
WHY_NOT = "needs Debian's chromium and chromium-driver: apt-get install chromium chromium-driver"
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--lang=en",
)
LINK = re.compile(r"http://127\.0\.0\.1:\d+/\S+")
END_SECONDS_MAX = 30


@contextmanager
def running_lab(*arguments: str) -> Iterator[str]:
    """Start the lab on a free port, and give the link that it prints; end it after that."""
    return _running("lab", *arguments)


@contextmanager
def running_cluster(*arguments: str) -> Iterator[str]:
    """Start a cluster of real processes behind the lab, in the same manner."""
    return _running("cluster", "--lab", "--quiet", *arguments)


def _running(*words: str) -> Iterator[str]:
    command = [sys.executable, "-m", "multipaxos", *words, "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        assert process.stdout is not None
        try:
            yield next(found[0] for line in process.stdout if (found := LINK.search(line)))
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(END_SECONDS_MAX)
            process.stdout.read()


@contextmanager
def running_browser(home: Path, *, width: int, height: int) -> Iterator[webdriver.Chrome]:
    """Start a browser that keeps what it must in *home*; SystemExit where there is none."""
    if CHROMIUM is None or DRIVER is None:
        sys.exit(f"This {WHY_NOT}")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in (*ARGUMENTS, f"--window-size={width},{height}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # No helper program is looked for on the network: both executables are named.
    service = Service(DRIVER, env={**os.environ, "HOME": str(home)})
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield driver
    finally:
        driver.quit()
