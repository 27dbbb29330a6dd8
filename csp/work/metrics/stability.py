"""How stable a neuron's first label is: computed in milliseconds, then kept with the answers."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from csp.keeping.versions import csp_version
from csp.method.labelers.bootstrap import STABLE, stability
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.options import ExampleOptions
from csp.work.labels.scorer import labelers_code
from csp.work.labels.vocabulary import run_vocabulary
from csp.work.metrics.metric import Metric, Number, NumberColumn
from csp.work.metrics.protocol import Measured, MetricRequest, Subject
from csp.work.metrics.settings import Settings
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
    explorer: Explorer, layer: str, neuron: int, labeler: str, options: ExampleOptions
) -> LabelStability | None:
    """The stability of the first label by one labeler; None for a neuron that has no label."""
    labels, _ = explorer.labels(layer, neuron, options)
    examples, _ = explorer.examples(layer, neuron, options)
    if not (labels.get(labeler) and (examples.activation > 0).any()):
        return None
    label = labels[labeler][0].label

    def compute() -> dict[str, Any]:
        return asdict(_computed(explorer, layer, neuron, labeler, options, label))

    asked = {"layer": layer, "neuron": neuron, "options": options.as_json(), "label": label}
    found = explorer.cache.get_or_compute(asked | {"labeler": labelers_code([labeler])}, compute)
    return LabelStability(**found.value)


def _computed(
    explorer: Explorer, layer: str, neuron: int, labeler: str, options: ExampleOptions, label: str
) -> LabelStability:
    vocabulary = run_vocabulary(explorer.run)
    first = vocabulary.row(label)
    assert first is not None, "a label is a text of the vocabulary"
    evidence = explorer.evidence(layer, neuron, options, (labeler,))
    found = stability(labeler, evidence, vocabulary.embeddings, options.gamma, first)
    rival = None if found.rival == first else vocabulary.texts[found.rival]
    return LabelStability(label, found.chance, rival, *found.interval(first))


def prepare(explorer: Explorer, request: MetricRequest) -> "LabelStabilities":
    """Nothing is needed but the run."""
    return LabelStabilities(explorer, request)


class LabelStabilities:
    """The chance that the first label stays first, and the interval of its score."""

    def __init__(self, explorer: Explorer, request: MetricRequest) -> None:
        self.settings = Settings(request.options)
        self.by = computed_by(csp_version(), explorer.run.manifest.encoder.name)
        self._explorer = explorer
        self._options = request.options

    def measure(self, subjects: Sequence[Subject]) -> Iterator[Measured]:
        """Two numbers a label."""
        for one in subjects:
            found = label_stability(self._explorer, one.layer, one.neuron, one.labeler, self._options)
            labels, _ = self._explorer.labels(one.layer, one.neuron, self._options)
            if found is None:
                continue
            yield Measured(one, "stability", found.chance)
            yield Measured(one, "score", labels[one.labeler][0].score, found.low, found.high)


METRIC = Metric(
    "stability",
    "how often the suggested label stays the best when the examples are drawn again",
    prepare,
    (
        Number(
            "stability",
            "Stability",
            "In which share of 200 draws of the examples the suggested label stays the best. 0 to 1; "
            "higher is surer.",
            "higher",
            "Efron 1979",
            low=0,
            high=1,
            percent=True,
            column=NumberColumn(
                "Stays best",
                "How often the suggested label stays the best when the examples are drawn again",
                least=("unstable", "Least stable label first"),
                most=("stable", "Most stable label first"),
                shown=False,
            ),
        ),
        Number(
            "score",
            "Score",
            "The label's score, with the middle 95 % when the examples are drawn again. Higher fits "
            "better; the range is the labeler's.",
            "higher",
            "bootstrap: Efron 1979",
            exported=False,
        ),
    ),
    place=5,
)
