"""Traces of real servers in a real browser: what they tell, and what they do not."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from tests.browser.page import Page
from tests.browser.running import running_lab
from tests.lab.traces import as_servers_write

from multipaxos.simulation.cluster import SimulatedCluster


@pytest.fixture
def traced(tmp_path: Path) -> list[Path]:
    """Return the traces of three servers that decided two links."""
    cluster = SimulatedCluster(seed=3)
    cluster.start()
    cluster.run_for(2.0)
    for value in ("v0", "v1"):
        cluster.submit("A", ("SET", value))
        cluster.run_for(0.3)
    return as_servers_write(cluster.trace.events, tmp_path)


@contextmanager
def opened(chromium: webdriver.Chrome, *paths: Path) -> Iterator[Page]:
    """Start a lab with the traces at *paths*, and open its page."""
    with running_lab(*map(str, paths)) as link:
        page = Page(chromium, link)
        page.open()
        yield page


def status(page: Page, server: str) -> str:
    """Return what the ring says of how *server* is."""
    page.settle()
    found = f"document.querySelector('#ring [data-server={server}] .ring-status')"
    return str(page.run(f"return {found}.textContent"))


def ends_shown(page: Page) -> list[str]:
    """Return what stands where a trace ends, of all the run, which is fitted into the picture."""
    page.press_on_page("f")
    page.settle()
    ends = "[...document.querySelectorAll('[data-trace-end]')]"
    return list(page.run(f"return {ends}.map((end) => end.getAttribute('aria-label'))"))


def test_of_servers_without_a_trace_nothing_is_claimed(
    chromium: webdriver.Chrome, traced: list[Path]
) -> None:
    """They are not down; and the lamps name their evidence."""
    with opened(chromium, traced[0]) as page:
        assert [status(page, server) for server in "ABC"] == ["", *2 * ["not in this trace"]]
        assert page.all("#ring .is-down, #spacetime .st-column.is-down") == []
        assert page.text(".lamps-evidence") == "by the evidence of A alone"
        lamp = page.one("[data-lamp=I1][data-state=holds]")
        assert "B and C are not in this trace" in str(lamp.get_attribute("aria-label"))
        assert "There is no trace of B and C" in page.text("#notice")
        page.press_on_page("2")
        assert "There is no trace of B and C" in page.text("[data-run=remarks]")


def test_where_a_killed_server_tells_no_more_the_diagram_says_so(
    chromium: webdriver.Chrome, traced: list[Path]
) -> None:
    """The others went on; half a line is left out, which a notice says."""
    lines = traced[0].read_text(encoding="ascii").splitlines(keepends=True)
    cut = "".join(lines[: len(lines) // 2]) + lines[len(lines) // 2][:20]
    traced[0].write_text(cut, encoding="ascii")

    with opened(chromium, *traced) as page:
        assert "A.ndjson is cut off" in page.text("#notice")
        assert status(page, "A") == "trace ended"
        assert page.all(".lamps-evidence:empty")
        assert any("The trace of A ends here" in said for said in ends_shown(page))
        page.press_on_page(page.keys.HOME)
        assert status(page, "A") != "trace ended"


def test_a_server_that_was_killed_and_started_again_has_two_lives(
    chromium: webdriver.Chrome, traced: list[Path]
) -> None:
    """The first one ends with its last event; the second one begins, and tells all."""
    lines = traced[0].read_text(encoding="ascii").splitlines(keepends=True)
    half = lines[: len(lines) // 2]
    header, started = json.loads(lines[0]), json.loads(next(x for x in lines if "started" in x))
    later = json.loads(lines[-1])["time"] + 100
    life = [header | {"time": later}, started | {"time": later, "memory": True}]
    again = "".join(json.dumps(event) + "\n" for event in life)
    traced[0].write_text("".join(half) + again, encoding="ascii")

    with opened(chromium, *traced) as page:
        assert any("The trace of A ends here" in said for said in ends_shown(page))
        page.press_on_page(page.keys.END)
        assert status(page, "A") == ""


def test_a_trace_stays_open_whatever_is_played(
    chromium: webdriver.Chrome, traced: list[Path]
) -> None:
    """There is no script that could bring it back; without one, nothing is played."""
    with opened(chromium, *traced) as page:
        title = page.title
        page.press_on_page("2")
        page.click("[data-run=play]")
        page.wait(lambda: "no script to play" in page.text("#notice") or None, "a sentence")
        assert page.title == title

        page.click("[data-run=sandbox]")
        page.wait(lambda: page.title == "A cluster of your own" or None, "a cluster of one's own")
        page.click("#branches [data-branch='0']")

        page.wait(lambda: page.title == title or None, "the trace again")
