"""The browser of whoever typed a command."""

import os
import webbrowser


def open_browser(link: str) -> None:
    """
    Open *link* in a window, if there is a browser that has windows. May take a while.

    One within the terminal would run no script, and take the terminal away: it is opened only if
    the environment names it (``BROWSER``).
    """
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return
    is_in_terminal = type(browser) is webbrowser.GenericBrowser
    if not is_in_terminal or "BROWSER" in os.environ:
        browser.open(link)
