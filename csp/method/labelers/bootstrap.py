"""How sure a label is: which text would have come first had other examples been drawn."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Float64, Int64

from csp.method.examples.select import Examples
from csp.method.labelers.evidence import Evidence
from csp.method.labelers.labeler import Resampled
from csp.method.labelers.registry import LABELERS
from csp.method.labelers.resampling import drawn

SEED = 0
STABLE = 0.5
"""A first label that stays first in fewer resamplings than this is called not stable."""


@dataclass(frozen=True, eq=False)
class Stability:
    """What the bootstrap says of one neuron's labels."""

    first: int
    """The text that comes first on the examples as they are."""
    chance: float
    """Share of resamplings in which it stays first, in [0, 1]; higher is surer."""
    rival: int
    """The text that comes first most often in the others; `first` itself when there are none."""
    scores: Float64[np.ndarray, "b t"]
    """Of every text in each resampling."""

    def interval(self, text: int) -> tuple[float, float]:
        """The middle 95 % of one text's scores over the resamplings."""
        low, high = np.quantile(self.scores[:, text], [0.025, 0.975]).tolist()
        return low, high


def stability(
    labeler: str,
    evidence: Evidence,
    text_embeddings: Float[np.ndarray, "t d"],
    gamma: float,
    first: int,
) -> Stability:
    """Bootstrap a neuron's labels (Efron 1979), the examples drawn again with replacement.

    Each of 200 resamplings draws as many examples as there are (a pair stays a pair), or for correlation as
    many images, and scores every text anew. The seed is fixed: the same neuron gives the same answer.
    The chance says how much the label hangs on single examples, not whether it is true. Texts of like meaning
    take first place from one another, so a low chance may be a matter of wording.
    """
    resampled = LABELERS[labeler].resampled or one_after_the_other(labeler)
    scores = resampled(evidence, text_embeddings, gamma, np.random.default_rng(SEED))
    alive = scores.any(axis=1)  # where only silent examples were drawn, no text comes first
    firsts = np.bincount(scores[alive].argmax(axis=1), minlength=scores.shape[1])
    others = firsts.copy()
    others[first] = 0
    rival = int(others.argmax()) if others.any() else first
    return Stability(first, float(firsts[first] / len(scores)), rival, scores)


def one_after_the_other(labeler: str) -> Resampled:
    """The same of a labeler without `resampled`: it scores the texts on each resampling.

    Takes as long as 200 times the labeler's score, so 0.1 to 2 seconds a neuron.
    """

    def resampled(
        evidence: Evidence, texts: Float[np.ndarray, "t d"], gamma: float, rng: np.random.Generator
    ) -> Float64[np.ndarray, "b t"]:
        draws = drawn(rng, len(evidence.examples.activating))
        each = (replace(evidence, examples=_chosen(evidence.examples, draw)) for draw in draws)
        return np.stack([LABELERS[labeler](one, texts, gamma) for one in each]).astype(np.float64)

    return resampled


def _chosen(examples: Examples, draw: Int64[np.ndarray, " k"]) -> Examples:
    """The examples of one resampling, each with its contrastive example."""
    return replace(
        examples,
        activating=examples.activating[draw],
        activation=examples.activation[draw],
        contrastive=examples.contrastive[draw],
        contrastive_activation=examples.contrastive_activation[draw],
        similarity=examples.similarity[draw],
        further=None if examples.further is None else examples.further[draw],
    )
