"""What the model says of one picture, and the neurons behind it.

outcome = try_probe_image(explorer, "layer4", 12)     # from the run; the model only where it must run
outcome = try_picture(explorer, "layer4", picture)    # an upload: nothing of it is kept
outcome.prediction                                    # ((class, probability), ...), the most likely first
outcome.neurons                                       # one row a neuron: activation, percentile, contribution
outcome.how, outcome.remark                           # what the contributions are; what else to say
outcome.quality                                       # how good the model is, where labels tell
outcome.unlikeness, outcome.seen                      # of an upload: how unlike them, what was cut off
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Float
from PIL import Image

from csp.errors import NotFoundError, UnavailableError
from csp.keeping.run_folder.run import Run
from csp.method.search import share_below
from csp.work.attribution.class_attribution import ClassAttribution, class_attribution, layer_deviations
from csp.work.attribution.model_quality import ModelQuality, model_quality
from csp.work.attribution.unlikeness import Unlikeness, unlikeness
from csp.work.explorer.explorer import Explorer
from csp.work.models.probe_images import ProbeImage, ProbeImages
from csp.work.models.reopen import RunTarget, explainable, run_target
from csp.work.models.seen_part import SeenPart, seen_part
from csp.world.pictures.uploads import read_upload
from csp.world.protocols.columns import Beside

How = Literal["exact", "gradient"]

HOW: dict[How, str] = {
    "exact": "exactly: weight of the class x activation, against the other classes, in logits",
    "gradient": "to first order (gradient x activation), against the other classes, in logits",
}
"""What a contribution is, by how it was found."""


@dataclass(frozen=True)
class Prediction:
    """One picture through the target model, as seen from one layer."""

    layer: str
    prediction: tuple[tuple[str, float], ...]
    """Classes with their probability, the most likely first; empty for a model without classes."""
    neurons: pd.DataFrame
    """One row a neuron: `activation`; `percentile`, the share of probe images on which it fires less, 0 to 1;
    `contribution` to the predicted class, NaN where it is not known."""
    how: How | None
    """How the contributions were found; None where they are not known, and `remark` says why."""
    remark: str
    quality: ModelQuality | None = None
    """How good the model is at the class that it names; None where no labels tell."""
    unlikeness: Unlikeness | None = None
    """How unlike the picture is to the probe images; None for one of them."""
    seen: SeenPart | None = None
    """Which part of an upload the model saw; None for a probe image, and where it can't be told."""


def read_picture(data: bytes) -> ProbeImage:
    """The bytes of an upload as a picture without metadata; a CspError says what is wrong with them."""
    upload = read_upload(data)
    return ProbeImage(upload.image, upload.remark)


def try_picture(
    explorer: Explorer, layer: str, picture: Image.Image, beside: Beside | None = None
) -> Prediction:
    """A picture that is not in the run, with what stands `beside` it, through the model.

    Raises UnavailableError without the model, BadInputError for a value beside it that can't enter.
    """
    target = run_target(explorer.run).on([beside or {}])
    batch = target.model.preprocess(picture)[None]
    with target.lock:
        output = target.model.run(batch, [layer])
    activations = output.activations[layer][0]
    contributions, how, remark = _contributions_by_model(target, layer, picture)
    probabilities = np.zeros(0) if output.probabilities is None else output.probabilities[0]
    found = contributions, how, remark
    return replace(
        _prediction(explorer.run, layer, activations, probabilities, found),
        unlikeness=unlikeness(explorer.run, layer, picture, activations),
        seen=seen_part(target.model.preprocess, picture.size),
    )


def try_probe_image(explorer: Explorer, layer: str, image: int) -> Prediction:
    """A picture of the probe dataset: prediction and activations come from the run.

    At a linear head the contributions follow from them, too; elsewhere the model works them out once.
    """
    run = explorer.run
    if not 0 <= image < run.manifest.images:
        raise NotFoundError(f"there is no image {image}: the run has {run.manifest.images}, counted from 0")
    activations = run.of_images(layer, np.array([image]))[0]
    probabilities = np.zeros(0) if run.probabilities is None else run.probabilities[image]
    attribution = class_attribution(explorer, layer)
    if attribution is not None and attribution.how == "exact":
        found = _by_weights(run, attribution, activations, int(probabilities.argmax()))
        return _prediction(run, layer, activations, probabilities, (found, "exact", ""))
    return _prediction(run, layer, activations, probabilities, _kept_contributions(explorer, layer, image))


Found = tuple[Float[np.ndarray, " c"] | None, How | None, str]
"""Contributions, how they were found, and a remark."""


def _by_weights(
    run: Run, attribution: ClassAttribution, activations: Float[np.ndarray, " c"], predicted: int
) -> Float[np.ndarray, " c"]:
    """Weight x activation, the weight being the exact attribution over one standard deviation."""
    deviation = layer_deviations(run, attribution.layer)
    values = attribution.table.to_numpy()[:, predicted]
    weights = np.divide(values, deviation, out=np.zeros_like(values), where=deviation > 0)
    found: Float[np.ndarray, " c"] = weights * activations
    return found


def _kept_contributions(explorer: Explorer, layer: str, image: int) -> Found:
    def compute() -> dict[str, Any]:
        picture = ProbeImages(explorer.run).picture(image)
        target = run_target(explorer.run).on([picture.beside])
        found, how, remark = _contributions_by_model(target, layer, picture.image)
        if found is None:
            raise UnavailableError(remark)
        numbers = np.nan_to_num(found).astype(float).round(6).tolist()
        return {"contributions": numbers, "how": how, "remark": picture.remark}

    asked = {"layer": layer, "image": image}
    try:
        kept = explorer.cache.get_or_compute(asked, compute, model=explorer.run.manifest.target).value
    except UnavailableError as error:
        return None, None, str(error)
    return np.array(kept["contributions"]), kept["how"], kept["remark"]


def _contributions_by_model(target: RunTarget, layer: str, picture: Image.Image) -> Found:
    try:
        model = explainable(target)
    except UnavailableError as error:
        return None, None, str(error)
    with target.lock:
        found = model.contributions(target.model.preprocess(picture)[None], layer)
    return found.values[0].astype(np.float64), "exact" if found.exact else "gradient", ""


def _prediction(
    run: Run,
    layer: str,
    activations: Float[np.ndarray, " c"],
    probabilities: Float[np.ndarray, " classes"],
    found: Found,
) -> Prediction:
    contributions, how, remark = found
    frame = pd.DataFrame(
        {
            "neuron": np.arange(len(activations)),
            "activation": activations.astype(np.float64),
            "percentile": run.each_neuron(layer, share_below, activations),
            "contribution": np.nan if contributions is None else contributions,
        }
    )
    classes = zip(run.manifest.classes, probabilities.astype(float).tolist(), strict=False)
    ordered = tuple(sorted(classes, key=lambda one: -one[1]))
    quality = model_quality(run, ordered[0][0]) if ordered else None
    return Prediction(layer, ordered, frame, how, remark, quality)
