"""The app in real Chromium, as a person uses it: look, move, type, follow links, go back."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LONG = 30_000

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"no Chromium at {CHROMIUM}"),
]


@pytest.fixture(scope="session")
def address(built_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app on a free loopback port, with its own home that holds the tiny run."""
    home = tmp_path_factory.mktemp("browser-home")
    shutil.copytree(built_run, home / "runs" / "tiny")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    environment = {**os.environ, "CSP_HOME": str(home)}
    with (home / "server.log").open("w") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            wait_until_up(f"http://127.0.0.1:{port}/_stcore/health", server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(20)


def wait_until_up(address: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert server.poll() is None, "the app stopped"
        try:
            urllib.request.urlopen(address, timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the app does not answer")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page that may talk to this machine only; errors in our scripts fail the test."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(LONG)
    outside: list[str] = []
    broken: list[str] = []
    page.on("request", lambda request: outside.append(request.url) if leaves(request.url) else None)
    page.on("pageerror", lambda error: broken.append(str(error)))
    yield page
    context.close()
    assert not outside, f"the page asked the network for {outside}"
    assert not broken, broken


def leaves(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))


def opened(page: Page, url: str) -> Page:
    page.goto(url)
    settled(page)
    return page


def settled(page: Page) -> None:
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")


def shown(page: Page, neuron: int) -> None:
    expect(page.locator(".st-key-steering h3")).to_have_text(f"Neuron {neuron}", timeout=LONG)
    expect(page).to_have_url(re.compile(rf"neuron={neuron}\b"), timeout=LONG)


def pictures_load(page: Page, grid: str) -> int:
    """The number of pictures in a grid, all of them decoded."""
    images = page.locator(f".st-key-{grid} img")
    expect(images.first).to_be_visible(timeout=LONG)
    for image in images.all():
        assert image.evaluate("async (image) => { await image.decode(); return image.naturalWidth }") > 0
        assert image.get_attribute("alt")
    return images.count()


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
    second = page.locator(".st-key-activating-grid .csp-tile").nth(1)
    second.hover()
    expect(page.locator(".st-key-contrastive-grid .csp-tile").nth(1)).to_have_class(re.compile("csp-pointed"))
    second.click()
    expect(page.get_by_role("dialog").locator("img")).to_have_count(2, timeout=LONG)


def test_arrow_keys_and_back_move_between_neurons(page: Page, address: str) -> None:
    opened(page, f"{address}/neuron?run=tiny&layer=late&neuron=0")
    shown(page, 0)
    expect(page.locator(".st-key-next button")).to_be_enabled(timeout=LONG)
    settled(page)
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
    expect(page.locator(".st-key-own-label-score")).to_contain_text("ink <b>& scores CSP", timeout=LONG)
    expect(page.locator(".st-key-own-label-score b")).to_have_count(0)


def test_from_the_start_to_a_neuron_and_back(page: Page, address: str) -> None:
    opened(page, f"{address}/?run=tiny")
    expect(page.get_by_text("lesion or for the ruler")).to_be_visible()
    page.get_by_role("link", name="Neurons").click()
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
    expect(page.locator(".st-key-steering h3")).to_be_visible(timeout=LONG)
    assert pictures_load(page, "activating-grid") == 9
    box = page.locator(".st-key-own-label input")
    box.fill("a ruler beside the mole")
    box.press("Enter")
    expect(page.locator(".st-key-own-label-score")).to_contain_text("CSP", timeout=3 * LONG)
