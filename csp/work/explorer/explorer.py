"""Answers questions about one run: from what came with it, from the cache, or worked out now.

    explorer = open_explorer("demo")                     # NotFoundError says which runs exist
    explorer.run.layers                                  # ("layer3", "layer4")
    table = explorer.neurons("layer4")                   # NeuronTable: .frame (a DataFrame), .provenance
    view = explorer.neuron("layer4", 17)                 # NeuronView at the run's own k, gamma and reuse
    view = explorer.neuron("layer4", 17, k=9, gamma=0.5) # ... or at others; then cached
    view.pairs[0].activating.image                       # -> explorer.run.thumbnail(image, "small"): bytes
    view.labels["csp"][0].label, view.scores             # best labels; the table over all labelers
    explorer.score_text("layer4", 17, "blue-white veil") # TextScore; UnavailableError: no encoder here
    explorer.score_range("layer4", "csp")                # ScoreRange of first labels; None: no vocabulary
    view.provenance.source                               # "precomputed" | "cached" | "computed"

No model is loaded except by `score_text` for a text outside the vocabulary.
"""

from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from csp.errors import BadInputError
from csp.keeping.home import result_cache_folder
from csp.keeping.library.find import find_run
from csp.keeping.lru import LruCache
from csp.keeping.result_cache import ResultCache
from csp.keeping.run_folder.run import Run
from csp.keeping.versions import code_hash, csp_version
from csp.method.examples.contrast_rule import parse_rule
from csp.method.examples.select import Examples, select_examples
from csp.method.labelers.evidence import Evidence
from csp.method.states import SENTENCES, NeuronState
from csp.work.explorer.build_view import margin, neuron_view
from csp.work.explorer.images import ImageIndex
from csp.work.explorer.options import ExampleOptions, example_options
from csp.work.explorer.serialise import examples_from_json, examples_to_json, labels_from_json, labels_to_json
from csp.work.explorer.views import NeuronTable, NeuronView, Pair, TextScore
from csp.work.labels.rows import LabelRow, Labels, ScoreRange
from csp.work.labels.scorer import TOP, Scorer, Scores, best_texts, run_scorer
from csp.work.labels.stored import StoredLabels
from csp.work.labels.synonyms import Synonyms
from csp.work.labels.typed_text import TextScorer, clean_text
from csp.work.provenance import Provenance, answered, computed_by, freshest, precomputed


class Explorer:
    """The questions that pages and commands ask of one run."""

    def __init__(self, run: Run, answers: ResultCache) -> None:
        self.run = run
        self.answers = answers
        self.images = ImageIndex(run)
        self._stored = StoredLabels(run)
        self._answering = Answering(run, answers, self._stored)

    def neurons(self, layer: str) -> NeuronTable:
        """The neurons of a layer, with their state and the first label of the first labeler."""
        stored = self.run.neurons(layer)
        if stored.empty:
            raise BadInputError(
                f"the run {self.run.name} has no table of neurons; make it again with `csp index`"
            )
        labels = self._stored.firsts(layer)
        firsts = [_first(labels.get(neuron, ())) for neuron in stored["neuron"]]
        frame = pd.DataFrame(
            {
                "neuron": stored["neuron"],
                "state": stored["state"],
                "sentence": [_sentence(NeuronState(state)) for state in stored["state"]],
                "mean": stored["mean"],
                "maximum": stored["max"],
                "share_firing": stored["share_firing"],
                "label": [label for label, _, _ in firsts],
                "score": np.array([score for _, score, _ in firsts], dtype=np.float64),
                "margin": np.array([margin for _, _, margin in firsts], dtype=np.float64),
                "top_images": [[int(image) for image in images] for images in stored["activating"]],
            }
        )
        return NeuronTable(layer, frame, precomputed(self.run.manifest))

    def neuron(
        self,
        layer: str,
        neuron: int,
        *,
        k: int | None = None,
        gamma: float | None = None,
        reuse: bool | None = None,
        contrast: str | None = None,
    ) -> NeuronView:
        """One neuron; what is left None is the run's own parameter."""
        choice = self.choice(k, gamma, reuse, contrast)
        examples, found = self.examples(layer, neuron, choice)
        labels, labelled = self.labels(layer, neuron, choice)
        return neuron_view(
            self.run,
            (layer, neuron, choice),
            self.images.pairs(examples),
            labels,
            freshest(found, labelled),
        )

    def score_text(
        self,
        layer: str,
        neuron: int,
        text: str,
        *,
        k: int | None = None,
        gamma: float | None = None,
        reuse: bool | None = None,
        contrast: str | None = None,
        load: bool = True,
    ) -> TextScore:
        """Score any text for a neuron; raises UnavailableError when the encoder can't be loaded.

        Without `load` no model is: UnavailableError for a text that the encoder has not seen yet.
        """
        choice, text = self.choice(k, gamma, reuse, contrast), clean_text(text)
        return self._answering.text(layer, neuron, text, choice, load)

    def stored_labels(self, layer: str) -> pd.DataFrame:
        """All stored labels of a layer: neuron, labeler, rank, label, score."""
        return self._stored.frame(layer)

    def first_labeler(self, layer: str) -> str:
        """The labeler whose first label the app suggests for neurons of this layer."""
        return self._stored.first_labeler(layer)

    def first_labels(self, layer: str) -> dict[int, str]:
        """By neuron the first label of the first labeler, as stored; a neuron without one is missing."""
        return {neuron: rows[0].label for neuron, rows in self.first_rows(layer).items()}

    def first_rows(self, layer: str) -> dict[int, tuple[LabelRow, ...]]:
        """By neuron the first labeler's labels, best first, as stored; a neuron without one is missing."""
        return self._stored.firsts(layer)

    def score_range(self, layer: str, labeler: str = "csp") -> ScoreRange | None:
        """Where the scores of first labels lie in this layer; None when the run stores none."""
        return self._stored.score_range(layer, labeler)

    def choice(
        self,
        k: int | None = None,
        gamma: float | None = None,
        reuse: bool | None = None,
        contrast: str | None = None,
    ) -> ExampleOptions:
        """A checked choice; what is left None is the run's own parameter. Raises BadInputError."""
        return example_options(self.run.manifest.parameters, k, gamma, reuse, contrast)

    def pairs(self, layer: str, neuron: int, choice: ExampleOptions) -> tuple[tuple[Pair, ...], float]:
        """The example pairs of one neuron, and its mean activation."""
        examples, _ = self.examples(layer, neuron, choice)
        return self.images.pairs(examples), examples.mean_activation

    def examples(self, layer: str, neuron: int, choice: ExampleOptions) -> tuple[Examples, Provenance]:
        """The examples of one neuron, and where they come from; NotFoundError says what exists."""
        return self._answering.examples(layer, neuron, choice)

    def labels(
        self, layer: str, neuron: int, choice: ExampleOptions, top: int = TOP
    ) -> tuple[Labels, Provenance]:
        """By labeler, the texts among the `top` best of any labeler; empty without a vocabulary."""
        return self._answering.labels(layer, neuron, choice, top)

    def evidence(self, layer: str, neuron: int, choice: ExampleOptions) -> Evidence:
        """What labelers look at for one neuron; raises BadInputError for a run without a vocabulary."""
        return self._answering.evidence(layer, neuron, choice)

    def has_labels(self, layer: str, neuron: int) -> bool:
        """Whether the labels of all labelers are stored for this neuron (or it has none: it never fires)."""
        return self._stored.of(layer, neuron) is not None

    def key(self, question: str, layer: str, neuron: int | None = None) -> dict[str, Any]:
        """What tells a question about a neuron, or without one about a layer, from all others."""
        return self._answering.key(question, layer, neuron)

    @cached_property
    def meanings(self) -> Synonyms:
        """Which texts of the vocabulary mean the same."""
        return Synonyms(self.run)


