"""The look of every page in real Chromium: pictures have words, text is dark enough, nothing jumps, screen
readers find their way (axe-core)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.face.browser.steps import until
from tests.face.conftest import visitor
from tests.face.server import ROOT, serving

AT = "run=demo&layer=layer4"
VIEWS = {
    "start": ("/?run=demo", 12),
    "table": (f"/neurons?{AT}", 10),
    "cards": (f"/neurons?{AT}&view=cards", 10),
    "map": (f"/neurons?{AT}&view=map", 7),
    "neuron": (f"/neuron?{AT}&neuron=17", 19),
    "pairs": (f"/neuron?{AT}&neuron=17&view=pairs", 19),
    "levels": (f"/neuron?{AT}&neuron=17&view=levels", 19),
    "large image": (f"/neuron?{AT}&neuron=17&image=12", 19),
    "search by words": (f"/search?{AT}&query=blue-white+veil,-ruler", 10),
    "search by picture": (f"/search?{AT}&by=picture&image=12", 10),
    "search by neuron": (f"/search?{AT}&by=neuron&neuron=5", 10),
    "classes": (f"/classes?{AT}", 20),
    "two neurons": (f"/compare?{AT}&what=neurons&a=5&b=17", 24),
    "two methods": (f"/compare?{AT}&what=labelers", 4),
    "two contrasts": (f"/compare?{AT}&what=gammas", 4),
    "two runs": (f"/compare?{AT}&what=runs", 0),
    "choose an image": (f"/try?{AT}", 12),
    "try": (f"/try?{AT}&image=12", 10),
    "review": (f"/review?{AT}", 18),
    "audit": ("/audit?run=demo", 0),
    "artefacts": ("/audit?run=demo&view=artefacts", 1),
    "criteria": ("/audit?run=demo&view=criteria", 0),
    "runs": ("/runs", 0),
    "make a run": ("/runs?view=new", 0),
    "present": ("/present?run=demo&step=3", 18),
}
"""By name: the address, and how many pictures it shows at least."""

JUMPS = """window.cspJumped = 0;
new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
  if (!entry.hadRecentInput) window.cspJumped += entry.value;
})).observe({ type: "layout-shift", buffered: true });"""
STILL = """() => document.querySelector("[data-testid=stApp][data-test-script-state=notRunning]")
  && document.querySelector(".stMarkdown")
  && !document.querySelector("[data-testid=stSkeleton], .stSpinner, [class*=st-key-waiting-]")
  && [...document.images].every((image) => image.complete)"""
LOOK = (Path(__file__).parent / "look.js").read_text(encoding="utf-8").split("\n", 2)[2].rstrip(";\n")
MOST = 0.5
"""Layout shift, as browsers count it: 0.002 to 0.2 on a busy machine; 0.1 to 1.4 before room was kept."""

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def window(browser: Browser, address: str) -> Iterator[tuple[Page, str]]:
    """One window for all views, and the address of the app."""
    context = visitor(browser)
    context.add_init_script(JUMPS)
    page = context.new_page()
    yield page, address
    context.close()


def settle(page: Page) -> None:
    """Waits until the page has stood still for three looks."""
    still = 0

    def stands() -> bool:
        nonlocal still
        page.wait_for_timeout(70)  # and 50 until the next look
        still = still + 1 if page.evaluate(STILL) else 0
        return still == 3

    until(page, stands, "a page that stands still")


def looked(page: Page) -> dict[str, Any]:
    settle(page)
    found: dict[str, Any] = page.evaluate(LOOK)
    return found


def serious(page: Page) -> list[str]:
    """What axe-core finds of some weight: the rule, and the first place that breaks it."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] != "minor"]


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_has_words_for_pictures_dark_text_and_stands_still(
    view: str, window: tuple[Page, str]
) -> None:
    page, served = window
    address, pictures = VIEWS[view]
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="light")
    page.goto(served + address)
    found = looked(page)
    assert found["pictures"] >= pictures
    assert found["nameless"] == []
    assert found["wide"] == []
    assert found["jumped"] < MOST
    assert found["pale"] == []
    assert serious(page) == []
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 1000, "height": 900})
    found = looked(page)
    assert found["wide"] == []
    assert found["pale"] == []
    assert serious(page) == []


def test_a_fault_of_the_program_is_one_sentence_in_our_words(
    browser: Browser, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Of a page that has a fault, neither the trace nor Streamlit's own words are shown."""
    copy = tmp_path / "app"
    (copy / "pages").mkdir(parents=True)
    (copy / ".streamlit").symlink_to(ROOT / ".streamlit")
    (copy / "app.py").write_text("import streamlit as st\nst.write('start')")
    (copy / "pages" / "faulty.py").write_text("import streamlit as st\nst.write('begun')\n1 / 0")
    with serving(tmp_path_factory.mktemp("fault-home"), app=copy / "app.py") as served:
        context = visitor(browser)
        page = context.new_page()
        page.goto(f"{served.address}/faulty")
        fault = page.locator("[data-testid=stException]")
        fault.wait_for()
        words = fault.evaluate("(node) => getComputedStyle(node, '::after').content")
        assert "Reload the page" in words
        assert fault.inner_text() == ""
        assert "ZeroDivision" not in page.content()
        context.close()


def test_an_unknown_page_is_said_above_the_start_page(window: tuple[Page, str]) -> None:
    page, served = window
    page.goto(f"{served}/nonsense")
    expect(page.get_by_role("dialog")).to_contain_text("does not seem to exist")
    expect(page.get_by_text("lesion or for the ruler")).to_be_visible()
