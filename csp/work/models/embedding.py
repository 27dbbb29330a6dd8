"""Texts and pictures as a run's encoder sees them; the encoder is opened only when it is needed."""

import numpy as np
from jaxtyping import Float32
from PIL import Image

from csp.errors import UnavailableError
from csp.keeping.run_folder.run import Run
from csp.work.models.reopen import run_encoder
from csp.work.run_cache import RunCache


def text_embedding(cache: RunCache, text: str, *, load: bool = True) -> Float32[np.ndarray, " d"]:
    """A text as the vocabulary of the run was embedded, kept for all runs of this encoder.

    Raises UnavailableError when the encoder can't be opened here; without `load`, when it would have to be.
    """
    parameters = cache.run.manifest.parameters
    templates, renormalise = parameters.templates, parameters.renormalise

    def compute() -> list[float]:
        if not load:
            raise UnavailableError("the encoder has not seen this text yet")
        encoder = run_encoder(cache.run)
        with encoder.lock:
            embedded = encoder.model.embed_texts([text], templates, renormalise)
        numbers: list[float] = embedded[0].astype(float).tolist()
        return numbers

    asked = {"text": text, "templates": list(templates), "renormalise": renormalise}
    found = cache.get_or_compute_for_model(cache.run.manifest.encoder, asked, compute)
    return np.array(found.value, dtype=np.float32)


def picture_embedding(run: Run, picture: Image.Image) -> Float32[np.ndarray, " d"]:
    """A picture as the run's images were embedded, kept nowhere; raises UnavailableError likewise."""
    encoder = run_encoder(run)
    with encoder.lock:
        found: Float32[np.ndarray, " d"] = encoder.model.embed_images(
            encoder.model.preprocess(picture)[None]
        )[0]
    return found
