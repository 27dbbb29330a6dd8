"""The weights of a linear head behind a layer, told from a run, however many images it has."""

import numpy as np
from jaxtyping import Bool, Float64, Int64

from csp.keeping.run_folder.run import Run
from csp.method.attribution import EXACT, linear_head

NUMBERS = 2**26
"""So many activations tell the weights: least squares holds them four times over."""
TIMES = 2
"""At least so many times as many images as neurons tell them."""


def told_weights(
    run: Run, layer: str, logits: Float64[np.ndarray, "n classes"]
) -> Float64[np.ndarray, "c classes"] | None:
    """The weights by which a layer gives these logits, as `linear_head`; None where it doesn't.

    Of very many images some, spread evenly, tell them; all must bear them out.
    """
    images = telling_images(run, layer)
    weights = linear_head(run.of_images(layer, images), logits[images])
    return weights if weights is None or borne_out(run, layer, weights, logits) else None


def telling_images(run: Run, layer: str) -> Int64[np.ndarray, " m"]:
    """The images that tell the weights: all of them where their activations are few enough."""
    count, neurons = run.manifest.images, run.layer(layer).neurons
    most = max(NUMBERS // neurons, TIMES * neurons)
    return spread_evenly(count, most)


def spread_evenly(count: int, most: int) -> Int64[np.ndarray, " m"]:
    """At most so many places of `count`, the same distance from one to the next."""
    if count <= most:
        return np.arange(count)
    return np.linspace(0, count - 1, most).astype(np.int64)


def borne_out(
    run: Run,
    layer: str,
    weights: Float64[np.ndarray, "c classes"],
    logits: Float64[np.ndarray, "n classes"],
) -> bool:
    """Whether the weights explain the logits of all images, not only of those that told them."""
    if len(telling_images(run, layer)) == run.manifest.images:
        return True
    usable = finite_images(run, layer) & np.isfinite(logits).all(axis=1)
    left, spread = (logits - weighed(run, layer, weights))[usable], logits[usable]
    left -= left.mean(axis=0)
    spread -= spread.mean(axis=0)
    return bool(np.sqrt(np.mean(left**2)) <= EXACT * np.sqrt(np.mean(spread**2)))


def weighed(
    run: Run, layer: str, weights: Float64[np.ndarray, "c classes"]
) -> Float64[np.ndarray, "n classes"]:
    """The activations of a layer times weights."""
    total = np.zeros((run.manifest.images, weights.shape[1]))
    for neurons, block in run.neuron_blocks(layer):
        total += block.astype(np.float64) @ weights[neurons]
    return total


def finite_images(run: Run, layer: str) -> Bool[np.ndarray, " n"]:
    """The images on which all neurons of a layer have a number."""
    finite: Bool[np.ndarray, " n"] = np.ones(run.manifest.images, dtype=bool)
    for block in run.activation_blocks(layer):
        finite &= np.isfinite(block).all(axis=1)
    return finite
