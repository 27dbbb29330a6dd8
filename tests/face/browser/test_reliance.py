"""An auditor who knows nothing of the demo finds what is planted in it, by what the screens say alone."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from csp.world.dermoscopy import PLANTED
from tests.face.browser.steps import opened, settled
from tests.face.conftest import LONG

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PATIENT = 4 * LONG
"""All concepts are switched off once, which takes its time on a busy machine."""


def badges(row: Locator) -> set[str]:
    return set(row.locator(".csp-badge").all_inner_texts())


def test_every_planted_shortcut_is_found_and_no_other(page: Page, address: str) -> None:
    opened(page, f"{address}/?run=demo")
    page.get_by_role("link", name=re.compile("What the model leans on")).click()
    rows = page.locator(".st-key-reliance-table tbody tr")
    expect(rows.first).to_be_visible(timeout=PATIENT)
    settled(page)
    found = {
        row.locator("a").first.inner_text()
        for row in rows.all()
        if badges(row) >= {"leans on it", "not the lesion"}
    }
    assert found == {name.replace("_", " ") for name in PLANTED}
    summary = page.locator(".st-key-reliance-summary").inner_text()
    not_the_lesion = summary.partition("not the lesion: ")[2].partition(".")[0]
    assert set(re.split(", | and ", not_the_lesion)) == found

    name = sorted(found)[0]
    rows.filter(has=page.get_by_role("link", name=name, exact=True)).click()
    expect(page).to_have_url(re.compile(f"concept={name}"), timeout=LONG)
    expect(page.get_by_text("How good the model is")).to_be_visible(timeout=LONG)
    opened(page, page.url)
    sentence = page.get_by_text(re.compile(f"in 100 on images that show {name}"))
    expect(sentence.first).to_be_visible(timeout=PATIENT)
    page.get_by_role("button", name="All concepts").click()
    expect(rows.first).to_be_visible(timeout=PATIENT)
