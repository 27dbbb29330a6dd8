"""The examples of all neurons of a layer at once."""

from collections.abc import Callable, Iterator, Sequence

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
"""As many neurons as have this many activations share one pass of exact search; a byte of each is held."""
TURNED_TOGETHER = 2**24
"""Activations that are copied to the same 64 MB at once. More would take new memory, which is slow to get."""
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
    return _select(activations, embeddings, lambda _, own: top_images(own, k), reuse, neighbours, rule)


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
    return _select(activations, embeddings, lambda neuron, _: activating[neuron], reuse, neighbours, rule)


def _select(
    activations: Float[np.ndarray, "n c"],
    embeddings: Float[np.ndarray, "n d"],
    choose: Callable[[int, Float[np.ndarray, " n"]], Int64[np.ndarray, " _"]],
    reuse: bool,
    neighbours: Neighbours | None,
    rule: ContrastRule,
) -> list[Examples]:
    """`choose` gives the activating examples of a neuron, by its number and its activations."""
    layer: list[Examples] = []
    at_once = max(1, ACTIVATIONS_AT_ONCE // max(len(activations), 1))
    for start in range(0, activations.shape[1], at_once):
        columns = activations[:, start : start + at_once]
        means: list[float] = []
        cold: list[Bool[np.ndarray, " n"]] = []
        activating: list[Int64[np.ndarray, " _"]] = []
        nearest: list[Int64[np.ndarray, "_ count"]] = []
        # In turn: of up to 200,000 images threads wait longer for each other than the steps of a neuron take.
        for neuron, own in enumerate(_turned(columns), start):
            means.append(mean_activation(own))
            cold.append(cold_images(own, means[-1], rule))
            activating.append(choose(neuron, own))
            nearest.append(
                contrastive.look_up(activating[-1], cold[-1], embeddings, neighbours, reuse, rule.neighbours)
            )
        if reuse:
            _search_unsure(activating, cold, nearest, embeddings)
        else:
            _search_in_turn(activating, cold, nearest, embeddings, rule.neighbours)
        layer += [
            pair(columns[:, place], means[place], embeddings, activating[place], found, rule)
            for place, found in enumerate(nearest)
        ]
    return layer


def _turned(columns: Float[np.ndarray, "n b"]) -> Iterator[Float[np.ndarray, " n"]]:
    """Each neuron's activations, where need be copied to where they lie together, until the next is given."""
    if columns.T.flags.c_contiguous:
        yield from columns.T
        return
    at_once = max(1, TURNED_TOGETHER // max(len(columns), 1))
    room = np.empty((min(at_once, columns.shape[1]), len(columns)), dtype=columns.dtype)
    for begin in range(0, columns.shape[1], at_once):
        some = columns[:, begin : begin + at_once]
        rows = room[: some.shape[1]]
        _turn(some, rows)
        yield from rows


def _turn(columns: Float[np.ndarray, "n b"], rows: Float[np.ndarray, "b n"]) -> None:
    def turn(start: int) -> None:
        for first in range(start, min(start + TURNED_BY_ONE, len(columns)), TURNED_AT_ONCE):
            rows[:, first : first + TURNED_AT_ONCE] = columns[first : first + TURNED_AT_ONCE].T

    in_threads(turn, range(0, len(columns), TURNED_BY_ONE))


def _search_in_turn(
    activating: Sequence[Int64[np.ndarray, " _"]],
    cold: list[Bool[np.ndarray, " n"]],
    nearest: list[Int64[np.ndarray, "_ count"]],
    embeddings: Float[np.ndarray, "n d"],
    count: int,
) -> None:
    """Fill the answers of neurons with unsure ones in place, without reuse."""
    for images, open_, found in zip(activating, cold, nearest, strict=True):
        if (found == contrastive.UNSURE).any():
            found[:] = contrastive.search(images, open_, embeddings, False, count)


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
