"""Indexing with models that misbehave: what can be read is, all else ends in a sentence."""

from pathlib import Path

import pytest

from csp.errors import CspError
from csp.keeping.run_folder.run import Run
from csp.work.indexing.index import index
from tests.work.tiny_world import index_spec

MODEL = "python:tests.world.misbehaving_model"


def made(world: Path, out: Path, kind: str, layer: str = "odd") -> Run:
    spec = index_spec(world, out / "run", model=f"{MODEL}:{kind}", layers=[layer], vocabulary=None)
    return Run.open(index(spec))


@pytest.mark.parametrize("kind", ["tuple", "dict", "named"])
def test_of_several_outputs_the_first_tensor_counts(world: Path, tmp_path: Path, kind: str) -> None:
    run = made(world, tmp_path, kind)
    assert run.layer("odd").neurons == 6
    assert run.probabilities is not None


@pytest.mark.parametrize(
    ("kind", "layer", "words"),
    [
        ("nan", "odd", r"layer odd of the target model nan gives values that are not numbers"),
        ("nan-output", "odd", r"the target model nan-output gives values that are not numbers"),
        ("nothing", "odd", r"has no layer 'odd'"),
        ("short", "odd", r"has no layer 'odd'"),
        ("text", "odd", r"is no classifier: it gives a str, not one row"),
        ("maps", "odd", r"is no classifier: it gives axes \(.*, 3, 1, 1\)"),
        ("more-classes", "odd", r"6 numbers an image but names 3 classes"),
        (
            "changing",
            "odd",
            r"changing gives 5 neurons .* row 8 on, but 6 before",
        ),
        ("tuple", "odr", r"no layer 'odr' \(nearest: odd\)"),
    ],
)
def test_one_sentence_says_what_is_wrong(
    world: Path, tmp_path: Path, kind: str, layer: str, words: str
) -> None:
    with pytest.raises(CspError, match=words):
        made(world, tmp_path, kind, layer)
