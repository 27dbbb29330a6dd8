"""The candidates on the neuron page: listed, looked into, added, edited, asked for; faults are sentences."""

import errno
import os
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from csp.face.screen.wording import score
from csp.keeping.run_folder.run import Run
from csp.work.candidates.ask import generate
from csp.work.candidates.read import candidates
from csp.work.candidates.tables import CandidateRequest
from csp.work.explorer.explorer import open_explorer
from csp.work.explorer.typed_text import score_text
from csp.work.jobs.jobs import list_jobs
from tests import patience
from tests.face.pages.test_pages import NEVER, RULER, opened, said
from tests.world.misbehaving import Server, serving, tells

RAW = "1. Ruler *marks*\n2. <b>Snow</b>"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "CSP_VLM"):
        monkeypatch.delenv(name, raising=False)
    with serving(tells(RAW)) as server:
        yield server


def page(neuron: int = RULER) -> AppTest:
    app = opened("pages/neuron.py", run="tiny", layer="late", neuron=str(neuron))
    assert not app.exception
    return app


def words(app: AppTest) -> str:
    """All words on the page, without the marks that keep a foreign text's direction to itself."""
    return said(app).replace("\u2068", "").replace("\u2069", "")


def ask(server: Server, mode: str = "contrastive") -> None:
    generate(
        open_explorer("tiny"), "late", [RULER], CandidateRequest(vlm=f"openai:{server.address}#m", mode=mode)
    )  # type: ignore[arg-type]


def all_candidates() -> None:
    """The dialog alone: AppTest draws a page's dialog once only."""
    from csp.face.screen.candidates.dialog import candidates_dialog
    from csp.work.explorer.explorer import open_explorer

    explorer = open_explorer("tiny")
    candidates_dialog(explorer, explorer.neuron("late", 0))


def asking() -> None:
    """The dialog alone."""
    from csp.face.screen.candidates.ask import ask_dialog
    from csp.work.explorer.explorer import open_explorer

    explorer = open_explorer("tiny")
    ask_dialog(explorer, explorer.neuron("late", 0))


def test_candidates_stand_with_score_and_source(tiny_run: Run, server: Server) -> None:
    assert "no model was asked" in words(page())
    ask(server)
    shown = words(page())
    assert "**ruler marks** 0." in shown and "(model)" in shown
    assert "as this neuron never fires" in words(page(NEVER))


def test_what_the_model_saw_is_shown_word_for_word(tiny_run: Run, server: Server) -> None:
    server.behaviours = [tells("I'm sorry, I can't.")]
    ask(server)
    app = page()
    assert "held no usable label" in words(app)
    app.button(key="all-candidates").click().run()
    assert not app.exception
    shown = [block.value for block in app.code]
    assert "I'm sorry, I can't." in shown
    assert any(text.startswith("{images}\nThe pictures of the first grid") for text in shown)
    assert "128 pixels a grid, about 42 a picture" in words(app)


def test_a_candidate_of_ones_own_is_scored_kept_and_edited(tiny_run: Run, server: Server) -> None:
    ask(server)
    app = page()
    app.text_input(key="own-label").set_value("Dark hair").run()
    assert "Dark hair scores" in words(app).replace("*", "")
    app.button(key="keep-own").click().run()
    assert not app.exception and app.text_input(key="own-label").value == ""
    dialog = AppTest.from_function(all_candidates, default_timeout=patience.SECONDS).run()
    dialog.selectbox(key="edit-old").set_value("Dark hair")
    dialog.text_input(key="edit-new").set_value("hairs beside a ruler")
    dialog.button(key="edit-save").click().run()
    assert not dialog.exception
    found = {one.text: one for one in candidates(open_explorer("tiny"), "late", RULER)}
    assert found["Dark hair"].replaced and found["hairs beside a ruler"].replaces == "Dark hair"
    assert "hairs beside a ruler" in words(page())


def test_a_candidate_that_a_full_disk_refuses_stays_in_its_box(
    tiny_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page()
    app.text_input(key="own-label").set_value("Dark hair").run()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        app.button(key="keep-own").click().run()
    assert not app.exception and "No space left on device" in app.toast[0].value
    assert app.text_input(key="own-label").value == "Dark hair"
    assert not candidates(open_explorer("tiny"), "late", RULER)
    app.button(key="keep-own").click().run()
    assert [one.text for one in candidates(open_explorer("tiny"), "late", RULER)] == ["Dark hair"]


def test_a_label_of_ones_own_is_scored_as_the_page_is(tiny_run: Run) -> None:
    """By the look-alikes that the page shows, not by the run's."""
    explorer, contrast = open_explorer("tiny"), "quantile:0.2,neighbours:3"
    usual = score_text(explorer, "late", RULER, "dark hair").scores["csp"]
    other = score_text(explorer, "late", RULER, "dark hair", explorer.options(contrast=contrast)).scores[
        "csp"
    ]
    assert f"{usual.score:.3f}" != f"{other.score:.3f}"
    app = opened("pages/neuron.py", run="tiny", layer="late", neuron=str(RULER), contrast=contrast)
    app.text_input(key="own-label").set_value("dark hair").run()
    assert f"CSP **{score(other.score)}**" in words(app)


def test_a_model_is_asked_as_a_job_and_faults_leave_the_page_alone(
    tiny_run: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CSP_VLM", "hf:./nowhere")
    app = AppTest.from_function(asking, default_timeout=patience.SECONDS).run()
    app.button(key="vlm-ask").click().run()
    assert not app.exception and "There is no model folder" in app.error[0].value.replace("\\", "")
    assert not list_jobs()
    monkeypatch.setenv("CSP_VLM", f"openai:{server.address}#m")
    AppTest.from_function(asking, default_timeout=patience.SECONDS).run().button(key="vlm-ask").click().run()
    assert len(list_jobs()) == 1
    patience.until(lambda: list_jobs()[0].finished, "the end of the job")
    job = list_jobs()[0]
    assert (job.state, job.error) == ("done", ""), job.log
    assert "1 neurons answered" in job.log
    assert "**ruler marks** 0." in words(page())
