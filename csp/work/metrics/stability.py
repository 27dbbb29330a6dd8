"""How stable a neuron's first label is: computed in milliseconds, then kept with the answers."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from csp.keeping.versions import csp_version
from csp.method.labelers.bootstrap import STABLE, stability
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.options import ExampleOptions
from csp.work.metrics.metric import Metric, Number, NumberColumn
from csp.work.metrics.protocol import Measured, MetricRequest, Subject
from csp.work.provenance import computed_by


@dataclass(frozen=True)
class LabelStability:
    """What the bootstrap says of the first label of one neuron."""

    label: str
    chance: float
    """Share of resamplings in which it stays first."""
    rival: str | None
    """The label that takes its place most often; None when none ever does."""
    low: float
    high: float
    """The middle 95 % of its score over the resamplings."""

    @property
    def stable(self) -> bool:
        """Whether the label stays first in at least half of the resamplings."""
        return self.chance >= STABLE


def label_stability(
    explorer: Explorer, layer: str, neuron: int, labeler: str, choice: ExampleOptions
) -> LabelStability | None:
    """The stability of the first label by one labeler; None for a neuron that has no label."""
    labels, _ = explorer.labels(layer, neuron, choice)
    examples, _ = explorer.examples(layer, neuron, choice)
    if not (labels.get(labeler) and (examples.activation > 0).any()):
        return None
    label = labels[labeler][0].label

    def compute() -> dict[str, Any]:
        return asdict(_computed(explorer, layer, neuron, labeler, choice, label))

    key = explorer.key("stability", layer, neuron) | choice.as_json() | {"labeler": labeler, "label": label}
    answer = explorer.answers.get_or_compute(key, compute, by=computed_by(csp_version()))
    return LabelStability(**answer.value)


def _computed(
    explorer: Explorer, layer: str, neuron: int, labeler: str, choice: ExampleOptions, label: str
) -> LabelStability:
    texts = explorer.run.vocabulary["text"]
    embeddings = explorer.run.text_embeddings
    assert embeddings is not None, "a neuron with labels has a vocabulary"
    first = texts.tolist().index(label)
    found = stability(labeler, explorer.evidence(layer, neuron, choice), embeddings, choice.gamma, first)
    rival = None if found.rival == first else str(texts[found.rival])
    return LabelStability(label, found.chance, rival, float(found.low[first]), float(found.high[first]))


def prepare(explorer: Explorer, request: MetricRequest) -> "LabelStabilities":
    """Nothing is needed but the run."""
    return LabelStabilities(explorer, request)


class LabelStabilities:
    """The chance that the first label stays first, and the interval of its score."""

    def __init__(self, explorer: Explorer, request: MetricRequest) -> None:
        self.settings = str(request.choice)
        self.by = computed_by(csp_version(), explorer.run.manifest.encoder.name)
        self._explorer = explorer
        self._choice = request.choice

    def measure(self, subjects: Sequence[Subject]) -> Iterator[Measured]:
        """Two numbers a label."""
        for one in subjects:
            found = label_stability(self._explorer, one.layer, one.neuron, one.labeler, self._choice)
            labels, _ = self._explorer.labels(one.layer, one.neuron, self._choice)
            if found is None:
                continue
            yield Measured(one, "stability", found.chance)
            yield Measured(one, "score", labels[one.labeler][0].score, found.low, found.high)


METRIC = Metric(
    "stability",
    "how often the first label stays first when the examples are drawn again",
    prepare,
    (
        Number(
            "stability",
            "Stability",
            "In which share of 200 resamplings of the examples the first label stays first. 0 to 1; "
            "higher is surer.",
            "higher",
            "Efron 1979",
            low=0,
            high=1,
            percent=True,
            column=NumberColumn(
                "Stable",
                "Chance that the first label stays first when other images are drawn",
                least=("unstable", "Least stable label first"),
                most=("stable", "Most stable label first"),
            ),
        ),
        Number(
            "score",
            "Score",
            "The label's score, with the middle 95 % over resamplings of the examples. Higher fits "
            "better; the range is the labeler's.",
            "higher",
            "bootstrap: Efron 1979",
            exported=False,
        ),
    ),
    place=5,
)
