"""Each page with real runs: as usual, with awkward neurons, with addresses that name nothing."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from csp.face.screen.neuron.grids import contrastive_tiles
from csp.keeping.run_folder.run import Run
from csp.method.labelers.registry import LABELERS
from csp.method.states import NeuronState, sentence
from csp.work.explorer.explorer import open_explorer
from csp.work.indexing.import_arrays import ImportSpec, import_arrays
from tests import patience

ROOT = Path(__file__).parents[3]
RULER, NEVER, CONSTANT, NEGATIVE, BROKEN = 0, 2, 3, 4, 5


def opened(page: str, /, **address: str) -> AppTest:
    """The page at this address, drawn without an exception for someone who gave a name before."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=patience.SECONDS)
    app.session_state["reviewer"] = "Ina"
    if page != "app.py":
        app.switch_page(page)
    app.query_params.update(address)
    app.run()
    assert not app.exception, app.exception
    return app


def awaited(app: AppTest) -> AppTest:
    """The page once nothing on it is being worked out any more, as its lines then draw it again."""
    patience.until(
        lambda: all(not str(button.key).startswith("cancel-") for button in app.button),
        "the end of what is worked out",
        lambda _: app.run(),
    )
    assert not app.exception, app.exception
    return app


def said(app: AppTest) -> str:
    """All words on the page outside our own elements."""
    parts = [*app.title, *app.subheader, *app.markdown, *app.caption, *app.info, *app.warning]
    return "\n".join(part.value for part in parts).replace("\\", "")


def drawn(app: AppTest, part: str) -> list[dict[str, Any]]:
    """The data of our own elements that hold this part: `tiles` of grids, `rows` of tables."""
    data = [json.loads(element.proto.json) for element in app.get("bidi_component") if element.proto.json]
    return [each for each in data if part in each]


@pytest.fixture
def tiny(tiny_run: Run) -> Run:
    """The tiny run where the pages find it, and no other that shadows it."""
    return tiny_run


def test_start_shows_an_example_and_the_run(tiny: Run) -> None:
    app = opened("app.py", run="tiny")
    activating, contrastive = drawn(app, "tiles")
    assert len(activating["tiles"]) == len(contrastive["tiles"]) == 5
    assert "lesion or for the ruler" in app.title[0].value
    assert "40 images" in said(app)
    assert "not for diagnosis" in said(app)


def test_the_example_is_a_neuron_whose_label_the_look_alikes_change(own_home: Path) -> None:
    app = opened("app.py", run="demo", layer="layer4")
    meanings = open_explorer("demo").synonyms
    with_them, alone = app.subheader[0].value, said(app).split("it would have said: *")[1].split("*")[0]
    assert not meanings.same(with_them, alone)


def test_neuron_faces_each_picture_with_its_twin(tiny: Run) -> None:
    app = opened("pages/neuron.py", run="tiny", layer="late", neuron=str(RULER))
    activating, contrastive = (grid["tiles"] for grid in drawn(app, "tiles"))
    examples = tiny.examples("late", RULER)
    assert examples is not None
    assert [tile["number"] for tile in activating] == [tile["number"] for tile in contrastive]
    for tile, image in zip(activating, examples.activating, strict=True):
        assert tile["title"].startswith(f"Image {image}:")
    for tile, image, cosine in zip(contrastive, examples.contrastive, examples.similarity, strict=True):
        assert tile["title"].startswith(f"Image {image}:")
        assert tile["aside"] == f"alike {cosine:.2f}"


def test_a_look_alike_of_several_pictures_says_where_it_stands_already(tiny: Run) -> None:
    view = open_explorer("tiny").neuron("late", RULER)
    first, second, third = view.pairs[:3]
    again = replace(third, contrastive=first.contrastive, uses=2)
    tiles = contrastive_tiles(tiny, view, [replace(first, uses=2), second, again])
    assert [tile.chip for tile in tiles] == ["", "", "same as 1"]
    assert ["The look-alike of 2 of" in tile.title for tile in tiles] == [True, False, True]


def test_neuron_shows_every_labeler_and_provenance(tiny: Run) -> None:
    app = opened("pages/neuron.py", run="tiny", neuron=str(RULER))
    (table,) = drawn(app, "rows")
    titles = [labeler.title for labeler in LABELERS.values()]
    assert [column["name"].replace("\u00ad", "") for column in table["columns"]] == ["Label", *titles]
    assert "came with the run" in said(app)


def test_gamma_and_examples_come_from_the_address(tiny: Run) -> None:
    app = opened("pages/neuron.py", run="tiny", neuron=str(RULER), gamma="0.35", examples="3")
    assert app.slider(key="gamma").value == 0.35
    assert app.number_input(key="examples").value == 3
    assert len(drawn(app, "tiles")[0]["tiles"]) == 3
    assert "just computed" in said(app)


def test_moving_gamma_changes_scores(tiny: Run) -> None:
    app = opened("pages/neuron.py", run="tiny", neuron=str(RULER))
    before = drawn(app, "rows")
    app.slider(key="gamma").set_value(0.0).run()
    assert not app.exception
    assert app.query_params["gamma"] == "0"
    assert drawn(app, "rows") != before


def test_next_previous_and_jump_write_the_address(tiny: Run) -> None:
    app = opened("pages/neuron.py", run="tiny", neuron="5")
    app.button(key="next").click().run()
    assert app.query_params["neuron"] == "0"
    app.button(key="previous").click().run()
    assert app.query_params["neuron"] == "5"
    app.number_input(key="jump-from-5").set_value(3).run()
    assert app.query_params["neuron"] == "3"
    assert "Neuron 3" in said(app)


