"""Labels that say what is lacking: how they are read; in force, they never count as the thing itself."""

import numpy as np
import pytest

from csp.work.control.control import unclaimed
from csp.work.explorer.explorer import open_explorer
from csp.work.labels.absence import absence, lacking, present
from csp.work.labels.chance import label_chances
from csp.work.neurons.rows import machine_rows
from csp.work.neurons.search import parse_query
from csp.work.neurons.search_reviewed import search_reviewed
from csp.work.reliance.concepts import concepts
from csp.work.reviews.artefacts import artefacts_in

LAYER = "layer3"


@pytest.mark.parametrize(
    ("label", "thing"),
    [
        ("no hairs", "hairs"),
        ("Without any dark hairs", "dark hairs"),
        ("absence of a network", "a network"),
        ("nodular growth", None),
        ("hairs, no ruler", None),
        ("no", None),
        (None, None),
    ],
)
def test_a_label_says_what_is_lacking(label: str | None, thing: str | None) -> None:
    assert lacking(label) == thing


def test_of_several_labels_some_say_what_is_there() -> None:
    assert present(f"{absence('hairs')}; ruler") == ("ruler",)
    assert present(None) == ()


def test_no_hairs_is_in_force_and_never_counts_as_hairs() -> None:
    explorer = open_explorer("demo")
    lacks = explorer.stored_facets.absences(LAYER)
    bald = {neuron for neuron, facet in lacks.items() if "hair" in facet.label}
    assert bald
    rows = machine_rows(explorer, LAYER).frame.set_index("neuron").loc[sorted(lacks)]
    assert rows["label"].str.startswith("no ").all()
    assert rows["score"].notna().all() and rows["lead"].isna().all()
    assert not rows["doubtful"].any() and not rows["artefacts"].map(len).any()
    assert np.isnan(label_chances(explorer.run, LAYER)[sorted(lacks)]).all()
    assert not unclaimed(explorer, LAYER) & lacks.keys()
    assert not lacks.keys() & {one.neuron for one in artefacts_in(explorer, LAYER, {})}
    for concept in concepts(explorer, {}):
        assert lacking(concept.name) is None
        assert not lacks.keys() & set(concept.of(LAYER)), concept.name
    found = {
        words: {one.neuron for one in search_reviewed(explorer, [LAYER], parse_query(words), {}).matches}
        for words in ("no hairs", "hairs")
    }
    assert found["no hairs"] == bald
    assert not found["hairs"] & bald
