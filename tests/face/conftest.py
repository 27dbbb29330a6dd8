"""What the browser tests share: one Chromium, and pages that may talk to this machine only."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests import patience

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
POLICY = "Content Security Policy"
LONG = 1000 * patience.SECONDS
"""Milliseconds."""
expect.set_options(timeout=LONG)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium; tests that ask for it are skipped where there is none."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no Chromium at {CHROMIUM}")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


def visitor(browser: Browser, **options: Any) -> BrowserContext:
    """A window of one person, as large as on a desk; nothing in it is given up soon."""
    context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
    context.set_default_timeout(LONG)
    return context


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page that may talk to this machine only, of someone who gave a name before.

    Errors in our scripts, and what the Content-Security-Policy holds back, fail the test.
    """
    context = visitor(browser)
    context.add_cookies([{"name": "csp-reviewer", "value": "Ina", "domain": "127.0.0.1", "path": "/"}])
    page = context.new_page()
    outside: list[str] = []
    broken: list[str] = []
    page.on("request", lambda request: outside.append(request.url) if leaves(request.url) else None)
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda line: broken.append(line.text) if POLICY in line.text else None)
    yield page
    context.close()
    assert not outside, f"the page asked the network for {outside}"
    assert not broken, broken


def leaves(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))
