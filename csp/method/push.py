"""How neurons push classes, from activations and class probabilities alone."""

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
    the last linear layer, and then W, centred over the classes, is unique as long as the activations have
    full rank. Where it holds nothing else of the model can matter, so no model is needed to know it.
    """
    usable = _usable(activations, logits)
    neurons = activations.shape[1]
    if usable.sum() <= neurons + 1:
        return None
    x = activations[usable].astype(np.float64)
    x -= x.mean(axis=0)
    z = logits[usable] - logits[usable].mean(axis=0)
    weights: Float64[np.ndarray, "c classes"]
    weights, _, rank, _ = np.linalg.lstsq(x, z, rcond=None)
    spread = np.sqrt(np.mean(z**2))
    if rank < neurons or spread == 0 or np.sqrt(np.mean((z - x @ weights) ** 2)) > EXACT * spread:
        return None
    return weights


def exact_push(
    activations: Float[np.ndarray, "n c"], weights: Float64[np.ndarray, "c classes"]
) -> Float64[np.ndarray, "c classes"]:
    """Change of a class's centred logit when a neuron rises by one standard deviation: W_cj std(a_c).

    In logits, any size; above 0 the neuron speaks for the class, below against it. Sums to 0 over classes.
    """
    deviation: Float64[np.ndarray, " c"] = activations.std(axis=0, dtype=np.float64)
    push: Float64[np.ndarray, "c classes"] = weights * deviation[:, None]
    return push


def goes_with(
    activations: Float[np.ndarray, "n c"], logits: Float64[np.ndarray, "n classes"]
) -> Float64[np.ndarray, "c classes"]:
    """Pearson correlation of each neuron with each class's centred logit, in [-1, 1].

    Says what goes together over the probe dataset, not what causes what; 0 where either does not vary.
    """
    usable = _usable(activations, logits)
    x, z = activations[usable].astype(np.float64), logits[usable]
    if len(x) == 0:
        return np.zeros((activations.shape[1], logits.shape[1]))
    x, z = x - x.mean(axis=0), z - z.mean(axis=0)
    length: Float64[np.ndarray, "c classes"] = np.sqrt((x**2).sum(axis=0))[:, None] * np.sqrt(
        (z**2).sum(axis=0)
    )
    found: Float64[np.ndarray, "c classes"] = np.zeros_like(length)
    np.divide(x.T @ z, length, out=found, where=length > 0)
    return found


def _usable(
    activations: Float[np.ndarray, "n c"], logits: Float64[np.ndarray, "n classes"]
) -> Bool[np.ndarray, " n"]:
    """Images on which everything is a number."""
    usable: Bool[np.ndarray, " n"] = np.isfinite(activations).all(axis=1) & np.isfinite(logits).all(axis=1)
    return usable
