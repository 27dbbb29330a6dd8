"""Measures with the target model how much every neuron pushes towards every class, kept with the run."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pandas as pd
from jaxtyping import Float64

from csp.errors import BadInputError
from csp.keeping.run_folder.added_tables import Additions
from csp.keeping.run_folder.run import Run
from csp.keeping.versions import csp_version
from csp.method.attribution import attribution
from csp.work.attribution.class_attribution import (
    CLASS_ATTRIBUTION,
    How,
    finished,
    has_classes,
    images_of,
    layer_deviations,
    measured,
)
from csp.work.models.probe_images import ProbeImages
from csp.work.models.reopen import RunTarget, differentiable, explainable, run_target
from csp.work.progress import Report, Stage, silent
from csp.world.protocols.target import DifferentiableTarget, ExplainableTarget

AT_ONCE = 4
"""Images in a pass: few, so that the first step is soon told."""
SECONDS_TO_KEEP = 15.0
"""So often what was measured is kept: a job that is stopped loses no more."""
MOST_CLASSES = 20
"""Each class needs a gradient of its own: with more, `csp index` leaves layers without linear head alone."""


def measure_attribution(
    run: Run,
    layers: Sequence[str],
    report: Report = silent,
    *,
    target: RunTarget | None = None,
    in_place: bool = False,
) -> dict[str, How]:
    """Measure and keep the attribution of each layer, unless it was; gives how each was found.

    What a stopped measurement has kept of a layer is taken up. Raises BadInputError for a run without
    classes, UnavailableError where the model or pictures are missing.
    """
    check_classes(run)
    target, additions, found = target or run_target(run), Additions(run, in_place=in_place), dict[str, How]()
    for layer in layers:
        rows = measured(run, layer, additions)
        if finished(run, rows):
            found[layer] = rows["how"].iloc[0]
            continue
        additions.expect_room()
        with target.lock:
            head = explainable(target).head(layer)
        if head is None:
            _measure_slope(run, target, layer, additions, report)
        else:
            values = attribution(layer_deviations(run, layer), head.T)
            additions.append(CLASS_ATTRIBUTION, _rows(layer, values, "exact", 0))
        found[layer] = "slope" if head is None else "exact"
    additions.compact(CLASS_ATTRIBUTION)
    return found


def measure_attribution_when_indexed(run: Run, target: RunTarget, report: Report) -> None:
    """What `csp index` adds to the run it made: all layers, but slopes only where the classes are few.

    Nothing for a model without classes, or one that does not say what its neurons add.
    """
    if not has_classes(run) or not isinstance(target.model, ExplainableTarget):
        return
    able = isinstance(target.model, DifferentiableTarget) and len(run.manifest.classes) <= MOST_CLASSES
    head, additions = target.model.head, Additions(run, in_place=True)
    missing = [each for each in run.layers if not finished(run, measured(run, each, additions))]
    layers = [each for each in missing if able or head(each) is not None]
    measure_attribution(run, layers, report, target=target, in_place=True)


def check_classes(run: Run) -> None:
    """Raise BadInputError for a run whose model tells no classes apart."""
    if not has_classes(run):
        raise BadInputError(f"the run {run.name} has no classes that a neuron could push towards")


def _measure_slope(run: Run, target: RunTarget, layer: str, additions: Additions, report: Report) -> None:
    """One image after the other; the mean so far is kept now and then, with the number of its images."""
    images, pictures = images_of(run), ProbeImages(run)
    differentiable(target)  # UnavailableError before anything is done
    deviation = layer_deviations(run, layer)
    total, done = _so_far(run, layer, deviation, additions)
    stage, kept = Stage(f"attribution of {layer}", len(images), report, done), time.monotonic()
    stage.reached(done)
    for start in range(done, len(images), AT_ONCE):
        rows = images[start : start + AT_ONCE].tolist()
        some = [pictures.picture(image) for image in rows]
        batch = np.stack([target.model.preprocess(one.image) for one in some])
        model = differentiable(target.on([one.beside for one in some]))
        with target.lock:
            total += np.nan_to_num(model.slopes(batch, layer)).sum(axis=0, dtype=np.float64)
        done = start + len(rows)
        if done == len(images) or time.monotonic() - kept > SECONDS_TO_KEEP:
            additions.append(
                CLASS_ATTRIBUTION, _rows(layer, attribution(deviation, total / done), "slope", done)
            )
            kept = time.monotonic()
        stage.reached(done)


def _so_far(
    run: Run, layer: str, deviation: Float64[np.ndarray, " c"], additions: Additions
) -> tuple[Float64[np.ndarray, "c classes"], int]:
    """The sum of the slopes that a stopped measurement has kept, and over how many images."""
    rows = measured(run, layer, additions)
    if rows.empty:
        return np.zeros((len(deviation), len(run.manifest.classes))), 0
    done, pushes = int(rows["images"].iloc[0]), np.stack(rows["push"].tolist()).astype(np.float64)
    column = deviation[:, None]
    return np.divide(pushes * done, column, out=np.zeros_like(pushes), where=column > 0), done


def _rows(layer: str, values: Float64[np.ndarray, "c classes"], how: How, images: int) -> pd.DataFrame:
    columns = {"neuron": np.arange(len(values)), "push": list(np.nan_to_num(values).astype(np.float32))}
    when = datetime.now(UTC).replace(microsecond=0)
    return pd.DataFrame(columns).assign(
        layer=layer, how=how, images=images, measured=when, csp_version=csp_version()
    )
