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

from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from csp.errors import BadInputError
from csp.keeping.answers import Answers
from csp.keeping.home import answers_folder, find_run
from csp.keeping.run import Run
from csp.method.evidence import Evidence
from csp.method.examples import Examples
from csp.method.states import SENTENCES, NeuronState
from csp.work.answering import Answering
from csp.work.choice import Choice, make_choice
from csp.work.image_facts import ImageIndex
from csp.work.labelling import TOP, Labels
from csp.work.meanings import Meanings
from csp.work.provenance import freshest, precomputed
from csp.work.stored_labels import StoredLabels
from csp.work.text_scores import clean_text
from csp.work.view_building import margin, neuron_view
from csp.work.views import LabelRow, NeuronTable, NeuronView, Pair, Provenance, ScoreRange, TextScore


class Explorer:
    """The questions that pages and commands ask of one run."""

    def __init__(self, run: Run, answers: Answers) -> None:
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
    ) -> TextScore:
        """Score any text for a neuron; raises UnavailableError when the encoder can't be loaded."""
        choice, text = self.choice(k, gamma, reuse, contrast), clean_text(text)
        return self._answering.text(layer, neuron, text, choice)

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
    ) -> Choice:
        """A checked choice; what is left None is the run's own parameter. Raises BadInputError."""
        return make_choice(self.run.manifest.parameters, k, gamma, reuse, contrast)

    def pairs(self, layer: str, neuron: int, choice: Choice) -> tuple[tuple[Pair, ...], float]:
        """The example pairs of one neuron, and its mean activation."""
        examples, _ = self.examples(layer, neuron, choice)
        return self.images.pairs(examples), examples.mean_activation

    def examples(self, layer: str, neuron: int, choice: Choice) -> tuple[Examples, Provenance]:
        """The examples of one neuron, and where they come from; NotFoundError says what exists."""
        return self._answering.examples(layer, neuron, choice)

    def labels(self, layer: str, neuron: int, choice: Choice, top: int = TOP) -> tuple[Labels, Provenance]:
        """By labeler, the texts among the `top` best of any labeler; empty without a vocabulary."""
        return self._answering.labels(layer, neuron, choice, top)

    def evidence(self, layer: str, neuron: int, choice: Choice) -> Evidence:
        """What labelers look at for one neuron; raises BadInputError for a run without a vocabulary."""
        return self._answering.evidence(layer, neuron, choice)

    def has_labels(self, layer: str, neuron: int) -> bool:
        """Whether the labels of all labelers are stored for this neuron (or it has none: it never fires)."""
        return self._stored.of(layer, neuron) is not None

    def key(self, question: str, layer: str, neuron: int | None = None) -> dict[str, Any]:
        """What tells a question about a neuron, or without one about a layer, from all others."""
        return self._answering.key(question, layer, neuron)

    @cached_property
    def meanings(self) -> Meanings:
        """Which texts of the vocabulary mean the same."""
        return Meanings(self.run)


def open_explorer(run: str) -> Explorer:
    """The explorer of a run, by name or folder; raises NotFoundError or BadRunError."""
    return Explorer(Run.open(find_run(run)), Answers(answers_folder()))


def _first(rows: tuple[LabelRow, ...]) -> tuple[str | None, float, float]:
    """The first label, its score, and by how much it is ahead of the next."""
    if not rows:
        return None, float("nan"), float("nan")
    between = margin(rows)
    return rows[0].label, rows[0].score, float("nan") if between is None else between


def _sentence(state: NeuronState) -> str:
    return "" if state is NeuronState.NORMAL else SENTENCES[state]
