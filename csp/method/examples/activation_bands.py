"""Examples from several levels of activation: what a neuron does between its strongest images and none."""

from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int64

from csp.errors import BadInputError

BANDS = (0.0, 0.01, 0.1, 0.5, 1.0)
"""Where the bands of ranks begin and end: the strongest 1 %, to 10 %, to a half, the weaker half."""


def level_images(
    activations: Float[np.ndarray, " n"], count: int, bands: tuple[float, ...] = BANDS
) -> list[Int64[np.ndarray, " _"]]:
    """Images from each band of the ranking by activation, at most `count` a band, spread evenly over it.

    Of the m images with a finite activation, best first (ties to the lower index), a band from share s to
    share t holds the ranks ceil(s m) <= r < ceil(t m); from its w ranks those at floor((i + 1/2) w / c) are
    taken, i = 0 .. c - 1, c = min(count, w): each stands for an equal part of the band. No image is taken
    twice. Raises BadInputError for a count below 1 and for bands that do not rise from 0 to 1.
    """
    if count < 1:
        raise BadInputError(f"{count} images a level were asked for; ask for at least 1")
    if bands[0] != 0 or bands[-1] != 1 or any(t <= s for s, t in pairwise(bands)):
        raise BadInputError(f"bands must rise from 0 to 1, not {bands}")
    finite = np.flatnonzero(np.isfinite(activations))
    order = finite[np.argsort(-activations[finite], kind="stable")]
    ends = np.ceil(np.round(np.array(bands) * len(order), 6)).astype(np.int64)
    return [_spread(order[start:stop], count) for start, stop in pairwise(ends)]


def _spread(band: Int64[np.ndarray, " w"], count: int) -> Int64[np.ndarray, " c"]:
    taken = min(count, len(band))
    return band[((np.arange(taken) + 0.5) * len(band) / max(taken, 1)).astype(np.int64)]
