"""What is known of a neuron when texts are scored for it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64

from csp.method.examples.select import Examples


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a labeler may look at. The last two spare work that is the same for every neuron of a run."""

    activations: Float[np.ndarray, " n"]
    embeddings: Float[np.ndarray, "n d"]
    examples: Examples
    text_prior: Float64[np.ndarray, " t"] | None = None
    """See `text_prior`; for clip-dissect."""
    selection: Bool[np.ndarray, " n"] | None = None
    """The images that may decide a label beside the examples; None: all. It keeps held-out images unseen."""
    text_spread: Float64[np.ndarray, " t"] | None = None
    """See `text_spread`; for correlation."""
