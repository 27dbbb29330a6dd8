"""Answers questions about one run: from what came with it, from the cache, or worked out now.

    explorer = open_explorer("demo")                     # NotFoundError says which runs exist
    explorer.run.layers                                  # ("layer3", "layer4")
    table = explorer.neurons("layer4")                   # NeuronTable: .frame (a DataFrame), .provenance
    view = explorer.neuron("layer4", 17)                 # NeuronView at the run's own k, gamma and reuse
    view = explorer.neuron("layer4", 17, k=9, gamma=0.5) # ... or at others; then cached
    view.pairs[0].activating.image                       # -> explorer.run.thumbnail(image, "small"): bytes
    view.labels["csp"][0].label, view.scores             # best labels; the table over all labelers
    explorer.score_text("layer4", 17, "blue-white veil") # TextScore; UnavailableError when the encoder can't load
    explorer.score_range("layer4", "csp")                # ScoreRange of first labels, or None without a vocabulary
    view.provenance.source                               # "precomputed" | "cached" | "computed"

No model is loaded except by `score_text` for a text outside the vocabulary.
"""

from csp.keeping.answers import Answers
from csp.keeping.run import Run
from csp.work.views import NeuronTable, NeuronView, ScoreRange, TextScore


class Explorer:
    """The questions that pages and commands ask of one run."""

    def __init__(self, run: Run, answers: Answers) -> None:
        self.run = run
        self.answers = answers

    def neurons(self, layer: str) -> NeuronTable:
        """The neurons of a layer, with their state and their first csp label."""
        raise NotImplementedError

    def neuron(
        self,
        layer: str,
        neuron: int,
        *,
        k: int | None = None,
        gamma: float | None = None,
        reuse: bool | None = None,
    ) -> NeuronView:
        """One neuron; what is left None is the run's own parameter."""
        raise NotImplementedError

    def score_text(
        self,
        layer: str,
        neuron: int,
        text: str,
        *,
        k: int | None = None,
        gamma: float | None = None,
        reuse: bool | None = None,
    ) -> TextScore:
        """Score any text for a neuron under every labeler; raises UnavailableError when the encoder can't load."""
        raise NotImplementedError

    def score_range(self, layer: str, labeler: str = "csp") -> ScoreRange | None:
        """Where the scores of first labels lie in this layer; None when the run has no labels."""
        raise NotImplementedError


def open_explorer(run: str) -> Explorer:
    """The explorer of a run, by name or folder; raises NotFoundError or BadRunError."""
    raise NotImplementedError
