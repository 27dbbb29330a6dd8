"""The examples of all neurons of a layer at once."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
from jaxtyping import Bool, Float, Int64

from csp.method.checks import check_examples, check_probe
from csp.method.examples import contrastive
from csp.method.examples.contrast_rule import PAPER_RULE, ContrastRule, cold_images
from csp.method.examples.neighbours import Neighbours
from csp.method.examples.select import Examples, mean_activation, pair, top_images
from csp.method.threads import in_threads

BLOCK = 256
"""Images that are searched for at once, at most."""
ACTIVATIONS_AT_ONCE = 2**27
"""Half a gigabyte: as many neurons as this many activations hold share one pass of exact search."""
SIMILARITIES_AT_ONCE = 2**23
"""Held at once by each thread: 84 images by 100,000. More are faster and take more memory."""
TURNED_AT_ONCE = 16
"""Images whose activations are copied at once to where each neuron's lie together: a line of a processor's
cache holds so many, and a copy all at once is eight times slower."""
TURNED_BY_ONE = 4096
"""Images that one thread copies in turn."""


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
    layer: list[Examples] = []
    for block in _blocks(activations):
        activating = in_threads(partial(top_images, k=k), block)
        layer += _contrast_block(block, embeddings, activating, reuse, neighbours, rule)
    return layer


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
    for block in _blocks(activations):
        part = activating[len(layer) : len(layer) + len(block)]
        layer += _contrast_block(block, embeddings, part, reuse, neighbours, rule)
    return layer


def _blocks(activations: Float[np.ndarray, "n c"]) -> Iterator[Float[np.ndarray, "b n"]]:
    """The activations of some neurons at once, a contiguous row for each."""
    neurons = max(1, ACTIVATIONS_AT_ONCE // max(len(activations), 1))
    for start in range(0, activations.shape[1], neurons):
        columns = activations[:, start : start + neurons]
        yield columns.T if columns.T.flags.c_contiguous else _turned(columns)


def _turned(columns: Float[np.ndarray, "n b"]) -> Float[np.ndarray, "b n"]:
    """A contiguous copy, turned."""
    rows = np.empty(columns.shape[::-1], dtype=columns.dtype)

    def turn(start: int) -> None:
        for first in range(start, min(start + TURNED_BY_ONE, len(columns)), TURNED_AT_ONCE):
            rows[:, first : first + TURNED_AT_ONCE] = columns[first : first + TURNED_AT_ONCE].T

    in_threads(turn, range(0, len(columns), TURNED_BY_ONE))
    return rows


def _contrast_block(
    activations: Float[np.ndarray, "c n"],
    embeddings: Float[np.ndarray, "n d"],
    activating: Sequence[Int64[np.ndarray, " _"]],
    reuse: bool,
    neighbours: Neighbours | None,
    rule: ContrastRule,
) -> list[Examples]:
    def ask(neuron: int) -> tuple[float, Bool[np.ndarray, " n"], Int64[np.ndarray, "k count"]]:
        mean = mean_activation(activations[neuron])
        cold = cold_images(activations[neuron], mean, rule)
        images = activating[neuron]
        return mean, cold, contrastive.look_up(images, cold, embeddings, neighbours, reuse, rule.neighbours)

    answers = in_threads(ask, range(len(activations)))
    cold, nearest = [answer[1] for answer in answers], [answer[2] for answer in answers]
    if reuse:
        _search_unsure(activating, cold, nearest, embeddings)
    else:
        for neuron, found in enumerate(nearest):
            if (found == contrastive.UNSURE).any():
                found[:] = contrastive.search(
                    activating[neuron], cold[neuron], embeddings, reuse, rule.neighbours
                )

    def put_together(neuron: int) -> Examples:
        mean, _, found = answers[neuron]
        return pair(activations[neuron], mean, embeddings, activating[neuron], found, rule)

    return in_threads(put_together, range(len(activations)))


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

    def search(start: int) -> None:
        rows = images[start : start + at_once]
        for image, similarities in zip(rows.tolist(), embeddings[rows] @ embeddings.T, strict=True):
            listed = contrastive.Nearest(similarities, image, embeddings)
            for neuron, position in asked[image]:
                nearest[neuron][position] = listed.best_open(cold[neuron], nearest[neuron].shape[1])

    in_threads(search, range(0, len(images), at_once))
