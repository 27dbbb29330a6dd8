"""Scores candidates among the vocabulary's texts and all other candidates of the run; needs no model.

The embeddings of candidates are kept with the run (`CANDIDATE_TEXTS`), so a score at any gamma is arithmetic.
Only `keep_embeddings` opens the encoder, for texts that neither the vocabulary nor the run holds yet.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float32

from csp.errors import UnavailableError
from csp.keeping.result_cache import ResultCache
from csp.keeping.run_folder.added_tables import Additions
from csp.keeping.run_folder.run import Run
from csp.keeping.versions import csp_version
from csp.method.labelers.registry import LABELERS, all_scores
from csp.work.candidates.tables import CANDIDATE_TEXTS
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.options import ExampleOptions
from csp.work.labels.rows import LabelRow, Labels
from csp.work.labels.scorer import TOP, Scorer, best_texts
from csp.work.labels.typed_text import rank
from csp.work.models.embedding import text_embedding
from csp.work.provenance import computed_by
from csp.work.runs.spec_paths import openable_spec
from csp.work.splits import selection
from csp.world.protocols.encoder import open_encoder


@dataclass(frozen=True, eq=False)
class JoinedTexts:
    """The vocabulary, then the candidates that it lacks."""

    texts: tuple[str, ...]
    scorer: Scorer
    places: Mapping[str, int]
    """By text in lower case; the first of two that differ in case only."""
    version: tuple[str, ...]


def joined_texts(run: Run) -> JoinedTexts | None:
    """All texts of a run that can be scored without a model; None where it has none."""
    return _joined(run, Additions(run).version(CANDIDATE_TEXTS))


def score_candidates(
    explorer: Explorer,
    layer: str,
    neuron: int,
    texts: Iterable[str],
    choice: ExampleOptions,
    labelers: Sequence[str] | None = None,
) -> dict[str, dict[str, LabelRow]]:
    """By text the score and rank (among `joined_texts`) under each of the labelers, all if left out.

    A text without a known embedding is missing, and so is each for a neuron that never fires.
    """
    labelers = tuple(LABELERS) if labelers is None else tuple(labelers)
    joined = joined_texts(explorer.run)
    places = (
        {text: joined.places[text.casefold()] for text in texts if text.casefold() in joined.places}
        if joined
        else {}
    )
    if joined is None or not places:
        return {}

    def compute() -> dict[str, dict[str, Any]]:
        found = _all_scores(explorer, layer, neuron, joined, choice, labelers)
        alone = explorer.run.text_embeddings is None
        return {
            text: {
                name: asdict(LabelRow(text, float(scores[place]), rank(scores, place)))
                for name, scores in found.items()
                if LABELERS[name].alone or not alone
            }
            for text, place in places.items()
            if found
        }

    key = explorer.key("candidates", layer, neuron) | choice.as_json()
    key |= {"texts": list(places), "joined": list(joined.version), "labelers": list(labelers)}
    by = computed_by(csp_version(), explorer.run.manifest.encoder.name)
    value = explorer.answers.get_or_compute(key, compute, by=by).value
    return {text: {name: LabelRow(**row) for name, row in rows.items()} for text, rows in value.items()}


def joined_labels(
    explorer: Explorer, layer: str, neuron: int, choice: ExampleOptions, top: int = TOP
) -> Labels:
    """`Explorer.labels` with the candidates of all neurons joined to the vocabulary."""
    joined = joined_texts(explorer.run)
    if joined is None:
        return {}
    return best_texts(
        _all_scores(explorer, layer, neuron, joined, choice, tuple(LABELERS)), joined.texts, top
    )


def keep_embeddings(
    run: Run, answers: ResultCache, additions: Additions, texts: Iterable[str], encoder: str = ""
) -> int:
    """Embed texts that can't be scored yet and keep them with the run; returns how many were new.

    `encoder` is where the run's encoder lies, if not where the run says. Raises UnavailableError when it is
    needed and can't be opened here, or is another.
    """
    joined = joined_texts(run)
    known = set(joined.places) if joined else set()
    new = {text.casefold(): text for text in texts if text.casefold() not in known}
    if new:
        embeddings = [_embedding(run, answers, text, encoder) for text in new.values()]
        rows = pd.DataFrame({"text": list(new.values()), "embedding": embeddings})
        additions.append(CANDIDATE_TEXTS, rows)
    return len(new)


def _embedding(run: Run, answers: ResultCache, text: str, encoder: str) -> Float32[np.ndarray, " d"]:
    if not encoder:
        return text_embedding(run, answers, text)
    source, parameters = run.manifest.encoder, run.manifest.parameters
    model = _given_encoder(encoder)
    if model.weights_hash != source.hash:
        raise UnavailableError(f"the encoder {encoder} is not the one that made this run ({source.name})")
    embedding: Float32[np.ndarray, " d"] = model.embed_texts(
        [text], parameters.templates, parameters.renormalise
    )[0]
    return embedding


_given_encoder = lru_cache(maxsize=1)(lambda spec: open_encoder(openable_spec(spec)))


def _all_scores(
    explorer: Explorer,
    layer: str,
    neuron: int,
    joined: JoinedTexts,
    choice: ExampleOptions,
    labelers: Sequence[str],
) -> Mapping[str, Float32[np.ndarray, " t"]]:
    """The score of every joined text; nothing for a neuron that never fires."""
    examples, _ = explorer.examples(layer, neuron, choice)
    if not (examples.activation > 0).any():
        return {}
    scorer = joined.scorer
    evidence = scorer.evidence(explorer.run.activations(layer, neuron), examples)
    return all_scores(labelers, evidence, scorer.text_embeddings, choice.gamma)


@lru_cache(maxsize=4)
def _joined(run: Run, version: tuple[str, ...]) -> JoinedTexts | None:
    texts, embeddings = list(run.vocabulary["text"]), run.text_embeddings
    parts = [] if embeddings is None else [embeddings]
    places: dict[str, int] = {}
    for place, text in enumerate(texts if parts else ()):
        places.setdefault(text.casefold(), place)
    added = Additions(run).read(CANDIDATE_TEXTS)
    for text, embedding in zip(added["text"], added["embedding"], strict=True):
        if text.casefold() not in places:
            places[text.casefold()] = len(texts)
            texts.append(text)
            parts.append(np.asarray(embedding, np.float32)[None])
    if not parts:
        return None
    scorer = Scorer(run.embeddings, np.concatenate(parts), selection(run))
    return JoinedTexts(tuple(texts), scorer, places, version)
