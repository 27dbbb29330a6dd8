"""Search and Try an image in real Chromium: type, browse, upload, open what was found, go back."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, Response, expect

from tests.face.browser.steps import opened, pictures_load, settled, shown
from tests.face.conftest import LONG

pytestmark = pytest.mark.browser


def photograph() -> bytes:
    """A JPEG that carries a name in its metadata."""
    exif = Image.Exif()
    exif[0x010E] = "PATIENT Jane Doe"
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "JPEG", exif=exif)
    return file.getvalue()


def test_words_are_typed_found_opened_and_back(page: Page, address: str) -> None:
    opened(page, f"{address}/search?run=tiny&layer=late&layers=one")
    box = page.locator(".st-key-query input")
    box.fill("ruler marks, -hairs")
    box.press("Enter")
    expect(page).to_have_url(re.compile("query=ruler"), timeout=LONG)
    cards = page.locator(".st-key-results .csp-card")
    expect(cards.first).to_contain_text("fits ruler marks", timeout=LONG)
    assert pictures_load(page, "results") > 0
    cards.first.click()
    shown(page, 0)
    page.go_back()
    expect(cards.first).to_contain_text("fits ruler marks", timeout=LONG)
    expect(box).to_have_value("ruler marks, -hairs")


def test_markup_in_the_words_stays_text(page: Page, address: str) -> None:
    opened(page, f"{address}/search?run=tiny&query=ink%20%3Cb%3E%26")
    settled(page)
    expect(page.get_by_label("Search", exact=False).first).to_be_visible(timeout=LONG)
    expect(page.get_by_text("ink &", exact=True)).to_have_count(0)
    expect(page.locator(".st-key-results b")).to_have_count(0)


def test_a_probe_picture_is_picked_tried_and_left(page: Page, address: str) -> None:
    opened(page, f"{address}/try?run=tiny&layer=late")
    page.locator(".st-key-probe-pictures .csp-tile").nth(2).click()
    expect(page).to_have_url(re.compile(r"image=\d+"), timeout=LONG)
    expect(page.locator(".st-key-prediction")).to_contain_text("The model says", timeout=LONG)
    expect(page.locator(".st-key-neurons-behind .csp-card").first).to_contain_text("fires more strongly")
    page.go_back()
    expect(page.locator(".st-key-probe-pictures .csp-tile").first).to_be_visible(timeout=LONG)


def test_an_upload_is_explained_and_none_of_its_metadata_comes_back(page: Page, address: str) -> None:
    sent: list[Response] = []
    page.on("response", lambda answer: sent.append(answer) if "/media/" in answer.url else None)
    opened(page, f"{address}/try?run=demo&layer=layer4")
    page.locator(".st-key-upload input[type=file]").set_input_files(
        {"name": "mine.jpg", "mimeType": "image/jpeg", "buffer": photograph()}
    )
    expect(page.locator(".st-key-prediction")).to_contain_text("The model says", timeout=4 * LONG)
    cards = page.locator(".st-key-neurons-behind .csp-card")
    expect(cards.first).to_contain_text(re.compile(r"\+\d\.\d\d for"), timeout=2 * LONG)
    expect(cards.first.locator("img").first).to_have_attribute("alt", re.compile("Where neuron"))
    settled(page)
    assert sent
    assert not any(b"Jane" in body or b"Exif" in body for body in (answer.body() for answer in sent))
    assert "image=" not in page.url
    page.locator(".st-key-another-picture button").click()
    expect(page.locator(".st-key-probe-pictures .csp-tile").first).to_be_visible(timeout=LONG)
