"""Behind a proxy, whoever has no role here sees nothing of a run, whatever page they ask for."""

from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from starlette.datastructures import Headers as Sent
from streamlit import config
from streamlit.testing.v1 import AppTest

from csp.face.screen.page.guard import refusal
from csp.keeping.faults import log_path
from csp.keeping.run_folder.run import Run
from tests import patience
from tests.face.pages.test_pages import drawn, said
from tests.face.server import ROOT

SECRET = "a secret of the proxy"
TEAM = """
sign_in = "proxy"
hosts = ["csp.clinic.org"]
default_role = "none"
[people]
"ann@clinic.org" = "viewer"
"""
EVE = {"X-Forwarded-Email": "eve@elsewhere.org", "X-CSP-Proxy-Secret": SECRET}
ANN = {"X-Forwarded-Email": "ann@clinic.org"}
VISITORS = {"nobody": {}, "a claimed name": ANN, "a guessed secret": ANN | {"X-CSP-Proxy-Secret": "x" * 20}}
PAGES = [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))]


class Headers(dict[str, str]):
    """As Streamlit gives them."""

    def get_all(self, name: str) -> list[str]:
        return [self[name]] if name in self else []


@pytest.fixture
def visit(
    own_home: Path, tiny_run: Run, monkeypatch: pytest.MonkeyPatch
) -> Callable[[dict[str, str], Path], str]:
    """What a page says to whoever comes with these headers; it shows nothing else and has no button."""
    monkeypatch.setenv("CSP_PROXY_SECRET", SECRET)
    (own_home / "team.toml").write_text(TEAM)

    def visit(headers: dict[str, str], page: Path) -> str:
        monkeypatch.setattr(type(st.context), "headers", property(lambda _: Headers(headers)))
        app = AppTest.from_file(str(page), default_timeout=patience.SECONDS)
        app.query_params.update({"run": "tiny", "layer": "late", "neuron": "0", "image": "1"})
        app.run()
        assert not app.exception, page
        assert not [one.key for one in app.button], page
        assert not any(drawn(app, part) for part in ("tiles", "rows")) and not app.get("plotly_chart"), page
        words = said(app) + "".join(one.value for one in app.error)
        assert "tiny" not in words and "late" not in words, page
        return words

    return visit


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_who_is_on_no_list_sees_nothing_on_any_page(
    page: Path, visit: Callable[[dict[str, str], Path], str]
) -> None:
    words = visit(EVE, page)
    assert "Please sign in" in words and "is not on the list" in words


@pytest.mark.parametrize("visitor", VISITORS)
def test_what_did_not_come_through_the_proxy_counts_for_nothing(
    visitor: str, visit: Callable[[dict[str, str], Path], str]
) -> None:
    words = visit(VISITORS[visitor], ROOT / "pages" / "neuron.py")
    assert "Please sign in" in words and "for the proxy only" in words


@pytest.mark.parametrize("mistake", ["in the settings", "in a database", "no settings", "in the secrets"])
def test_what_is_wrong_with_the_server_is_no_business_of_strangers(
    mistake: str,
    own_home: Path,
    visit: Callable[[dict[str, str], Path], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = {"in the settings": "people = 1", "in a database": "[" + "postgresql://ann:pw@db.clinic.org/x"}
    (own_home / "team.toml").write_text(wrong.get(mistake, ""))
    if mistake == "no settings":
        monkeypatch.setenv("CSP_TEAM", f"{own_home}/gone.toml")
    if mistake == "in the secrets":  # of which the sign-in may have been one
        (own_home / "secrets.toml").write_text("[auth")
        monkeypatch.setattr(st.secrets, "_secrets", None)
        files, option = [f"{own_home}/secrets.toml"], config.get_option
        of_ours = lambda name: files if name == "secrets.files" else option(name)  # noqa: E731
        monkeypatch.setattr(config, "get_option", of_ours)
    told = visit({}, ROOT / "pages" / "runs.py"), refusal(Sent({"host": "evil.org"}), "", asks_only=True)
    for words in told[:1] if mistake == "in the secrets" else told:  # its names are still known
        assert str(own_home) not in words and "clinic" not in words and "ann" not in words
        number = words.partition("number ")[2][:8]
        assert number in log_path().read_text() and str(own_home) in log_path().read_text()
