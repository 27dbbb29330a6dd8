"""Which images surely show what a text names, and which surely don't, as the encoder sees them.

modes = Modes(embeddings, text_embeddings)
modes.states([3, 17])                        # [n 2]: 1 shows it, -1 lacks it, 0 is unsure
modes.most_like(images, firing, open_)       # the texts whose readings follow the firing best

Images that show a thing and images that don't are two heaps of readings, so that a mixture of two normal
distributions tells them apart without anybody saying where the cut is. No activation is looked at: what is
known of a text is the same for all neurons, and worked out for the texts that are asked for only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Float64, Int8, Int64

from csp.method.labelers.whitened import image_metric
from csp.method.scatter import BLOCK, along, scatter

APART = 2.0
"""Standard deviations between two heaps of equal spread, from which they have two tops (Behboodian 1970)."""
LEAST_GAIN = 5.0
"""In log-likelihood, of two heaps over one; below, they may be an accident of the images."""
SURE = 0.8
"""Chance of belonging to a heap from which on an image surely does."""
RIDGES = (1.0, 3.0)
"""Of the whitenings that are tried, in units of the mean variance of a dimension."""
STARTS = (0.1, 0.3)
"""Shares of the images in the upper heap that the fit begins with; the likelier end is taken."""
ROUNDS = 60
SAMPLE_IMAGES, SAMPLE_TEXTS = 4096, 512
"""So many, evenly spaced, choose the reading; as many images fit the heaps."""
KEPT = 2**26
"""Bytes of states that are kept."""


@dataclass(frozen=True, eq=False)
class Heaps:
    """Of each text two heaps of readings, both with the same spread; arrays [t]."""

    lower: Float64[np.ndarray, " t"]
    upper: Float64[np.ndarray, " t"]
    spread: Float64[np.ndarray, " t"]
    """Standard deviation."""
    share: Float64[np.ndarray, " t"]
    """Of the images in the upper heap."""
    gain: Float64[np.ndarray, " t"]
    """Log-likelihood beyond that of one heap."""

    @property
    def apart(self) -> Bool[np.ndarray, " t"]:
        """Whether there are two heaps at all."""
        found: Bool[np.ndarray, " t"] = (self.gain >= LEAST_GAIN) & (
            self.upper - self.lower >= APART * self.spread
        )
        return found

    def chances(self, readings: Float64[np.ndarray, "n t"]) -> Float64[np.ndarray, "n t"]:
        """That each image belongs to the upper heap."""
        return _chances(_log_densities(readings, self.lower, self.upper, self.spread, self.share))


def heaps(readings: Float64[np.ndarray, "n t"]) -> Heaps:
    """The two heaps of each column, by expectation maximisation (Dempster, Laird and Rubin 1977).

    Readings that don't vary have no gain.
    """
    centre, scale = readings.mean(axis=0), np.maximum(readings.std(axis=0), 1e-12)
    standard = (readings - centre) / scale
    fits = [_fitted(standard, start) for start in STARTS]
    best = np.argmax([fit.gain for fit in fits], axis=0)
    lower, upper, spread, share, gain = (
        np.choose(best, [getattr(fit, name) for fit in fits])
        for name in ("lower", "upper", "spread", "share", "gain")
    )
    return Heaps(centre + scale * lower, centre + scale * upper, scale * spread, share, gain)


def _fitted(standard: Float64[np.ndarray, "n t"], start: float) -> Heaps:
    n = len(standard)
    chance = np.where(standard > np.quantile(standard, 1 - start, axis=0), 0.95, 0.05)
    for _ in range(ROUNDS):
        weight = np.clip(chance.sum(axis=0), 1e-9, n - 1e-9)
        upper = np.einsum("nt,nt->t", chance, standard) / weight
        lower = (standard.sum(axis=0) - weight * upper) / (n - weight)
        within = (standard**2).sum(axis=0) - weight * upper**2 - (n - weight) * lower**2
        spread = np.sqrt(np.maximum(within / n, 1e-4))
        share = np.clip(weight / n, 0.01, 0.99)
        logs = _log_densities(standard, lower, upper, spread, share)
        chance = _chances(logs)
    two = np.logaddexp(*logs).sum(axis=0)
    one = -0.5 * ((standard**2).sum(axis=0) + n * np.log(2 * np.pi))
    return Heaps(lower, upper, spread, share, np.where(standard.any(axis=0), two - one, 0.0))


def _log_densities(
    readings: Float64[np.ndarray, "n t"],
    lower: Float64[np.ndarray, " t"],
    upper: Float64[np.ndarray, " t"],
    spread: Float64[np.ndarray, " t"],
    share: Float64[np.ndarray, " t"],
) -> tuple[Float64[np.ndarray, "n t"], Float64[np.ndarray, "n t"]]:
    """Of the lower and the upper heap, each with its share."""
    constant = np.log(spread) + 0.5 * np.log(2 * np.pi)
    return (
        np.log(1 - share) - 0.5 * ((readings - lower) / spread) ** 2 - constant,
        np.log(share) - 0.5 * ((readings - upper) / spread) ** 2 - constant,
    )


def _chances(
    logs: tuple[Float64[np.ndarray, "n t"], Float64[np.ndarray, "n t"]],
) -> Float64[np.ndarray, "n t"]:
    found: Float64[np.ndarray, "n t"] = 1 / (1 + np.exp(np.clip(logs[0] - logs[1], -50, 50)))
    return found


@dataclass(frozen=True, eq=False)
class Modes:
    """What the images of a run show, by the texts of its vocabulary; at least one of either."""

    embeddings: Float[np.ndarray, "n d"]
    texts: Float[np.ndarray, "t d"]
    _known: dict[int, tuple[Int8[np.ndarray, " n"], bool]] = field(default_factory=dict)
    """By text what `states` and `apart` answer."""

    @cached_property
    def reading(self) -> tuple[Float64[np.ndarray, "d d"], Float64[np.ndarray, " d"]]:
        """The metric M and what texts have in common, c: how much an image shows a text is e . M (t - c).

        That by which the vocabulary's texts part the images best (the mean gain of two heaps over one): the
        cosine (M = I, c = 0), or M = (S / s + r I)^-1 and c the texts' mean for each r of `RIDGES`, S the
        covariance of the embeddings and s its mean variance: the direction that tells a thing from those that
        overlap with it (Fisher 1936), shrunk. Encoders that were trained well need no whitening.
        """
        d = self.embeddings.shape[1]
        ways = [
            (np.eye(d), np.zeros(d)),
            *((image_metric(self._covariance, ridge), self.common) for ridge in RIDGES),
        ]
        texts = self.texts[_spaced(len(self.texts), SAMPLE_TEXTS)]
        sample = self.embeddings[_spaced(len(self.embeddings), SAMPLE_IMAGES)].astype(np.float64)
        gains = [float(heaps(sample @ metric @ (texts - mean).T).gain.mean()) for metric, mean in ways]
        return ways[int(np.argmax(gains))]

    def states(self, texts: Sequence[int]) -> Int8[np.ndarray, "n m"]:
        """Which images surely show (1) or surely lack (-1) what each of these texts names."""
        self._learn(texts)
        return np.stack([self._known[text][0] for text in texts], axis=1)

    def apart(self, texts: Sequence[int]) -> Bool[np.ndarray, " m"]:
        """For which of these texts images fall into two heaps; for others a state says little."""
        self._learn(texts)
        return np.array([self._known[text][1] for text in texts], dtype=bool)

    def most_like(
        self,
        rows: Int64[np.ndarray, " m"],
        firing: Float64[np.ndarray, " m"],
        open_: Bool[np.ndarray, " t"],
        most: int,
    ) -> list[int]:
        """At `most` so many open texts, whose readings of these images go with the firing, best first."""
        metric, common = self.reading
        pull = metric @ self._sum(rows, firing - firing.mean())
        likeness = self.texts @ pull.astype(self.texts.dtype) - common @ pull
        likeness = np.where(open_, likeness / self._spread, -np.inf)
        few = np.argpartition(-likeness, min(most, len(likeness)) - 1)[:most]
        order = few[np.lexsort((few, -likeness[few]))]
        return [text for text in order.tolist() if likeness[text] > 0]

    def readings(self, text: int) -> Float64[np.ndarray, "n 2"]:
        """How much each image shows a text by the cosine, and by the cosine whitened."""
        direction = self.texts[text].astype(np.float64)
        whitened = self._most_whitened @ (direction - self.common)
        return along(self.embeddings, np.stack([direction, whitened], axis=1))

    @cached_property
    def _most_whitened(self) -> Float64[np.ndarray, "d d"]:
        return image_metric(self._covariance, RIDGES[0])

    @cached_property
    def common(self) -> Float64[np.ndarray, " d"]:
        """The mean of the texts' embeddings."""
        mean: Float64[np.ndarray, " d"] = self.texts.mean(axis=0, dtype=np.float64)
        return mean

    @cached_property
    def _covariance(self) -> Float64[np.ndarray, "d d"]:
        """Of the embeddings, in units of the mean variance of a dimension."""
        centre = self.embeddings.mean(axis=0, dtype=np.float64)
        covariance = scatter(self.embeddings, centre)
        return covariance / max(float(np.trace(covariance)) / len(covariance), 1e-12)

    @cached_property
    def lengths(self) -> Float64[np.ndarray, " t"]:
        """Of the texts' embeddings."""
        found: Float64[np.ndarray, " t"] = np.linalg.norm(self.texts, axis=1).astype(np.float64)
        return found

    @cached_property
    def _spread(self) -> Float64[np.ndarray, " t"]:
        """Standard deviation of each text's readings over all images, up to a factor that texts share."""
        metric, common = self.reading
        between = metric @ self._covariance @ metric
        found = np.empty(len(self.texts))
        for start in range(0, len(found), BLOCK):
            texts = self.texts[start : start + BLOCK] - common
            found[start : start + BLOCK] = np.einsum("td,td->t", texts @ between, texts)
        return np.sqrt(np.maximum(found, 1e-24))

    def _learn(self, texts: Sequence[int]) -> None:
        asked = [text for text in dict.fromkeys(texts) if text not in self._known]
        if not asked:
            return
        if (len(self._known) + len(asked)) * len(self.embeddings) > KEPT:
            for text in self._known.keys() - set(texts):
                del self._known[text]
        metric, common = self.reading
        directions = metric @ (self.texts[asked] - common).T
        found = heaps(along(self.embeddings[_spaced(len(self.embeddings), SAMPLE_IMAGES)], directions))
        states = np.empty((len(asked), len(self.embeddings)), dtype=np.int8)
        for start in range(0, len(self.embeddings), BLOCK):
            block = slice(start, start + BLOCK)
            chances = found.chances(self.embeddings[block] @ directions)
            states[:, block] = ((chances >= SURE).astype(np.int8) - (chances <= 1 - SURE)).T
        for text, of_text, apart in zip(asked, states, found.apart.tolist(), strict=True):
            self._known[text] = of_text, apart

    def _sum(
        self, rows: Int64[np.ndarray, " m"], weights: Float64[np.ndarray, " m"]
    ) -> Float64[np.ndarray, " d"]:
        """The weighted sum of these images' embeddings."""
        total = np.zeros(self.embeddings.shape[1])
        for start in range(0, len(rows), BLOCK):
            total += weights[start : start + BLOCK] @ self.embeddings[rows[start : start + BLOCK]]
        return total


def _spaced(count: int, most: int) -> Int64[np.ndarray, " m"]:
    """At `most` so many of the first `count` numbers, evenly spaced."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))
