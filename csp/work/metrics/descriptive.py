"""Clarity, redundancy and polysemanticity of neurons, as SemanticLens defines them (arXiv 2501.05398)."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float64

from csp.keeping.versions import csp_version
from csp.method.labelers.projection import plain_mean_vector
from csp.method.metrics.descriptive import clarity, polysemanticity, redundancy
from csp.work.explorer.explorer import Explorer
from csp.work.metrics.protocol import Measured, MetricRequest, Subject
from csp.work.provenance import computed_by


def prepare(explorer: Explorer, request: MetricRequest) -> "Descriptive":
    """Nothing is needed but the run."""
    return Descriptive(explorer, request)


class Descriptive:
    """Looks at the activating examples' embeddings; redundancy compares with all neurons of the layer."""

    def __init__(self, explorer: Explorer, request: MetricRequest) -> None:
        self.settings = str(request.choice)
        self.by = computed_by(csp_version(), explorer.run.manifest.encoder.name)
        self._explorer = explorer
        self._choice = request.choice
        self._redundancies: dict[str, Float64[np.ndarray, " c"]] = {}

    def measure(self, subjects: Sequence[Subject]) -> Iterator[Measured]:
        """Three numbers a neuron; none for one that never fires."""
        for one in subjects:
            examples, _ = self._explorer.examples(one.layer, one.neuron, self._choice)
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
                plain_mean_vector(self._explorer.examples(layer, neuron, self._choice)[0], run.embeddings)
                for neuron in range(run.layer(layer).neurons)
            ]
            self._redundancies[layer] = redundancy(np.stack(vectors))
        return self._redundancies[layer]
