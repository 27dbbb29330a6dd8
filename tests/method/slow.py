"""Slow twins: the method transcribed from the paper in plain loops, to hold the fast code against."""

import math

import numpy as np


def activating(activations: np.ndarray, k: int) -> list[int]:
    """Step 1: the k images of highest activation among those that fire, ties to the lower index."""
    images = [i for i in range(len(activations)) if math.isfinite(activations[i]) and activations[i] > 0]
    return sorted(images, key=lambda i: (-float(activations[i]), i))[:k]


def mean(activations: np.ndarray) -> float:
    """Mean of the finite activations, summed without rounding."""
    finite = [float(a) for a in activations if math.isfinite(a)]
    return math.fsum(finite) / len(finite) if finite else 0.0


def cosine(left: np.ndarray, right: np.ndarray) -> float:
    """e_i . e_j, summed without rounding."""
    return math.fsum(float(x) * float(y) for x, y in zip(left, right, strict=True))


def cold(activations: np.ndarray, quantile: float | None) -> list[int]:
    """The images below the mean, or at or under a quantile and below the largest."""
    images = [i for i in range(len(activations)) if math.isfinite(activations[i])]
    if quantile is None:
        threshold = mean(activations)
        return [i for i in images if activations[i] < threshold]
    ordered = sorted(float(activations[i]) for i in images)
    if not ordered:
        return []
    limit = ordered[math.ceil(quantile * len(ordered)) - 1]
    return [i for i in images if activations[i] <= limit and activations[i] < ordered[-1]]


def nearest(
    activations: np.ndarray,
    embeddings: np.ndarray,
    k: int,
    reuse: bool,
    quantile: float | None = None,
    count: int = 1,
) -> list[list[int]]:
    """Step 2: for each activating example its `count` nearest other cold images; -1 where there is none."""
    used: set[int] = set()
    found = []
    for p in activating(activations, k):
        images = [j for j in cold(activations, quantile) if j != p and j not in used]
        images.sort(key=lambda j: (-cosine(embeddings[p], embeddings[j]), j))
        twins = images[:count]
        if not reuse:
            used |= set(twins)
        found.append(twins + [-1] * (count - len(twins)))
    return found


def contrastive(activations: np.ndarray, embeddings: np.ndarray, k: int, reuse: bool) -> list[int]:
    """Step 2 with the paper's rule: the nearest other image below the mean."""
    return [twins[0] for twins in nearest(activations, embeddings, k, reuse)]


def concept_vector(
    activations: np.ndarray, embeddings: np.ndarray, k: int, reuse: bool, gamma: float
) -> np.ndarray:
    """Steps 3 and 4: v = normalise(sum_p w_p (e_p - gamma s_p e_n(p))), for non-negative activations."""
    positives = activating(activations, k)
    total = sum(float(activations[p]) for p in positives)
    vector = np.zeros(embeddings.shape[1])
    if total == 0:
        return vector
    for p, j in zip(positives, contrastive(activations, embeddings, k, reuse), strict=True):
        residual = embeddings[p].astype(float)
        if j >= 0:
            residual = residual - gamma * cosine(embeddings[p], embeddings[j]) * embeddings[j].astype(float)
        vector += float(activations[p]) / total * residual
    return vector / math.sqrt(math.fsum(x * x for x in vector))


def clip_dissect_mean(
    activations: np.ndarray, embeddings: np.ndarray, texts: np.ndarray, k: int
) -> list[float]:
    """CSP's variant of CLIP-Dissect: log of the weighted mean of P(t | activating image), less log P(t)."""

    def probability(image: int) -> list[float]:
        odds = [math.exp(cosine(embeddings[image], text) / 10) for text in texts]
        return [o / sum(odds) for o in odds]

    positives = activating(activations, k)
    total = sum(float(activations[p]) for p in positives)
    everywhere = [probability(i) for i in range(len(embeddings))]
    scores = []
    for t in range(len(texts)):
        here = sum(float(activations[p]) / total * everywhere[p][t] for p in positives)
        prior = sum(image[t] for image in everywhere) / len(everywhere)
        scores.append(math.log(here + 1e-6) - math.log(prior))
    return scores


def soft_wpmi(layer: np.ndarray, embeddings: np.ndarray, texts: np.ndarray, neuron: int) -> list[float]:
    """CLIP-Dissect (arXiv 2204.10965): a neuron's strongest images given a text, against all neurons'."""

    def probability(image: int) -> list[float]:
        odds = [math.exp(10 * cosine(embeddings[image], text)) for text in texts]
        return [o / sum(odds) for o in odds]

    def strongest(activations: np.ndarray) -> list[int]:
        images = [i for i in range(len(activations)) if math.isfinite(activations[i])]
        return sorted(images, key=lambda i: (-float(activations[i]), i))[:100]

    def likelihood(activations: np.ndarray, t: int) -> float:
        images, logs = strongest(activations), []
        for rank, image in enumerate(images):
            there = 0.998 - rank / len(images) * (0.998 - 0.97)
            logs.append(math.log(1 + there * (given[image][t] - 1) + 1e-7))
        return math.fsum(logs)

    given = [probability(image) for image in range(len(embeddings))]
    firing = [column for column in layer.T if any(a > 0 for a in column if math.isfinite(a))]
    scores = []
    for t in range(len(texts)):
        each = [likelihood(column, t) for column in firing]
        prior = max(each) + math.log(sum(math.exp(one - max(each)) for one in each) / len(each))
        scores.append(likelihood(layer[:, neuron], t) - prior)
    return scores


def falcon(activations: np.ndarray, embeddings: np.ndarray, texts: np.ndarray, k: int) -> list[float]:
    """FALCON: mean probability of a caption on the activating examples less that on their twins."""

    def caption(image: int) -> list[float]:
        odds = [math.exp(100 * cosine(embeddings[image], text)) for text in texts]
        return [o / math.fsum(odds) for o in odds]

    def mean_caption(images: list[int]) -> list[float]:
        each = [caption(image) for image in images]
        return [math.fsum(one[t] for one in each) / max(len(each), 1) for t in range(len(texts))]

    high = mean_caption(activating(activations, k))
    low = mean_caption([j for j in contrastive(activations, embeddings, k, True) if j >= 0])
    return [up - down for up, down in zip(high, low, strict=True)]


def correlation(left: list[float], right: list[float]) -> float:
    """Pearson correlation; 0 where either side does not vary."""
    n = len(left)
    x = [value - math.fsum(left) / n for value in left]
    y = [value - math.fsum(right) / n for value in right]
    both = math.fsum(p * q for p, q in zip(x, y, strict=True))
    lengths = math.sqrt(math.fsum(p * p for p in x) * math.fsum(q * q for q in y))
    return both / lengths if lengths > 1e-12 else 0.0


def auroc(scores: np.ndarray, truth: np.ndarray) -> float:
    """Share of (positive, negative) pairs in which the positive scores higher, ties counted half."""
    wins = [1.0 if p > n else 0.5 if p == n else 0.0 for p in scores[truth] for n in scores[~truth]]
    return sum(wins) / len(wins)
