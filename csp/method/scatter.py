"""How vectors vary together, by blocks: of a large mapped array no copy is made."""

import numpy as np
from jaxtyping import Float, Float64

BLOCK = 2**14
"""So many vectors are held less their centre."""


def scatter(vectors: Float[np.ndarray, "n d"], centre: Float[np.ndarray, " d"]) -> Float64[np.ndarray, "d d"]:
    """sum_i (v_i - centre)(v_i - centre)', each block's sum in the precision of vectors and centre."""
    total = np.zeros((vectors.shape[1], vectors.shape[1]))
    for start in range(0, len(vectors), BLOCK):
        centred = vectors[start : start + BLOCK] - centre
        total += centred.T @ centred
    return total


def along(
    vectors: Float[np.ndarray, "n d"], directions: Float64[np.ndarray, "d m"]
) -> Float64[np.ndarray, "n m"]:
    """v_i . u_j in double precision."""
    found = np.empty((len(vectors), directions.shape[1]))
    for start in range(0, len(vectors), BLOCK):
        found[start : start + BLOCK] = vectors[start : start + BLOCK] @ directions
    return found
