"""`import csp`: what a script or a notebook gets, on the tiny run and on a run made of its own arrays."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.sparse import csr_array

import csp
from csp.keeping.run_folder.run import Run


@pytest.fixture
def opened(tiny_run: Run) -> csp.OpenedRun:
    return csp.open("tiny")


def test_importing_it_costs_nothing_and_names_what_there_is() -> None:
    code = (
        "import csp, sys\n"
        "print([m for m in ('numpy', 'pandas', 'torch') if m in sys.modules]); print(dir(csp))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", str(sorted(csp.__all__))]
    assert csp.__version__.count(".") == 2
    with pytest.raises(AttributeError, match="no attribute 'opne'"):
        csp.opne  # noqa: B018


def test_every_name_of_the_front_door_is_there_and_documented() -> None:
    for name in csp.__all__:
        assert getattr(csp, name).__doc__, name


def test_a_run_tells_what_it_holds(opened: csp.OpenedRun, tiny_run: Run) -> None:
    assert opened.layers == tiny_run.layers
    assert len(opened.images) == tiny_run.manifest.images
    assert opened.vocabulary == tuple(tiny_run.vocabulary["text"])
    assert opened.image(0).mode == "RGB"
    assert list(opened.neurons("late")["neuron"]) == list(range(tiny_run.layer("late").neurons))
    assert "tiny" in csp.runs()["name"].tolist()


def test_what_does_not_exist_is_said_in_a_sentence(opened: csp.OpenedRun) -> None:
    for asked in (
        lambda: csp.open("nosuch"),
        lambda: opened.neurons("nosuch"),
        lambda: opened.neuron("late", 9999),
        lambda: opened.neuron("late", 0, gamma=7.0),
        lambda: opened.neuron("late", 0).labels(method="nosuch"),
        lambda: opened.neuron("late", 0).labels(top=0),
        lambda: opened.neuron("late", 0).images("cold"),
        lambda: opened.search(),
        lambda: opened.review(opened.neuron("late", 0), "agree", reviewer="Ann"),
    ):
        with pytest.raises(csp.CspError):
            asked()


WRONG_KINDS = ("17", 1.5, True, None, [1])
"""Given where a whole number belongs."""


@pytest.mark.parametrize("wrong", WRONG_KINDS)
def test_a_wrong_kind_of_number_is_said_in_a_sentence(opened: csp.OpenedRun, wrong: Any) -> None:
    for asked in (
        lambda: opened.neuron("late", wrong),
        lambda: opened.image(wrong),
        lambda: opened.neuron("late", 0).labels(top=wrong),
        lambda: opened.search("ruler", top=wrong),
    ):
        with pytest.raises(csp.CspError, match="give a whole number"):
            asked()
    assert opened.neuron("late", np.int64(1)).label == opened.neuron("late", 1).label


@pytest.mark.parametrize("wrong", [3, None, ["ruler"]])
def test_what_is_no_text_is_said_in_a_sentence(opened: csp.OpenedRun, wrong: Any) -> None:
    table = np.ones((4, 2), np.float32)
    for asked in (
        lambda: opened.neuron("late", 0).score(wrong),
        lambda: opened.search(wrong),
        lambda: csp.open(wrong),
        lambda: csp.import_arrays(table, table, out=wrong),
        lambda: csp.import_arrays(table, table, out="other", layer=wrong),
    ):
        with pytest.raises(csp.CspError, match="give"):
            asked()


@pytest.mark.parametrize(
    "wrong",
    [np.ones(4), np.ones((4, 0)), np.full((4, 2), np.nan), np.array([["a"]] * 4), np.array([[None]] * 4)],
)
def test_arrays_that_do_not_do_are_named_and_no_folder_of_ours(wrong: np.ndarray) -> None:
    with pytest.raises(csp.CspError, match="embeddings") as said:
        csp.import_arrays(np.ones((4, 2), np.float32), wrong, out="other")
    assert "/" not in str(said.value)


def test_a_neuron_gives_what_its_page_shows(opened: csp.OpenedRun) -> None:
    neuron = opened.neuron("late", 1)
    view = opened.explorer.neuron("late", 1)
    assert neuron.pairs["image"].tolist() == [pair.activating.image for pair in view.pairs]
    assert neuron.pairs["activation"].is_monotonic_decreasing
    assert (
        neuron.labels(method="csp", top=3)["label"].tolist() == [row.label for row in view.labels["csp"]][:3]
    )
    first = neuron.labels(method="csp").iloc[0]
    assert neuron.score(first["label"]) == pytest.approx(first["score"], abs=1e-6)
    assert neuron.label == opened.neurons("late").loc[1, "label"]
    assert neuron.activations.shape == (len(opened.images),)
    assert len(neuron.images()) == len(neuron.pairs)
    assert neuron.grid("contrastive", pixels=120).size == (120, 120)


def test_other_options_are_another_question(opened: csp.OpenedRun) -> None:
    plain, other = opened.neuron("late", 1), opened.neuron("late", 1, examples=2, gamma=0.0)
    assert len(other.pairs) == 2 < len(plain.pairs)
    text = plain.labels(method="csp").iloc[0]["label"]
    assert other.score(text) != plain.score(text)


def test_search_finds_by_words_and_by_likeness(opened: csp.OpenedRun) -> None:
    word = opened.vocabulary[0]
    found = opened.search(word, layer="late", top=3)
    assert found["score"].is_monotonic_decreasing and set(found["layer"]) == {"late"}
    like = opened.search(like=opened.neuron("late", 1), layer="late", top=2)
    assert 1 not in like["neuron"].tolist()


def test_a_decision_counts_from_then_on(opened: csp.OpenedRun) -> None:
    neuron = opened.neuron("late", 1)
    assert opened.reviews().empty and neuron.reviews.empty
    opened.review(neuron, "override", label="my own words", reviewer="Ann", reason="seen it")
    assert opened.neuron("late", 1).label == "my own words"
    assert neuron.reviews[["reviewer", "verdict", "label", "reason"]].values.tolist() == [
        ["Ann", "override", "my own words", "seen it"]
    ]
    assert opened.reviews()["label"].tolist() == ["my own words"]


def test_measuring_gives_and_keeps_numbers(opened: csp.OpenedRun) -> None:
    found = opened.evaluate("descriptive", layer="late", neurons="0:2")
    assert set(found["neuron"]) == {0, 1} and found["value"].notna().any()
    assert opened.metrics("late").loc[0, "clarity"] == pytest.approx(
        found[(found["neuron"] == 0) & (found["metric"] == "clarity")]["value"].item()
    )


def test_a_notebook_shows_pictures_and_escapes_words(opened: csp.OpenedRun) -> None:
    opened.review(opened.neuron("late", 1), "override", label="<b>bold</b>", reviewer="<i>Ann</i>")
    shown = opened.neuron("late", 1)._repr_html_()
    assert shown.count("data:image/webp;base64,") >= 4
    assert "<b>bold" not in shown and "<i>Ann" not in shown and "&lt;b&gt;bold" in shown
    assert "tiny" in opened._repr_html_()


def test_own_arrays_become_a_run(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    activations = rng.random((40, 6)).astype(np.float32)
    embeddings, texts = rng.normal(size=(40, 8)), rng.normal(size=(3, 8))
    for number in range(40):
        Image.new("RGB", (20, 20), (number, 90, 120)).save(tmp_path / f"{number:02}.png")
    words = ["dots, globules", 'a "quoted" word', "network"]
    made = csp.import_arrays(
        activations,
        embeddings,
        images=tmp_path,
        vocabulary=words,
        text_embeddings=texts,
        probabilities=np.column_stack([np.full(40, 0.75), np.full(40, 0.25)]),
        classes=["melanoma", "nevus"],
        layer="mine",
        examples=5,
        out=tmp_path / "run",
    )
    assert made.vocabulary == tuple(words)
    assert made.classes == ("melanoma", "nevus") and set(made.images["prediction"]) == {"melanoma"}
    neuron = made.neuron("mine", 2)
    assert neuron.pairs["image"].tolist() == np.argsort(-activations[:, 2], kind="stable")[:5].tolist()
    assert isinstance(neuron.labels(), pd.DataFrame) and len(neuron.labels(top=3)) == 3
    without = csp.import_arrays(csr_array(activations), embeddings, out=tmp_path / "bare")
    assert without.neuron("imported", 0).labels().empty
    assert without.neuron("imported", 0)._repr_html_()


def test_arrays_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(csp.CspError, match="transposed"):
        csp.import_arrays(np.ones((6, 40)), np.ones((40, 8)), out=tmp_path / "run")
    with pytest.raises(csp.CspError):
        csp.import_arrays(tmp_path / "none.npy", np.ones((40, 8)), out=tmp_path / "run")
