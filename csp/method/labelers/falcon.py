"""The labeler of FALCON, as far as it applies to a list of texts."""

import numpy as np
from jaxtyping import Float, Float32, Float64

from csp.method.checks import check_texts
from csp.method.labelers.clip_dissect_mean import text_probabilities
from csp.method.labelers.evidence import Evidence
from csp.method.labelers.labeler import Labeler
from csp.method.labelers.projection import weights
from csp.method.labelers.resampling import drawn_examples

SHARPNESS = 100.0


def falcon(
    evidence: Evidence, text_embeddings: Float[np.ndarray, "t d"], gamma: float
) -> Float32[np.ndarray, " t"]:
    """How much more the activating examples are captioned with a text than the contrastive ones; in [-1, 1].

    score(t) = mean_p P(t | p) - mean_p P(t | n(p)),  P(t | i) = softmax over texts of 100 (e_i . t)

    The second mean is over the contrastive examples that there are. gamma plays no part.
    Source: FALCON (Kalibhat et al., ICML 2023, arXiv 2307.10504). There an image's captions are the five of a
    caption collection that CLIP finds most probable (softmax of 100 times the cosine); a concept is a word of
    them, scored by the mean probability of its best caption; and concepts that score 0.1 or more on lowly
    activating images are struck out. Ours differs: the run's own texts are both captions and
    concepts; all texts count, each by its probability, which leaves next to nothing to the sixth; the
    contrastive examples are the lowly activating images (there: those below the mean that the rest of the
    layer finds most alike); and concepts are not struck out but lose what they score on these, because a
    fixed threshold depends on how many texts share the probability. And images aren't cropped to where the
    neuron fires.
    """
    check_texts(evidence.embeddings, text_embeddings)
    examples = evidence.examples
    if not weights(examples).any():
        return np.zeros(len(text_embeddings), dtype=np.float32)
    contrastive = examples.contrastive[examples.contrastive >= 0]
    scores = _captioned(evidence.embeddings[examples.activating], text_embeddings)
    if len(contrastive):
        scores -= _captioned(evidence.embeddings[contrastive], text_embeddings)
    return scores.astype(np.float32)


def _captioned(
    embeddings: Float[np.ndarray, "b d"], text_embeddings: Float[np.ndarray, "t d"]
) -> Float64[np.ndarray, " t"]:
    mean: Float64[np.ndarray, " t"] = text_probabilities(embeddings, text_embeddings, SHARPNESS).mean(axis=0)
    return mean


def resampled(
    evidence: Evidence, texts: Float[np.ndarray, "t d"], gamma: float, rng: np.random.Generator
) -> Float64[np.ndarray, "b t"]:
    """Its scores over all resamplings of the examples at once: linear algebra, no loop over them."""
    examples = evidence.examples
    share, fires = drawn_examples(evidence, rng)
    captions = text_probabilities(evidence.embeddings[examples.activating], texts, SHARPNESS)
    scores: Float64[np.ndarray, "b t"] = share @ captions
    paired = examples.contrastive >= 0
    if paired.any():
        contrastive = text_probabilities(evidence.embeddings[examples.contrastive[paired]], texts, SHARPNESS)
        paired_share = share[:, paired]
        scores -= paired_share @ contrastive / np.maximum(paired_share.sum(axis=1, keepdims=True), 1e-12)
    scores *= fires
    return scores


LABELER = Labeler(
    "falcon",
    falcon,
    "FALCON",
    "How much more the activating images are captioned with a text than their look-alikes are. "
    "Share, -1 to 1.",
    alone=False,
    among_neurons=False,
    resampled=resampled,
    place=6,
)
