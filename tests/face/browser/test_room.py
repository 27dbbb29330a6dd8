"""Pages on a wall, a laptop, a phone and much enlarged: pictures are seen, nothing is out of reach."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.face.browser.test_look import AT, settle
from tests.face.conftest import LONG, visitor

NEURON, REVIEW = f"/neuron?{AT}&neuron=17", f"/review?{AT}"
PRESENT = "/present?run=demo&step=3"
BAR = "[data-testid=stBottom]"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def window(browser: Browser, address: str) -> Iterator[tuple[Page, str]]:
    """One window for all tests, and the address of the app."""
    context = visitor(browser)
    yield context.new_page(), address
    context.close()


def opened(window: tuple[Page, str], where: str, width: int, height: int) -> Page:
    page, served = window
    page.set_viewport_size({"width": width, "height": height})
    page.goto(served + where)
    expect(page.locator(".st-key-frame-links [aria-current=page]")).to_have_count(1, timeout=LONG)
    settle(page)
    return page


def box(page: Page, part: str) -> dict[str, float]:
    found = page.locator(part).bounding_box()
    assert found is not None, part
    return dict(found)


def foot(page: Page, part: str) -> float:
    found = box(page, part)
    return found["y"] + found["height"]


@pytest.mark.parametrize("where", [NEURON, REVIEW, PRESENT])
def test_a_wide_screen_is_used_to_its_edge(where: str, window: tuple[Page, str]) -> None:
    page = opened(window, where, 1920, 1080)
    content = box(page, "[data-testid=stMainBlockContainer]")
    assert content["x"] + content["width"] >= 1900


def test_a_slide_fills_the_wall(window: tuple[Page, str]) -> None:
    page = opened(window, PRESENT, 1920, 1080)
    grid = box(page, ".st-key-present-firing")
    assert grid["height"] > 0.5 * 1080
    assert foot(page, ".st-key-present-foot") <= 1080


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1440, 900)])
@pytest.mark.parametrize("where", [NEURON, REVIEW])
def test_on_a_laptop_all_nine_pairs_the_label_and_all_suggestions_are_seen(
    where: str, width: int, height: int, window: tuple[Page, str]
) -> None:
    page = opened(window, where, width, height)
    bar = box(page, BAR)["y"]
    assert foot(page, ".st-key-suggestion") <= bar
    for grid in ("activating", "contrastive"):
        assert foot(page, f".st-key-{grid}-grid") <= bar
    for key in page.locator(".st-key-verdict-picks kbd").all():
        place = key.bounding_box()
        assert place is not None
        assert place["x"] + place["width"] <= width


@pytest.mark.parametrize("where", [NEURON, REVIEW])
def test_enlarged_twice_pictures_are_seen_above_the_bar(where: str, window: tuple[Page, str]) -> None:
    page = opened(window, where, 640, 360)
    bar = box(page, BAR)["y"]
    assert bar > 360 * 2 / 3
    assert bar - box(page, ".st-key-activating-grid .csp-tile >> nth=0")["y"] > 80


@pytest.mark.parametrize("where", ["/?run=demo", NEURON, REVIEW, f"/neurons?{AT}", "/audit?run=demo"])
def test_a_phone_scrolls_down_only(where: str, window: tuple[Page, str]) -> None:
    page = opened(window, where, 390, 844)
    main = page.locator("[data-testid=stMain]")
    assert main.evaluate("node => node.scrollWidth <= node.clientWidth + 1")
    here = page.locator(".st-key-frame-links [aria-current=page]")
    assert here.bounding_box() is not None


def test_the_tab_key_leads_past_the_links(window: tuple[Page, str]) -> None:
    """Streamlit's own link comes first and leads to all of the page; ours leads past its links."""
    page = opened(window, NEURON, 1440, 900)
    skip = page.get_by_role("link", name="Skip to the content")
    for _ in range(4):
        page.keyboard.press("Tab")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    skip.press("Enter")
    expect(page.get_by_role("heading", name="Neuron", exact=True)).to_be_focused()
    expect(page.get_by_role("navigation", name="Pages")).to_be_visible()
    expect(page.get_by_role("link", name="Neurons")).to_have_attribute("aria-current", "page")
    expect(page.get_by_role("region", name="Verdict")).to_be_visible()
    assert page.get_by_role("button", name="Help", exact=True).count() == 0