def open_explorer(run: str) -> Explorer:
    """The explorer of a run, by name or folder; raises NotFoundError or BadRunError."""
    return Explorer(Run.open(find_run(run)), ResultCache(result_cache_folder()))


def _first(rows: tuple[LabelRow, ...]) -> tuple[str | None, float, float]:
    """The first label, its score, and by how much it is ahead of the next."""
    if not rows:
        return None, float("nan"), float("nan")
    between = margin(rows)
    return rows[0].label, rows[0].score, float("nan") if between is None else between


def _sentence(state: NeuronState) -> str:
    return "" if state is NeuronState.NORMAL else SENTENCES[state]


RECENT_SCORES = 64
"""So many neurons' scores in which gamma plays no part stay in memory, for a change of gamma."""


class Answering:
    """Answers about the neurons of one run; `Explorer` says what each method returns and raises."""

    def __init__(self, run: Run, answers: ResultCache, stored: StoredLabels) -> None:
        self.run = run
        self.answers = answers
        self._stored = stored
        self._settled: LruCache[tuple[Any, ...], Scores] = LruCache(RECENT_SCORES)

    def examples(self, layer: str, neuron: int, choice: ExampleOptions) -> tuple[Examples, Provenance]:
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

    def labels(
        self, layer: str, neuron: int, choice: ExampleOptions, top: int = TOP
    ) -> tuple[Labels, Provenance]:
        """By labeler, the texts among the `top` best of any labeler; empty without a vocabulary."""
        if choice == example_options(self.run.manifest.parameters) and top <= TOP:
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

    def text(self, layer: str, neuron: int, text: str, choice: ExampleOptions, load: bool) -> TextScore:
        """How one text fares; UnavailableError when the encoder is needed and can't be opened."""
        activations = self.run.activations(layer, neuron)

        def compute() -> dict[str, Any]:
            examples, _ = self.examples(layer, neuron, choice)
            return self._texts.score(text, activations, examples, choice.gamma, load=load)

        key = self.key("text", layer, neuron) | choice.as_json() | {"text": text}
        answer = self.answers.get_or_compute(key, compute, by=self._by_encoder)
        scores = {name: LabelRow(**row) for name, row in answer.value["scores"].items()}
        return TextScore(
            text, answer.value["in_vocabulary"], scores, answer.value["out_of"], answered(answer)
        )

    def evidence(self, layer: str, neuron: int, choice: ExampleOptions) -> Evidence:
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

    def _scores(self, scorer: Scorer, layer: str, neuron: int, choice: ExampleOptions) -> Scores:
        """Of every text; those in which gamma plays no part are kept for the next gamma."""
        activations = self.run.activations(layer, neuron)
        examples, _ = self.examples(layer, neuron, choice)
        settled = self._settled.get(
            (layer, neuron, replace(choice, gamma=0.0)), lambda: scorer.settled(activations, examples)
        )
        return scorer.scores(activations, examples, choice.gamma, settled)

    def _as_stored(self, choice: ExampleOptions) -> bool:
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
