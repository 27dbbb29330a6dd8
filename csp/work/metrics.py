"""What `csp evaluate` can measure.

A metric is one module with a function `prepare(explorer, request) -> Measurer` (`csp.work.measuring`), an
entry here, and its numbers in `csp.work.faithfulness.NUMBERS`.
"""

from dataclasses import dataclass

from csp.errors import BadInputError


@dataclass(frozen=True)
class Metric:
    """One thing that `csp evaluate --metric` measures."""

    what: str
    """One line: what is it?"""
    numbers: tuple[str, ...]
    module: str
    of_labels: bool = True
    """Whether it measures labels, or neurons without them."""


METRICS: dict[str, Metric] = {
    "ground-truth": Metric(
        "how often the first label names the attribute that a neuron follows, where the truth is known",
        ("truth", "truth_alone"),
        "csp.work.evaluation_truth",
    ),
    "simcorr": Metric(
        "how well likeness to the label foretells the neuron's firing on images held out",
        ("scs",),
        "csp.work.evaluation_simcorr",
    ),
    "cosy": Metric(
        "whether pictures made from the label activate the neuron",
        ("cosy_auc", "cosy_mad", "dma", "cosy_max"),
        "csp.work.evaluation_cosy",
    ),
    "causal": Metric(
        "what the model gets wrong, and which class loses, when the neuron is held at its mean",
        ("causal_accuracy", "causal_probability", "causal_examples"),
        "csp.work.evaluation_causal",
        of_labels=False,
    ),
    "stability": Metric(
        "how often the first label stays first when the examples are drawn again",
        ("stability", "score"),
        "csp.work.evaluation_stability",
    ),
    "descriptive": Metric(
        "clarity, redundancy and polysemanticity of neurons, without any label",
        ("clarity", "redundancy", "polysemanticity"),
        "csp.work.evaluation_descriptive",
        of_labels=False,
    ),
}


def find_metric(name: str) -> Metric:
    """The metric called `name`; BadInputError names those there are."""
    if name not in METRICS:
        raise BadInputError(f"there is no metric {name!r}; there is {', '.join(METRICS)}")
    return METRICS[name]
