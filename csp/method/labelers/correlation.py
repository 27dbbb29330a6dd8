"""The labeler that takes the text which correlates best with the neuron."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, Int64

from csp.method.checks import check_texts
from csp.method.labelers.evidence import Evidence, without_outlying
from csp.method.labelers.labeler import Labeler
from csp.method.labelers.projection import weights
from csp.method.labelers.resampling import RESAMPLES, drawn_in_parts, shares

BLOCK = 1024
IMAGES_AT_ONCE = 2**16
"""So many images' embeddings are picked out and multiplied together."""
IN_DOUBLE = 2**18
"""So many activations are held in double precision, or those of two neurons."""
DRAWN_AT_ONCE = 2**23
"""So many draws are held at a time."""
FLAT = 1e-9
"""A text whose cosines to the images vary less than this tells no image from another."""


def correlation(
    evidence: Evidence, text_embeddings: Float[np.ndarray, "t d"], gamma: float
) -> Float32[np.ndarray, " t"]:
    """Pearson correlation of the activations and the images' cosines to each text, in [-1, 1].

    score(t) = corr_i(a_i, e_i . t) over the images of the selection split with a finite activation, nearly so
    where the layer gives way on some (`Evidence.outlying`), which play no part.

    It looks at all images, not at examples; gamma plays no part. 0 where either side does not vary. It is the
    simulation correlation (`metrics.simulation_correlation`) used to choose a label instead of to judge one,
    so it must not see the images that later judge it: hence the split.
    """
    check_texts(evidence.embeddings, text_embeddings)
    if not weights(evidence.examples).any():
        return np.zeros(len(text_embeddings), dtype=np.float32)
    pull = pull_of(evidence)
    if not pull.any():
        return np.zeros(len(text_embeddings), dtype=np.float32)
    varies = spread(evidence, text_embeddings)
    together = text_embeddings @ pull
    scores = np.where(varies > FLAT, together / np.maximum(varies, FLAT), 0.0)
    clipped: Float32[np.ndarray, " t"] = np.clip(scores, -1.0, 1.0).astype(np.float32)
    return clipped


def pull_of(evidence: Evidence) -> Float32[np.ndarray, " d"]:
    """What one neuron's deviations add up to (`layer_pulls`), without images on which the layer gives way."""
    if evidence.pull is not None:
        return evidence.pull
    pull: Float32[np.ndarray, " d"] = selected_deviation(without_outlying(evidence)) @ evidence.embeddings
    return pull.astype(np.float32)


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
    embeddings: Float[np.ndarray, "n d"],
    text_embeddings: Float[np.ndarray, "t d"],
    chosen: Bool[np.ndarray, " n"] | None = None,
) -> Float64[np.ndarray, " t"]:
    """|c - mean c| of each text's cosines c to the chosen images (None: all), by way of their scatter matrix
    [d, d]."""
    return spread_by(image_scatter(embeddings, chosen), text_embeddings)


def spread_by(
    scatter: Float64[np.ndarray, "d d"], text_embeddings: Float[np.ndarray, "t d"]
) -> Float64[np.ndarray, " t"]:
    """The same, where the scatter matrix of the chosen images is known."""
    length = np.zeros(len(text_embeddings))
    for start in range(0, len(text_embeddings), BLOCK):
        texts = text_embeddings[start : start + BLOCK].astype(np.float64)
        squared = np.einsum("td,td->t", texts @ scatter, texts)
        length[start : start + BLOCK] = np.sqrt(np.maximum(squared, 0.0))
    return length


def image_scatter(
    embeddings: Float[np.ndarray, "n d"], chosen: Bool[np.ndarray, " n"] | None = None
) -> Float64[np.ndarray, "d d"]:
    """sum_i (e_i - mean e)(e_i - mean e)' over the chosen images (None: all); 0 without any."""
    images = _numbers(chosen, len(embeddings))
    mean = np.zeros(embeddings.shape[1])
    for part in _parts(images):
        mean += embeddings[part].sum(axis=0, dtype=np.float64)
    mean /= max(len(images), 1)
    scatter = np.zeros((embeddings.shape[1], embeddings.shape[1]))
    for start in range(0, len(images), BLOCK):
        centred = embeddings[images[start : start + BLOCK]] - mean
        scatter += centred.T @ centred
    return scatter


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
    images, count = _numbers(selection, len(activations)), activations.shape[1]
    groups = column_groups(len(images), count)
    scales = [Scale.of(activations[:, some][images]) for some in groups]
    total = np.zeros((count, embeddings.shape[1]))
    for part in _parts(images):
        weights = np.empty((len(activations[part]), count), np.float32)
        for some, scale in zip(groups, scales, strict=True):
            values = scale.centred(activations[part, some])
            weights[:, some] = values / np.where(scale.length > FLAT, scale.length, np.inf)
        total += weights.T @ embeddings[part]
    return total


