"""Measures with the target model how much every neuron pushes towards every class, kept with the run."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import numpy as np
import pandas as pd
from jaxtyping import Float32, Float64, Int64

from csp.errors import BadInputError
from csp.keeping.run_folder.added_tables import Additions
from csp.keeping.run_folder.run import Run
from csp.keeping.versions import csp_version
from csp.method.attribution import exact_attribution, gradient_attribution
from csp.work.attribution.class_attribution import CLASS_ATTRIBUTION, How
from csp.work.models.probe_images import ProbeImages
from csp.work.models.reopen import RunTarget, explainable, run_target
from csp.work.progress import Report, Stage, silent
from csp.world.protocols.target import ExplainableTarget

IMAGES = 96
"""Over how many probe images, spread evenly, a gradient is averaged. On the demo's earlier layer, 64 give
what 256 give (correlation 0.996), and that agrees with scaling the neuron's map in the model (0.99)."""
AT_ONCE = 16
MOST_CLASSES = 20
"""Each class needs a pass of its own: with more, `csp index` leaves layers without linear head alone."""


def measure_attribution(
    run: Run,
    layers: Sequence[str],
    report: Report = silent,
    *,
    target: RunTarget | None = None,
    in_place: bool = False,
) -> dict[str, How]:
    """Measure and keep the attribution of each layer; gives how each was found.

    Raises BadInputError for a run without classes, UnavailableError where the model or pictures are missing.
    """
    check_classes(run)
    target, additions, found = target or run_target(run), Additions(run, in_place=in_place), dict[str, How]()
    for layer in layers:
        values, how, images = _measured(run, target, layer, report)
        additions.append(CLASS_ATTRIBUTION, _rows(layer, values, how, images))
        found[layer] = how
    return found


def measure_attribution_when_indexed(run: Run, target: RunTarget, report: Report) -> None:
    """What `csp index` adds to the run it made: all layers, but gradients only where the classes are few.

    Nothing for a model without classes, or one that does not say what its neurons add.
    """
    if len(run.manifest.classes) < 2 or not isinstance(target.model, ExplainableTarget):
        return
    many = len(run.manifest.classes) > MOST_CLASSES
    done = set(Additions(run, in_place=True).read(CLASS_ATTRIBUTION)["layer"])
    head = target.model.head
    layers = [each for each in run.layers if each not in done and not (many and head(each) is None)]
    measure_attribution(run, layers, report, target=target, in_place=True)


def check_classes(run: Run) -> None:
    """Raise BadInputError for a run whose model tells no classes apart."""
    if len(run.manifest.classes) < 2:
        raise BadInputError(f"the run {run.name} has no classes that a neuron could push towards")


def _measured(
    run: Run, target: RunTarget, layer: str, report: Report
) -> tuple[Float64[np.ndarray, "c classes"], How, int]:
    activations = run.layer_activations(layer)
    with target.lock:
        head = explainable(target).head(layer)
    if head is not None:
        return exact_attribution(activations, head.T.astype(np.float64)), "exact", 0
    chosen = np.unique(np.linspace(0, len(activations) - 1, IMAGES).astype(np.int64))
    pairs = list(_contributions(run, target, layer, chosen, report))
    seen, added = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    deviation = np.nan_to_num(np.nanstd(activations.astype(np.float64), axis=0))
    return gradient_attribution(np.nan_to_num(seen), np.nan_to_num(added), deviation), "gradient", len(chosen)


def _contributions(
    run: Run, target: RunTarget, layer: str, images: Int64[np.ndarray, " m"], report: Report
) -> Iterable[tuple[Float32[np.ndarray, "b c"], Float32[np.ndarray, "b c classes"]]]:
    """Batch by batch: activations, and what each neuron adds to each class."""
    pictures, model = ProbeImages(run), explainable(target)
    stage = Stage(f"attribution of {layer}", len(images), report)
    for start in range(0, len(images), AT_ONCE):
        rows = images[start : start + AT_ONCE].tolist()
        batch = np.stack([target.model.preprocess(pictures.picture(image).image) for image in rows])
        with target.lock:
            activations = target.model.run(batch, [layer]).activations[layer]
            added = [model.contributions(batch, layer, of).values for of in range(len(run.manifest.classes))]
        yield activations, np.stack(added, axis=2)
        stage.reached(start + len(rows))


def _rows(layer: str, values: Float64[np.ndarray, "c classes"], how: How, images: int) -> pd.DataFrame:
    columns = {"neuron": np.arange(len(values)), "push": list(np.nan_to_num(values).astype(np.float32))}
    when = datetime.now(UTC).replace(microsecond=0)
    return pd.DataFrame(columns).assign(
        layer=layer, how=how, images=images, measured=when, csp_version=csp_version()
    )
