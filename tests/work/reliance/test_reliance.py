"""What a model leans on, where it is known because it was built so."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from csp.errors import BadInputError, NotFoundError
from csp.keeping.reviews.event import Entry
from csp.keeping.reviews.store import open_reviews
from csp.keeping.reviews.vocabulary import Action
from csp.method.reliance import Link
from csp.work.explorer.explorer import Explorer
from csp.work.reliance import concepts as found_concepts
from csp.work.reliance.concepts import concepts, find_concept, shown
from csp.work.reliance.document import document
from csp.work.reliance.heads import behind_head
from csp.work.reliance.reliance import reliance
from csp.work.reliance.words import sentence
from csp.work.reviews.desk import Person, ReviewDesk
from csp.work.subgroups import SMALL
from tests.work.reliance.conftest import IMAGES, MakeRun, activations, said


def without(neurons: Sequence[int], link: Link = "softmax") -> np.ndarray:
    """What the model says with these neurons fixed at their mean."""
    held, chosen = activations().astype(np.float64), list(neurons)
    held[:, chosen] = held[:, chosen].mean(axis=0)
    return said(held, link)


def test_it_is_what_the_model_says_with_the_neurons_fixed(make_run: MakeRun) -> None:
    explorer = make_run()
    one = reliance(explorer, {}, ["a coloured patch"]).concepts[0]
    neurons = one.concept.of("last")
    assert (one.concept.name, one.numbers.neurons) == ("sticker", len(neurons))
    assert {0, 1} <= set(neurons)
    before = said(activations(), "softmax")
    rows = np.arange(IMAGES)
    on = (rows % 2 == 1) & (rows % 3 == 0)
    expected = (without(neurons) - before)[on, 0].mean()
    told = one.numbers.classes["nevus"]
    assert told.on.change == pytest.approx(expected, abs=1e-5)
    assert told.on.n == on.sum()
    assert told.off.change is not None
    assert told.off.change > 0 > told.on.change
    assert one.leans
    assert one.numbers.shown == "attributes"
    seen = behind_head(explorer.run)
    assert seen is not None
    np.testing.assert_allclose(seen.without(neurons), without(neurons), atol=1e-5)


def test_what_is_seen_as_clearly_but_not_used_is_not_leaned_on(make_run: MakeRun) -> None:
    found = {one.concept.name: one for one in reliance(make_run(), {}).concepts}
    assert 2 in found["hairs"].concept.of("last")
    assert not found["hairs"].leans
    assert [one for one in found.values() if one.leans] == [found["sticker"]]


def test_independent_labels_are_each_judged_for_themselves(make_run: MakeRun) -> None:
    explorer = make_run("sigmoid")
    one = reliance(explorer, {}, ["sticker"]).concepts[0]
    seen = behind_head(explorer.run)
    assert seen is not None
    assert seen.head.link == "sigmoid"
    np.testing.assert_allclose(seen.without([0, 1]), without([0, 1], "sigmoid"), atol=1e-5)
    both = [one.numbers.classes[name].on.change for name in ("nevus", "melanoma")]
    assert both[0] is not None
    assert both[1] is not None
    assert both[0] < 0 < both[1]


def test_without_the_datasets_word_the_encoder_says_which_images_show_it(make_run: MakeRun) -> None:
    explorer = make_run(columns={})
    one = reliance(explorer, {}, ["sticker"]).concepts[0]
    assert one.numbers.shown == "encoder"
    by = shown(explorer.run, one.concept)
    assert (np.flatnonzero(by.on) % 3 == 0).mean() > 0.9
    assert not (by.on & by.off).any()


def test_images_of_which_the_dataset_says_nothing_count_as_neither(make_run: MakeRun) -> None:
    explorer = make_run(columns={"sticker": ["" if row < 30 else int(row % 3 == 0) for row in range(IMAGES)]})
    by = shown(explorer.run, find_concept(concepts(explorer, {}), "sticker"))
    assert not (by.on | by.off)[:30].any()
    assert (by.on | by.off)[30:].all()


def test_a_layer_with_more_behind_it_is_named_as_not_measured(make_run: MakeRun) -> None:
    found = reliance(make_run(behind=False), {})
    assert found.concepts == ()
    assert {one.concept.name for one in found.untested} >= {"sticker", "hairs"}
    assert all("the model has to run" in one.why for one in found.untested)


def test_people_regroup_labels_and_say_what_was_checked(make_run: MakeRun, own_home: Path) -> None:
    explorer = make_run()
    (own_home / "concepts.csv").write_text(
        "concept,words\nwhat lies on the skin,sticker; coloured patch; hairs\n"
    )
    with open_reviews() as reviews:
        desk = ReviewDesk(explorer.run, reviews)
        entry = Entry(layer="last", neuron=5, verdict=Action.OVERRIDE, label="hairs", reason="")
        desk.record(Person(name="Ann"), entry)
        found = find_concept(concepts(explorer, desk.states()), "what lies on the skin")
    assert set(found.of("last")) >= {0, 1, 2, 5}
    assert found.checked == 1
    assert found.reviewers == ("Ann (name not checked)",)


def test_each_subgroup_has_its_number_and_small_ones_are_not_ranked(make_run: MakeRun) -> None:
    sexes = [("f", "m")[row // 60] if row >= 12 else "" for row in range(IMAGES)]
    stickers = [int(row % 3 == 0) for row in range(IMAGES)]
    explorer = make_run(columns={"sex": sexes, "sticker": stickers})
    one = reliance(explorer, {}, ["sticker"], by="sex").concepts[0]
    assert one.subgroups is not None
    groups = {group.name: group for group in one.subgroups.groups}
    assert list(groups) == ["f", "m", "not stated"]
    assert sum(group.n for group in groups.values()) == one.numbers.images
    assert all(group.small == (group.classes["nevus"]["with"].n < SMALL) for group in groups.values())
    assert one.subgroups.difference is None
    whole = reliance(explorer, {}, ["sticker"], by="split").concepts[0].subgroups
    assert whole is not None
    assert [group.classes["nevus"]["with"].change for group in whole.groups] == [
        one.numbers.classes["nevus"].on.change
    ]


def test_what_is_not_there_is_said(make_run: MakeRun, explorer: Explorer) -> None:
    made = make_run()
    with pytest.raises(NotFoundError, match="the concepts of this run are: "):
        reliance(made, {}, ["ruler"])
    with pytest.raises(NotFoundError, match="columns to part them by: "):
        reliance(made, {}, by="age")
    assert reliance(explorer, {}).concepts == ()


def test_a_run_without_probabilities_says_what_it_needs(unlabelled_imported: Explorer) -> None:
    with pytest.raises(BadInputError, match="holds no class probabilities"):
        reliance(unlabelled_imported, {})


def test_the_document_is_json_with_the_fields_that_scripts_read(make_run: MakeRun) -> None:
    explorer = make_run()
    read = json.loads(json.dumps(document(explorer.run, reliance(explorer, {}, ["sticker"], by="label"))))
    row = read["concepts"][0]
    assert (row["concept"], row["neurons"]) == ("sticker", len(row["members"]["last"]))
    assert row["layers"] == ["last"]
    told = row["classes"]["nevus"]
    assert set(told["with"]) >= {"change", "low", "high", "n"}
    assert set(told["without"]) >= {"change", "low", "high", "n"}
    assert set(told["random"]) >= {"mean", "low", "high"}
    assert set(row["accuracy"]) >= {"before", "after"}
    assert row["subgroups"]["column"] == "label"


@pytest.fixture
def unlabelled_imported(own_home: Path, tmp_path: Path) -> Explorer:
    """A run without classes."""
    from csp.work.explorer.explorer import open_explorer
    from tests.odd_runs import OddRun, build

    return open_explorer(str(build(OddRun(classes=()), tmp_path / "odd", tmp_path / "odd-run")))


@pytest.mark.parametrize("neurons", [1, 2])
def test_a_sentence_counts_its_neurons_and_tells_no_change_that_is_none(
    make_run: MakeRun, neurons: int
) -> None:
    one = reliance(make_run(), {}, ["sticker"]).concepts[0]
    told = one.numbers.classes[one.numbers.most]
    numbers = one.numbers.model_copy(update={"neurons": neurons})
    own = f"With its {'1 neuron' if neurons == 1 else '2 neurons'} switched off"
    assert sentence(replace(one, numbers=numbers)).startswith(f"{own} the model gives {numbers.most} ")
    still = told.model_copy(update={"on": told.on.model_copy(update={"change": 0.001})})
    same = sentence(replace(one, numbers=numbers.model_copy(update={"classes": {numbers.most: still}})))
    assert same.startswith(f"{own} the model still gives ")
    assert "instead" not in same


def test_a_label_that_nobody_claims_counts_in_no_concept(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    explorer = make_run()
    layer, neuron = find_concept(concepts(explorer, {}), "sticker").neurons[0]
    monkeypatch.setattr(
        found_concepts, "unclaimed", lambda _, where: frozenset({neuron} if where == layer else ())
    )
    assert (layer, neuron) not in find_concept(concepts(explorer, {}), "sticker").neurons
