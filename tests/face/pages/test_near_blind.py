"""A run whose encoder is near blind, whose model guesses, or that holds next to nothing, says so."""

from pathlib import Path

import pytest

from csp.face.screen.page.frame import NO_PICTURES
from csp.face.screen.wording import NO_VOCABULARY
from csp.keeping.home import home
from csp.keeping.run_folder.run import Run
from csp.work.attribution.model_card import GUESSES_BY_NONE
from csp.work.explorer.explorer import open_explorer
from csp.work.report.content import warnings
from tests.face.pages.test_audit import cells
from tests.face.pages.test_pages import awaited, opened, said
from tests.odd_runs import OddRun, build

A_LINE = 108
"""So many characters have room between the banner's badge and its link on a screen 1280 pixels wide."""


@pytest.fixture
def blind(own_home: Path, tmp_path: Path) -> None:
    """A run whose embeddings, texts and class probabilities are noise."""
    build(
        OddRun(images=60, labels=("nevus", "melanoma"), pictures=True),
        tmp_path / "files",
        home() / "runs" / "blind",
    )


def test_pages_of_a_blind_run_say_so(blind: None, tiny_run: Run) -> None:
    for page in ("app.py", "pages/neuron.py"):
        blind_words, tiny_words = (said(opened(page, run=run)) for run in ("blind", "tiny"))
        for warning in ("hardly knows these pictures", "hardly better than guessing"):
            assert blind_words.count(warning) == 1, "once, not with each number"
            assert warning not in tiny_words
            (line,) = (line for line in blind_words.splitlines() if warning in line)
            assert len(line.split("**", 1)[1]) <= A_LINE, "pictures need the height"
    for page in ("app.py", "pages/audit.py"):
        assert GUESSES_BY_NONE in said(opened(page, run="blind"))
    assert len(warnings(open_explorer("blind"))) == 2, "the report says the same"
    assert warnings(open_explorer("tiny")) == ()


def test_the_audit_page_says_what_was_measured(blind: None, tiny_run: Run) -> None:
    app = opened("pages/audit.py", run="blind", view="encoder")
    assert [row[0] for row in cells(app, "What the encoder tells")] == ["ruler"]
    names = {
        row[0]
        for row in cells(opened("pages/audit.py", run="tiny", view="encoder"), "What the encoder tells")
    }
    assert {"ruler", "hairs"} <= names


def test_what_a_run_lacks_is_said_where_it_is_missed(blind: None, tmp_path: Path) -> None:
    odd = OddRun(images=3, neurons=("dead",), pictures=False, vocabulary=(), classes=())
    build(odd, tmp_path / "bare", home() / "runs" / "bare")
    start = said(opened("app.py", run="bare"))
    assert "**1**" in start and "neurons" not in start.split("**1**")[1].splitlines()[1]
    for words in (NO_VOCABULARY, NO_PICTURES, "likely enough to be an example", "3 images that the run does"):
        assert words in start
    table = opened("pages/neurons.py", run="bare")
    assert all(each.value for each in table.caption), "no help to nothing"
    wall = opened("pages/present.py", run="bare", neuron="0")
    assert [each.value for each in wall.header] == ["No picture makes this neuron fire."]
    assert "can't be: the run was imported" in said(opened("pages/classes.py", run="blind"))
    leaning = said(awaited(opened("pages/reliance.py", run="blind")))
    assert "no neuron has a label that is claimed" in leaning and "each row" not in leaning
    assert "Both sides show neuron 0" in said(opened("pages/compare.py", run="bare"))


def test_of_fewer_images_than_examples_a_page_opens_at_the_run_s_own_settings(
    own_home: Path, tmp_path: Path
) -> None:
    build(OddRun(images=1, pictures=False), tmp_path / "files", home() / "runs" / "single")
    words = said(opened("pages/neuron.py", run="single", neuron="0"))
    assert words.lower().count("nothing fits") == 1
    assert "At the run's own settings" not in words
