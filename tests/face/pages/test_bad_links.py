"""What every page says of an address that names nothing, and of a run that is damaged, newer or gone."""

import json
import shutil

import pytest

from csp.keeping.run_folder.run import Run
from tests.face.pages.test_pages import ROOT, awaited, opened, said

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
    assert "The address asks for layer 'layer99', which there is not." in words
    assert "early, late" in words


@pytest.mark.parametrize(
    ("page", "neuron"),
    [
        ("pages/present.py", "6"),
        *(("pages/neuron.py", neuron) for neuron in ("6", "-1", "x", "1e3", "9" * 30, "²")),
    ],
)
def test_an_unknown_neuron_says_which_exist(page: str, neuron: str, tiny_run: Run) -> None:
    assert "neuron is a whole number from 0 to 5" in said(
        opened(page, run="tiny", layer="late", neuron=neuron)
    )


@pytest.mark.parametrize(
    ("page", "address"),
    [
        ("pages/neuron.py", {"heat": "maybe"}),
        ("pages/neuron.py", {"by": "violin"}),
        ("pages/neuron.py", {"pin": "violin"}),
        ("pages/neuron.py", {"pin": "9" * 5_000}),
        ("pages/neuron.py", {"edit": "violin"}),
        ("pages/reliance.py", {"without": "violin"}),
        ("pages/reliance.py", {"layer": "violin"}),
        ("pages/audit.py", {"layer": "violin"}),
        ("pages/runs.py", {"view": "new", "kind": "control", "run": "violin"}),
    ],
)
def test_no_unknown_value_is_left_unsaid(page: str, address: dict[str, str], tiny_run: Run) -> None:
    app = awaited(opened(page, **{"run": "tiny"} | address))
    name = list(address)[-1]
    assert f"The address asks for {name} '{address[name][:40]}" in said(app)
    assert "9" * 50 not in said(app), "a long value is cut"


OF_AN_IMAGE: dict[str, dict[str, str]] = {
    "app.py": {},
    "pages/neuron.py": {"layer": "late", "neuron": "0"},
    "pages/search.py": {"by": "picture"},
    "pages/try.py": {},
}


@pytest.mark.parametrize("page", OF_AN_IMAGE)
@pytest.mark.parametrize("image", ["99", "x"])
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
    assert "view is one of: runs, jobs, new" in said(opened("pages/runs.py", view=view))


@pytest.mark.parametrize(
    ("page", "address"),
    [
        ("app.py", {}),
        ("pages/neurons.py", {}),
        ("pages/classes.py", {}),
        ("pages/search.py", {"by": "neuron", "query": "ruler"}),
        ("pages/audit.py", {"view": "log", "by": "all"}),
        ("pages/compare.py", {"what": "labelers"}),
        ("pages/review.py", {}),
        ("pages/runs.py", {"view": "jobs"}),
        ("pages/try.py", {}),
    ],
)
def test_what_a_page_has_nothing_for_is_named_and_nothing_else(
    page: str, address: dict[str, str], tiny_run: Run
) -> None:
    words = said(opened(page, run="tiny", **address, off="violin", step="99"))
    assert "The address also asks for off 'violin', step '99'. Nothing here goes by that" in words


@pytest.mark.parametrize("asked", [{"without": "violin"}, {"mend-by": "violin"}, {"mend-of": "violin"}])
def test_choices_that_the_view_of_a_concept_keeps_are_looked_at(asked: dict[str, str], tiny_run: Run) -> None:
    app = awaited(opened("pages/reliance.py", run="tiny", concept="ruler marks", **asked))
    assert f"The address asks for {next(iter(asked))} 'violin', which there is not." in said(app)
