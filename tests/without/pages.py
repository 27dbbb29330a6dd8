"""The pages where no optional library is installed; `tests/test_extras.py` runs this in such a Python."""

import sys
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from csp.extras import EXTRAS
from csp.work.jobs.jobs import job, start_job
from csp.work.jobs.registry import check_job
from tests.face.pages.test_pages import awaited, drawn, opened, said

PAGES = sorted(f"pages/{path.name}" for path in (Path(__file__).parents[2] / "pages").glob("*.py"))
MODELS = "`pip install 'csp-explorer[models]'`"
TEAMS = "`pip install 'csp-explorer[teams]'`"


@pytest.fixture(autouse=True)
def nothing_optional() -> None:
    for library in EXTRAS:
        with pytest.raises(ModuleNotFoundError):
            __import__(library)
        assert library not in sys.modules


@pytest.mark.parametrize("page", ["app.py", *PAGES])
def test_a_page_draws_the_demo(page: str) -> None:
    app = awaited(opened(page, run="demo"))
    assert not app.error, [each.value for each in app.error]


def test_a_neuron_is_shown_with_its_pictures_and_labels() -> None:
    app = opened("pages/neuron.py", run="demo", layer="layer4", neuron="17")
    assert drawn(app, "tiles")
    assert not app.warning


def test_words_of_the_vocabulary_are_found() -> None:
    assert drawn(opened("pages/search.py", run="demo", query="ruler"), "cards")


@pytest.mark.parametrize(
    ("page", "asked"),
    [
        ("pages/search.py", {"query": "words that no vocabulary holds"}),
        ("pages/neuron.py", {"layer": "layer3", "neuron": "3", "heat": "true"}),
        ("pages/try.py", {"layer": "layer3", "image": "12"}),
    ],
)
def test_what_needs_a_model_says_how_to_get_it(page: str, asked: dict[str, str]) -> None:
    assert MODELS in words(awaited(opened(page, run="demo", **asked)))


def test_own_words_for_a_neuron_need_the_encoder() -> None:
    app = opened("pages/neuron.py", run="demo", layer="layer4", neuron="17")
    app.text_input(key="own-label").set_value("words that no vocabulary holds").run()
    assert MODELS in words(awaited(app))


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("candidates", {"layer": "layer4", "neurons": "17", "vlm": "hf:assets/models/vlm", "seed": 7}),
        ("map", {}),
    ],
)
def test_a_job_fails_with_the_command_that_helps(kind: str, asked: dict[str, object]) -> None:
    started = start_job(check_job(kind, {"run": "demo", **asked}))
    while not job(started.id).finished:
        time.sleep(0.1)
    ended = job(started.id)
    assert ended.state == "failed"
    assert MODELS in ended.error, ended.log


def test_a_team_is_told_what_its_sign_in_needs(own_home: Path) -> None:
    own_home.mkdir()
    (own_home / "team.toml").write_text('sign_in = "oidc"')
    app = opened("app.py")
    assert [each.value for each in app.subheader] == ["Closed for now"]
    told = (own_home / "logs" / "errors.log").read_text()
    assert "authlib" in told and TEAMS in told, "who runs it reads what it needs, not who is at the door"
    assert not app.button


@pytest.mark.parametrize("page", ["pages/review.py", "pages/audit.py", "pages/neuron.py"])
def test_a_team_is_told_what_its_database_needs(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CSP_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert TEAMS in words(opened(page, run="demo"))


def words(app: AppTest) -> str:
    errors = [part.value for part in app.error]
    return "\n".join([said(app), *errors]).replace("\\", "")
