"""What the model would say without some neurons, of one picture and of all."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from csp.method.reliance import Head, Link
from csp.work.explorer.explorer import Explorer
from csp.work.reliance.concepts import concepts, find_concept, shown
from csp.work.reliance.heads import BehindHead, behind_head
from csp.work.reliance.what_if import Flips, as_csv, flips, movers, what_if
from tests.work.reliance.conftest import CLASSES, IMAGES, MakeRun, activations, said, weights
from tests.work.reliance.test_reliance import without


def seen_in(explorer: Explorer) -> BehindHead:
    found = behind_head(explorer.run)
    assert found is not None
    return found


def torn(explorer: Explorer, link: Link = "softmax") -> BehindHead:
    """The same behind a head with another bias, so that the answer hangs on the sticker."""
    head = Head(weights(), np.array([-1.0, 1.0]), link)
    return BehindHead(explorer.run, "last", head, head.logits(activations()))


def told(explorer: Explorer, seen: BehindHead) -> Flips:
    sticker = find_concept(concepts(explorer, {}), "sticker")
    return flips(explorer.run, seen, (0, 1), shown(explorer.run, sticker))


def test_one_picture_moves_as_the_model_would(make_run: MakeRun) -> None:
    explorer = make_run()
    seen, image = seen_in(explorer), 3
    found = what_if(seen, activations()[image], [0, 1])
    np.testing.assert_allclose(found.before, said(activations(), "softmax")[image], atol=1e-5)
    np.testing.assert_allclose(found.after, without([0, 1])[image], atol=1e-5)
    (first, moved), *_ = movers(seen, concepts(explorer, {}), activations()[image])
    assert first.name == "sticker", "the concept that moves it most comes first"
    assert moved.after[0] < moved.before[0]


@pytest.mark.parametrize("link", ["softmax", "sigmoid", "none"])
def test_images_flip_where_the_answer_is_another_without_it(make_run: MakeRun, link: Link) -> None:
    """One by one for independent labels, never for plain numbers, which decide nothing."""
    explorer = make_run()
    seen = torn(explorer, link)
    found, before, after = told(explorer, seen), seen.outputs, seen.without((0, 1))
    expected = []
    for image in range(IMAGES):
        if link == "softmax" and before[image].argmax() != after[image].argmax():
            expected.append((image, CLASSES[before[image].argmax()], CLASSES[after[image].argmax()]))
        for place, name in enumerate(CLASSES if link == "sigmoid" else ()):
            if (before[image, place] >= 0.5) != (after[image, place] >= 0.5):
                words = (name, f"not {name}") if before[image, place] >= 0.5 else (f"not {name}", name)
                expected.append((image, *words))
    assert sorted((one.image, one.before, one.after) for one in found.images) == sorted(expected)
    assert all(one.shows == (one.image % 3 == 0) for one in found.images)
    showing = [one for one in found.images if one.shows]
    assert found.looked_at == IMAGES / 3
    assert found.called.total() == len(showing)
    if link != "none":
        assert len(showing) > 2 * found.by_chance
        moved = [float(np.abs(before - after)[one.image].max()) for one in found.images]
        assert moved == sorted(moved, reverse=True), "what moves most comes first"


def test_the_file_holds_every_flip_and_no_formula(make_run: MakeRun) -> None:
    explorer = make_run(columns={"sticker": [int(row % 3 == 0) for row in range(IMAGES)]})
    found = told(explorer, torn(explorer))
    hostile = replace(found, images=(replace(found.images[0], after="=1+1"), *found.images[1:]))
    rows = list(csv.DictReader(io.StringIO(as_csv(explorer.run, hostile))))
    assert [int(row["image"]) for row in rows] == [one.image for one in found.images]
    assert rows[0]["after"] == "'=1+1"
    assert float(rows[0]["before_value"]) == pytest.approx(found.images[0].before_value, abs=1e-5)
    assert {row["shows_it"] for row in rows} <= {"true", "false"}
