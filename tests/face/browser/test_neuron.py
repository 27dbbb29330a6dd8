"""The neuron page's views, comparing and classes in real Chromium, as a person uses them."""

import re

import pytest
from playwright.sync_api import Page, expect

from csp.work.explorer.explorer import open_explorer
from tests import patience
from tests.face.browser.steps import opened, pictures_load, press, rested, settled, shown
from tests.face.conftest import LONG

pytestmark = pytest.mark.browser
NEURON = "/neuron?run=tiny&layer=late&neuron=0"


OUTSIDE = """parts => {
  const main = document.querySelector("[data-testid=stMain]");
  const bar = document.querySelector(".st-key-verdict").getBoundingClientRect();
  const hidden = (part) => {
    const box = document.querySelector(`.st-key-${part}`)?.getBoundingClientRect();
    return !box || !box.height || box.top < 0 || box.bottom > bar.top;
  };
  return [...parts.filter(hidden), ...(main.scrollHeight > main.clientHeight ? ["something to scroll"] : [])];
}"""
"""The parts of the neuron page that are not whole above the verdict bar, and whether the page scrolls."""


@pytest.mark.parametrize("view", ["groups", "pairs", "all", "levels"])
def test_all_of_a_neuron_stands_on_one_screen(page: Page, address: str, view: str) -> None:
    opened(page, f"{address}/neuron?run=demo&layer=layer4&neuron=32&view={view}")
    page.locator(".st-key-activation-histogram svg").first.wait_for()
    settled(page)
    parts = [
        *("levels" if view == "levels" else "pictures", "suggestion", "how-sure", "projection-scores"),
        *("candidate-labels", "activation-histogram", "similar-neurons", "review-history", "run-line"),
    ]
    for _ in range(2 * patience.SECONDS):  # parts find their places one after the other
        if not (outside := page.evaluate(OUTSIDE, parts)):
            break
        page.wait_for_timeout(500)
    # the levels are a little taller than the rest: they may be scrolled, and their foot with them
    may_scroll = {"something to scroll", "run-line"} if view == "levels" else set()
    assert set(outside) <= may_scroll


def test_levels_and_pairs_by_key_keep_to_the_address(page: Page, address: str) -> None:
    opened(page, address + NEURON)
    page.get_by_role("radio", name="Levels").click()
    expect(page).to_have_url(re.compile("view=levels"), timeout=LONG)
    assert pictures_load(page, "levels") > 10
    press(page, "g", "grids")
    expect(page).to_have_url(re.compile("view=pairs"), timeout=LONG)
    assert pictures_load(page, "pair-grid") == 10
    page.go_back()
    expect(page.locator(".st-key-levels")).to_be_visible(timeout=LONG)


def test_a_picture_opens_large_and_arrows_go_through_the_pictures(page: Page, address: str) -> None:
    opened(page, address + NEURON)
    page.locator(".st-key-activating-grid .csp-tile").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("1 of 5")).to_be_visible(timeout=LONG)
    expect(page).to_have_url(re.compile("image="))
    rested(page)
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_text("2 of 5")).to_be_visible(timeout=LONG)
    link = page.url
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile("image="), timeout=LONG)
    shown(page, 0)
    opened(page, link)
    expect(page.get_by_role("dialog").get_by_text("2 of 5")).to_be_visible(timeout=LONG)


def test_where_it_fires_lies_over_the_pictures_of_the_demo(page: Page, address: str) -> None:
    opened(page, f"{address}/neuron?run=demo&layer=layer4&neuron=3")
    page.locator(".st-key-activating-grid img").first.wait_for()
    press(page, "m", "heat-map")
    expect(page).to_have_url(re.compile("heat=true"), timeout=LONG)
    overlays = page.locator(".st-key-activating-grid .csp-overlay[src]")
    expect(overlays).to_have_count(9, timeout=4 * LONG)
    press(page, "m", "heat-map")
    expect(overlays).to_have_count(0, timeout=LONG)


def test_a_similar_neuron_opens_and_the_pinned_one_is_compared(page: Page, address: str) -> None:
    opened(page, address + NEURON)
    page.locator(".st-key-activating-grid img").first.wait_for()
    press(page, "p", "pin")
    expect(page).to_have_url(re.compile("pin=0"), timeout=LONG)
    settled(page)
    page.locator(".st-key-next button").click()
    shown(page, 1)
    page.get_by_role("link", name="Compare with 0").click()
    expect(page.locator(".st-key-side-a h3")).to_contain_text("Neuron 0", timeout=LONG)
    expect(page.locator(".st-key-side-b h3")).to_contain_text("Neuron 1", timeout=LONG)
    page.locator(".st-key-swap button").click()
    expect(page.locator(".st-key-side-a h3")).to_contain_text("Neuron 1", timeout=LONG)
    page.go_back()
    expect(page.locator(".st-key-side-a h3")).to_contain_text("Neuron 0", timeout=LONG)
    opened(page, address + NEURON)
    card = page.locator(".st-key-similar-neurons .csp-card").first
    other = re.search(r"neuron=(\d+)", str(card.get_attribute("href")))
    assert other
    card.click()
    shown(page, int(other[1]))


def test_from_contrasts_and_classes_to_a_neuron(page: Page, address: str) -> None:
    opened(page, f"{address}/compare?run=tiny&layer=late&what=gammas")
    row = page.locator(".st-key-changes tbody tr").first
    neuron = int(row.locator("a").inner_text())
    row.click()
    shown(page, neuron)
    opened(page, f"{address}/classes?run=demo&layer=layer4")
    card = page.locator(".st-key-class-push .csp-card").first
    assert pictures_load(page, "class-push") > 0
    card.click()
    expect(page.locator(".st-key-toolbar h3")).to_contain_text("Neuron", timeout=LONG)


def test_t_groups_the_pictures_by_thing_and_back(page: Page, address: str) -> None:
    found = open_explorer("demo").stored_facets.of("layer4")
    neuron = next(neuron for neuron, facets in found.items() if len(facets) > 1)
    opened(page, f"{address}/neuron?run=demo&layer=layer4&neuron={neuron}")
    press(page, "t", "by-facet")
    expect(page).to_have_url(re.compile("by=facets"), timeout=LONG)
    expect(page.get_by_role("button", name="Grouped by thing")).to_be_visible(timeout=LONG)
    press(page, "t", "by-facet")
    expect(page).not_to_have_url(re.compile("by=facets"), timeout=LONG)
