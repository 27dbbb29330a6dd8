"""Scores any text a person types for a neuron; loads the encoder only for texts outside the vocabulary."""

from dataclasses import asdict
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float32

from csp.errors import BadInputError, UnavailableError
from csp.keeping.result_cache import ResultCache
from csp.keeping.run_folder.run import Run
from csp.method.examples.select import Examples
from csp.method.labelers.registry import LABELERS
from csp.work.labels.rows import LabelRow
from csp.work.labels.scorer import Scorer, Scores
from csp.work.models.embedding import text_embedding
from csp.work.splits import selection

LONGEST = 300


def clean_text(text: str) -> str:
    """The text with single spaces; BadInputError when it is empty or too long to be a label."""
    text = " ".join(text.split())
    if not 1 <= len(text) <= LONGEST:
        raise BadInputError(f"a label of {len(text)} characters can't be scored; write 1 to {LONGEST}")
    return text


class TextScorer:
    """Scores texts for the neurons of one run."""

    def __init__(self, run: Run, answers: ResultCache, vocabulary: Scorer | None) -> None:
        self._run = run
        self._answers = answers
        self._vocabulary = vocabulary
        self._last: tuple[str, Scorer] | None = None

    def score(
        self,
        text: str,
        activations: Float32[np.ndarray, " n"],
        examples: Examples,
        gamma: float,
        *,
        load: bool = True,
    ) -> dict[str, Any]:
        """As JSON, the fields `in_vocabulary`, `scores` (none for a neuron that never fires) and `out_of`.

        UnavailableError when the encoder can't be opened; without `load`, when it would have to be.
        """
        place = self._places.get(text.casefold())
        scorer = self._vocabulary if place is not None else None
        if scorer is None:
            scorer = self._scorer_with(text, load)
        index = len(scorer.text_embeddings) - 1 if place is None else place
        scores = scorer.scores(activations, examples, gamma)
        return {
            "in_vocabulary": place is not None,
            "scores": {name: asdict(row) for name, row in self._rows(text, index, scores).items()},
            "out_of": len(scorer.text_embeddings),
        }

    def _rows(self, text: str, index: int, scores: Scores) -> dict[str, LabelRow]:
        alone = self._vocabulary is None
        return {
            name: LabelRow(text, float(values[index]), rank(values, index))
            for name, values in scores.items()
            if LABELERS[name].alone or not alone
        }

    def _scorer_with(self, text: str, load: bool) -> Scorer:
        """A scorer of the vocabulary's texts and, as the last, this one; kept for the next neuron."""
        if self._last is None or self._last[0] != text:
            embedding = self._embedding(text, load)[None, :]
            known = [] if self._vocabulary is None else [self._vocabulary.text_embeddings]
            self._last = text, self._scorer_of(np.concatenate([*known, embedding]))
        return self._last[1]

    def _scorer_of(self, texts: Float32[np.ndarray, "t d"]) -> Scorer:
        return Scorer(self._run.embeddings, texts, selection(self._run))

    def _embedding(self, text: str, load: bool) -> Float32[np.ndarray, " d"]:
        try:
            return text_embedding(self._run, self._answers, text, load=load)
        except UnavailableError as error:
            raise UnavailableError(f"only texts of the vocabulary can be scored: {error}") from error

    @cached_property
    def _places(self) -> dict[str, int]:
        """Place of each vocabulary text, in lower case; the first of two that differ in case only."""
        if self._vocabulary is None:
            return {}
        places: dict[str, int] = {}
        for place, text in enumerate(self._run.vocabulary["text"]):
            places.setdefault(text.casefold(), place)
        return places


def rank(scores: Float32[np.ndarray, " t"], index: int) -> int:
    """The place of one text among all, 1 the best; of equals the first comes first."""
    better = np.count_nonzero(scores > scores[index])
    return int(better + np.count_nonzero(scores[:index] == scores[index])) + 1
