"""The labeler that takes the text which correlates best with the neuron."""

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64

from csp.method.checks import check_texts
from csp.method.labelers.evidence import Evidence
from csp.method.labelers.labeler import Labeler
from csp.method.labelers.projection import weights
from csp.method.labelers.resampling import RESAMPLES, drawn, shares

BLOCK = 1024
FLAT = 1e-9
"""A text whose cosines to the images vary less than this tells no image from another."""


def correlation(
    evidence: Evidence, text_embeddings: Float[np.ndarray, "t d"], gamma: float
) -> Float32[np.ndarray, " t"]:
    """Pearson correlation of the activations and the images' cosines to each text, in [-1, 1].

    score(t) = corr_i(a_i, e_i . t) over the images of the selection split with a finite activation.

    It looks at all images, not at examples; gamma plays no part. 0 where either side does not vary. It is the
    simulation correlation (`metrics.simulation_correlation`) used to choose a label instead of to judge one,
    so it must not see the images that later judge it: hence the split.
    """
    check_texts(evidence.embeddings, text_embeddings)
    if not weights(evidence.examples).any():
        return np.zeros(len(text_embeddings), dtype=np.float32)
    pull = evidence.pull
    if pull is None:
        pull = (selected_deviation(evidence) @ evidence.embeddings).astype(np.float32)
    if not pull.any():
        return np.zeros(len(text_embeddings), dtype=np.float32)
    varies = spread(evidence, text_embeddings)
    together = text_embeddings @ pull
    scores = np.where(varies > FLAT, together / np.maximum(varies, FLAT), 0.0)
    clipped: Float32[np.ndarray, " t"] = np.clip(scores, -1.0, 1.0).astype(np.float32)
    return clipped


def selected_deviation(evidence: Evidence) -> Float32[np.ndarray, " n"]:
    """(a - mean a) / |a - mean a| over the images that may decide; 0 at the others, and without variation."""
    chosen = deciding(evidence)
    values = evidence.activations[chosen].astype(np.float64)
    deviation = np.zeros(len(chosen))
    if values.size and values.min() < values.max():
        centred = values / np.abs(values).max()  # against overflow; correlation has no unit
        centred -= centred.mean()
        deviation[chosen] = centred / np.linalg.norm(centred)
    return deviation.astype(np.float32)


def text_spread(
    embeddings: Float[np.ndarray, "n d"], text_embeddings: Float[np.ndarray, "t d"]
) -> Float64[np.ndarray, " t"]:
    """|c - mean c| of each text's cosines c to these images, by way of the images' scatter matrix [d, d]."""
    if len(embeddings) == 0:
        return np.zeros(len(text_embeddings))
    mean = embeddings.mean(axis=0, dtype=np.float64)
    scatter = np.zeros((embeddings.shape[1], embeddings.shape[1]))
    for start in range(0, len(embeddings), BLOCK):
        centred = embeddings[start : start + BLOCK] - mean
        scatter += centred.T @ centred
    texts = text_embeddings.astype(np.float64)
    squared = np.einsum("td,td->t", texts @ scatter, texts)
    length: Float64[np.ndarray, " t"] = np.sqrt(np.maximum(squared, 0.0))
    return length


def layer_pulls(
    activations: Float[np.ndarray, "n c"],
    embeddings: Float[np.ndarray, "n d"],
    selection: Bool[np.ndarray, " n"] | None,
) -> Float64[np.ndarray, "c d"]:
    """What many neurons' deviations add up to in the embedding space: pull_c = sum_i dev_ci e_i.

    pull_c . t / `text_spread` of t is what `correlation` gives text t for neuron c, if all its activations
    are finite; else nearly so. dev_c is (a - mean a) / |a - mean a| over the images that may decide; 0 where
    they are alike.
    """
    chosen = slice(None) if selection is None else selection
    values = activations[chosen].astype(np.float64)
    finite = np.isfinite(values)
    values[~finite] = 0.0
    values /= np.maximum(np.abs(values).max(axis=0, initial=0.0), 1e-300)
    values -= values.sum(axis=0) / np.maximum(finite.sum(axis=0), 1)
    values[~finite] = 0.0
    length = np.linalg.norm(values, axis=0)
    values /= np.where(length > FLAT, length, np.inf)
    pulls: Float64[np.ndarray, "c d"] = (values.T.astype(np.float32) @ embeddings[chosen]).astype(np.float64)
    return pulls


def spread(evidence: Evidence, text_embeddings: Float[np.ndarray, "t d"]) -> Float64[np.ndarray, " t"]:
    """The spread over the images that decide: that of all neurons, unless some activation is not finite."""
    if evidence.text_spread is not None and np.isfinite(evidence.activations).all():
        return evidence.text_spread
    return text_spread(evidence.embeddings[deciding(evidence)], text_embeddings)


def deciding(evidence: Evidence) -> Bool[np.ndarray, " n"]:
    """The images that decide: of the selection split, with a finite activation."""
    finite: Bool[np.ndarray, " n"] = np.isfinite(evidence.activations)
    return finite if evidence.selection is None else finite & evidence.selection


def resampled(
    evidence: Evidence, texts: Float[np.ndarray, "t d"], gamma: float, rng: np.random.Generator
) -> Float64[np.ndarray, "b t"]:
    """Over the images that decide. Only the covariance is drawn anew, not how much each side varies."""
    chosen = np.flatnonzero(deciding(evidence))
    if len(chosen) == 0:
        return np.zeros((RESAMPLES, len(texts)))
    share = shares(drawn(rng, len(chosen)), len(chosen))
    pull = share * selected_deviation(evidence)[chosen] * len(chosen)
    pull -= share * pull.sum(axis=1, keepdims=True)
    together = (pull @ evidence.embeddings[chosen]) @ texts.T
    varies = spread(evidence, texts)
    scores: Float64[np.ndarray, "b t"] = np.where(varies > FLAT, together / np.maximum(varies, FLAT), 0.0)
    return scores.clip(-1.0, 1.0)


LABELER = Labeler(
    "correlation",
    correlation,
    "Correlation",
    "Over all images: whose likeness to the text rises and falls with the firing. Correlation, -1 to 1.",
    resampled=resampled,
    place=7,
)
