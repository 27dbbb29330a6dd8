"""Simulation correlation of labels: on held-out images, with the run's encoder or another one."""

from collections.abc import Iterator, Sequence

import numpy as np

from csp.errors import BadInputError
from csp.keeping.run_folder.run import Run
from csp.keeping.versions import csp_version
from csp.method.metrics.statistics import correlation_interval, simulation_correlation
from csp.work.explorer.explorer import Explorer
from csp.work.metrics.metric import Metric, Number
from csp.work.metrics.protocol import Measured, MetricRequest, Subject
from csp.work.metrics.settings import Settings
from csp.work.metrics.simulators import Simulator, open_simulator
from csp.work.provenance import computed_by
from csp.work.splits import held_out


def prepare(explorer: Explorer, request: MetricRequest) -> "SimulationCorrelation":
    """Open the simulator; raises UnavailableError for a run without pictures where it needs them."""
    return SimulationCorrelation(explorer, request, open_simulator(explorer.run, request.simulator))


def check(run: Run) -> None:
    """Raise BadInputError for a run without texts to simulate with."""
    if run.text_embeddings is None:
        raise BadInputError(
            f"the run {run.name} has no vocabulary, so there are no labels to simulate with; "
            "index or import it with --vocabulary"
        )


class SimulationCorrelation:
    """Correlates what the neuron does with how much each image is like the label."""

    def __init__(self, explorer: Explorer, request: MetricRequest, simulator: Simulator) -> None:
        self._explorer = explorer
        self._simulator = simulator
        self._images, split = held_out(explorer.run)
        instead = {} if request.simulator is None else {"simulator": simulator.name}
        self.settings = Settings(request.options, instead=instead)
        images = f"{int(self._images.sum())} images ({split})"
        self.by = computed_by(csp_version(), simulator.name, images)

    def measure(self, subjects: Sequence[Subject]) -> Iterator[Measured]:
        """One number a label, with Fisher's interval; none where either side does not vary."""
        texts = self._simulator.embed_texts(tuple(dict.fromkeys(one.label for one in subjects)))
        embeddings = self._simulator.embeddings()[self._images]
        for one in subjects:
            activations = self._explorer.run.activations(one.layer, one.neuron)[self._images]
            value = simulation_correlation(activations, embeddings, texts[one.label])
            if np.isfinite(value):
                usable = int(np.isfinite(activations).sum())
                yield Measured(one, "scs", value, *correlation_interval(value, usable))


METRIC = Metric(
    "simcorr",
    "how well likeness to the label predicts the neuron's firing on images held out",
    prepare,
    (
        Number(
            "scs",
            "Simulation correlation",
            "How well likeness to the label predicts how strongly the neuron fires, on images held "
            "out. -1 to 1; higher is better, 0 is chance.",
            "higher",
            "arXiv 2604.22477",
            low=-1,
            high=1,
            interval=True,
            faithful=2,
            said="The label predicts the firing",
        ),
    ),
    check=check,
    place=2,
)
