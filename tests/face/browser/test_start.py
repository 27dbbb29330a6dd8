"""The app in real Chromium, as a person uses it: look, move, type, follow links, go back."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.face.browser.steps import opened, pictures_load, rested, settled, shown
from tests.face.conftest import LONG

POINT = """(area) => {
  const chart = area.closest(".js-plotly-plot"), trace = chart._fullData.find((one) => one.x.length);
  const { xaxis, yaxis } = chart._fullLayout, { x, y } = area.getBoundingClientRect();
  return [x + xaxis.d2p(trace.x[0]), y + yaxis.d2p(trace.y[0]), trace.customdata[0][0]];
}"""
"""Where the first point of a Plotly chart lies on the screen, and its neuron."""

pytestmark = pytest.mark.browser


def test_deep_link_opened_cold_shows_the_neuron_in_its_frame(page: Page, address: str) -> None:
    opened(page, f"{address}/neuron?run=tiny&layer=late&neuron=0")
    shown(page, 0)
    assert pictures_load(page, "activating-grid") == pictures_load(page, "contrastive-grid") == 5
    expect(page.get_by_text("Copy link")).to_be_visible()
    expect(page.get_by_text("Not for diagnosis", exact=True)).to_be_visible()
    for part in ("projection-scores", "candidate-labels", "activation-histogram", "provenance"):
        expect(page.locator(f".st-key-{part}")).to_be_visible(timeout=LONG)


def test_twins_light_up_together_and_open_large(page: Page, address: str) -> None:
    opened(page, f"{address}/neuron?run=tiny&layer=late&neuron=0")
    settled(page)
    second = page.locator(".st-key-activating-grid .csp-tile").nth(1)
    twin = page.locator(".st-key-contrastive-grid .csp-tile").nth(1)
    expect(twin).to_be_visible()
    second.hover()
    expect(twin).to_have_class(re.compile("csp-pointed"))
    second.click()
    expect(page.get_by_role("dialog").locator("img")).to_have_count(2, timeout=LONG)


def test_arrow_keys_and_back_move_between_neurons(page: Page, address: str) -> None:
    opened(page, f"{address}/neuron?run=tiny&layer=late&neuron=0")
    shown(page, 0)
    expect(page.locator(".st-key-next button")).to_be_enabled(timeout=LONG)
    rested(page)
    page.keyboard.press("ArrowRight")
    shown(page, 1)
    page.locator(".st-key-next button").click()
    shown(page, 2)
    page.go_back()
    shown(page, 1)
    page.go_back()
    shown(page, 0)
    page.go_forward()
    shown(page, 1)


def test_steps_faster_than_pages_are_drawn_all_count(page: Page, address: str) -> None:
    opened(page, f"{address}/neuron?run=demo&layer=layer4&neuron=0")
    rested(page)
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    shown(page, 6)
    rested(page)
    button = page.locator(".st-key-previous button").bounding_box()
    assert button is not None
    for _ in range(4):
        page.mouse.click(button["x"] + button["width"] / 2, button["y"] + button["height"] / 2)
    shown(page, 2)


def test_gamma_moves_scores_and_address_but_not_the_neuron(page: Page, address: str) -> None:
    opened(page, f"{address}/neuron?run=tiny&layer=late&neuron=0")
    before = page.locator(".st-key-projection-scores").inner_text()
    gamma = page.locator(".st-key-gamma input[type=range]")
    gamma.focus()
    gamma.press("ArrowLeft")
    expect(page).to_have_url(re.compile("gamma=0.95"), timeout=LONG)
    expect(page.locator(".st-key-projection-scores")).not_to_have_text(before, timeout=LONG)
    shown(page, 0)
    opened(page, page.url)
    expect(page.locator(".st-key-gamma input[type=range]")).to_have_value("0.95")


def test_typed_label_is_scored_and_markup_stays_text(page: Page, address: str) -> None:
    opened(page, f"{address}/neuron?run=tiny&layer=late&neuron=0")
    box = page.locator(".st-key-own-label input")
    box.fill("ink <b>&")
    box.press("Enter")
    expect(page.locator(".st-key-own-label-score")).to_contain_text("ink <b>& scores", timeout=LONG)
    expect(page.locator(".st-key-own-label-score b")).to_have_count(0)


def test_from_the_start_to_a_neuron_and_back(page: Page, address: str) -> None:
    opened(page, f"{address}/?run=tiny")
    expect(page.get_by_text("lesion or for the ruler")).to_be_visible()
    page.get_by_role("link", name="Neurons", exact=True).click()
    rows = page.locator(".st-key-neuron-table tbody tr")
    expect(rows).to_have_count(6, timeout=LONG)
    neuron = int(rows.first.locator("a").inner_text())
    rows.first.click()
    shown(page, neuron)
    page.go_back()
    expect(rows).to_have_count(6, timeout=LONG)
    page.go_back()
    expect(page.get_by_text("lesion or for the ruler")).to_be_visible(timeout=LONG)


def test_wrong_address_leads_on(page: Page, address: str) -> None:
    opened(page, f"{address}/neuron?run=tiny&layer=late&neuron=99")
    expect(page.get_by_text("whole number from 0 to 5")).to_be_visible(timeout=LONG)
    page.get_by_role("button", name="neuron 5").click()
    shown(page, 5)


def test_demo_opens_and_labels_one_of_its_neurons(page: Page, address: str) -> None:
    opened(page, f"{address}/")
    page.get_by_role("link", name="Look closer").click()
    expect(page.locator(".st-key-toolbar h3")).to_be_visible(timeout=LONG)
    assert pictures_load(page, "activating-grid") == 9
    box = page.locator(".st-key-own-label input")
    box.fill("a ruler beside the mole")
    box.press("Enter")
    expect(page.locator(".st-key-own-label-score")).to_contain_text("CSP", timeout=3 * LONG)


def test_neurons_are_searched_filtered_sorted_and_seen_as_cards(page: Page, address: str) -> None:
    opened(page, f"{address}/neurons?run=tiny&layer=late")
    rows = page.locator(".st-key-neuron-table tbody tr")
    expect(rows).to_have_count(6, timeout=LONG)
    assert pictures_load(page, "neuron-table") > 0
    page.get_by_role("link", name="Neuron", exact=True).click()
    expect(rows.locator("a").first).to_have_text("0", timeout=LONG)
    page.get_by_role("link", name="Neuron", exact=True).click()
    expect(rows.locator("a").first).to_have_text("5", timeout=LONG)
    expect(page).to_have_url(re.compile("sort=number-back"))
    page.get_by_role("button", name=re.compile("never fire")).click()
    expect(rows).to_have_count(2, timeout=LONG)
    page.go_back()
    expect(rows).to_have_count(6, timeout=LONG)
    search = page.locator(".st-key-q input")
    search.fill("ruler")
    search.press("Enter")
    expect(page).to_have_url(re.compile("q=ruler"), timeout=LONG)
    page.locator(".st-key-view").get_by_text("Cards").click()
    cards = page.locator(".st-key-neuron-cards a")
    expect(cards.first).to_contain_text("ruler", timeout=LONG)
    opened(page, page.url)
    expect(cards.first).to_contain_text("ruler", timeout=LONG)
    neuron = int(cards.first.locator(".csp-card-title").inner_text())
    cards.first.click()
    shown(page, neuron)


def test_neurons_found_are_downloaded(page: Page, address: str) -> None:
    opened(page, f"{address}/neurons?run=tiny&layer=late&only=never-fires&sort=number")
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="CSV").click()
    assert waiting.value.suggested_filename == "tiny-late-neurons.csv"
    lines = Path(waiting.value.path()).read_text().splitlines()
    assert [line.split(",")[3] for line in lines] == ["neuron", "2", "4"]


def test_the_map_is_drawn_lists_what_is_drawn_around_and_opens_what_is_clicked(
    page: Page, address: str
) -> None:
    opened(page, f"{address}/neurons?run=tiny&layer=late&view=map")
    page.get_by_role("button", name="Draw the map").click()
    area = page.locator(".st-key-neuron-map .nsewdrag").first
    expect(area).to_be_visible(timeout=3 * LONG)
    cards = page.locator(".st-key-neuron-cards a")
    expect(cards).to_have_count(6, timeout=LONG)
    settled(page)
    box = area.bounding_box()
    assert box is not None
    corners = [(0.01, 0.01), (0.99, 0.01), (0.99, 0.99), (0.01, 0.99), (0.01, 0.02)]
    around = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*around[0])
    page.mouse.down()
    for corner in around[1:]:
        page.mouse.move(*corner, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile("picked=0-1.3.5"), timeout=LONG)
    expect(cards).to_have_count(4, timeout=LONG)
    settled(page)
    x, y, neuron = area.evaluate(POINT)
    page.mouse.move(x, y)
    page.mouse.click(x, y)
    shown(page, neuron)
    page.go_back()
    expect(page).to_have_url(re.compile("picked=0-1.3.5"), timeout=LONG)
    expect(cards).to_have_count(4, timeout=LONG)
