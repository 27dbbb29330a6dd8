"""How much neurons push towards classes, from activations and class probabilities alone."""

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


def exact_attribution(
    activations: Float[np.ndarray, "n c"], weights: Float64[np.ndarray, "c classes"]
) -> Float64[np.ndarray, "c classes"]:
    """Change of a class's centred logit when a neuron rises by one standard deviation: W_cj std(a_c).

    In logits, any size; above 0 the neuron speaks for the class, below against it. Sums to 0 over classes.
    """
    deviation: Float64[np.ndarray, " c"] = activations.std(axis=0, dtype=np.float64)
    attribution: Float64[np.ndarray, "c classes"] = weights * deviation[:, None]
    return attribution


def gradient_attribution(
    activations: Float[np.ndarray, "n c"],
    contributions: Float[np.ndarray, "n c classes"],
    deviation: Float[np.ndarray, " c"],
) -> Float64[np.ndarray, "c classes"]:
    """The same to first order, from what each neuron adds to each logit (gradient x activation, k_icj):

        attribution_cj = std(a_c) * sum_i a_ic k_icj / sum_i a_ic^2

    The fraction is the slope of a line through the origin: the change of the logit for one unit of
    activation, over the images where the neuron fires. For a linear head k = W a, so it is
    `exact_attribution`. 0 for a neuron that never fires. In logits, any size. `deviation` is over the
    whole probe dataset, the rest may be of some images of it.
    """
    a, k = activations.astype(np.float64), contributions.astype(np.float64)
    energy = (a**2).sum(axis=0)
    slope = np.einsum("nc,nck->ck", a, k) / np.where(energy > 0, energy, 1.0)[:, None]
    attribution: Float64[np.ndarray, "c classes"] = slope * deviation.astype(np.float64)[:, None]
    return attribution


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
