"""Scores candidates among the vocabulary's texts and all other candidates of the run; needs no model.

The embeddings of candidates are kept with the run (`CANDIDATE_TEXTS`), so a score at any gamma is arithmetic.
`csp.work.candidates.embed` puts them there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float32

from csp.keeping.run_folder.added_tables import Additions
from csp.keeping.run_folder.run import Run
from csp.method.labelers.registry import LABELERS, all_scores
from csp.work.candidates.tables import CANDIDATE_TEXTS
from csp.work.explorer.explorer import Explorer
from csp.work.explorer.options import ExampleOptions
from csp.work.labels.rows import LabelRow, Labels
from csp.work.labels.scorer import TOP, Scorer, best_texts, labelers_code, rank, scorer_of
from csp.work.labels.vocabulary import Vocabulary, run_vocabulary


@dataclass(frozen=True, eq=False)
class JoinedTexts:
    """The vocabulary, then the candidates that it lacks."""

    vocabulary: Vocabulary
    scorer: Scorer
    version: tuple[str, ...]
    """Changes when candidates join."""


def joined_texts(run: Run) -> JoinedTexts | None:
    """All texts of a run that can be scored without a model; None where it has none."""
    return _joined(run, Additions(run).version(CANDIDATE_TEXTS))


def score_candidates(
    explorer: Explorer,
    layer: str,
    neuron: int,
    texts: Iterable[str],
    options: ExampleOptions,
    labelers: Sequence[str] | None = None,
) -> dict[str, dict[str, LabelRow]]:
    """By text the score and rank (among `joined_texts`) under each of the labelers, all if left out.

    A text without a known embedding is missing, and so is each for a neuron that never fires.
    """
    labelers = tuple(LABELERS) if labelers is None else tuple(labelers)
    joined = joined_texts(explorer.run)
    if joined is None:
        return {}
    rows = {text: row for text in texts if (row := joined.vocabulary.row(text)) is not None}
    if not rows:
        return {}

    def compute() -> dict[str, dict[str, Any]]:
        found = _all_scores(explorer, layer, neuron, joined, options, labelers)
        alone = explorer.run.text_embeddings is None
        return {
            text: {
                name: asdict(LabelRow(text, float(scores[row]), rank(scores, row)))
                for name, scores in found.items()
                if LABELERS[name].alone or not alone
            }
            for text, row in rows.items()
            if found
        }

    asked = {"layer": layer, "neuron": neuron, "options": options.as_json(), "texts": list(rows)}
    asked |= {"joined": list(joined.version), "labelers": labelers_code(labelers)}
    found = explorer.cache.get_or_compute(asked, compute, model=explorer.run.manifest.encoder).value
    return {text: {name: LabelRow(**row) for name, row in of.items()} for text, of in found.items()}


def joined_labels(
    explorer: Explorer, layer: str, neuron: int, options: ExampleOptions, top: int = TOP
) -> Labels:
    """`Explorer.labels` with the candidates of all neurons joined to the vocabulary."""
    joined = joined_texts(explorer.run)
    if joined is None:
        return {}
    return best_texts(
        _all_scores(explorer, layer, neuron, joined, options, tuple(LABELERS)), joined.vocabulary.texts, top
    )


def _all_scores(
    explorer: Explorer,
    layer: str,
    neuron: int,
    joined: JoinedTexts,
    options: ExampleOptions,
    labelers: Sequence[str],
) -> Mapping[str, Float32[np.ndarray, " t"]]:
    """The score of every joined text; nothing for a neuron that never fires."""
    examples, _ = explorer.examples(layer, neuron, options)
    if not (examples.activation > 0).any():
        return {}
    scorer = joined.scorer
    evidence = scorer.evidence(layer, explorer.run.activations(layer, neuron), examples, labelers)
    return all_scores(labelers, evidence, scorer.text_embeddings, options.gamma)


@lru_cache(maxsize=4)
def _joined(run: Run, version: tuple[str, ...]) -> JoinedTexts | None:
    added = Additions(run).read(CANDIDATE_TEXTS)
    vocabulary = run_vocabulary(run).joined(added["text"].tolist(), added["embedding"].tolist())
    if not vocabulary.texts:
        return None
    return JoinedTexts(vocabulary, scorer_of(run, vocabulary.embeddings), version)
