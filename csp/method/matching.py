"""Which neuron of one network does what a neuron of another does: by their activations on the same images."""

import numpy as np
from jaxtyping import Float, Float64, Int64
from scipy.optimize import linear_sum_assignment


def matched_neurons(
    left: Float[np.ndarray, "n a"], right: Float[np.ndarray, "n b"]
) -> tuple[Int64[np.ndarray, " a"], Float64[np.ndarray, " a"]]:
    """The partner of each neuron on the left, -1 without one, and the Pearson correlation of the pair.

    One to one, so that the sum of correlations is greatest (Hungarian method, Kuhn 1955), after Li et al.
    2015, "Convergent Learning" (1511.07543). NaN without a partner; 0 for a neuron that does not vary.
    """
    correlation = _standardised(left).T @ _standardised(right)
    rows, columns = linear_sum_assignment(correlation, maximize=True)
    partner, alike = np.full(left.shape[1], -1), np.full(left.shape[1], np.nan)
    partner[rows], alike[rows] = columns, np.clip(correlation[rows, columns], -1.0, 1.0)
    return partner, alike


def _standardised(activations: Float[np.ndarray, "n c"]) -> Float64[np.ndarray, "n c"]:
    """Columns of mean 0 and length 1, so that their products are correlations; 0 where nothing varies."""
    centred = np.nan_to_num(activations.astype(np.float64))
    centred = centred - centred.mean(axis=0)
    length = np.linalg.norm(centred, axis=0)
    found: Float64[np.ndarray, "n c"] = np.divide(
        centred, length, out=np.zeros_like(centred), where=length > 1e-12
    )
    return found
