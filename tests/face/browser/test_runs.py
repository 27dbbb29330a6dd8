"""Jobs and the tour in real Chromium: a job outlives tab and server, is watched to its end and opened."""

import os
import re
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from csp.work.jobs.jobs import cancel_job, start_job
from csp.work.jobs.registry import check_job
from tests.build import draw
from tests.face.browser.steps import opened, rested
from tests.face.conftest import LONG
from tests.face.server import ROOT, serving
from tests.work.jobs.test_jobs import ended, fields, let_pass

pytestmark = pytest.mark.browser


def test_a_job_outlives_tab_and_server(
    page: Page, own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    own_home.mkdir(exist_ok=True)
    (tmp_path / "images").mkdir()
    for row in range(12):
        draw(row).save(tmp_path / f"images/{row:02}.png")
    let_pass(tmp_path, 1)
    with serving(own_home) as served:
        id_ = start_job(check_job("index", fields(tmp_path)), "Run mine").id
        opened(page, f"{served.address}/runs?view=jobs")
        expect(page.locator(f".st-key-job-{id_}")).to_contain_text("images: 4 of 12", timeout=LONG)
        os.kill(served.pid, signal.SIGKILL)
    with serving(own_home) as served:
        opened(page, f"{served.address}/runs?view=jobs")
        panel = page.locator(f".st-key-job-{id_}")
        expect(panel).to_contain_text("works", timeout=LONG)
        panel.get_by_role("button", name="Cancel").click()
        # while the list is drawn anew, the panel of before can stand beside the new one for a moment
        expect(panel.filter(has_text="cancelled").last).to_be_visible(timeout=LONG)
        assert ended(id_).state == "cancelled"
        let_pass(tmp_path, 9)
        panel.last.get_by_role("button", name="Resume").click()
        panel.last.get_by_role("link", name="Open the result").click(timeout=LONG)
        expect(page).to_have_url(re.compile(r"/neurons\?run=mine"), timeout=LONG)
        expect(page.locator(".st-key-neuron-table a").first).to_be_visible(timeout=LONG)
    cancel_job(id_)
    assert ended(id_).state == "done", "a finished job stays as it is"


def test_the_tour_goes_by_keys(page: Page, address: str) -> None:
    opened(page, f"{address}/?run=demo")
    page.get_by_role("link", name="60-second tour").click()
    expect(page.locator(".st-key-present h2")).to_have_text("What does this neuron look for?", timeout=LONG)
    for step, words in (
        (2, "Here are their look-alikes."),
        (3, "What do the first have"),
        (4, "not the only one"),
    ):
        rested(page)
        page.keyboard.press("ArrowRight")
        expect(page).to_have_url(re.compile(rf"step={step}\b"), timeout=LONG)
        expect(page.locator(".st-key-present h2")).to_contain_text(words, timeout=LONG)
    rested(page)
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".st-key-present h2")).to_contain_text("What do the first have", timeout=LONG)
    expect(page.locator(".st-key-frame-top")).to_be_hidden()
    page.go_back()
    expect(page).to_have_url(re.compile(r"step=4\b"), timeout=LONG)
