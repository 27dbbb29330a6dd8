"""What tests of several pages do on a page: open it, wait until it has settled, see where it stands."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests import patience
from tests.face.conftest import LONG

AT_REST = "[data-testid=stApp][data-test-script-state=notRunning]"
IDLE = f"""() => Promise.race([
  new Promise((done) => requestIdleCallback(() => requestIdleCallback(done))),
  new Promise((_, fail) => setTimeout(() => fail(new Error("the page is never at rest")), {LONG})),
])"""
"""The browser has nothing left to do for the page, twice."""
HEARS = "Boolean(window.cspKeys && window.cspWords && window.cspPresses)"


def opened(page: Page, url: str) -> Page:
    page.goto(url)
    settled(page)
    return page


def settled(page: Page) -> None:
    page.wait_for_selector(AT_REST)


def rested(page: Page) -> None:
    """Wait until all is drawn and listens: Streamlit's buttons hear keys a moment after they are drawn."""
    settled(page)
    page.evaluate(IDLE)
    settled(page)


def press(page: Page, key: str, control: str) -> None:
    """Press a key once the button that prints it can be pressed and nothing is being drawn any more."""
    expect(page.locator(f".st-key-{control} button").first).to_be_enabled(timeout=LONG)
    rested(page)
    page.keyboard.press(key)


def bar(page: Page, key: str) -> None:
    """Press a key of the verdict bar, once that is drawn and hears."""
    listening(page)
    rested(page)
    page.keyboard.press(key)


def listening(page: Page) -> None:
    """Wait until the verdict bar is drawn and its scripts hear: a moment later, on a first page."""
    expect(page.locator(".st-key-flag button")).to_be_enabled(timeout=LONG)
    until(page, lambda: page.evaluate(HEARS), "the scripts of the verdict bar")


def until(page: Page, come: Callable[[], object], what: str) -> None:
    """As `patience.until`, and the page goes on meanwhile: its policy forbids Playwright's own such wait."""
    patience.until(come, what, lambda seconds: page.wait_for_timeout(1000 * seconds))


def shown(page: Page, neuron: int) -> None:
    expect(page.locator(".st-key-toolbar h3")).to_have_text(f"Neuron {neuron}", timeout=LONG)
    expect(page).to_have_url(re.compile(rf"neuron={neuron}\b"), timeout=LONG)


def pictures_load(page: Page, grid: str) -> int:
    """The number of pictures in a grid, all of them decoded, once the page has settled."""
    settled(page)
    images = page.locator(f".st-key-{grid} img")
    expect(images.first).to_be_visible(timeout=LONG)
    for image in images.all():
        assert image.evaluate("async (image) => { await image.decode(); return image.naturalWidth }") > 0
        assert image.get_attribute("alt")
    return images.count()
