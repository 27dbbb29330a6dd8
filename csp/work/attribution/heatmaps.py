"""Where a neuron fires in pictures: overlays for the screen, from the model's map before pooling.

found = heat(explorer, "layer4", 17, images)    # UnavailableError: which weights or pictures are missing
found.overlays[image]                           # PNG, to lie over the thumbnail of that image
found.remark                                    # what to say besides, e.g. that stored pictures were used
heat_of(run_target(run), "layer4", [17, 3], picture)   # of a picture that belongs to no run: kept nowhere
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32

from csp.keeping.run_folder.run import Run
from csp.work.explorer.explorer import Explorer
from csp.work.models.probe_images import ProbeImage, ProbeImages
from csp.work.models.reopen import RunTarget, explainable, run_target
from csp.world.pictures.heatmap import CropBox, lit, patch_light, seen_part, spotlight

AT_ONCE = 16


@dataclass(frozen=True)
class Heatmap:
    """The map of one neuron on one picture."""

    values: Float32[np.ndarray, "y x"]
    part: CropBox
    size: tuple[int, int]
    remark: str
    """What to say of the picture that was used; "" for the image file itself."""

    @property
    def peak(self) -> float:
        """The highest value of the map."""
        return float(np.nan_to_num(self.values).max())

    def overlay(self, strongest: float) -> bytes:
        """PNG to lie over the picture, clear where the neuron fires as strongly as `strongest`."""
        return spotlight(np.nan_to_num(self.values), strongest, self.part, self.size)


@dataclass(frozen=True)
class HeatmapOverlays:
    """Overlays by image, all on one scale: clear is where the neuron fires most strongly in any of them."""

    overlays: Mapping[int, bytes]
    remark: str


def heat(explorer: Explorer, layer: str, neuron: int, images: Sequence[int]) -> HeatmapOverlays:
    """Where one neuron fires in probe images; maps are kept for the next time.

    Raises UnavailableError when the target model or a picture is missing, BadInputError for a layer that has
    no space left.
    """
    wanted = list(dict.fromkeys(images))
    kept = explorer.run.places(layer, neuron)  # NotFoundError for a neuron that does not exist
    if kept is not None:
        return _stored(explorer.run, layer, neuron, wanted, kept)

    def compute() -> list[dict[str, Any]]:
        pictures = ProbeImages(explorer.run)
        chosen = [pictures.picture(image) for image in wanted]
        return [_as_json(one) for one in _maps(run_target(explorer.run), layer, [neuron], chosen)]

    asked = {"layer": layer, "neuron": neuron, "images": wanted}
    found = explorer.cache.get_or_compute(asked, compute, model=explorer.run.manifest.target)
    maps = [_from_json(row) for row in found.value]
    strongest = max((one.peak for one in maps), default=0.0)
    overlays = {image: one.overlay(strongest) for image, one in zip(wanted, maps, strict=True)}
    return HeatmapOverlays(overlays, next((one.remark for one in maps if one.remark), ""))


def _stored(
    run: Run, layer: str, neuron: int, wanted: Sequence[int], places: Float32[np.ndarray, "n 2"]
) -> HeatmapOverlays:
    """The patch that fired most in each picture, from the run alone."""
    grid, activations = run.layer(layer).grid, np.nan_to_num(run.activations(layer, neuron))
    assert grid is not None  # there are no places without
    strongest = max((float(activations[image]) for image in wanted), default=0.0)
    sizes = run.images[["width", "height"]].to_numpy()
    overlays = {
        image: patch_light(
            places[image],
            grid,
            float(activations[image]) / strongest if strongest > 0 else 0.0,
            (int(sizes[image, 0]), int(sizes[image, 1])),
        )
        for image in wanted
    }
    return HeatmapOverlays(overlays, "")


def lit_pictures(run: Run, layer: str, neurons: Sequence[int], picture: ProbeImage) -> dict[int, bytes]:
    """One picture (WebP) for each neuron, dark where it does not fire, each on its own scale; kept nowhere.

    Raises as `heat`.
    """
    maps = _maps(run_target(run), layer, neurons, [picture])
    return {
        neuron: lit(picture.image, one.overlay(one.peak)) for neuron, one in zip(neurons, maps, strict=True)
    }


def _maps(
    target: RunTarget, layer: str, neurons: Sequence[int], pictures: Sequence[ProbeImage]
) -> list[Heatmap]:
    """Picture by picture, and in each the neurons in their order."""
    parts, found = dict[tuple[int, int], CropBox](), list[Heatmap]()
    for start in range(0, len(pictures), AT_ONCE):
        some = pictures[start : start + AT_ONCE]
        batch = np.stack([target.model.preprocess(one.image) for one in some])
        model = explainable(target.on([one.beside for one in some]))
        with target.lock:
            values = model.maps(batch, layer, neurons)
        for one, of_neurons in zip(some, values, strict=True):
            size = one.image.size
            if size not in parts:
                parts[size] = seen_part(target.model.preprocess, size)
            found += [Heatmap(each, parts[size], size, one.remark) for each in of_neurons]
    return found


def _as_json(one: Heatmap) -> dict[str, Any]:
    """Half precision is more than a screen can show."""
    packed = np.nan_to_num(one.values).clip(-65504, 65504).astype(np.float16)
    part = [one.part.left, one.part.top, one.part.right, one.part.bottom]
    values = base64.b64encode(packed.tobytes()).decode("ascii")
    return {"values": values, "shape": packed.shape, "part": part, "size": one.size, "remark": one.remark}


def _from_json(row: Mapping[str, Any]) -> Heatmap:
    packed = np.frombuffer(base64.b64decode(row["values"]), np.float16).reshape(row["shape"])
    width, height = row["size"]
    return Heatmap(packed.astype(np.float32), CropBox(*row["part"]), (width, height), row["remark"])
