"""What an encoder must offer, and how one is opened from a spec."""

from collections.abc import Sequence
from typing import Protocol, cast

import numpy as np
from jaxtyping import Float32
from PIL import Image

from csp.world.protocols.templates import TEMPLATES
from csp.world.specs.registry import ENCODERS


class Encoder(Protocol):
    """A CLIP-like dual encoder: images and texts become unit vectors of one space."""

    @property
    def spec(self) -> str:
        """The text it was opened from."""

    @property
    def name(self) -> str:
        """A short name for people."""

    @property
    def weights_hash(self) -> str:
        """SHA-256 over the names and bytes of all weights."""

    @property
    def dimension(self) -> int:
        """Length d of an embedding."""

    def preprocess(self, image: Image.Image) -> Float32[np.ndarray, "3 h w"]:
        """Turn an RGB image into the encoder's input; may be called from several threads."""

    def embed_images(self, batch: Float32[np.ndarray, "b 3 h w"]) -> Float32[np.ndarray, "b d"]:
        """Embed preprocessed images; every row has length 1."""

    def embed_texts(
        self, texts: Sequence[str], templates: Sequence[str] = TEMPLATES, renormalise: bool = True
    ) -> Float32[np.ndarray, "t d"]:
        """Embed each text as the mean of its normalised embeddings over the templates.

        The mean is normalised again unless `renormalise` is false (as in the reference implementation).
        """


class OpenEncoder(Protocol):
    """Opens an encoder from what follows `scheme:` in its spec."""

    def __call__(self, name: str) -> Encoder:
        """Open it."""


def open_encoder(spec: str) -> Encoder:
    """Open the encoder that `spec` names, e.g. `openclip:local-dir:clip`.

    Raises `BadInputError` for a spec or folder that can't be used, `NotFoundError` for a missing file,
    `UnavailableError` where weights can't be downloaded.
    """
    opener, name = ENCODERS.opener(spec)
    return cast(OpenEncoder, opener)(name)
