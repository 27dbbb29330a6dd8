"""What a classifier's answers become when a group of neurons is switched off behind a linear head.

Behind a linear head z = a W + b a group G of neurons adds s_i = sum_{c in G} a_ic W_c to the logits of image
i, and nothing else of it matters. Switched off, it adds the same on every image:

    mean ablation:      z'_i  = z_i - s_i + mean_j s_j                    (Morcos et al., arXiv 1803.06959)
    resample ablation:  z'_ij = z_i - s_i + s_j,  p'_i = mean_j p(z'_ij)  (Chan et al. 2022, causal scrubbing)

The mean over the images may lie where no image is; the values of other images, all neurons of the group taken
from one image together, do not. The mean over images is that of the whole probe dataset.

Other neurons may carry the same thing under another label. Where the dataset states its attributes x, least
squares tells what each adds to each neuron with the others equal, a_i = m + B x_i + e_i. Taken away from the
whole layer, an attribute k leaves a_i - B_k x_ik, and z_i - x_ik B_k W: an erased attribute.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64

from csp.method.attribution import linear_head
from csp.method.metrics.statistics import Interval

Link = Literal["softmax", "sigmoid", "none"]
"""How logits become outputs: classes that exclude each other, independent labels, or as they are."""
SUMS_TO_ONE = 1e-3
RANDOM_GROUPS = 200
RESAMPLES = 1000
MOST_AT_ONCE = 2**21
"""Numbers of resamples held at a time."""
FEWEST_EACH = 10
"""Images for each attribute whose effects are told apart."""
OTHERS = 16
"""Other images whose values each image is given in turn by resample ablation."""


def link_of(outputs: Float[np.ndarray, "n classes"]) -> Link:
    """How the outputs were made, as far as they tell: rows that add up to 1 are a softmax's."""
    if not len(outputs) or outputs.min() < 0 or outputs.max() > 1:
        return "none"
    if outputs.shape[1] > 1 and np.abs(outputs.sum(axis=1, dtype=np.float64) - 1).max() <= SUMS_TO_ONE:
        return "softmax"
    return "sigmoid"


def logits_of(outputs: Float[np.ndarray, "n classes"], link: Link) -> Float64[np.ndarray, "n classes"]:
    """The logits; of a softmax less their mean over the classes, which it can't tell.

    NaN in rows with an output of 0 or 1 that the link never reaches.
    """
    values = outputs.astype(np.float64)
    if link == "none":
        return values
    logits: Float64[np.ndarray, "n classes"]
    if link == "sigmoid":
        inside = np.where((values > 0) & (values < 1), values, np.nan)
        logits = np.log(inside) - np.log1p(-inside)
        return logits
    logits = np.log(np.where(values > 0, values, np.nan))
    logits -= logits.mean(axis=1, keepdims=True)
    return logits


def outputs_of(logits: Float[np.ndarray, "*n classes"], link: Link) -> Float64[np.ndarray, "*n classes"]:
    """What the model says: softmax over the last axis, sigmoid, or the logits themselves."""
    values = np.asarray(logits, dtype=np.float64)
    if link == "none":
        return values
    if link == "sigmoid":
        chances: Float64[np.ndarray, "*n classes"] = 0.5 * (1 + np.tanh(values / 2))
        return chances
    odds = np.exp(values - values.max(axis=-1, keepdims=True))
    shares: Float64[np.ndarray, "*n classes"] = odds / odds.sum(axis=-1, keepdims=True)
    return shares


@dataclass(frozen=True, eq=False)
class Head:
    """The linear head on a layer's pooled output: z = a W + b, then the link.

    Of a softmax W and b are less their mean over the classes. Of a neuron that is the same on every image the
    weight can't be told and is 0.
    """

    weights: Float64[np.ndarray, "c classes"]
    bias: Float64[np.ndarray, " classes"]
    link: Link

    def logits(self, activations: Float[np.ndarray, "n c"]) -> Float64[np.ndarray, "n classes"]:
        """Of pooled activations, the stored ones or a new picture's."""
        found: Float64[np.ndarray, "n classes"] = activations.astype(np.float64) @ self.weights + self.bias
        return found

    def outputs(self, activations: Float[np.ndarray, "n c"]) -> Float64[np.ndarray, "n classes"]:
        """What the model says of them."""
        return outputs_of(self.logits(activations), self.link)

    def added(
        self, activations: Float[np.ndarray, "n c"], neurons: Sequence[int]
    ) -> Float64[np.ndarray, "n classes"]:
        """What a group of neurons adds to the logits of each image, s_i."""
        chosen = list(neurons)
        found: Float64[np.ndarray, "n classes"] = (
            activations[:, chosen].astype(np.float64) @ self.weights[chosen]
        )
        return found


def find_head(activations: Float[np.ndarray, "n c"], outputs: Float[np.ndarray, "n classes"]) -> Head | None:
    """The head that makes the outputs of these activations, told from both; None where there is none.

    See `csp.method.attribution.linear_head`.
    """
    link = link_of(outputs)
    logits = logits_of(outputs, link)
    weights = linear_head(activations, logits)
    if weights is None:
        return None
    usable = np.isfinite(logits).all(axis=1) & np.isfinite(activations).all(axis=1)
    bias = (logits[usable] - activations[usable].astype(np.float64) @ weights).mean(axis=0)
    return Head(weights, bias, link)


def mean_ablated(
    logits: Float[np.ndarray, "n classes"],
    added: Float[np.ndarray, "n classes"],
    usual: Float[np.ndarray, " classes"],
    link: Link,
) -> Float64[np.ndarray, "n classes"]:
    """The outputs with a group held at its mean; `usual` is what it then adds, the mean of `added`."""
    return outputs_of(logits - added + usual, link)


