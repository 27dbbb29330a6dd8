"""Whom the server answers, what every answer carries, and what strangers can't do. Over real HTTP."""

import asyncio
import shutil
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from csp.face.screen.elements.picture_picker import MEGABYTES
from csp.face.screen.page.guard import LOCAL, Guard, name_of, refusal
from csp.world.pictures.uploads import MOST_BYTES
from tests import patience
from tests.face.server import ROOT, serving
from tests.face.visitor import Visitor, alerts, visiting, welcome

SECRET = "a secret that only this test uses"  # of this test's own proxy
TEAM = """
sign_in = "proxy"
hosts = ["csp.clinic.org"]
default_role = "none"
[people]
"ann@clinic.org" = "admin"
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, built_run: Path) -> Path:
    home = tmp_path_factory.mktemp("guard-home")
    shutil.copytree(built_run, home / "runs" / "tiny")
    (home / "team.toml").write_text(TEAM)
    return home


@pytest.fixture(scope="module")
def team(home: Path) -> Iterator[str]:
    """The address of a server behind a hospital's proxy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CSP_PROXY_SECRET", SECRET)
        with serving(home) as served:
            yield served.address


def ann(role: str = "ann@clinic.org") -> dict[str, str]:
    return {"X-Forwarded-Email": role, "X-CSP-Proxy-Secret": SECRET}


def ask(
    address: str, path: str = "/", method: str = "GET", body: bytes | None = None, **headers: str
) -> httpx.Response:
    sent = {name.replace("_", "-"): text for name, text in headers.items()}
    with httpx.Client(trust_env=False, timeout=patience.SECONDS) as client:
        return client.request(method, f"{address}{path}", content=body, headers=sent)


ELSEWHERE = ("http://evil.example", "http://localhost:1", "http://127.0.0.1:1", "null")


@pytest.mark.parametrize("name", ["evil.example", "127.0.0.1.evil.example", "evil.example:80", "0.0.0.0"])
def test_another_name_is_refused(team: str, name: str) -> None:
    assert ask(team, Host=name).status_code == 403
    assert welcome(team, ann(), host=name, origin=f"http://{name}") == 403


def test_its_own_names_are_answered(team: str) -> None:
    port = team.rpartition(":")[2]
    for name in (f"localhost:{port}", "127.0.0.1", f"[::1]:{port}", "csp.clinic.org", "CSP.clinic.org."):
        assert ask(team, Host=name).status_code == 200
    assert welcome(team, ann()) == 101
    assert welcome(team, ann(), origin="https://csp.clinic.org") == 101


@pytest.mark.parametrize("origin", ELSEWHERE)
def test_a_page_of_another_address_gets_no_connection(team: str, origin: str) -> None:
    assert welcome(team, ann(), origin=origin) == 403


@given(st.text(alphabet="localhst127.0:[]@/#?evil\\ %", max_size=20))
def test_a_name_is_what_a_browser_would_have_asked(host: str) -> None:
    name = name_of(host)
    if name in LOCAL:
        assert (urllib.parse.urlsplit(f"http://{host}").hostname or "").rstrip(".") in (name, "")
    else:
        assert refusal(Headers({"host": host}), "127.0.0.1", asks_only=True)


def test_two_names_are_none() -> None:
    sent = Headers(raw=[(b"host", b"127.0.0.1"), (b"host", b"evil.example")])
    assert refusal(sent, "127.0.0.1", asks_only=True)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/neuron", 200),
        ("/_stcore/health", 200),
        ("/_stcore/none", 404),
        ("/media/none.png", 404),
    ],
)
def test_every_answer_forbids_frames_and_strange_content(team: str, path: str, status: int) -> None:
    answer = ask(team, path)
    assert answer.status_code == status
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-eval'" not in policy.replace("wasm-unsafe-eval'", "")


@pytest.mark.parametrize("path", ["metrics", "agent/openapi.json", "agent/interact", "script-health-check"])
def test_figures_and_ways_for_programs_are_closed(team: str, path: str) -> None:
    assert ask(team, f"/_stcore/{path}").status_code == 404


def test_an_upload_is_as_large_as_the_page_says() -> None:
    config = (ROOT / ".streamlit" / "config.toml").read_text()
    assert f"maxUploadSize = {MEGABYTES}\n" in config
    assert MOST_BYTES == MEGABYTES * 2**20


def upload(address: str, visitor: Visitor, megabytes: int) -> int:
    """The status of an upload in the visitor's session, with all the tokens that anybody gets."""
    token = ask(address, "/_stcore/health").cookies["_streamlit_xsrf"]
    start = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.png"\r\n\r\n'
    body = start + bytes(megabytes * 2**20) + b"\r\n--x--\r\n"
    sent = {"Content_Type": "multipart/form-data; boundary=x", "X_Xsrftoken": token}
    path = f"/_stcore/upload_file/{visitor.session}/one"
    return ask(address, path, "PUT", body, Cookie=f"_streamlit_xsrf={token}", **sent).status_code


def test_uploads_are_for_people_who_may_look(team: str) -> None:
    with visiting(team) as stranger:
        stranger.run("try")
        assert stranger.session
        assert upload(team, stranger, 1) == 403
    with visiting(team, ann()) as visitor:
        visitor.run("try")
        assert upload(team, visitor, 1) == 204
        assert upload(team, visitor, 21) == 413
    with visiting(team, ann("eve@elsewhere.org")) as eve:
        eve.run("try")
        assert upload(team, eve, 1) == 403


def test_a_stranger_is_heard_in_few_words(team: str) -> None:
    with visiting(team) as stranger:
        stranger.run("try")
        with pytest.raises(ConnectionError):
            stranger.run("try", padding=2**20)
    with visiting(team, ann()) as visitor:
        visitor.run("try")
        visitor.run("try", padding=2**20)


@pytest.mark.parametrize(
    ("page", "query", "button"),
    [
        ("neurons", "run=tiny&layer=late&view=map", "draw-map"),
        ("neuron", "run=tiny&layer=late&neuron=1", "none"),
    ],
)
def test_who_lost_the_role_is_refused_in_the_tab_that_is_still_open(
    team: str, home: Path, page: str, query: str, button: str
) -> None:
    try:
        with visiting(team, ann()) as visitor:
            visitor.run(page, query)
            (home / "team.toml").write_text(TEAM.replace('"admin"', '"viewer"'))
            assert "Nothing was done: ann@clinic.org may only look" in alerts(
                visitor.run(page, query, press=button)
            )
            (home / "team.toml").write_text(TEAM.partition("[people]")[0])
            assert alerts(visitor.run(page, query, press=button)) == ""
            assert upload(team, visitor, 1) == 403
    finally:
        (home / "team.toml").write_text(TEAM)
    assert not list((home / "jobs").glob("*"))


def test_an_answer_that_failed_carries_the_headers_too(
    monkeypatch: pytest.MonkeyPatch, own_home: Path
) -> None:
    monkeypatch.setenv("CSP_DEBUG", "0")

    async def failing(*_: object) -> None:
        raise KeyError("a secret of the server")

    guarded = httpx.ASGITransport(app=Guard(failing, document=""))

    async def asked() -> httpx.Response:
        async with httpx.AsyncClient(transport=guarded, base_url="http://127.0.0.1") as client:
            return await client.get("/")

    with ThreadPoolExecutor(1) as elsewhere:  # browser tests leave a loop running in this thread
        answer = elsewhere.submit(asyncio.run, asked()).result()
    assert answer.status_code == 500
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "number" in answer.text and "secret" not in answer.text
