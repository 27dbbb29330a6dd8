"""How good the target model is, on the probe images that have a label: what to hold beside a prediction."""

from dataclasses import dataclass

import numpy as np

from csp.keeping.run_folder.run import Run
from csp.method.metrics.statistics import auroc
from csp.work.splits import held_out


@dataclass(frozen=True)
class ModelQuality:
    """The model on the labelled images of one part of the probe dataset."""

    part: str
    """The split, or `all` where none is held out."""
    images: int
    accuracy: float
    name: str
    """The class that the rest is about."""
    called: int
    """Images that the model calls so."""
    right: int
    """Of these, those with this label."""
    auroc: float
    """Of the class against all others; NaN where only one of the two is there."""


def model_quality(run: Run, name: str) -> ModelQuality | None:
    """How good the model is, above all at the class `name`; None where no image has a label it knows."""
    classes = [one.casefold() for one in run.manifest.classes]
    if run.probabilities is None or name.casefold() not in classes:
        return None
    labels = run.images["label"].astype("object").where(run.images["label"].notna(), "").str.casefold()
    rows, part = held_out(run)
    known = rows & labels.isin(classes).to_numpy(dtype=bool)
    if not known.any():
        return None
    true, found = labels[known].to_numpy(dtype=object), run.probabilities[known]
    said = np.array(classes, dtype=object)[found.argmax(axis=1)]
    called, is_it = said == name.casefold(), true == name.casefold()
    return ModelQuality(
        part=part,
        images=int(known.sum()),
        accuracy=float((said == true).mean()),
        name=name,
        called=int(called.sum()),
        right=int((called & is_it).sum()),
        auroc=auroc(found[:, classes.index(name.casefold())], is_it),
    )
