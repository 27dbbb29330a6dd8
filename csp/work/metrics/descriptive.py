"""Clarity, redundancy and polysemanticity of neurons, as SemanticLens defines them (arXiv 2501.05398)."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float64

from csp.keeping.versions import csp_version
from csp.method.labelers.projection import plain_mean_vector
from csp.method.metrics.descriptive import clarity, polysemanticity, redundancy
from csp.work.explorer.explorer import Explorer
from csp.work.metrics.metric import Metric, Number, NumberColumn
from csp.work.metrics.protocol import Measured, MetricRequest, Subject
from csp.work.metrics.settings import Settings
from csp.work.provenance import computed_by


def prepare(explorer: Explorer, request: MetricRequest) -> "Descriptive":
    """Nothing is needed but the run."""
    return Descriptive(explorer, request)


class Descriptive:
    """Looks at the activating examples' embeddings; redundancy compares with all neurons of the layer."""

    def __init__(self, explorer: Explorer, request: MetricRequest) -> None:
        self.settings = Settings(request.options)
        self.by = computed_by(csp_version(), explorer.run.manifest.encoder.name)
        self._explorer = explorer
        self._options = request.options
        self._redundancies: dict[str, Float64[np.ndarray, " c"]] = {}

    def measure(self, subjects: Sequence[Subject]) -> Iterator[Measured]:
        """Three numbers a neuron; none for one that never fires."""
        for one in subjects:
            examples, _ = self._explorer.examples(one.layer, one.neuron, self._options)
            if not (examples.activation > 0).any():
                continue
            images = self._explorer.run.embeddings[examples.activating]
            yield Measured(one, "clarity", clarity(images))
            yield Measured(one, "redundancy", float(self._redundancy(one.layer)[one.neuron]))
            yield Measured(one, "polysemanticity", polysemanticity(images))

    def _redundancy(self, layer: str) -> Float64[np.ndarray, " c"]:
        if layer not in self._redundancies:
            run = self._explorer.run
            vectors = [
                plain_mean_vector(self._explorer.examples(layer, neuron, self._options)[0], run.embeddings)
                for neuron in range(run.layer(layer).neurons)
            ]
            self._redundancies[layer] = redundancy(np.stack(vectors))
        return self._redundancies[layer]


METRIC = Metric(
    "descriptive",
    "clarity, redundancy and polysemanticity of neurons, without any label",
    prepare,
    (
        Number(
            "clarity",
            "Clarity",
            "How alike the activating images are: their mean cosine. About 0 to 1; higher is clearer.",
            "higher",
            "arXiv 2501.05398",
            low=-1,
            high=1,
            column=NumberColumn(
                "Clear",
                "How alike the images are that activate it: their mean cosine",
                least=("unclear", "Least alike pictures first"),
                most=("clarity", "Most alike pictures first"),
                shown=False,
            ),
            said="its pictures are alike",
        ),
        Number(
            "redundancy",
            "Redundancy",
            "How alike this neuron is to the most similar other neuron of its layer: a cosine. About "
            "0 to 1; lower is less redundant.",
            "lower",
            "arXiv 2501.05398",
            low=-1,
            high=1,
            column=NumberColumn(
                "Like another",
                "How alike it is to the most similar other neuron of the layer: a cosine",
                least=("unique", "Most unlike all others first"),
                most=("redundancy", "Most alike another first"),
                shown=False,
            ),
            said="its pictures are like those of another neuron",
        ),
        Number(
            "polysemanticity",
            "Polysemanticity",
            "How unlike the two groups are into which the activating images fall. About 0 to 1; "
            "higher: the neuron may stand for two things.",
            "lower",
            "arXiv 2501.05398",
            low=0,
            high=2,
            column=NumberColumn(
                "Mixed",
                "How unlike the two groups are into which the images fall that activate it",
                least=("one-kind", "Least mixed first"),
                most=("polysemanticity", "Most mixed first"),
                shown=False,
            ),
            said="mixes two kinds",
        ),
    ),
    of_labels=False,
    place=6,
)
