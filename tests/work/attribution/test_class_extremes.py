"""Which neurons and artefacts push a class most and least, by hand."""

from datetime import UTC, datetime

import pandas as pd

from csp.work.attribution.class_attribution import (
    ClassAttribution,
    artefact_attribution,
    extremes,
    on_both_sides,
)
from csp.work.provenance import Provenance

TABLE = pd.DataFrame({"nevus": [0.5, -1.0, 0.5, 0.0], "melanoma": [-0.5, 1.0, -0.2, 0.0]})
PUSHES = ClassAttribution("late", "exact", TABLE, Provenance("precomputed", "test", datetime.now(UTC), None))


def test_ends_hold_only_what_pushes_that_way_ties_to_the_lower_number() -> None:
    found = extremes(PUSHES, "nevus", 3)
    assert found.speak_for == ((0, 0.5), (2, 0.5))
    assert found.speak_against == ((1, -1.0),)
    assert extremes(PUSHES, "nevus", 1).speak_for == ((0, 0.5),)


def test_a_label_is_on_both_sides_where_neurons_that_share_it_push_opposite_ways() -> None:
    found = extremes(PUSHES, "nevus", 3)  # 0 and 2 for, 1 against
    assert on_both_sides(found, {0: ("ruler",), 1: ("ink", "ruler"), 2: ("ink",), 3: ("hair",)}) == (
        "ruler",
        "ink",
    )
    assert on_both_sides(found, {0: ("ruler",), 1: ("hair",)}) == ()


def test_each_artefact_has_its_neurons_and_their_strongest_push_either_way() -> None:
    rows = pd.DataFrame({"neuron": range(4), "artefacts": [["ruler"], ["ruler", "hairs"], [], ["ink"]]})
    found = artefact_attribution(rows, PUSHES)
    assert found["artefact"].tolist() == ["hairs", "ruler", "ink"]
    assert found["neurons"].tolist() == [[1], [1, 0], [3]]
    assert [one["nevus"] for one in found["attribution"]] == [-1.0, -1.0, 0.0]
    assert [one["melanoma"] for one in found["attribution"]] == [1.0, 1.0, 0.0]


def test_no_artefact_is_an_empty_table() -> None:
    rows = pd.DataFrame({"neuron": range(4), "artefacts": [[], [], [], []]})
    assert artefact_attribution(rows, PUSHES).empty
