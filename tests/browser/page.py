"""The lab's page, as a test handles it: each step waits for what it leads to."""

from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from selenium import webdriver
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    StaleElementReferenceException,
)
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

WAIT_SECONDS_MAX = 20.0
Found = TypeVar("Found")


class Page:
    """The page at *link* in a *driver*'s window."""

    keys = Keys

    def __init__(self, driver: webdriver.Chrome, link: str) -> None:
        """Handle that window."""
        self.driver = driver
        self.link = link

    def open(self, fragment: str = "") -> None:
        """Open the page, with what stands behind the link's ``#``, and wait for its first run."""
        self.driver.get("about:blank")
        self.driver.get(self.link + fragment)
        self.wait_for_run()

    def wait(self, condition: Callable[[], Found | None], what: str) -> Found:
        """Wait until *condition* returns something, which is returned."""
        found = WebDriverWait(self.driver, WAIT_SECONDS_MAX).until(lambda _: condition(), what)
        assert found is not None, what
        return found

    def go_to(self, fragment: str) -> None:
        """Change what stands behind the ``#`` of the page that is open."""
        self.run("location.hash = arguments[0]", fragment)

    def open_script(self, script: str) -> None:
        """Open the page with the run of *script*."""
        self.open(f"#script={quote(script, safe='')}")

    def wait_for_run(self) -> None:
        """Wait until a run is drawn."""
        self.wait(lambda: self.all("#spacetime [data-event]"), "a run is drawn")

    @property
    def title(self) -> str:
        """The title of the run that is shown."""
        return self.one("h1").text

    @property
    def at(self) -> int:
        """How many events of the run are shown."""
        return int(self.one("#spacetime").get_attribute("data-at") or 0)

    def pictures(self) -> list[str]:
        """Return the diagram and the ring as they are drawn now, when they are at rest."""
        self.settle()
        picture = "return [...document.querySelectorAll('#spacetime .st-svg, #ring svg')]"
        drawn: list[str] = self.run(f"{picture}.map((svg) => svg.outerHTML)")
        assert drawn
        return drawn

    def settle(self) -> None:
        """Wait until two frames in a row have been drawn."""
        self.driver.execute_async_script(
            "const done = arguments[0];"
            "requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done)));"
        )

    def choose(self, selector: str, value: str) -> None:
        """Choose the option *value* of the list that *selector* finds."""
        Select(self.one(selector)).select_by_value(value)

    def fill(self, selector: str, text: str) -> None:
        """Write *text* in place of what stands in the field that *selector* finds."""
        field = self.one(selector)
        field.clear()
        field.send_keys(text)

    def drag(self, selector: str, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag over what *selector* finds, from and to shares of its width and height."""
        element = self.one(selector)
        width, height = element.size["width"], element.size["height"]
        (x1, y1), (x2, y2) = (
            (int((x - 0.5) * width), int((y - 0.5) * height)) for x, y in (start, end)
        )
        chain = ActionChains(self.driver, duration=50)
        chain.move_to_element_with_offset(element, x1, y1).click_and_hold()
        chain.move_to_element_with_offset(element, (x1 + x2) // 2, (y1 + y2) // 2)
        chain.move_to_element_with_offset(element, x2, y2).release().perform()

    def download_to(self, directory: Path) -> None:
        """Let the browser put what it saves into *directory*."""
        wish = {"behavior": "allow", "downloadPath": str(directory)}
        self.driver.execute_cdp_cmd("Browser.setDownloadBehavior", wish)

    def go_offline(self, is_offline: bool) -> None:
        """Take the network away, or give it back."""
        conditions = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.driver.execute_cdp_cmd(
            "Network.emulateNetworkConditions", {"offline": is_offline, **conditions}
        )

    def prefer(self, feature: str, value: str) -> None:
        """Let the person before the browser prefer *value* of a media *feature*."""
        features = [{"name": feature, "value": value}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def contrast(self, selector: str) -> float:
        """Return by how much the text of *selector* stands out from the page, as WCAG counts it."""
        luminance = """
            const light = (colour) => {
              const parts = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => {
                const share = Number(part) / 255;
                return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
              });
              return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
            };
            const ink = light(getComputedStyle(arguments[0]).color);
            const paper = light(getComputedStyle(document.body).backgroundColor);
            return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
        """
        return float(self.run(luminance, self.one(selector)))

    def value(self, selector: str) -> str:
        """Return what stands in the field that *selector* finds."""
        return self.one(selector).get_attribute("value") or ""

    def all(self, selector: str) -> list[WebElement]:
        """Return what *selector* finds now."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str) -> WebElement:
        """Wait for what *selector* finds."""
        return self.wait(lambda: next(iter(self.all(selector)), None), selector)

    def click(self, selector: str) -> None:
        """Click what *selector* finds, as soon as it can be."""
        places = cycle(("center", "end", "start"))
        self.wait(lambda: self._is_clicked(selector, next(places)), selector)

    def _is_clicked(self, selector: str, place: str) -> bool:
        try:
            element = next((e for e in self.all(selector) if e.is_displayed()), None)
            if element is None:
                return False
            scroll = "arguments[0].scrollIntoView({block: arguments[1]})"
            self.driver.execute_script(scroll, element, place)
            element.click()
        except (ElementClickInterceptedException, StaleElementReferenceException):
            # Something lies over it at this place, or it was drawn anew just now.
            return False
        return True

    def press(self, *keys: str) -> None:
        """Press keys where the focus is."""
        active: WebElement = self.driver.switch_to.active_element
        active.send_keys(*keys)

    def press_on_page(self, *keys: str) -> None:
        """Press keys that the page as a whole listens to."""
        self.driver.find_element(By.TAG_NAME, "body").send_keys(*keys)

    def text(self, selector: str) -> str:
        """Return the text of what *selector* finds."""
        return self.one(selector).text

    def run(self, script: str, *arguments: Any) -> Any:
        """Run JavaScript in the page."""
        return self.driver.execute_script(script, *arguments)
