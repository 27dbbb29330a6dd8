"""Images on which a whole layer gives way: nearly all its neurons fire many times more than on any other.

A network that was trained badly, or that has met a picture unlike all it learnt from, may multiply whatever
it sees. Such an image stands first among the examples of every neuron, and decides every label, whatever the
neuron follows elsewhere. It says something of the network, nothing of single neurons.

This project's.
"""

import numpy as np
from jaxtyping import Bool, Float

NEURONS = 64
"""So many neurons, spread evenly over a layer, say which images those are."""
FEWEST = 32
"""Neurons that vary, below which a few that follow the same thing could look like the whole layer."""
BEYOND = 10.0
"""Times the distance from a neuron's median to its highest tenth, by which it must fire above its median."""
SHARE = 0.25
"""Of the neurons that do so on such an image, at least."""
MOST = 0.02
"""Of the images. Where there are more they are a kind of picture, which labels may name."""


def sampled_neurons(neurons: int) -> list[int]:
    """Which neurons of a layer to ask."""
    return sorted({int(one) for one in np.linspace(0, neurons - 1, min(neurons, NEURONS))})


def steady(
    activations: Float[np.ndarray, "n *c"], outlying: Bool[np.ndarray, " n"]
) -> Float[np.ndarray, "n *c"]:
    """The activations, not a number on those images: then they play no part."""
    if not outlying.any():
        return activations
    left = activations.copy()
    left[outlying] = np.nan
    return left


def outlying_images(activations: Float[np.ndarray, "n s"]) -> Bool[np.ndarray, " n"]:
    """Which images those are, by the activations of some neurons of the layer (`sampled_neurons`).

    With median m_s and 0.9 quantile q_s of neuron s over the images with a finite activation, image i is one
    if a quarter or more of the neurons with q_s > m_s have (a_is - m_s) / (q_s - m_s) > 10. None where fewer
    than `FEWEST` neurons vary so (latents that seldom fire never do), and where more than 2 % of the images
    would be.
    """
    found = np.zeros(len(activations), dtype=bool)
    if not len(activations):
        return found
    above, varying = np.zeros(len(activations), dtype=np.int64), 0
    for column in activations.T:
        values = column.astype(np.float64)
        finite = np.isfinite(values)
        if not finite.any():
            continue
        median, high = np.quantile(values[finite], [0.5, 0.9])
        if high > median:
            varying += 1
            above += finite & (values - median > BEYOND * (high - median))
    if varying >= FEWEST:
        found = above >= SHARE * varying
    return found if found.sum() <= MOST * len(found) else np.zeros(len(found), dtype=bool)
