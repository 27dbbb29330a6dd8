"""A team in real Chromium with a real identity provider: who gets in, as what, and what nobody can do."""

import base64
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from csp.keeping.reviews.event import Event
from csp.keeping.reviews.location import Location
from csp.keeping.reviews.store import Reviews
from tests.face.browser.steps import bar, listening, rested, settled
from tests.face.conftest import LONG, visitor
from tests.face.oidc import TEAM, team_server
from tests.face.server import ROOT

PAGES = ["", *sorted(page.stem for page in (ROOT / "pages").glob("*.py"))]
pytestmark = pytest.mark.browser

WATCH = """(() => {
  const send = WebSocket.prototype.send;
  window.sent = [];
  WebSocket.prototype.send = function (data) {
    window.socket = this;
    window.sent.push(btoa(String.fromCharCode(...new Uint8Array(data))));
    return send.call(this, data);
  };
})()"""
"""Keeps the page's connection and all that was sent over it, so that it can be sent again from elsewhere."""
AT = "@\u2060"
"""As a page writes it in a name: a word joiner follows, so that Streamlit makes no link of the address."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, built_run: Path) -> Path:
    home = tmp_path_factory.mktemp("team-home")
    shutil.copytree(built_run, home / "runs" / "tiny")
    return home


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    with team_server(home) as address:
        yield address


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = visitor(browser)
    context.add_init_script(WATCH)
    yield context
    context.close()


def events(home: Path) -> list[Event]:
    with Reviews(Location(path=home / "reviews.sqlite")) as reviews:
        return reviews.events()


def sign_in(context: BrowserContext, url: str, who: str) -> Page:
    """Ask for a page as a stranger, sign in, and end where one wanted to go."""
    page = context.new_page()
    page.goto(url)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=re.compile(rf"\b{who}\b")).click()
    return page


def neuron(address: str, number: int) -> str:
    return f"{address}/neuron?run=tiny&layer=late&neuron={number}"


def test_a_stranger_sees_no_image_on_any_page(context: BrowserContext, address: str) -> None:
    sees_nothing(context.new_page(), address)


def sees_nothing(page: Page, address: str, pages: Sequence[str] = PAGES) -> None:
    for where in pages:
        page.goto(f"{address}/{where}?run=tiny")
        expect(page.get_by_role("heading", name="Please sign in")).to_be_visible(timeout=LONG)
        settled(page)
        assert page.locator("img").count() == 0
        assert "tiny" not in page.locator("[data-testid=stMain]").inner_text()


def test_a_reviewer_comes_back_to_the_page_and_signs_out(
    context: BrowserContext, address: str, home: Path
) -> None:
    page = sign_in(context, neuron(address, 1), "ann")
    expect(page.locator(".st-key-toolbar h3")).to_have_text("Neuron 1", timeout=LONG)
    bar(page, "a")
    expect(page.locator(".st-key-toolbar h3")).to_have_text("Neuron 2", timeout=LONG)
    (event,) = events(home)
    assert (event.reviewer, event.reviewer_verified, str(event.role)) == ("ann@clinic.org", True, "reviewer")
    page.locator(".st-key-who button").first.click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile("end_session"))
    page.goto(neuron(address, 1))
    expect(page.get_by_role("heading", name="Please sign in")).to_be_visible(timeout=LONG)


def test_a_viewer_looks_but_a_replayed_press_of_a_reviewer_does_nothing(
    context: BrowserContext, browser: Browser, address: str, home: Path
) -> None:
    ann = sign_in(context, neuron(address, 0), "ann")
    listening(ann)
    rested(ann)
    before = ann.evaluate("window.sent.length")
    ann.keyboard.press("x")
    expect(ann.locator(".st-key-toolbar h3")).to_have_text("Neuron 1", timeout=LONG)
    sent = ann.evaluate(f"window.sent.slice({before})")
    press = next(one for one in sent if b"none" in base64.b64decode(one))  # of the button
    recorded = events(home)

    other = visitor(browser)
    other.add_init_script(WATCH)
    vi = sign_in(other, neuron(address, 0), "vi")
    expect(vi.get_by_text("You may look, not judge")).to_be_visible(timeout=LONG)
    expect(vi.locator(".st-key-activating-grid img").first).to_be_visible(timeout=LONG)
    expect(vi.locator(".st-key-accept, .st-key-none, .st-key-undo")).to_have_count(0)
    vi.evaluate(
        "(text) => window.socket.send(Uint8Array.from(atob(text), (one) => one.charCodeAt(0)))", press
    )
    vi.wait_for_timeout(3_000)
    settled(vi)
    assert events(home) == recorded
    other.close()


def test_who_lost_the_role_is_refused_in_the_tab_that_is_still_open(
    context: BrowserContext, address: str, home: Path
) -> None:
    (home / "team.toml").write_text(TEAM + '[people]\n"vi@clinic.org" = "admin"\n')
    page = sign_in(context, f"{address}/neurons?run=tiny&layer=late&view=map", "vi")
    button = page.get_by_role("button", name="Draw the map")
    expect(button).to_be_enabled(timeout=LONG)
    (home / "team.toml").write_text(TEAM)
    button.click()
    expect(page.get_by_text(f"Nothing was done: vi{AT}clinic.org may only look")).to_be_visible(timeout=LONG)
    assert not list((home / "jobs").glob("*"))


def test_who_is_on_no_list_reads_why(context: BrowserContext, address: str) -> None:
    page = sign_in(context, neuron(address, 0), "eve")
    expect(page.get_by_text(f"eve{AT}elsewhere.org is not on the list")).to_be_visible(timeout=LONG)
    sees_nothing(page, address, PAGES[::3])