def column_groups(rows: int, columns: int) -> list[slice]:
    """Columns of a matrix some at a time, so that few numbers are held in double precision.

    At least two of them, where there are as many: one alone is summed up in another order.
    """
    groups = max(1, columns // max(2, IN_DOUBLE // max(rows, 1)))
    ends = [columns * place // groups for place in range(groups + 1)]
    return [slice(first, last) for first, last in pairwise(ends)]


@dataclass(frozen=True, eq=False)
class Scale:
    """What takes activations of some neurons to deviations from their means, over the images that decide."""

    largest: Float64[np.ndarray, " c"]
    """Against overflow, what all are divided by first."""
    mean: Float64[np.ndarray, " c"]
    length: Float64[np.ndarray, " c"]
    """Of the deviations."""

    @classmethod
    def of(cls, activations: Float[np.ndarray, "i c"]) -> "Scale":
        """From all images that decide."""
        values = activations.astype(np.float64)
        finite = np.isfinite(values)
        values[~finite] = 0.0
        largest = np.maximum(np.abs(values).max(axis=0, initial=0.0), 1e-300)
        values /= largest
        mean = values.sum(axis=0) / np.maximum(finite.sum(axis=0), 1)
        values -= mean
        values[~finite] = 0.0
        return cls(largest, mean, np.linalg.norm(values, axis=0))

    def centred(self, activations: Float[np.ndarray, "p c"]) -> Float64[np.ndarray, "p c"]:
        """Of some images; 0 where an activation is not finite."""
        finite = np.isfinite(activations)
        values: Float64[np.ndarray, "p c"] = np.where(finite, activations, 0.0) / self.largest
        values -= self.mean
        values[~finite] = 0.0
        return values


def _product(
    weights: Float[np.ndarray, "b i"], embeddings: Float[np.ndarray, "n d"], images: Int64[np.ndarray, " i"]
) -> Float64[np.ndarray, "b d"]:
    """weights @ embeddings[images], without picking all of these out at once."""
    total = np.zeros((len(weights), embeddings.shape[1]))
    for start, part in zip(range(0, len(images), IMAGES_AT_ONCE), _parts(images), strict=True):
        total += weights[:, start : start + IMAGES_AT_ONCE] @ embeddings[part]
    return total


def _numbers(chosen: Bool[np.ndarray, " n"] | None, n: int) -> Int64[np.ndarray, " i"]:
    return np.arange(n) if chosen is None else np.flatnonzero(chosen)


def _parts(images: Int64[np.ndarray, " i"]) -> Iterator[Int64[np.ndarray, " p"] | slice]:
    """Ascending images some at a time; as a slice, which copies nothing, where they follow one another."""
    for start in range(0, len(images), IMAGES_AT_ONCE):
        part = images[start : start + IMAGES_AT_ONCE]
        first, last = int(part[0]), int(part[-1])
        yield slice(first, last + 1) if last - first == len(part) - 1 else part


def spread(evidence: Evidence, text_embeddings: Float[np.ndarray, "t d"]) -> Float64[np.ndarray, " t"]:
    """The spread over the images that decide: that of all neurons, unless some activation is not finite."""
    if evidence.text_spread is not None and np.isfinite(evidence.activations).all():
        return evidence.text_spread
    return text_spread(evidence.embeddings, text_embeddings, deciding(evidence))


def deciding(evidence: Evidence) -> Bool[np.ndarray, " n"]:
    """The images that decide: of the selection split, with a finite activation."""
    finite: Bool[np.ndarray, " n"] = np.isfinite(evidence.activations)
    return finite if evidence.selection is None else finite & evidence.selection


def resampled(
    evidence: Evidence, texts: Float[np.ndarray, "t d"], gamma: float, rng: np.random.Generator
) -> Float64[np.ndarray, "b t"]:
    """Over the images that decide. Only the covariance is drawn anew, not how much each side varies."""
    evidence = without_outlying(evidence)
    together, varies = resampled_pulls(evidence, rng) @ texts.T, spread(evidence, texts)
    scores: Float64[np.ndarray, "b t"] = np.where(varies > FLAT, together / np.maximum(varies, FLAT), 0.0)
    return scores.clip(-1.0, 1.0)


def resampled_pulls(evidence: Evidence, rng: np.random.Generator) -> Float64[np.ndarray, "b d"]:
    """The neuron's pull (`layer_pulls`) over images drawn again; 0 where none decides."""
    chosen = np.flatnonzero(deciding(evidence))
    if len(chosen) == 0:
        return np.zeros((RESAMPLES, evidence.embeddings.shape[1]))
    deviation, parts = selected_deviation(evidence)[chosen], []
    for draws in drawn_in_parts(rng, len(chosen), DRAWN_AT_ONCE):
        share = shares(draws, len(chosen))
        pull = share * deviation * len(chosen)
        pull -= share * pull.sum(axis=1, keepdims=True)
        parts.append(_product(pull, evidence.embeddings, chosen))
    return np.concatenate(parts)


LABELER = Labeler(
    "correlation",
    correlation,
    "Correlation",
    "Over all images: whose likeness to the text rises and falls with the firing. Correlation, -1 to 1.",
    among_neurons=False,
    resampled=resampled,
    place=7,
)
