"""A running cluster, troubled by clicks in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from tests.browser.page import Page
from tests.browser.running import running_cluster

from multipaxos.cli.processes import loopback_servers, write_config
from multipaxos.runtime.config import Config

CARD = '.live-card[data-server="{}"]'


@pytest.fixture(scope="module")
def cluster_link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start one cluster for all tests, and return the link that it prints."""
    directory: Path = tmp_path_factory.mktemp("cluster")
    config = directory / "cluster.toml"
    write_config(config, Config(cluster="lab", servers=loopback_servers("ABC")))
    options = ("--config", str(config), "--data", str(directory / "state"))
    with running_cluster(*options) as link:
        yield link


@pytest.fixture
def cluster(chromium: webdriver.Chrome, cluster_link: str) -> Iterator[Page]:
    """Open the cluster's page afresh; leave its network whole."""
    page = Page(chromium, cluster_link)
    page.open()
    page.wait(lambda: len(page.all(".live-card")) == 3 or None, "three servers")
    yield page
    page.click("[data-live=heal]")
    page.wait(lambda: said(page) == "The network is whole." or None, "a whole network")


def said(page: Page) -> str:
    """Return what the panel says of the last wish."""
    return page.text("[data-live=said]")


def ask(page: Page, server: str, value: str) -> None:
    """Have *server* set *value*, however often it must be asked."""
    page.choose("[data-live=ask]", server)
    page.fill("[data-live=value]", value)

    def is_set() -> bool | None:
        page.click(".live-row button[type=submit]")
        page.wait(lambda: said(page) not in ("", "...") or None, "an answer")
        return "has set" in said(page) or None

    page.wait(is_set, f"{server} sets {value}")


def become(page: Page, server: str, deed: str, state: str) -> None:
    """Click *deed* at *server*, and wait until it is in that *state*."""
    card = CARD.format(server)
    page.click(f'{card} [data-deed="{deed}"]')
    page.wait(lambda: page.all(f'{card}[data-state="{state}"]') or None, f"{server} is {state}")


def kinds(page: Page) -> set[str]:
    """Return the kinds of the events in the list, read at one instant: it is drawn ever anew."""
    lines = "[...document.querySelectorAll('.live-line')]"
    return set(page.run(f"return {lines}.map((line) => line.dataset.kind)"))


def test_servers_are_killed_and_stand_still_and_the_others_go_on(cluster: Page) -> None:
    """What can be done to each, its buttons show."""
    ask(cluster, "A", "first")
    # Killed without a state to come back to, it would need both others; one will stand still.
    link = f'{CARD.format("B")} [data-live="about"]'
    cluster.wait(lambda: cluster.text(link).startswith("at link") or None, "B has saved something")
    become(cluster, "B", "kill", "down")
    ask(cluster, "A", "without B")
    assert not cluster.one(f'{CARD.format("B")} [data-deed="pause"]').is_enabled()
    become(cluster, "B", "restart", "up")

    become(cluster, "C", "pause", "paused")
    ask(cluster, "A", "without C")
    become(cluster, "C", "resume", "up")

    told = {"crashed", "paused", "resumed", "resolved"}
    cluster.wait(lambda: told <= kinds(cluster) or None, f"{told} in the list")


def test_a_page_that_is_opened_anew_shows_the_faults_as_they_are(cluster: Page) -> None:
    """And one that changes leaves the others alone."""
    cluster.click('[data-cut="A->C"]')
    cluster.wait(lambda: said(cluster) == "The network is troubled." or None, "a cut")

    cluster.open()
    cut = '[data-cut="A->C"]:checked'
    cluster.wait(lambda: cluster.all(cut) or None, "the cut is shown")
    cluster.one("[data-live=loss]").send_keys(cluster.keys.ARROW_RIGHT)
    cluster.wait(lambda: said(cluster) == "The network is troubled." or None, "some loss")
    cluster.open()

    cluster.wait(lambda: cluster.all(cut) or None, "the cut is still there")
    assert cluster.value("[data-live=loss]") == "0.05"


def test_the_answer_is_in_view_where_it_was_asked_for(cluster: Page) -> None:
    """Directly under the form, and never below the panel's edge."""
    ask(cluster, "A", "in view")

    in_view = """
        const said = document.querySelector("[data-live=said]").getBoundingClientRect();
        const panel = document.querySelector("#panel-live").getBoundingClientRect();
        return said.height > 0 && said.top >= panel.top && said.bottom <= panel.bottom;
    """
    for selector in (".live-card", "[data-live=value]", "[data-freeze]"):
        scroll = "document.querySelector(arguments[0]).scrollIntoView({block: 'nearest'})"
        cluster.run(scroll, selector)
        assert cluster.run(in_view), selector
    form = "return document.querySelector('[data-live=said]').previousElementSibling.tagName"
    assert cluster.run(form) == "FORM"


def test_until_it_is_followed_the_picture_is_said_to_be_another_run(cluster: Page) -> None:
    """Who follows sees the cluster, and the sentence goes."""
    assert "until “follow” is ticked" in cluster.text("[data-live=story]")

    cluster.click("[data-live=follow]")

    hidden = "return document.querySelector('[data-live=story]').hidden"
    cluster.wait(lambda: cluster.run(hidden) or None, "the cluster is in the picture")
    assert cluster.title.endswith("of the running cluster")


def test_a_stretch_is_frozen_into_the_viewer(cluster: Page) -> None:
    """As a run of its own, with its decision and the message that was cut off."""
    cluster.click('[data-cut="A->C"]')
    cluster.wait(lambda: said(cluster) == "The network is troubled." or None, "a cut")
    ask(cluster, "A", "frozen")
    dropped = '.live-line[data-kind="dropped"]'
    cluster.wait(lambda: cluster.all(dropped) or None, "a message is cut off")

    cluster.click('[data-freeze="30"]')

    cluster.wait(lambda: cluster.title.endswith("of the running cluster") or None, "a new run")
    cluster.wait(lambda: "frozen" in cluster.text("#spacetime") or None, "its decision")
