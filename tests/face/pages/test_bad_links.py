"""What every page says of an address that names nothing, and of a run that is damaged, newer or gone."""

import json
import shutil

import pytest

from csp.keeping.run_folder.run import Run
from tests.face.pages.test_pages import ROOT, opened, said

OF_A_RUN = [
    "app.py",
    *sorted(f"pages/{path.name}" for path in (ROOT / "pages").glob("*.py") if path.name != "runs.py"),
]
NOT_OF_A_LAYER = ("audit.py", "try.py", "compare.py", "reliance.py")
OF_A_LAYER = [page for page in OF_A_RUN if page.split("/")[-1] not in NOT_OF_A_LAYER]


@pytest.mark.parametrize("page", OF_A_RUN)
def test_an_unknown_run_leads_to_those_that_exist(page: str, tiny_run: Run) -> None:
    app = opened(page, run="tinny")
    assert "There is no run 'tinny' on this machine." in said(app)
    assert "Run tiny" in [button.label for button in app.button]


@pytest.mark.parametrize("page", OF_A_LAYER)
def test_an_unknown_layer_leads_to_those_that_exist(page: str, tiny_run: Run) -> None:
    words = said(opened(page, run="tiny", layer="layer99"))
    assert "There is no layer 'layer99' here." in words
    assert "early, late" in words


@pytest.mark.parametrize("page", ["pages/neuron.py", "pages/present.py"])
@pytest.mark.parametrize("neuron", ["6", "-1", "x", "1e3", "9" * 30, "²"])
def test_an_unknown_neuron_says_which_exist(page: str, neuron: str, tiny_run: Run) -> None:
    assert "neuron is a whole number from 0 to 5" in said(
        opened(page, run="tiny", layer="late", neuron=neuron)
    )


def test_a_pinned_neuron_that_is_none_is_passed_over(tiny_run: Run) -> None:
    app = opened("pages/neuron.py", run="tiny", layer="late", neuron="1", pin="9" * 5_000)
    assert not app.exception and "Compare with" not in said(app)


OF_AN_IMAGE: dict[str, dict[str, str]] = {
    "app.py": {},
    "pages/neuron.py": {"layer": "late", "neuron": "0"},
    "pages/search.py": {"by": "picture"},
    "pages/try.py": {},
}


@pytest.mark.parametrize("page", OF_AN_IMAGE)
@pytest.mark.parametrize("image", ["99", "-1", "x"])
def test_an_unknown_image_says_which_exist(page: str, image: str, tiny_run: Run) -> None:
    words = said(opened(page, run="tiny", image=image, **OF_AN_IMAGE[page]))
    assert f"image is a whole number from 0 to {tiny_run.manifest.images - 1}" in words


@pytest.mark.parametrize("page", OF_A_RUN)
def test_a_damaged_a_newer_and_a_deleted_run_are_sentences(page: str, tiny_run: Run) -> None:
    newer = shutil.copytree(tiny_run.path, tiny_run.path.with_name("newer"))
    manifest = json.loads((newer / "manifest.json").read_text()) | {"schema_version": 99}
    (newer / "manifest.json").write_text(json.dumps(manifest))
    assert "made by a newer version" in said(opened(page, run="newer"))
    damaged = shutil.copytree(tiny_run.path, tiny_run.path.with_name("damaged"))
    (damaged / "manifest.json").write_text("{")
    assert "can't be opened" in said(opened(page, run="damaged"))
    app = opened(page, run="tiny")
    shutil.rmtree(tiny_run.path)
    app.run()
    assert not app.exception
    assert "There is no run 'tiny' on this machine." in said(app)


@pytest.mark.parametrize("view", ["", "nonsense", "<b>"])
def test_an_unknown_view_of_runs_says_which_exist(view: str) -> None:
    assert "There is: runs, jobs, new" in said(opened("pages/runs.py", view=view))
