"""Embeds candidates that neither the vocabulary nor the run holds yet, and keeps them with the run.

After that they are scored without a model (`csp.work.candidates.scores`).
"""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import pandas as pd
from jaxtyping import Float32

from csp.errors import UnavailableError
from csp.keeping.run_folder.added_tables import Additions
from csp.work.candidates.scores import joined_texts
from csp.work.candidates.tables import CANDIDATE_TEXTS
from csp.work.models.embedding import text_embedding
from csp.work.run_cache import RunCache
from csp.work.runs.spec_paths import openable_spec
from csp.world.protocols.encoder import open_encoder


def keep_embeddings(cache: RunCache, additions: Additions, texts: Iterable[str], encoder: str = "") -> int:
    """Embed texts that can't be scored yet and keep them with the run; returns how many were new.

    `encoder` is where the run's encoder lies, if not where the run says. Raises UnavailableError when it is
    needed and can't be opened here, or is another.
    """
    joined = joined_texts(cache.run)
    new = {text.casefold(): text for text in texts if joined is None or joined.vocabulary.row(text) is None}
    if new:
        embeddings = [_embedding(cache, text, encoder) for text in new.values()]
        rows = pd.DataFrame({"text": list(new.values()), "embedding": embeddings})
        additions.append(CANDIDATE_TEXTS, rows)
    return len(new)


def _embedding(cache: RunCache, text: str, encoder: str) -> Float32[np.ndarray, " d"]:
    if not encoder:
        return text_embedding(cache, text)
    source, parameters = cache.run.manifest.encoder, cache.run.manifest.parameters
    model = _given_encoder(encoder)
    if model.weights_hash != source.hash:
        raise UnavailableError(f"the encoder {encoder} is not the one that made this run ({source.name})")
    embedding: Float32[np.ndarray, " d"] = model.embed_texts(
        [text], parameters.templates, parameters.renormalise
    )[0]
    return embedding


_given_encoder = lru_cache(maxsize=1)(lambda spec: open_encoder(openable_spec(spec)))
