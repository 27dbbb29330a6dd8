"""How much neurons push towards classes: one standard deviation of each times the slope of the class."""

import numpy as np
from jaxtyping import Bool, Float, Float64

EXACT = 1e-3
"""A layer whose activations give the logits up to this share of their spread feeds a linear head."""


def centred_logits(probabilities: Float[np.ndarray, "n classes"]) -> Float64[np.ndarray, "n classes"]:
    """The logits of a softmax up to what it can't tell: log p minus its mean over the classes.

    z_ic = log p_ic - mean_c log p_ic; NaN in rows with a probability of 0 or a broken one.
    """
    safe = np.where(probabilities > 0, probabilities, np.nan).astype(np.float64)
    logits: Float64[np.ndarray, "n classes"] = np.log(safe)
    logits -= logits.mean(axis=1, keepdims=True)
    return logits


def linear_head(
    activations: Float[np.ndarray, "n c"], logits: Float64[np.ndarray, "n classes"]
) -> Float64[np.ndarray, "c classes"] | None:
    """The weights of the linear head on these neurons, recovered by least squares; None when there is none.

    z = W a + b holds exactly (residual below `EXACT` of the spread of z) if the layer's pooled output feeds
    the last linear layer, and then W, centred over the classes, is unique as long as the activations of the
    neurons that vary have full rank. Where it holds nothing else of the model can matter, so no model is
    needed to know it. A neuron that is the same on every image gets 0: its weight can't be told.
    """
    usable = _usable(activations, logits)
    varies = np.ptp(activations[usable], axis=0) > 0 if usable.any() else np.zeros(activations.shape[1], bool)
    if usable.sum() <= varies.sum() + 1:
        return None
    x = activations[usable][:, varies].astype(np.float64)
    x -= x.mean(axis=0)
    z = logits[usable] - logits[usable].mean(axis=0)
    found, _, rank, _ = np.linalg.lstsq(x, z, rcond=None)
    spread = np.sqrt(np.mean(z**2))
    if rank < varies.sum() or spread == 0 or np.sqrt(np.mean((z - x @ found) ** 2)) > EXACT * spread:
        return None
    weights: Float64[np.ndarray, "c classes"] = np.zeros((activations.shape[1], logits.shape[1]))
    weights[varies] = found
    return weights


def attribution(
    deviation: Float64[np.ndarray, " c"], slopes: Float[np.ndarray, "c classes"]
) -> Float64[np.ndarray, "c classes"]:
    """Change of a class's centred logit when a neuron rises by one standard deviation: s_cj std(a_c).

    `deviation` is that of `deviations`. `slopes` s are the weights of a linear head, which makes it exact, or
    the mean over images of what the model's gradient gives for one unit more; then it holds to first order.
    In logits, any size; above 0 the neuron speaks for the class, below against it.
    """
    found: Float64[np.ndarray, "c classes"] = slopes.astype(np.float64) * deviation[:, None]
    return found


def deviations(activations: Float[np.ndarray, "n c"]) -> Float64[np.ndarray, " c"]:
    """Standard deviation of each neuron over the images on which it is a number; 0 where there is none."""
    known = np.isfinite(activations).any(axis=0)
    found: Float64[np.ndarray, " c"] = np.zeros(activations.shape[1])
    found[known] = np.nanstd(activations[:, known].astype(np.float64), axis=0)
    return found


def _usable(
    activations: Float[np.ndarray, "n c"], logits: Float64[np.ndarray, "n classes"]
) -> Bool[np.ndarray, " n"]:
    """Images on which everything is a number."""
    usable: Bool[np.ndarray, " n"] = np.isfinite(activations).all(axis=1) & np.isfinite(logits).all(axis=1)
    return usable
