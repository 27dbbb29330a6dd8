"""How unlike a new picture is to the probe images of a run: in the encoder, and in a layer of the model."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float
from PIL import Image

from csp.errors import UnavailableError
from csp.keeping.run_folder.run import Run
from csp.method.unlikeness import ProbeSpace, drawn, probe_space
from csp.work.models.embedding import picture_embedding

UNLIKE = 0.95
"""From this share on a picture is called unlike the probe images; one in twenty of their own kind is, too."""
_ENCODER = ""


@dataclass(frozen=True)
class Unlikeness:
    """Each the share of probe images that are nearer to another probe image than the picture is to any."""

    layer: float
    encoder: float | None
    """None where the encoder is not here."""

    @property
    def most(self) -> float:
        """The greater one, 0 to 1; NaN where the probe images are too few to tell."""
        known = [one for one in (self.layer, self.encoder) if one is not None and not math.isnan(one)]
        return max(known, default=math.nan)

    @property
    def unlike(self) -> bool:
        """Whether the model meets something here that the probe images do not prepare for."""
        return self.most >= UNLIKE


def unlikeness(
    run: Run, layer: str, picture: Image.Image, activations: Float[np.ndarray, " c"]
) -> Unlikeness:
    """Of a picture and what it makes the neurons of a layer do."""
    try:
        embedded = picture_embedding(run, picture)
    except UnavailableError:
        return Unlikeness(_space(run, layer).unlikeness(activations), None)
    return Unlikeness(_space(run, layer).unlikeness(activations), _space(run, _ENCODER).unlikeness(embedded))


@lru_cache(maxsize=4)
def _space(run: Run, layer: str) -> ProbeSpace:
    if layer == _ENCODER:
        return probe_space(run.embeddings)
    return probe_space(run.of_images(layer, drawn(run.manifest.images)))
