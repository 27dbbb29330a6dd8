"""Which neurons a text fits, so that a search can answer that nothing does.

text_claims(explorer, "layer4", embeddings)         # neurons x texts; None: it can't be told
text_standings(explorer, "layer4", embeddings)      # the same, with why not, by `Standing`

A text is claimed for a neuron when it goes with the firing more than a label of noise does, and nearly as
well as the best text of the vocabulary: one that explains much less than another says what the neuron looks
for only in so far as the two are alike. Nor may it be unlikely had it come first, where a chance can be said.
"""

from enum import IntEnum
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from csp.keeping.run_folder.run import Run
from csp.method.examples.outlying import steady
from csp.method.labelers.correlation import FLAT, layer_pulls, text_spread
from csp.work.control.control import layer_control
from csp.work.control.draws import FIT
from csp.work.explorer.explorer import Explorer
from csp.work.labels.chance import UNLIKELY, text_chances
from csp.work.splits import selection

NEARLY = 0.8
"""A text is claimed from this share of the best text's fit on. Chosen on a former demo."""
CLAIMED = UNLIKELY
"""And from this chance on. `benchmarks/nothing_fits.py` says how often what is claimed is right."""


class Standing(IntEnum):
    """How far a text gets with a neuron: what is first against it, or that it is claimed."""

    NOISE = 0
    """It goes with the firing no more than noise does."""
    OUTDONE = 1
    """Another text of the vocabulary explains the neuron much better."""
    DOUBTED = 2
    """Neither, but it is unlikely to say what the neuron looks for."""
    CLAIMED = 3


def text_claims(
    explorer: Explorer, layer: str, texts: Float[np.ndarray, "t d"]
) -> Bool[np.ndarray, "c t"] | None:
    """Of each neuron and text, whether the text is claimed; None for a run without labels or control."""
    standings = text_standings(explorer, layer, texts)
    return None if standings is None else standings == Standing.CLAIMED


def text_standings(
    explorer: Explorer, layer: str, texts: Float[np.ndarray, "t d"]
) -> Int64[np.ndarray, "c t"] | None:
    """Of each neuron and text the `Standing`; None for a run without labels or control."""
    noise = layer_control(explorer, layer).noise_of_fit(explorer.stored_labels.first_labeler(layer))
    frame = explorer.stored_labels.frame(layer)
    best = frame[(frame["labeler"] == FIT) & (frame["rank"] == 1)].set_index("neuron")["score"]
    if noise is None or best.empty:
        return None
    fits, likely = text_fits(explorer.run, layer, texts), text_chances(explorer.run, layer, texts)
    needed = NEARLY * best.reindex(range(len(fits))).to_numpy(np.float64)
    near = fits >= np.nan_to_num(needed, nan=np.inf)[:, None]
    believed = np.ones_like(near) if likely is None else likely >= CLAIMED
    hurdles = np.stack([noise.above(fits), near, believed])
    standings: Int64[np.ndarray, "c t"] = np.cumprod(hurdles, axis=0).sum(axis=0)
    return standings


def text_fits(run: Run, layer: str, texts: Float[np.ndarray, "t d"]) -> Float64[np.ndarray, "c t"]:
    """The correlation of each text with each neuron's activations over the images that may decide."""
    decides = selection(run)
    spread = text_spread(run.embeddings, texts, decides)
    fits: Float64[np.ndarray, "c t"] = (_pulls(run, layer) @ texts.T) / np.where(
        spread > FLAT, spread, np.inf
    )
    return fits


@lru_cache(maxsize=16)
def _pulls(run: Run, layer: str) -> Float64[np.ndarray, "c d"]:
    """Kept for the next text: it reads all activations once."""
    decides, outlying = selection(run), run.outlying(layer)
    blocks = (steady(block, outlying) for block in run.activation_blocks(layer))
    return np.concatenate([layer_pulls(block, run.embeddings, decides) for block in blocks])
