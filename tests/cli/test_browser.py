"""The browser is opened where there is one, and only if it has windows."""

import webbrowser

import pytest

from multipaxos.cli.browser import open_browser


@pytest.mark.parametrize(
    "browser, chosen, opened",
    [
        (webbrowser.GenericBrowser("w3m"), False, 0),
        (webbrowser.GenericBrowser("mine"), True, 1),
        (webbrowser.BackgroundBrowser("firefox"), False, 1),
        (None, False, 0),
    ],
)
def test_a_browser_is_opened_unless_it_would_take_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
    browser: webbrowser.GenericBrowser | None,
    chosen: bool,
    opened: int,
) -> None:
    """The link is printed in any case."""
    links: list[str] = []

    def get() -> webbrowser.BaseBrowser:
        if browser is None:
            raise webbrowser.Error("could not locate runnable browser")
        return browser

    monkeypatch.setattr(webbrowser, "get", get)
    monkeypatch.delenv("BROWSER", raising=False)
    if chosen:
        monkeypatch.setenv("BROWSER", "mine %s")
    for kind in (webbrowser.GenericBrowser, webbrowser.BackgroundBrowser):
        monkeypatch.setattr(kind, "open", lambda _, link: links.append(link))

    open_browser("http://127.0.0.1:1/")

    assert links == ["http://127.0.0.1:1/"] * opened
