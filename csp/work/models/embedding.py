"""Texts and pictures as a run's encoder sees them; the encoder is opened only when it is needed."""

from typing import Any

import numpy as np
from jaxtyping import Float32
from PIL import Image

from csp.errors import UnavailableError
from csp.keeping.result_cache import ResultCache
from csp.keeping.run_folder.run import Run
from csp.keeping.versions import csp_version
from csp.work.models.reopen import run_encoder
from csp.work.provenance import computed_by


def text_embedding(
    run: Run, answers: ResultCache, text: str, *, load: bool = True
) -> Float32[np.ndarray, " d"]:
    """A text as the vocabulary of this run was embedded, kept for the next time it is asked for.

    Raises UnavailableError when the encoder can't be opened here; without `load`, when it would have to be.
    """
    source, parameters = run.manifest.encoder, run.manifest.parameters
    templates, renormalise = parameters.templates, parameters.renormalise

    def compute() -> list[float]:
        if not load:
            raise UnavailableError("the encoder has not seen this text yet")
        encoder = run_encoder(run)
        with encoder.lock:
            embedded = encoder.model.embed_texts([text], templates, renormalise)
        numbers: list[float] = embedded[0].astype(float).tolist()
        return numbers

    key: dict[str, Any] = {"question": "text embedding", "encoder": source.hash, "text": text}
    key |= {"templates": list(templates), "renormalise": renormalise}
    by = computed_by(csp_version(), source.name)
    return np.array(answers.get_or_compute(key, compute, by=by).value, dtype=np.float32)


def picture_embedding(run: Run, picture: Image.Image) -> Float32[np.ndarray, " d"]:
    """A picture as the run's images were embedded, kept nowhere; raises UnavailableError likewise."""
    encoder = run_encoder(run)
    with encoder.lock:
        found: Float32[np.ndarray, " d"] = encoder.model.embed_images(
            encoder.model.preprocess(picture)[None]
        )[0]
    return found
