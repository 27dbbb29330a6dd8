"""Whether a concept's neurons are still there in another checkpoint."""

import numpy as np
import pytest

from csp.errors import BadInputError
from csp.work.explorer.explorer import Explorer, open_explorer
from csp.work.neurons.concepts_across import ConceptAcross, concepts_across
from tests.work.reliance.conftest import IMAGES, NEURONS, MakeRun, activations, said


def sticker(a: Explorer, b: Explorer) -> ConceptAcross:
    found = concepts_across(a, {}, b, {})
    assert found.images == IMAGES
    return next(one for one in found.concepts if one.name == "sticker")


def test_a_mended_model_keeps_its_neurons_and_leans_on_them_no_more(make_run: MakeRun) -> None:
    a, held = make_run(), activations()
    held[:, [0, 1]] = held[:, [0, 1]].mean(axis=0)
    order = np.random.default_rng(3).permutation(NEURONS)
    b = make_run(values=activations()[:, order], outputs=said(held, "softmax"), out="mended")
    one = sticker(a, b)
    assert (one.kept, one.other_label, one.gone, one.new) == (one.in_a, 0, (), ())
    assert one.in_b == one.in_a
    assert one.effect_a is not None
    assert one.effect_b is not None
    assert one.effect_a.leans
    assert not one.effect_b.leans


def test_neurons_of_an_unrelated_model_are_gone(make_run: MakeRun) -> None:
    other = np.random.default_rng(9).random((IMAGES, NEURONS)).astype(np.float32)
    one = sticker(make_run(), make_run(values=other, outputs=said(other, "softmax"), out="unrelated"))
    assert len(one.gone) == one.in_a > 0
    assert len(one.new) == one.in_b
    assert one.kept == one.other_label == 0


def test_one_neuron_that_went_is_named(make_run: MakeRun) -> None:
    a, values = make_run(), activations()
    values[:, 1] = np.random.default_rng(5).random(IMAGES)
    one = sticker(a, make_run(values=values, outputs=said(values, "softmax"), out="retrained"))
    assert one.gone in ((("last", 0),), (("last", 1),)), "one of the two that fired alike has no partner left"
    assert one.kept + one.other_label == one.in_a - 1


def test_runs_without_a_common_layer_are_refused(make_run: MakeRun) -> None:
    with pytest.raises(BadInputError, match="no layer in common"):
        concepts_across(make_run(), {}, open_explorer("demo"), {})