def resample_ablated(
    logits: Float[np.ndarray, "n classes"],
    added: Float[np.ndarray, "n classes"],
    others: Float[np.ndarray, "m classes"],
    link: Link,
    rng: np.random.Generator,
) -> Float64[np.ndarray, "n classes"]:
    """The mean outputs with a group at its values on `OTHERS` other images; it adds `others` there."""
    total = np.zeros(logits.shape)
    for _ in range(OTHERS):
        total += outputs_of(logits - added + others[rng.integers(0, len(others), len(logits))], link)
    return total / OTHERS


def own_effects(
    activations: Float[np.ndarray, "n c"], shown: Bool[np.ndarray, "n a"]
) -> Float64[np.ndarray, "a c"] | None:
    """What each attribute adds to each neuron, all others equal; None with too few images to tell.

    Ordinary least squares with an intercept. Attributes that always come together share what they add.
    """
    if len(shown) < FEWEST_EACH * (shown.shape[1] + 1):
        return None
    centred = shown.astype(np.float64) - shown.mean(axis=0)
    effects: Float64[np.ndarray, "a c"] = np.linalg.lstsq(centred, activations.astype(np.float64))[0]
    return effects


def random_groups(
    layer: int, size: int, leave_out: Sequence[int], rng: np.random.Generator, groups: int = RANDOM_GROUPS
) -> Int64[np.ndarray, "g m"]:
    """Groups of `size` neurons out of a layer of `layer`, none of those left out where the rest is enough."""
    rest = np.setdiff1d(np.arange(layer), np.asarray(leave_out, dtype=np.int64))
    pool = rest if len(rest) >= size else np.arange(layer)
    return np.stack([rng.permutation(pool)[:size] for _ in range(groups)]).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Changes:
    """Mean change of each class's output without a group, less with it, over some images."""

    change: Float64[np.ndarray, " classes"]
    low: Float64[np.ndarray, " classes"]
    high: Float64[np.ndarray, " classes"]
    """The 95 % interval over images; NaN with fewer than two."""
    n: int

    def of(self, place: int) -> Interval:
        """For one class."""
        return Interval(float(self.change[place]), float(self.low[place]), float(self.high[place]), self.n)


def bootstrap_weights(
    n: int, rng: np.random.Generator, resamples: int = RESAMPLES
) -> Iterator[Float64[np.ndarray, "b n"]]:
    """How often each of n images is drawn in each resample, with replacement; so many at a time as fit."""
    at_once = max(1, MOST_AT_ONCE // max(1, n))
    for start in range(0, resamples if n else 0, at_once):
        rows = min(at_once, resamples - start)
        drawn = rng.integers(0, n, (rows, n)) + n * np.arange(rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)


def changes(
    before: Float[np.ndarray, "n classes"],
    after: Float[np.ndarray, "n classes"],
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> Changes:
    """The mean change with its percentile bootstrap interval over images."""
    difference = np.asarray(after, dtype=np.float64) - before
    n, classes = difference.shape
    none = np.full(classes, np.nan)
    if n < 2:
        return Changes(difference.mean(axis=0) if n else none, none, none, n)
    means = np.concatenate([draws @ difference / n for draws in bootstrap_weights(n, rng, resamples)])
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    return Changes(difference.mean(axis=0), low, high, n)


@dataclass(frozen=True, eq=False)
class ByChance:
    """The same mean change for random groups of neurons: what no concept explains."""

    mean: Float64[np.ndarray, " classes"]
    low: Float64[np.ndarray, " classes"]
    high: Float64[np.ndarray, " classes"]
    """Where the middle 95 % of the groups lie."""
    beaten: Float64[np.ndarray, " classes"]
    """The share of the groups whose change is smaller, either way, than that of the neurons in question."""
    groups: int


def by_chance(random: Float[np.ndarray, "g classes"], change: Float[np.ndarray, " classes"]) -> ByChance:
    """Compare a change with those of random groups."""
    low, high = np.quantile(random, [0.025, 0.975], axis=0)
    beaten = (np.abs(random) < np.abs(change)).mean(axis=0)
    return ByChance(random.mean(axis=0), low, high, beaten, len(random))


def by_chance_apart(
    change: Float[np.ndarray, " n"], member: Int64[np.ndarray, " n"], rng: np.random.Generator, draws: int
) -> tuple[Float64[np.ndarray, " k"], float]:
    """The mean change of each of k groups, and how far apart groups of these sizes are by chance.

    `member` says to which group an image belongs, 0 to k - 1. The second is the 95 % quantile of largest less
    smallest mean over `draws` permutations of the images.
    """
    sizes = np.bincount(member)

    def means(of: Int64[np.ndarray, " n"]) -> Float64[np.ndarray, " k"]:
        found: Float64[np.ndarray, " k"] = np.bincount(of, weights=change, minlength=len(sizes)) / sizes
        return found

    apart = [float(np.ptp(means(rng.permutation(member)))) for _ in range(draws)]
    return means(member), float(np.quantile(apart, 0.95))


def known_truth(
    labels: Sequence[str | None], classes: Sequence[str]
) -> tuple[Bool[np.ndarray, "n classes"], Bool[np.ndarray, " n"]]:
    """The true class of each image one-hot, and which images have one that the model knows."""
    names = np.array([name.casefold() for name in classes], dtype=object)
    own = np.array([label.casefold() if isinstance(label, str) else None for label in labels], dtype=object)
    truth: Bool[np.ndarray, "n classes"] = np.asarray(own[:, None] == names[None, :], dtype=bool)
    known: Bool[np.ndarray, " n"] = np.asarray(truth.any(axis=1))
    return truth, known
