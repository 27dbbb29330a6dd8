"""What `csp evaluate` can measure.

A metric is one module with a function `prepare(explorer, request) -> Measurer`
(`csp.work.metrics.protocol`), an entry here, and its numbers in `csp.work.metrics.results.NUMBERS`.
"""

from dataclasses import dataclass
from typing import Literal

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
        "csp.work.metrics.ground_truth",
    ),
    "simcorr": Metric(
        "how well likeness to the label foretells the neuron's firing on images held out",
        ("scs",),
        "csp.work.metrics.simulation",
    ),
    "cosy": Metric(
        "whether pictures made from the label activate the neuron",
        ("cosy_auc", "cosy_mad", "dma", "cosy_max"),
        "csp.work.metrics.cosy",
    ),
    "causal": Metric(
        "what the model gets wrong, and which class loses, when the neuron is held at its mean",
        ("causal_accuracy", "causal_probability", "causal_examples"),
        "csp.work.metrics.ablation",
        of_labels=False,
    ),
    "stability": Metric(
        "how often the first label stays first when the examples are drawn again",
        ("stability", "score"),
        "csp.work.metrics.stability",
    ),
    "descriptive": Metric(
        "clarity, redundancy and polysemanticity of neurons, without any label",
        ("clarity", "redundancy", "polysemanticity"),
        "csp.work.metrics.descriptive",
        of_labels=False,
    ),
}


def find_metric(name: str) -> Metric:
    """The metric called `name`; BadInputError names those there are."""
    if name not in METRICS:
        raise BadInputError(f"there is no metric {name!r}; there is {', '.join(METRICS)}")
    return METRICS[name]


@dataclass(frozen=True)
class Number:
    """One measured number, for people."""

    title: str
    what: str
    """One line: what is it, from where to where, and which end is better?"""
    better: Literal["higher", "lower", "neither"]
    source: str
    """Who defined it, or defined what it is made of."""

    @property
    def help(self) -> str:
        """What it is and who defined it, in one line."""
        return f"{self.what} ({self.source})"


NUMBERS: dict[str, Number] = {
    "truth": Number(
        "Names the truth",
        "Whether the label names the attribute that the neuron follows on images held out. 1 yes, 0 no.",
        "higher",
        "AUROC of attributes: Hanley and McNeil 1982; this project",
    ),
    "truth_alone": Number(
        "Names the truth alone",
        "Whether the label names the attribute that the neuron follows, and nothing else. 1 yes, 0 no.",
        "higher",
        "AUROC of attributes: Hanley and McNeil 1982; this project",
    ),
    "scs": Number(
        "Simulation correlation",
        "How well likeness to the label foretells how strongly the neuron fires, on images held out. "
        "-1 to 1; higher is better, 0 is chance.",
        "higher",
        "arXiv 2604.22477",
    ),
    "cosy_auc": Number(
        "Generated images: AUC",
        "Chance that a picture made from the label activates the neuron more than a probe image. 0 to 1; "
        "higher is better, 0.5 is chance.",
        "higher",
        "arXiv 2405.20331",
    ),
    "cosy_mad": Number(
        "Generated images: difference",
        "How much more pictures made from the label activate the neuron than probe images do, in standard "
        "deviations. Higher is better, 0 is no difference.",
        "higher",
        "arXiv 2405.20331",
    ),
    "dma": Number(
        "Generated images: mean activation",
        "Mean activation on pictures made from the label, as a share of the neuron's largest. About 0 to 1; "
        "higher is better.",
        "higher",
        "arXiv 2604.22477",
    ),
    "cosy_max": Number(
        "Generated images: largest activation",
        "Largest activation on pictures made from the label, as a share of the neuron's largest. "
        "About 0 to 1; higher is better.",
        "higher",
        "arXiv 2604.22477",
    ),
    "causal_accuracy": Number(
        "Accuracy without it",
        "Change of the share of held-out images that the model calls rightly when the neuron is held at its "
        "mean. -1 to 1; below 0 the model needs the neuron.",
        "neither",
        "mean ablation: Morcos et al., arXiv 1803.06959",
    ),
    "causal_probability": Number(
        "Probability without it",
        "Largest mean change of a class's probability on held-out images when the neuron is held at its "
        "mean. -1 to 1; below 0 the neuron speaks for that class.",
        "neither",
        "mean ablation: Morcos et al., arXiv 1803.06959",
    ),
    "causal_examples": Number(
        "Probability without it, on its examples",
        "Largest mean change of a class's probability on the images that activate the neuron most when it "
        "is held at its mean. -1 to 1; below 0 the neuron speaks for that class.",
        "neither",
        "mean ablation: Morcos et al., arXiv 1803.06959",
    ),
    "stability": Number(
        "Stability",
        "In which share of 200 resamplings of the examples the first label stays first. "
        "0 to 1; higher is surer.",
        "higher",
        "Efron 1979",
    ),
    "score": Number(
        "Score",
        "The label's score, with the middle 95 % over resamplings of the examples. Higher fits better; the "
        "range is the labeler's.",
        "higher",
        "bootstrap: Efron 1979",
    ),
    "clarity": Number(
        "Clarity",
        "How alike the activating images are: their mean cosine. About 0 to 1; higher is clearer.",
        "higher",
        "arXiv 2501.05398",
    ),
    "redundancy": Number(
        "Redundancy",
        "How alike this neuron is to the most similar other neuron of its layer: a cosine. "
        "About 0 to 1; lower is less redundant.",
        "lower",
        "arXiv 2501.05398",
    ),
    "polysemanticity": Number(
        "Polysemanticity",
        "How unlike the two groups are into which the activating images fall. About 0 to 1; "
        "higher: the neuron may stand for two things.",
        "lower",
        "arXiv 2501.05398",
    ),
}
"""Each number that a metric measures, in the order of the screens."""


OF_LABELS = ("scs", "cosy_auc", "cosy_mad", "dma", "cosy_max", "stability")


CAUSAL = ("causal_accuracy", "causal_probability", "causal_examples")


OF_NEURONS = ("clarity", "redundancy", "polysemanticity", *CAUSAL)
