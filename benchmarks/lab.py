"""
How quickly the lab's page is there, and how smoothly it is scrubbed through.

    .venv/bin/python -m benchmarks.lab

It starts the lab and a Chromium without a window, opens a run of about a thousand events and one
of about ten thousand, and measures, in the browser's own clock: the time from opening the page to
the first picture, and, while the position moves by one event a frame, the time of each frame.
"""

import os
import statistics
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
from selenium import webdriver
from tests.browser.running import running_browser, running_lab

RUNS = {
    "1,000 events": "# A thousand\nseed 7\nmaster\nfaults rough 6s\nclients 3 4 6s\nadvance 8s\n",
    "10,000 events": (
        "# Ten thousand\nseed 3\nservers A B C D E\nmaster\nfaults cruel 55s\nclients 5 12 55s\n"
        "advance 65s\n"
    ),
}
OPENINGS = 5
LATE_MILLISECONDS = 20
FRAMES = 300
WAIT_SECONDS = 60

FIRST_PICTURE = """
const done = arguments[0];
const look = () => {
  if (document.querySelector('#spacetime [data-event]')) {
    requestAnimationFrame(() => done(performance.now()));
  } else {
    requestAnimationFrame(look);
  }
};
look();
"""
"""From the beginning of the navigation, which is the zero of the page's clock."""

SCRUB = """
const [frames, done] = arguments;
const slider = document.querySelector('#timebar input[type=range]');
const last = Number(slider.max);
const first = Math.max(1, last - 1000);
const times = [];
let before = null;
let step = 0;
const move = (now) => {
  if (before !== null) times.push(now - before);
  before = now;
  if (step === frames) return done([last, times]);
  slider.value = String(first + Math.floor((last - first) * step / frames));
  slider.dispatchEvent(new Event('input', { bubbles: true }));
  step += 1;
  requestAnimationFrame(move);
};
requestAnimationFrame(move);
"""
"""Through the last thousand events: so many frames, each at another position."""


def measure(driver: webdriver.Chrome, link: str, script: str) -> tuple[list[float], Any]:
    """Return the times to the first picture, in ms, and what came of scrubbing."""
    openings = []
    for _ in range(OPENINGS):
        driver.get("about:blank")
        driver.get(f"{link}#script={quote(script, safe='')}")
        openings.append(float(driver.execute_async_script(FIRST_PICTURE)))
    return openings, driver.execute_async_script(SCRUB, FRAMES)


def main() -> None:
    """Measure, and print a table."""
    click.echo(f"{os.cpu_count()} processors, Chromium without a window\n")
    click.echo(
        "| run | events | first picture, ms (median, worst) | frames/s | frames above 20 ms |"
    )
    click.echo("|---|---|---|---|---|")
    with (
        tempfile.TemporaryDirectory() as home,
        running_lab() as link,
        running_browser(Path(home), width=1440, height=900) as driver,
    ):
        driver.set_script_timeout(WAIT_SECONDS)
        measure(driver, link, RUNS["1,000 events"])  # The first start reads all from the disk.
        for name, script in RUNS.items():
            openings, (events, times) = measure(driver, link, script)
            click.echo(
                f"| {name} | {events:,} | {statistics.median(openings):.0f}, {max(openings):.0f} "
                f"| {1000 / statistics.mean(times):.0f} "
                f"| {sum(time > LATE_MILLISECONDS for time in times)} of {len(times)} |"
            )


if __name__ == "__main__":
    main()
