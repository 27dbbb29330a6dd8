"""Stability of first labels over resamplings of the examples (`csp.method.stability`)."""

from collections.abc import Iterator, Sequence

from csp.work.explorer import Explorer
from csp.work.label_stability import label_stability
from csp.work.measuring import Measured, Request, Subject
from csp.work.provenance import computed_by, csp_version


def prepare(explorer: Explorer, request: Request) -> "LabelStabilities":
    """Nothing is needed but the run."""
    return LabelStabilities(explorer, request)


class LabelStabilities:
    """The chance that the first label stays first, and the interval of its score."""

    def __init__(self, explorer: Explorer, request: Request) -> None:
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
