"""Scores any text a person types for a neuron; loads the encoder only for texts outside the vocabulary.

score_text(explorer, "layer4", 17, "blue-white veil")   # TextScore; UnavailableError: no encoder here
"""

from dataclasses import asdict
from functools import lru_cache
from typing import Any

import numpy as np

from csp.errors import UnavailableError
from csp.method.labelers.registry import LABELERS
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.options import ExampleOptions
from csp.work.explorer.views import TextScore
from csp.work.labels.rows import LabelRow
from csp.work.labels.scorer import Scorer, labelers_code, rank, scorer_of
from csp.work.labels.vocabulary import clean_text, run_vocabulary
from csp.work.models.embedding import text_embedding
from csp.work.provenance import answered
from csp.work.run_cache import RunCache


def score_text(
    explorer: Explorer,
    layer: str,
    neuron: int,
    text: str,
    options: ExampleOptions | None = None,
    *,
    load: bool = True,
) -> TextScore:
    """How a text fares for a neuron under `options` or the run's own; no score for one that never fires.

    Raises BadInputError for what can't be a label, UnavailableError when the encoder can't be loaded. Without
    `load` no model is: UnavailableError for a text that the encoder has not seen yet.
    """
    options, text = options or explorer.options(), clean_text(text)
    activations, row = explorer.run.activations(layer, neuron), run_vocabulary(explorer.run).row(text)

    def compute() -> dict[str, Any]:
        scorer = explorer.scorer if row is not None else None
        if scorer is None:
            scorer = _scorer_with(explorer.cache, text, load=load)
        examples, _ = explorer.examples(layer, neuron, options)
        scores = scorer.scores(layer, activations, examples, options.gamma)
        place = len(scorer.text_embeddings) - 1 if row is None else row
        rows = {
            name: asdict(LabelRow(text, float(values[place]), rank(values, place)))
            for name, values in scores.items()
            if LABELERS[name].alone or explorer.scorer is not None
        }
        return {"scores": rows, "out_of": len(scorer.text_embeddings)}

    asked = {"layer": layer, "neuron": neuron, "options": options.as_json(), "text": text}
    asked |= {"labelers": labelers_code()}
    found = explorer.cache.get_or_compute(asked, compute, model=explorer.run.manifest.encoder)
    scores = {name: LabelRow(**fields) for name, fields in found.value["scores"].items()}
    return TextScore(text, row is not None, scores, found.value["out_of"], answered(found))


@lru_cache(maxsize=2)
def _scorer_with(cache: RunCache, text: str, *, load: bool) -> Scorer:
    """A scorer of the vocabulary's texts and, as the last, this one; kept for the next neuron."""
    try:
        embedding = text_embedding(cache, text, load=load)
    except UnavailableError as error:
        raise UnavailableError(f"only texts of the vocabulary can be scored: {error}") from error
    texts = np.concatenate([run_vocabulary(cache.run).embeddings, embedding[None, :]])
    return scorer_of(cache.run, texts)
