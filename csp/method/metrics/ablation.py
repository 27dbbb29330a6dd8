"""What changes when a neuron is held at its mean (mean ablation; Morcos et al., arXiv 1803.06959)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int


@dataclass(frozen=True)
class Change:
    """Without the neuron less with it, over some images; by class where it says so."""

    probability: Float64[np.ndarray, " classes"]
    """Mean change of each class's probability, -1 to 1: negative where the neuron spoke for the class."""
    accuracy: float
    """Change of the share of images called rightly, -1 to 1: negative where the model needs the neuron."""
    accuracy_of: Float64[np.ndarray, " classes"]
    """The same among the images of each true class; NaN for a class without images."""
    images: int


def change(
    before: Float[np.ndarray, "n classes"],
    after: Float[np.ndarray, "n classes"],
    truth: Int[np.ndarray, " n"],
) -> Change:
    """Compare class probabilities; `truth` is the index of the true class, -1 where it is not known."""
    known = truth >= 0
    right = (after.argmax(axis=1) == truth).astype(np.float64) - (before.argmax(axis=1) == truth)
    by_class = [
        right[truth == which].mean() if (truth == which).any() else np.nan for which in range(before.shape[1])
    ]
    return Change(
        probability=(after.astype(np.float64) - before).mean(axis=0),
        accuracy=float(right[known].mean()) if known.any() else float("nan"),
        accuracy_of=np.array(by_class),
        images=len(before),
    )


def ablated_by_head(
    logits: Float[np.ndarray, "n classes"],
    activations: Float[np.ndarray, " n"],
    weights: Float[np.ndarray, " classes"],
    value: float,
) -> Float64[np.ndarray, "n classes"]:
    """Class probabilities with one neuron of a linear head's input held at a value; exact.

    z'_i = z_i + w (value - a_i), then the softmax.
    """
    moved = logits.astype(np.float64) + (value - activations.astype(np.float64))[:, None] * weights
    odds: Float64[np.ndarray, "n classes"] = np.exp(moved - moved.max(axis=1, keepdims=True))
    odds /= odds.sum(axis=1, keepdims=True)
    return odds