def test_own_label_of_the_vocabulary_is_scored_at_once(tiny: Run) -> None:
    app = opened("pages/neuron.py", run="tiny", neuron=str(RULER))
    app.text_input(key="own-label").set_value("Ink <b>&").run()
    assert not app.exception
    assert "of 12)" in said(app)


def test_own_label_without_an_encoder_is_a_sentence(tiny: Run) -> None:
    app = opened("pages/neuron.py", run="tiny", neuron=str(RULER))
    app.text_input(key="own-label").set_value("a pink elephant").run()
    assert not app.exception
    assert "Only texts of the vocabulary" in app.warning[0].value.replace("\\", "")


@pytest.mark.parametrize(
    ("neuron", "state"),
    [
        (NEVER, NeuronState.NEVER_FIRES),
        (CONSTANT, NeuronState.CONSTANT),
        (NEGATIVE, NeuronState.NEVER_FIRES),
        (BROKEN, NeuronState.NON_FINITE),
    ],
)
def test_awkward_neuron_says_so(tiny: Run, neuron: int, state: NeuronState) -> None:
    app = opened("pages/neuron.py", run="tiny", neuron=str(neuron), gamma="0.5")
    assert sentence(state, 0) in said(app)


@pytest.mark.parametrize(
    ("page", "address", "words"),
    [
        ("pages/neuron.py", {"run": "tiny", "neuron": "6"}, "from 0 to 5"),
        ("pages/neuron.py", {"run": "tiny", "neuron": "-1"}, "from 0 to 5"),
        ("pages/neuron.py", {"run": "tiny", "neuron": "<script>"}, "from 0 to 5"),
        ("pages/neuron.py", {"run": "tiny", "neuron": "1e400"}, "from 0 to 5"),
        ("pages/neuron.py", {"run": "tiny", "layer": "layet"}, "early, late"),
        ("pages/neuron.py", {"run": "tiny", "gamma": "7"}, "from 0 to 1"),
        ("pages/neuron.py", {"run": "tiny", "gamma": "nan"}, "from 0 to 1"),
        ("pages/neuron.py", {"run": "tiny", "examples": "0"}, "from 1 to 40"),
        ("pages/neuron.py", {"run": "timy"}, "no run 'timy'"),
        ("pages/neuron.py", {"run": "../tiny"}, "no run '../tiny'"),
        ("pages/neurons.py", {"run": "tiny", "sort": "colour"}, "asks for sort 'colour'"),
        ("pages/neurons.py", {"run": "tiny", "page": "9"}, "from 1 to 1"),
        ("app.py", {"run": "nothing"}, "no run 'nothing'"),
    ],
)
def test_wrong_address_says_what_exists(tiny: Run, page: str, address: dict[str, str], words: str) -> None:
    app = opened(page, **address)
    assert words in app.warning[0].value.replace("\\", "")
    assert any(str(button.key).startswith("way-") for button in app.button), "no way onward"


def test_damaged_run_is_a_sentence(tiny: Run) -> None:
    (tiny.path / "manifest.json").write_text("{")
    app = opened("pages/neuron.py", run="tiny")
    assert "can't be opened" in app.warning[0].value.replace("\\", "")


def test_run_that_lost_its_pictures_is_a_sentence(tiny: Run) -> None:
    (tiny.path / "thumbnails.bin").unlink()
    app = opened("pages/neuron.py", run="tiny")
    assert "thumbnails.bin" in app.warning[0].value.replace("\\", "")


def test_run_deleted_while_open(tiny: Run) -> None:
    app = opened("pages/neuron.py", run="tiny")
    shutil.rmtree(tiny.path)
    app.run()
    assert not app.exception
    assert "no run" in app.warning[0].value.replace("\\", "").lower()


def test_no_run_at_all_shows_first_steps(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("csp.keeping.library.find.SHIPPED_RUNS", own_home / "none")
    app = opened("app.py")
    assert "csp index" in app.code[0].value


def test_what_holds_of_many_neurons_is_a_small_line(tiny: Run) -> None:
    app = opened("pages/neuron.py", run="tiny", neuron=str(RULER))
    assert not app.info
    hints = [caption.proto.help for caption in app.caption]
    assert any(sentence(NeuronState.ALWAYS_ON, 0) in hint for hint in hints)


def test_neuron_that_never_fires_shows_no_pictures_as_if_it_did(tiny: Run) -> None:
    app = opened("pages/neuron.py", run="tiny", neuron=str(NEVER))
    assert not drawn(app, "tiles")
    assert "No image does." in said(app)


def test_run_imported_without_images_or_vocabulary(own_home: Path, tmp_path: Path) -> None:
    noise = np.random.default_rng(0)
    np.save(tmp_path / "a.npy", np.maximum(0, noise.normal(size=(50, 4))).astype(np.float32))
    np.save(tmp_path / "e.npy", noise.normal(size=(50, 8)).astype(np.float32))
    spec = ImportSpec(tmp_path / "a.npy", tmp_path / "e.npy", out=str(own_home / "runs" / "imported"))
    import_arrays(spec)
    for page in ("app.py", "pages/neurons.py"):
        assert not opened(page, run="imported").warning
    app = opened("pages/neuron.py", run="imported", neuron="2")
    assert [tile["src"] for tile in drawn(app, "tiles")[0]["tiles"]] == [""] * 9
    assert "suggests no label" in said(app)
