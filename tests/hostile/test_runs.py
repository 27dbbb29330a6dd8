"""A run from elsewhere may hold anything: each command and page says a sentence, and no other run suffers."""

import random
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from csp.errors import CspError
from csp.face.cli.app import run as csp
from csp.keeping.run_folder.run import Run
from csp.work.runs.listing import describe_runs, run_facts
from tests import patience
from tests.hostile.runs import CHANGES, Change, texts
from tests.test_odd_runs import COMMANDS, PAGES, ROOT

PARTS = ("images", "skipped", "vocabulary", "embeddings", "probabilities", "text_embeddings", "neighbours")
SAMPLE = 4
"""So many of each kind are opened and read in every run of the tests."""


@pytest.fixture
def hostile(built_run: Path, own_home: Path) -> Path:
    """A run to be spoilt, called `odd` as the commands have it, beside a good one."""
    shutil.copytree(built_run, own_home / "runs" / "good")
    return Path(shutil.copytree(built_run, own_home / "runs" / "odd"))


def spoil(hostile: Path, built_run: Path, change: Change, seed: int) -> None:
    shutil.rmtree(hostile)
    shutil.copytree(built_run, hostile)
    change(hostile, random.Random(seed))


def read_all(folder: Path) -> None:
    """Every part, as pages do; a CspError is the sentence."""
    try:
        run = Run.open(folder)
    except CspError:
        return
    run.check()
    of_layers = (run.neurons, run.labels, run.layer_examples)
    readers: list[Callable[[], object]] = [
        *(partial(getattr, run, name) for name in PARTS),
        *(partial(read, layer) for read in of_layers for layer in run.layers),
        *(partial(run.activations, layer, 0) for layer in run.layers),
        partial(run.thumbnail, 0, "small"),
    ]
    for read in readers:
        try:
            read()
        except CspError:
            continue


def stands(seed: object, pages: tuple[str, ...], out: Path) -> None:
    for command in COMMANDS:
        assert csp([word.format(out=out) for word in command]) in (0, 2), (command, seed)
    for page in pages:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=patience.SECONDS)
        if page != "app.py":
            app.switch_page(page)
        app.query_params["run"] = "odd"
        app.run()
        assert not app.exception, (page, seed, [each.message for each in app.exception])
        for kind in ("markdown", "caption", "subheader", "header", "warning", "error", "info", "success"):
            for element in getattr(app, kind):
                assert "http://evil" not in element.value, (page, element.value)
                assert "www.evil" not in element.value.replace("\\", ""), (page, element.value)
        for button in app.button:
            assert "http://evil" not in button.label


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_a_run_holds_it_is_a_sentence(hostile: Path, built_run: Path, change: Change) -> None:
    for seed in range(SAMPLE):
        spoil(hostile, built_run, change, seed)
        read_all(hostile)
        described = {run["name"]: run["problem"] for run in describe_runs()}
        assert described["good"] is None
        assert {facts.name for facts in run_facts()} >= {"good"}


@pytest.mark.parametrize("page", ["pages/runs.py", "pages/neurons.py"])
def test_text_of_a_run_is_no_markup(hostile: Path, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    texts(hostile, random.Random(0))
    monkeypatch.setattr("tests.hostile.test_runs.COMMANDS", (["runs"], ["label", "odd", "--layer", "late"]))
    stands("texts", (page,), hostile)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each run that `--hostile N` spoils, so that one failure hides no other."""
    if "drawn" in metafunc.fixturenames:
        metafunc.parametrize("drawn", range(metafunc.config.getoption("--hostile")))


def test_hostile_runs_drawn(hostile: Path, built_run: Path, tmp_path: Path, drawn: int) -> None:
    change = CHANGES[drawn % len(CHANGES)]
    spoil(hostile, built_run, change, drawn)
    stands((change.__name__, drawn), PAGES, tmp_path)
