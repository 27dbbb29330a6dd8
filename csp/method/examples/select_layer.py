"""The examples of all neurons of a layer at once."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int64

from csp.method.checks import check_examples, check_probe
from csp.method.examples import contrastive
from csp.method.examples.contrast_rule import PAPER_RULE, ContrastRule, cold_images
from csp.method.examples.neighbours import Neighbours
from csp.method.examples.select import Examples, mean_activation, pair, top_images

BLOCK = 256
"""Images that are searched for at once, at most."""
ACTIVATIONS_AT_ONCE = 2**27
"""Half a gigabyte: as many neurons as this many activations hold share one pass of exact search."""
SIMILARITIES_AT_ONCE = 2**23
"""Held at once: 83 images by 100,000, a third slower than 256 by as many and a sixth of their memory."""


def select_all(
    activations: Float[np.ndarray, "n c"],
    embeddings: Float[np.ndarray, "n d"],
    k: int = 30,
    *,
    reuse: bool = True,
    neighbours: Neighbours | None = None,
    rule: ContrastRule = PAPER_RULE,
) -> list[Examples]:
    """Select the examples of every neuron of a layer, in order; each equal to what `select_examples` finds.

    Answers come from the stored neighbours; what these can't tell (everything, if there are none) is searched
    exactly, the images of many neurons in one matrix product. Raises BadInputError as `select_examples`.
    """
    check_probe(activations, embeddings)
    check_examples(k)
    activating = [top_images(np.ascontiguousarray(column), k) for column in activations.T]
    return contrast_all(activations, embeddings, activating, reuse=reuse, neighbours=neighbours, rule=rule)


def contrast_all(
    activations: Float[np.ndarray, "n c"],
    embeddings: Float[np.ndarray, "n d"],
    activating: Sequence[Int64[np.ndarray, " _"]],
    *,
    reuse: bool = True,
    neighbours: Neighbours | None = None,
    rule: ContrastRule = PAPER_RULE,
) -> list[Examples]:
    """The same for activating examples that are chosen already, by neuron; each as `contrasted`."""
    layer: list[Examples] = []
    neurons = max(1, ACTIVATIONS_AT_ONCE // max(len(activations), 1))
    for start in range(0, activations.shape[1], neurons):
        block = np.ascontiguousarray(activations[:, start : start + neurons].T)
        part = activating[start : start + neurons]
        layer += _contrast_block(block, embeddings, part, reuse, neighbours, rule)
    return layer


def _contrast_block(
    activations: Float[np.ndarray, "c n"],
    embeddings: Float[np.ndarray, "n d"],
    activating: Sequence[Int64[np.ndarray, " _"]],
    reuse: bool,
    neighbours: Neighbours | None,
    rule: ContrastRule,
) -> list[Examples]:
    cold = [cold_images(neuron, mean_activation(neuron), rule) for neuron in activations]
    nearest = [
        contrastive.look_up(images, left_cold, embeddings, neighbours, reuse, rule.neighbours)
        for images, left_cold in zip(activating, cold, strict=True)
    ]
    if reuse:
        _search_unsure(activating, cold, nearest, embeddings)
    else:
        for neuron, found in enumerate(nearest):
            if (found == contrastive.UNSURE).any():
                found[:] = contrastive.search(
                    activating[neuron], cold[neuron], embeddings, reuse, rule.neighbours
                )
    return [pair(a, embeddings, p, q, rule) for a, p, q in zip(activations, activating, nearest, strict=True)]


def _search_unsure(
    activating: Sequence[Int64[np.ndarray, " _"]],
    cold: list[Bool[np.ndarray, " n"]],
    nearest: list[Int64[np.ndarray, "_ count"]],
    embeddings: Float[np.ndarray, "n d"],
) -> None:
    """Fill the unsure answers of several neurons in place; an image asked for by many is multiplied once."""
    asked: dict[int, list[tuple[int, int]]] = {}
    for neuron, found in enumerate(nearest):
        for position in np.flatnonzero((found == contrastive.UNSURE).any(axis=1)).tolist():
            asked.setdefault(int(activating[neuron][position]), []).append((neuron, position))
    images = np.fromiter(asked, dtype=np.int64)
    at_once = min(BLOCK, max(1, SIMILARITIES_AT_ONCE // len(embeddings)))
    for start in range(0, len(images), at_once):
        rows = images[start : start + at_once]
        product = embeddings[rows] @ embeddings.T
        for place, image in enumerate(rows.tolist()):
            for neuron, position in asked[image]:
                found = nearest[neuron]
                found[position] = contrastive.best_open(
                    product[place], cold[neuron], image, embeddings, found.shape[1]
                )
        del product  # before the next is made
