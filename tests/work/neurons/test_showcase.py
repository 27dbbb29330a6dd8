"""Which neurons the tour shows: found by rule, borne out by the pictures, where the truth is known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from csp.keeping.bundle import ASSETS
from csp.keeping.run_folder.run import Run
from csp.keeping.run_folder.writer import RunWriter
from csp.method.examples.neighbours import nearest_neighbours
from csp.work.explorer.explorer import open_explorer
from csp.work.neurons.showcase import (
    FALLS_OFF,
    STAYS,
    AttributeShares,
    LabelChange,
    _order,
    _ShownTexts,
    label_holds,
    start_examples,
    turns,
)
from tests import build

PLAIN, TRUE = "hairs", "a ruler"


def forced(out: Path, plain: str, contrastive: str) -> Run:
    """The tiny run whose first labels are these, for every neuron."""
    with RunWriter.open_or_resume(out, build.PLAN) as writer:
        for each in build.batches(writer.next_row):
            writer.add_batch(each)
        draft = writer.assemble(build.manifest())
        writer.add_neighbours(nearest_neighbours(draft.embeddings, 10))
        terms = pd.DataFrame(build.TERMS, columns=["text", "attributes", "broad"])
        writer.write_vocabulary(terms, build.text_embeddings())
        for layer in build.LAYERS:
            writer.write_neurons(layer, build.neuron_rows(draft, layer))
            first = {"semanticlens": plain, "csp": contrastive}
            rows = [
                (neuron, labeler, 1, text, 0.5)
                for neuron in range(build.NEURONS)
                for labeler, text in first.items()
            ]
            columns = ["neuron", "labeler", "rank", "label", "score"]
            writer.write_labels(layer, pd.DataFrame(rows, columns=columns))
        return Run.open(writer.finish())


def test_telling_is_how_much_more_one_text_falls_off(tmp_path: Path) -> None:
    run = forced(tmp_path / "run", PLAIN, TRUE)
    found = {turn.neuron: turn for turn in turns(run) if turn.layer == "late"}
    examples = run.examples("late", 0)
    texts = run.text_embeddings
    assert examples is not None and texts is not None
    names = list(run.vocabulary["text"])
    total = 0.0
    for firing, twin in zip(examples.activating, examples.contrastive, strict=True):
        for text, sign in ((TRUE, 1), (PLAIN, -1)):
            vector = texts[names.index(text)]
            total += sign * float((run.embeddings[firing] - run.embeddings[twin]) @ vector)
    assert found[0].telling == pytest.approx(total / len(examples.activating), abs=1e-5)


def test_shares_count_what_the_pictures_show(tmp_path: Path) -> None:
    run = forced(tmp_path / "run", PLAIN, TRUE)
    (turn,) = (turn for turn in turns(run) if (turn.layer, turn.neuron) == ("late", 0))
    examples, images = run.examples("late", 0), run.images
    assert examples is not None and turn.shares is not None
    assert turn.shares.contrastive == (
        images["ruler"].to_numpy()[examples.activating].mean(),
        images["ruler"].to_numpy()[examples.contrastive].mean(),
    )
    assert turn.shares.plain[1] == images["hairs"].to_numpy()[examples.contrastive].mean()
    unstated = forced(tmp_path / "other", "skin lesion", TRUE)
    assert {each.shares for each in turns(unstated)} == {None}


def test_a_label_that_stays_the_same_is_no_turn(tmp_path: Path) -> None:
    assert turns(forced(tmp_path / "run", TRUE, TRUE)) == ()


def test_a_run_without_labels_has_none(tmp_path: Path) -> None:
    with RunWriter.open_or_resume(tmp_path / "run", build.PLAN) as writer:
        for each in build.batches(writer.next_row):
            writer.add_batch(each)
        writer.assemble(build.manifest())
        assert turns(Run.open(writer.finish())) == ()


def test_what_the_pictures_bear_out_comes_first_and_of_that_an_artefact() -> None:
    shares = AttributeShares(plain=(0.9, STAYS), contrastive=(0.9, 0.9 - FALLS_OFF))
    plain = LabelChange("late", 0, PLAIN, TRUE, telling=0.1, shares=shares, artefact=False)
    artefact = replace(plain, neuron=1, telling=0.05, artefact=True)
    unseen = replace(plain, neuron=2, telling=0.9, shares=None, artefact=True)
    absent = replace(
        plain, neuron=3, telling=0.8, shares=AttributeShares((0.9, 0.0), (0.9, 0.0)), artefact=True
    )
    better = replace(unseen, neuron=4, telling=0.0, holds=True, plain_holds=False)
    found = sorted((unseen, plain, absent, artefact, better), key=_order)
    assert [turn.neuron for turn in found] == [1, 0, 4, 2, 3]


def test_the_demo_has_a_neuron_that_makes_the_point() -> None:
    best = turns(Run.open(ASSETS / "runs" / "demo"))[0]
    assert best.shares is not None and best.shares.bear_out
    assert best.artefact, "a plain label of the lesion that its twins reveal to be an artefact"
    assert np.isfinite(best.telling)


def test_no_example_of_the_demo_is_contradicted_by_what_is_known() -> None:
    """The first screens may show only labels that are true by the world's own attributes."""
    explorer = open_explorer("demo")
    run = explorer.run
    for layer in run.layers:
        shown = start_examples(explorer, layer)
        labels = explorer.stored_labels.first_labels(layer)
        assert shown and all(label_holds(run, layer, labels)[neuron] for neuron in shown)
        pictures, examples = _ShownTexts(run), run.neurons(layer)
        pairs = zip(examples["activating"], examples["contrastive"], strict=True)
        seen = {
            neuron: pictures.bear_out(labels[neuron], *pair)
            for neuron, pair in enumerate(pairs)
            if neuron in shown
        }
        assert all(seen.values()), "the pairs that people see show what the label names, and its lack"
    tour = turns(run)
    assert tour[0].holds
    false = [turn.holds is False for turn in tour]
    assert any(false) and false == sorted(false), "contradicted ones come last"


def test_a_run_without_attributes_tells_of_no_label_whether_it_holds(tiny_run: Run) -> None:
    bare = replace(tiny_run)
    vars(bare)["attributes"] = ()
    assert label_holds(bare, "late", {0: TRUE}) == {}
