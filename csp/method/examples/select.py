"""Activating and contrastive examples of neurons (the paper's steps 1 and 2)."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Float32, Int64

from csp.method.checks import check_examples, check_probe
from csp.method.examples import contrastive
from csp.method.examples.contrast_rule import PAPER_RULE, ContrastRule, cold_images
from csp.method.examples.neighbours import Neighbours
from csp.method.examples.top_k import floor_of_best


@dataclass(frozen=True, eq=False)
class Examples:
    """The examples of one neuron, pairs aligned: `contrastive[i]` is the one of `activating[i]`.

    `contrastive` is -1, and its activation and similarity NaN, where there is none. k is what was asked
    for or, if that is less, the number of images that make the neuron fire; pairs that the contrast rule
    leaves out are not among them.
    """

    activating: Int64[np.ndarray, " k"]
    activation: Float32[np.ndarray, " k"]
    contrastive: Int64[np.ndarray, " k"]
    contrastive_activation: Float32[np.ndarray, " k"]
    similarity: Float32[np.ndarray, " k"]
    mean_activation: float
    further: Int64[np.ndarray, "k m"] | None = None
    """The neighbours after the nearest, where the contrast rule asks for several; -1 where there is none."""


def select_examples(
    activations: Float[np.ndarray, " n"],
    embeddings: Float[np.ndarray, "n d"],
    k: int = 30,
    *,
    reuse: bool = True,
    neighbours: Neighbours | None = None,
    rule: ContrastRule = PAPER_RULE,
) -> Examples:
    """Select one neuron's activating and contrastive examples.

    activating: the k images of highest activation, of those that fire (activation above 0), best first, ties
    to the lower index.
    contrastive: for each of them the most similar other image that is cold (below the mean, or what `rule`
    says), ties to the lower index; with `reuse=False` no image serves twice, taken greedily in the order of
    the activating ones.
    `neighbours` makes it faster and changes nothing. Non-finite activations are left out everywhere.
    Raises BadInputError for k < 1 and for arrays that do not belong together.
    """
    check_probe(activations, embeddings)
    check_examples(k)
    activating = top_images(activations, k)
    return contrasted(activations, embeddings, activating, reuse=reuse, neighbours=neighbours, rule=rule)


def contrasted(
    activations: Float[np.ndarray, " n"],
    embeddings: Float[np.ndarray, "n d"],
    activating: Int64[np.ndarray, " k"],
    *,
    reuse: bool = True,
    neighbours: Neighbours | None = None,
    rule: ContrastRule = PAPER_RULE,
) -> Examples:
    """The same for activating examples that are chosen already."""
    mean = mean_activation(activations)
    cold = cold_images(activations, mean, rule)
    nearest = contrastive.look_up(activating, cold, embeddings, neighbours, reuse, rule.neighbours)
    unsure = (nearest == contrastive.UNSURE).any(axis=1)
    if unsure.any():
        again = unsure if reuse else slice(None)
        nearest[again] = contrastive.search(activating[again], cold, embeddings, reuse, rule.neighbours)
    return pair(activations, mean, embeddings, activating, nearest, rule)


def narrowed(wide: Examples) -> Examples:
    """Examples with several contrastive neighbours, as they are with the nearest alone."""
    return replace(wide, further=None)


def top_images(activations: Float[np.ndarray, " n"], k: int) -> Int64[np.ndarray, " k"]:
    """The k (or all) images of highest activation above 0, best first, ties to the lower index.

    An image that leaves the neuron silent is no example, also where fewer than k fire: which of the silent
    ones come first is a matter of their order in the dataset.
    """
    strongest = strongest_images(activations, k)
    firing: Int64[np.ndarray, " k"] = strongest[activations[strongest] > 0]
    return firing


def strongest_images(activations: Float[np.ndarray, " n"], k: int) -> Int64[np.ndarray, " k"]:
    """The k (or all) images of highest finite activation, firing or not; ties to the lower index."""
    finite = np.isfinite(activations)
    k = min(k, int(np.count_nonzero(finite)))
    if k == 0:
        return np.empty(0, dtype=np.int64)
    keys = activations if finite.all() else np.where(finite, activations, -np.inf)
    candidates = np.flatnonzero(keys >= floor_of_best(keys[None], k)[0])
    return candidates[np.argsort(-keys[candidates], kind="stable")[:k]]


def mean_activation(activations: Float[np.ndarray, " n"]) -> float:
    """Mean over the images with a finite activation, in float64; 0 when there is none.

    Rounding never puts it outside the activations' range: a constant neuron has no image below its mean.
    """
    usable = np.isfinite(activations)
    finite = activations if usable.all() else activations[usable]
    if finite.size == 0:
        return 0.0
    return float(np.clip(finite.mean(dtype=np.float64), finite.min(), finite.max()))


def pair(
    activations: Float[np.ndarray, " n"],
    mean: float,
    embeddings: Float[np.ndarray, "n d"],
    activating: Int64[np.ndarray, " k"],
    nearest: Int64[np.ndarray, "k count"],
    rule: ContrastRule,
) -> Examples:
    """Put what was selected together with its activations and cosines, less the pairs that aren't alike."""
    similarity = contrastive.cosine(embeddings, activating, nearest[:, 0]).astype(np.float32)
    if rule.least is not None:
        alike = (similarity >= rule.least) | (nearest[:, 0] == contrastive.NONE)
        activating, nearest, similarity = activating[alike], nearest[alike], similarity[alike]
    first = nearest[:, 0]
    none = first == contrastive.NONE
    contrastive_activation = activations[first].astype(np.float32)
    return Examples(
        activating=activating,
        activation=activations[activating].astype(np.float32),
        contrastive=first,
        contrastive_activation=np.where(none, np.float32(np.nan), contrastive_activation),
        similarity=np.where(none, np.float32(np.nan), similarity),
        mean_activation=mean,
        further=nearest[:, 1:] if rule.neighbours > 1 else None,
    )
