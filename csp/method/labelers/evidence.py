"""What is known of a neuron when texts are scored for it."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64

from csp.method.examples.neighbours import Neighbours
from csp.method.examples.outlying import steady
from csp.method.examples.select import Examples, select_examples
from csp.method.labelers.whitened import Whitened


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a labeler may look at beside the texts that it scores."""

    activations: Float[np.ndarray, " n"]
    embeddings: Float[np.ndarray, "n d"]
    examples: Examples
    text_prior: Float64[np.ndarray, " t"] | None = None
    """See `text_prior`; for clip-dissect-mean. Given, it spares work that is the same for all neurons."""
    selection: Bool[np.ndarray, " n"] | None = None
    """The images that may decide a label beside the examples; None: all. It keeps held-out images unseen."""
    text_spread: Float64[np.ndarray, " t"] | None = None
    """See `text_spread`; for correlation. Given, it spares work that is the same for all neurons."""
    layer_prior: Float64[np.ndarray, " t"] | None = None
    """See `layer_prior`; for clip-dissect, which can't tell it from one neuron."""
    whitened: Whitened | None = None
    """Of the images that may decide, and these texts; for consensus. Given, it spares a pass over both."""
    neighbours: Neighbours | None = None
    """Each image's nearest, to look contrastive examples up in. Given, it spares work and changes nothing."""
    pull: Float32[np.ndarray, " d"] | None = None
    """See `layer_pulls`; for correlation, without `outlying`. Given, it spares a pass over all images."""
    wide: Examples | None = None
    """The activating examples as consensus contrasts them (`consensus.RULE`). Given, it spares the search."""
    contrast: Float32[np.ndarray, " d"] | None = None
    """The concept vector of `wide` at gamma 1, without `outlying`; for consensus. Given, it spares work."""
    empty_text: Float[np.ndarray, " d"] | None = None
    """The embedding of the prompt templates without any words, which semanticlens may subtract; None: not."""
    outlying: Bool[np.ndarray, " n"] | None = None
    """Images on which the whole layer gives way (`outlying_images`), which consensus and correlation leave
    out. None: none."""
    vocabulary: int | None = None
    """The first so many texts are the vocabulary, by which those behind it are measured; None: all are."""


def without_outlying(evidence: Evidence) -> Evidence:
    """The evidence of the images on which the layer does not give way."""
    if evidence.outlying is None or not evidence.outlying.any():
        return evidence
    activations = steady(evidence.activations, evidence.outlying)
    examples = select_examples(
        activations,
        evidence.embeddings,
        max(1, len(evidence.examples.activating)),
        neighbours=evidence.neighbours,
    )
    return replace(evidence, activations=activations, examples=examples, outlying=None, wide=None)
