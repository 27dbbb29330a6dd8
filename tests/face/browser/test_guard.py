"""The app under its Content-Security-Policy (`page` fails on what it holds back), and in frames of others."""

import io

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.face.browser.steps import opened, settled, until
from tests.face.conftest import LONG, visitor


def test_upload_chart_and_download_work_under_the_policy(page: Page, address: str) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (300, 200), "brown").save(picture, "PNG")
    opened(page, f"{address}/try?run=demo")
    page.set_input_files(
        "input[type=file]", {"name": "a.png", "mimeType": "image/png", "buffer": picture.getvalue()}
    )
    expect(page.get_by_text("The model says").first).to_be_visible(timeout=LONG)
    opened(page, f"{address}/neurons?run=demo&layer=layer4&view=map")
    expect(page.locator(".js-plotly-plot canvas, .js-plotly-plot svg").first).to_be_visible(timeout=LONG)
    opened(page, f"{address}/review?run=tiny")
    page.get_by_text("Export and import verdicts").click()
    with page.expect_download() as download:
        page.locator(".st-key-export-csv button").click()
    assert download.value.suggested_filename == "reviews-tiny.csv"


def test_a_page_of_elsewhere_can_not_frame_the_app(browser: Browser, address: str) -> None:
    context = visitor(browser)
    outer = context.new_page()
    outer.set_content(f'<iframe src="{address}/neuron?run=demo&layer=layer4&neuron=33"></iframe>')
    until(outer, lambda: outer.frames[1].url not in ("", "about:blank"), "what the frame shows")
    assert outer.frames[1].url.startswith("chrome-error:")
    context.close()


def test_the_menu_of_the_page_opens(page: Page, address: str) -> None:
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        opened(page, address)
        page.get_by_test_id("stMainMenu").locator("button").click()
        expect(page.get_by_test_id("stMainMenuPopover")).to_contain_text("Print")
        page.keyboard.press("Escape")
        settled(page)
    expect(page.get_by_test_id("stSkillsNudge")).to_have_count(0)
