"""CoSy: pictures made from each label, shown to the target model, beside the probe images held out."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float32

from csp.errors import BadInputError
from csp.keeping.versions import csp_version
from csp.method.metrics.cosy import cosy
from csp.work.explorer.explorer import Explorer
from csp.work.metrics.metric import Metric, Number
from csp.work.metrics.protocol import Measured, MetricRequest, Subject
from csp.work.metrics.settings import Settings
from csp.work.models.reopen import RunTarget, expect_model, run_target
from csp.work.provenance import computed_by
from csp.work.splits import held_out
from csp.world.protocols.generator import CannotDrawError, ImageGenerator, open_generator
from csp.world.specs.registry import GENERATORS

SEED = 0
Activations = dict[str, Float32[np.ndarray, "g c"]]
"""By layer: of g generated pictures."""


def prepare(explorer: Explorer, request: MetricRequest) -> "CosyScores":
    """Open the generator and the target model; raises a CspError that says what is missing."""
    if request.generator is None:
        raise BadInputError(
            "cosy makes pictures from labels: say by what with --generator, for example "
            f"{' or '.join(GENERATORS.examples)}"
        )
    generator = open_generator(request.generator)
    return CosyScores(explorer, request, generator, run_target(explorer.run))


class CosyScores:
    """Compares a neuron's activations on pictures of its label with those on probe images."""

    def __init__(
        self, explorer: Explorer, request: MetricRequest, generator: ImageGenerator, target: RunTarget
    ) -> None:
        self._explorer, self._generator, self._target = explorer, generator, target
        self._count = request.generated
        self._control, split = held_out(explorer.run)
        self._made: dict[str, Activations | None] = {}
        pictures = f"{request.generated} pictures a label"
        made_with: dict[str, str | int] = {"generator": generator.name, "pictures": request.generated}
        self.settings = Settings(request.options, made_with=made_with)
        images = f"{int(self._control.sum())} images ({split})"
        self.by = computed_by(csp_version(), generator.name, pictures, images)

    def measure(self, subjects: Sequence[Subject]) -> Iterator[Measured]:
        """Four numbers a label; none for a label that the generator has no picture for."""
        for one in subjects:
            made = self._activations(one.label)
            if made is None:
                continue
            activations = self._explorer.run.activations(one.layer, one.neuron)
            found = cosy(
                activations[self._control],
                made[one.layer][:, one.neuron],
                float(np.nanmax(activations)),
                np.random.default_rng(SEED),
            )
            yield Measured(one, "cosy_auc", found.auc, found.auc_low, found.auc_high)
            yield Measured(one, "cosy_mad", found.mad)
            yield Measured(one, "dma", found.mean)
            yield Measured(one, "cosy_max", found.maximum)

    def _activations(self, label: str) -> Activations | None:
        """Of all layers, for one label; pictures are made once a label."""
        if label not in self._made:
            try:
                pictures = self._generator.generate(label, self._count, SEED)
            except CannotDrawError:
                self._made[label] = None
            else:
                batch = np.stack([self._target.model.preprocess(picture) for picture in pictures])
                with self._target.lock:
                    self._made[label] = self._target.model.run(batch, self._explorer.run.layers).activations
        return self._made[label]


METRIC = Metric(
    "cosy",
    "whether pictures made from the label activate the neuron",
    prepare,
    (
        Number(
            "cosy_auc",
            "Generated images: AUC",
            "Chance that a picture made from the label activates the neuron more than a probe image. "
            "0 to 1; higher is better, 0.5 is chance.",
            "higher",
            "arXiv 2405.20331",
            low=0,
            high=1,
            percent=True,
            faithful=1,
            said="pictures drawn from it fire it more in",
        ),
        Number(
            "cosy_mad",
            "Generated images: difference",
            "How much more pictures made from the label activate the neuron than probe images do, in "
            "standard deviations. Higher is better, 0 is no difference.",
            "higher",
            "arXiv 2405.20331",
        ),
        Number(
            "dma",
            "Generated images: mean activation",
            "Mean activation on pictures made from the label, as a share of the neuron's largest. "
            "About 0 to 1; higher is better.",
            "higher",
            "arXiv 2604.22477",
        ),
        Number(
            "cosy_max",
            "Generated images: largest activation",
            "Largest activation on pictures made from the label, as a share of the neuron's largest. "
            "About 0 to 1; higher is better.",
            "higher",
            "arXiv 2604.22477",
        ),
    ),
    makes_pictures=True,
    check=expect_model,
    place=3,
)
