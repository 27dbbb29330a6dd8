"""The contrast rule: which images are cold, how many make a contrastive example, how alike they must be.

As text (in commands, addresses and manifests) it is its parts joined by commas, in this order, what is usual
left out: `mean`, `quantile:0.1`, `quantile:0.1,neighbours:5`, `neighbours:3,least:0.8`.
"""

from dataclasses import dataclass
from math import ceil

import numpy as np
from jaxtyping import Bool, Float

from csp.errors import BadInputError

MOST_NEIGHBOURS = 50
FORM = "write mean, or parts such as quantile:0.1, neighbours:3 and least:0.8, joined by commas"


@dataclass(frozen=True)
class ContrastRule:
    """How contrastive examples are picked. Without arguments: the paper's rule (arXiv 2604.22477)."""

    quantile: float | None = None
    """Cold is what lies at or under this quantile of the activations, in (0, 1); None: below their mean."""
    neighbours: int = 1
    """How many cold neighbours make a contrastive example: their normalised mean. The nearest is shown."""
    least: float | None = None
    """A pair whose cosine (to the nearest) is smaller than this is left out altogether; None: no limit."""

    def __post_init__(self) -> None:
        if self.quantile is not None and not 0.0 < self.quantile < 1.0:
            raise BadInputError(
                f"The quantile of the contrast is {self.quantile}; choose between 0 and 1, such as 0.1."
            )
        if not 1 <= self.neighbours <= MOST_NEIGHBOURS:
            raise BadInputError(
                f"{self.neighbours} contrastive neighbours were asked for; choose 1 to {MOST_NEIGHBOURS}."
            )
        if self.least is not None and not -1.0 <= self.least <= 1.0:
            raise BadInputError(f"The least similarity is {self.least}; choose a cosine from -1 to 1.")

    def __str__(self) -> str:
        parts = (
            f"quantile:{_number(self.quantile)}" if self.quantile is not None else "",
            f"neighbours:{self.neighbours}" if self.neighbours != 1 else "",
            f"least:{_number(self.least)}" if self.least is not None else "",
        )
        return ",".join(part for part in parts if part) or "mean"


def _number(value: float) -> str:
    """With all its digits: the text of a rule names it, also in the keys of kept answers."""
    return repr(float(value)).removesuffix(".0")


PAPER_RULE = ContrastRule()


def parse_rule(text: str) -> ContrastRule:
    """The rule that `text` names; raises BadInputError for another form or a number out of range."""
    given: dict[str, str] = {}
    for part in text.replace(" ", "").split(","):
        name, _, value = part.partition(":")
        known = name in ("quantile", "neighbours", "least") and value
        if name in given or not (known or part == "mean") or {"mean", "quantile"} <= {*given, name}:
            raise BadInputError(f"The contrast {text!r} can't be read: {FORM}.")
        given[name] = value
    try:
        return ContrastRule(
            quantile=float(given["quantile"]) if "quantile" in given else None,
            neighbours=int(given.get("neighbours", 1)),
            least=float(given["least"]) if "least" in given else None,
        )
    except ValueError:
        raise BadInputError(f"The contrast {text!r} can't be read: {FORM}.") from None


def cold_images(
    activations: Float[np.ndarray, " n"], mean: float, rule: ContrastRule = PAPER_RULE
) -> Bool[np.ndarray, " n"]:
    """The images that leave the neuron cold; never one with a non-finite activation.

    By the mean: a_j < mean(a). By a quantile q of n finite activations: a_j at or under the ceil(q n)-th
    smallest, and below the largest. Ties are in, since many a neuron is silent on more than a tenth of the
    images; so a neuron that varies has at least ceil(q n) cold images, or all but its largest.
    """
    finite = np.isfinite(activations)
    if rule.quantile is None:
        below: Bool[np.ndarray, " n"] = (activations < np.float64(mean)) & finite
        return below
    values = activations[finite]
    if values.size == 0:
        return np.zeros(len(activations), dtype=bool)
    place = ceil(rule.quantile * values.size) - 1
    threshold = np.partition(values, place)[place]
    low: Bool[np.ndarray, " n"] = (activations <= threshold) & (activations < values.max()) & finite
    return low
