"""Answers questions about one neuron: its examples, its labels, how a text fares for it.

Each answer is looked for in what came with the run, then in the cache, else worked out and kept. No model is
loaded but for a text that neither the vocabulary nor the cache holds.
"""

from dataclasses import replace
from functools import cached_property
from typing import Any

from csp.errors import BadInputError
from csp.keeping.answers import Answers
from csp.keeping.manifest import code_hash
from csp.keeping.recent import Recent
from csp.keeping.run import Run
from csp.method.contrast_rule import parse_rule
from csp.method.evidence import Evidence
from csp.method.examples import Examples, select_examples
from csp.work.choice import Choice, make_choice
from csp.work.labelling import TOP, Labels, Scorer, Scores, best_texts
from csp.work.provenance import answered, computed_by, csp_version, precomputed
from csp.work.run_scorer import run_scorer
from csp.work.stored_labels import StoredLabels
from csp.work.text_scores import TextScorer
from csp.work.views import LabelRow, Provenance, TextScore
from csp.work.views_json import (
    examples_from_json,
    examples_to_json,
    labels_from_json,
    labels_to_json,
)

RECENT_SCORES = 64
"""So many neurons' scores in which gamma plays no part stay in memory, for a change of gamma."""


class Answering:
    """Answers about the neurons of one run; `Explorer` says what each method returns and raises."""

    def __init__(self, run: Run, answers: Answers, stored: StoredLabels) -> None:
        self.run = run
        self.answers = answers
        self._stored = stored
        self._settled: Recent[tuple[Any, ...], Scores] = Recent(RECENT_SCORES)

    def examples(self, layer: str, neuron: int, choice: Choice) -> tuple[Examples, Provenance]:
        """The examples of one neuron, and where they come from; NotFoundError says what exists."""
        activations = self.run.activations(layer, neuron)
        if self._as_stored(choice):
            stored = self.run.examples(layer, neuron)
            if stored is not None:
                return stored, precomputed(self.run.manifest)

        def compute() -> dict[str, Any]:
            examples = select_examples(
                activations,
                self.run.embeddings,
                choice.k,
                reuse=choice.reuse,
                neighbours=self.run.neighbours,
                rule=choice.contrast,
            )
            return examples_to_json(examples)

        asked = choice.as_json()
        del asked["gamma"]
        key = self.key("examples", layer, neuron) | asked
        answer = self.answers.get_or_compute(key, compute, by=computed_by(csp_version()))
        return examples_from_json(answer.value), answered(answer)

    def labels(self, layer: str, neuron: int, choice: Choice, top: int = TOP) -> tuple[Labels, Provenance]:
        """By labeler, the texts among the `top` best of any labeler; empty without a vocabulary."""
        if choice == make_choice(self.run.manifest.parameters) and top <= TOP:
            stored = self._stored.of(layer, neuron)
            if stored is not None:
                return stored, precomputed(self.run.manifest)
        if self._scorer is None:
            return {}, precomputed(self.run.manifest)
        scorer, texts = self._scorer, tuple(self.run.vocabulary["text"])

        def compute() -> dict[str, Any]:
            scores = self._scores(scorer, layer, neuron, choice)
            return labels_to_json(best_texts(scores, texts, max(top, TOP)))

        key = self.key("labels", layer, neuron) | choice.as_json() | {"top": max(top, TOP)}
        answer = self.answers.get_or_compute(key, compute, by=self._by_encoder)
        return labels_from_json(answer.value), answered(answer)

    def text(self, layer: str, neuron: int, text: str, choice: Choice) -> TextScore:
        """How one text fares; UnavailableError when the encoder is needed and can't be opened."""
        activations = self.run.activations(layer, neuron)

        def compute() -> dict[str, Any]:
            examples, _ = self.examples(layer, neuron, choice)
            return self._texts.score(text, activations, examples, choice.gamma)

        key = self.key("text", layer, neuron) | choice.as_json() | {"text": text}
        answer = self.answers.get_or_compute(key, compute, by=self._by_encoder)
        scores = {name: LabelRow(**row) for name, row in answer.value["scores"].items()}
        return TextScore(
            text, answer.value["in_vocabulary"], scores, answer.value["out_of"], answered(answer)
        )

    def evidence(self, layer: str, neuron: int, choice: Choice) -> Evidence:
        """What labelers look at for one neuron; raises BadInputError for a run without a vocabulary."""
        if self._scorer is None:
            raise BadInputError(
                f"the run {self.run.name} has no vocabulary, so there is nothing to label with"
            )
        examples, _ = self.examples(layer, neuron, choice)
        return self._scorer.evidence(self.run.activations(layer, neuron), examples)

    def key(self, question: str, layer: str, neuron: int | None = None) -> dict[str, Any]:
        """What tells a question about a neuron, or without one about a layer, from all others."""
        return {
            "question": question,
            "code": self._code,
            "run": self.run.fingerprint,
            "layer": layer,
            "neuron": neuron,
        }

    def _scores(self, scorer: Scorer, layer: str, neuron: int, choice: Choice) -> Scores:
        """Of every text; those in which gamma plays no part are kept for the next gamma."""
        activations = self.run.activations(layer, neuron)
        examples, _ = self.examples(layer, neuron, choice)
        settled = self._settled.get(
            (layer, neuron, replace(choice, gamma=0.0)), lambda: scorer.settled(activations, examples)
        )
        return scorer.scores(activations, examples, choice.gamma, settled)

    def _as_stored(self, choice: Choice) -> bool:
        """Whether the run's table of examples answers; it does not keep the neighbours after the nearest."""
        given = self.run.manifest.parameters
        stored = given.k, given.reuse, parse_rule(given.contrast)
        return (choice.k, choice.reuse, choice.contrast) == stored and choice.contrast.neighbours == 1

    @cached_property
    def _scorer(self) -> Scorer | None:
        return run_scorer(self.run, self.answers)

    @cached_property
    def _code(self) -> str:
        return code_hash()

    @property
    def _by_encoder(self) -> str:
        return computed_by(csp_version(), self.run.manifest.encoder.name)

    @cached_property
    def _texts(self) -> TextScorer:
        return TextScorer(self.run, self.answers, self._scorer)
